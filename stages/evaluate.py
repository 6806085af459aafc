"""evaluate: the folds' predictions to `metrics/`, `plots/` and the operating points of the models.
Reads no weights."""

from ecgpipe.project import stage

if __name__ == "__main__":
    stage.end_quietly_on_signals()

import sys

from ecgpipe.evaluation import challenge_score, floor, held_out, metric_tables, operating_points
from ecgpipe.evaluation.params import EvaluateParams
from ecgpipe.evaluation.predictions import fold_names
from ecgpipe.evaluation.subgroups import masks, read_flags
from ecgpipe.project import atomic, params, paths, tables
from ecgpipe.report import closing, html, html_sentences, plots


def main() -> None:
    evaluate = params.section(EvaluateParams, params.load(), "evaluate")
    table, info = tables.read(paths.FOLDS), tables.folds_info()
    folds = fold_names(table)
    classes = challenge_score.scored_classes(tables.class_codes(table))
    scored = held_out.read(table, folds, classes, evaluate)
    groups = masks(table, read_flags(table))
    metrics = metric_tables.compute(scored, classes, table["group"], groups, evaluate)
    metrics = floor.beside(metrics, table, folds, scored, classes, evaluate)
    skill = metric_tables.validation_skill(scored)
    operating_points.write(scored.points, skill, classes, evaluate, paths.OPERATING.parent)
    metric_tables.write(metrics, paths.METRICS)
    pictures = plots.plot(scored, metrics, classes.names, plots.read_histories(folds), paths.PLOTS)
    made = html_sentences.made(info, evaluate.model_dump())
    html.write(metrics, pictures, made, paths.PLOTS / "report.html")
    atomic.prune(paths.PREDICTIONS, map(paths.fold_folder, [*folds, *info["unused"]]))
    closing.tell(metrics, paths.PLOTS / "report.html")


if __name__ == "__main__":
    stage.run(main, *sys.argv[1:])

"""evaluate: the folds' predictions to `metrics/`, `plots/` and the operating points of the models.
Reads no weights."""

from ecgpipe.project import stage

if __name__ == "__main__":
    stage.end_quietly_on_signals()

from ecgpipe.evaluation import challenge_score, held_out, metric_tables, operating_points, subgroups
from ecgpipe.evaluation.params import EvaluateParams
from ecgpipe.evaluation.predictions import fold_names
from ecgpipe.project import atomic, params, paths, tables
from ecgpipe.report import html, plots


def main() -> None:
    chosen = params.section(EvaluateParams, params.load(), "evaluate")
    table = tables.read(paths.FOLDS)
    folds = fold_names(table)
    info = tables.folds_info()
    classes = challenge_score.scored_classes(tables.class_codes(table))
    found = held_out.read(table, folds, classes, chosen)
    groups = table["group"].to_numpy()
    told = metric_tables.with_intervals(
        metric_tables.reports(found, classes), found, classes, groups, chosen.resamples, chosen.seed
    )
    metrics = metric_tables.trees(
        told, found, classes, subgroups.masks(table, subgroups.read_flags(table))
    )
    operating_points.write(
        found.points, metric_tables.validation_auroc(found), classes, chosen, paths.OPERATING
    )
    metric_tables.write(metrics, paths.METRICS)
    pictures = plots.plot(found, metrics, classes.names, plots.read_histories(folds), paths.PLOTS)
    html.write(metrics, pictures, html.made(info, chosen.model_dump()), paths.PLOTS / "report.html")
    atomic.prune(paths.PREDICTIONS, map(paths.fold_folder, [*folds, *info["unused"]]))


if __name__ == "__main__":
    stage.run(main)

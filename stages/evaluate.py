"""evaluate: the folds' predictions to `metrics/`, `plots/` and the operating points of the models. Reads no weights."""

from ecgpipe import exits

if __name__ == "__main__":
    exits.listen()

from ecgpipe import layout, measures, operating, params, plotting, reporting, scoring, settings, subgroups, tables
from ecgpipe.answers import fold_names


def main() -> None:
    chosen = params.section(operating.Params, params.load(), "evaluate")
    table = tables.read(layout.FOLDS)
    folds = fold_names(table)
    info = layout.folds_info()
    classes = measures.panel(tables.class_codes(table))
    found = settings.read(table, folds, classes, chosen)
    groups = table["group"].to_numpy()
    told = scoring.with_intervals(
        scoring.reports(found, classes), found, classes, groups, chosen.resamples, chosen.seed
    )
    metrics = scoring.trees(told, found, classes, subgroups.masks(table, subgroups.read_flags(table)))
    operating.write(found.points, scoring.validation_auroc(found), classes, chosen, layout.OPERATING)
    scoring.write(metrics, layout.METRICS)
    pictures = plotting.draw(found, metrics, classes.names, plotting.read_histories(folds), layout.PLOTS)
    reporting.write(metrics, pictures, reporting.made(info, chosen.model_dump()), layout.PLOTS / "report.html")
    layout.prune(layout.PREDICTIONS, map(layout.fold_folder, [*folds, *info["unused"]]))


if __name__ == "__main__":
    exits.run(main)

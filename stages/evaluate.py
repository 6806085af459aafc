"""evaluate: the folds' predictions to `metrics/` and `plots/`. Reads no weights."""

from ecgpipe import layout, plotting, scoring, tables
from ecgpipe.answers import fold_names


def main() -> None:
    with layout.lock("evaluate"):
        table = tables.read(layout.FOLDS)
        folds = fold_names(table)
        layout.prune(layout.PREDICTIONS, [layout.predictions(fold).name for fold in folds])
        classes = scoring.panel(tables.class_codes(table))
        settings = scoring.read_answers(table, folds)
        told = scoring.write_metrics(settings, classes, layout.METRICS)
        plotting.draw(settings, told, classes.names, plotting.read_histories(folds), layout.PLOTS)


if __name__ == "__main__":
    main()

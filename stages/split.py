"""data/labels.csv and the indexes of data/signals -> data/folds.csv, folds.json, left_out.csv,
metrics/split.json."""

from ecgpipe.project import stage

if __name__ == "__main__":
    stage.end_quietly_on_signals()

import logging

import pandas as pd

from ecgpipe.project import atomic, params, paths, tables
from ecgpipe.splitting import duplicates as splitting_duplicates
from ecgpipe.splitting import folds, join, summary
from ecgpipe.splitting.params import SplitParams


def main() -> None:
    values = params.load()
    settings = params.section(SplitParams, values, "split")
    sources = params.section(params.Used, values, "data").sources
    stores = {name: join.read_store(paths.store(name)) for name in sources}
    table, left_out = join.join(tables.read(paths.LABELS), stores)
    disagreeing = splitting_duplicates.conflicting_labels(table)
    table, duplicates = folds.split(table, sources, settings)
    left_out = pd.concat([left_out, duplicates]).sort_values(["source", "record", "path"])
    tables.write(left_out, paths.LEFT_OUT, sealed=True)
    tables.write(summary.folds_table(table), paths.FOLDS, sealed=True)
    atomic.write_json(paths.FOLDS_INFO, summary.info(table, sources, settings), sealed=True)
    counted = summary.summary(table, left_out, settings) | {"disagreeing": disagreeing}
    atomic.write_json(paths.METRICS / "split.json", counted)
    pruned = atomic.prune(
        paths.SIGNALS, sources
    )  # as the last act: whatever fails before costs nobody a store
    said = (len(table), len(left_out), paths.LEFT_OUT, pruned or "nothing")
    logging.info("%d recordings in the folds, %d left out (%s says why), %s pruned", *said)
    for one in disagreeing[:3]:
        logging.warning(
            "%s are one signal with different labels (metrics/split.json)",
            " and ".join(one["records"]),
        )


if __name__ == "__main__":
    stage.run(main)

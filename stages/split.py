"""split: data/labels and the indexes of data/signals -> data/folds, data/left_out.csv,
metrics/split.json."""

from ecgpipe.project import stage

if __name__ == "__main__":
    stage.end_quietly_on_signals()

import sys

import pandas as pd

from ecgpipe.project import atomic, params, paths, tables
from ecgpipe.splitting import duplicates, folds, join, summary
from ecgpipe.splitting.params import SplitParams


def main() -> None:
    values = params.load()
    split, data = params.sections(values, split=SplitParams, data=params.Used)
    sources = data.sources
    stores = {name: join.read_store(paths.store(name)) for name in sources}
    table, left_out = join.join(tables.read(paths.LABELS), stores)
    conflicts = duplicates.conflicting_labels(table)
    table, repeated = folds.split(table, sources, split)
    left_out = pd.concat([left_out, repeated]).sort_values(["source", "record", "path"])
    tables.write(left_out, paths.LEFT_OUT, for_people=True)
    with atomic.sealed_folder(paths.FOLDS.parent) as folder:
        tables.write(summary.folds_table(table), folder / paths.FOLDS.name)
        info = summary.info(table, sources, split, folder / paths.FOLDS.name)
        atomic.write_json(folder / paths.FOLDS_INFO.name, info)
    atomic.write_report(paths.SPLIT_REPORT, summary.summary(table, left_out, split, conflicts))
    # As the last act: whatever fails before costs nobody a store.
    pruned = atomic.prune(paths.SIGNALS, sources)
    summary.log(table, left_out, conflicts, pruned)


if __name__ == "__main__":
    stage.run(main, *sys.argv[1:])

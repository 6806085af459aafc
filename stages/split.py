"""data/labels.csv and the indexes of data/signals -> data/folds.csv, folds.json, left_out.csv, metrics/split.json."""

from ecgpipe import exits

if __name__ == "__main__":
    exits.listen()

import logging

import pandas as pd

from ecgpipe import layout, params, splitting, tables, twins


def main() -> None:
    values = params.load()
    settings = params.section(splitting.Params, values, "split")
    sources = params.section(params.Used, values, "data").sources
    stores = {name: splitting.read_store(layout.store(name)) for name in sources}
    table, left_out = splitting.join(tables.read(layout.LABELS), stores)
    disagreeing = twins.disagreeing(table)
    table, duplicates = splitting.split(table, sources, settings)
    left_out = pd.concat([left_out, duplicates]).sort_values(["source", "record", "path"])
    tables.write(left_out, layout.LEFT_OUT, sealed=True)
    tables.write(splitting.folds_table(table), layout.FOLDS, sealed=True)
    layout.write_json(layout.FOLDS_INFO, splitting.info(table, sources, settings), sealed=True)
    counted = splitting.summary(table, left_out, settings) | {"disagreeing": disagreeing}
    layout.write_json(layout.METRICS / "split.json", counted)
    pruned = layout.prune(layout.SIGNALS, sources)  # as the last act: whatever fails before costs nobody a store
    said = (len(table), len(left_out), layout.LEFT_OUT, pruned or "nothing")
    logging.info("%d recordings in the folds, %d left out (%s says why), %s pruned", *said)
    for one in disagreeing[:3]:
        logging.warning("%s are one signal with different labels (metrics/split.json)", " and ".join(one["records"]))


if __name__ == "__main__":
    exits.run(main)

"""preprocess@source: raw recordings to the source's signal store, `data/signals/<source>`."""

from ecgpipe import exits

if __name__ == "__main__":
    exits.listen()

import logging
import sys
from functools import partial

from tqdm import tqdm

from ecgpipe import conditioning, layout, params, records


def main(name: str) -> None:
    values = params.load()
    data = params.section(records.Params, values, "data")
    source = records.in_use(values)[params.one_of(name, data.sources, "data.sources")]
    settings = params.section(conditioning.Params, values, "preprocess")
    compute = params.section(params.Compute, values, "compute")
    raw = data.folder(name)
    with layout.atomic(layout.store(name)) as folder:
        report = conditioning.build_store(
            folder, raw, source, settings, workers=compute.workers, backend=compute.backend,
            progress=partial(tqdm, desc=f"preprocess {name}", unit="rec", disable=None),
        )  # fmt: skip
    layout.write_json(layout.METRICS / "signals" / f"{name}.json", report)
    said = (name, report["stored"], report["recordings"], report["refused"] or "none", report["flags"] or "none")
    logging.info("%s: %d of %d stored; refused: %s; flags: %s (refused.csv in the store says why)", *said)


if __name__ == "__main__":
    exits.run(main, *sys.argv[1:])

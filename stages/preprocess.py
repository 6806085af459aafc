"""preprocess@source: raw recordings to the source's signal store, `data/signals/<source>`."""

from ecgpipe.project import stage

if __name__ == "__main__":
    stage.end_quietly_on_signals()

import logging
import sys
from functools import partial

from tqdm import tqdm

from ecgpipe.preprocessing import build_store
from ecgpipe.preprocessing.params import PreprocessParams
from ecgpipe.project import atomic, params, paths
from ecgpipe.recordings import sources


def main(name: str) -> None:
    values = params.load()
    data = params.section(sources.DataParams, values, "data")
    source = sources.in_use(values)[params.one_of(name, data.sources, "data.sources")]
    settings = params.section(PreprocessParams, values, "preprocess")
    compute = params.section(params.Compute, values, "compute")
    raw = data.folder(name)
    with atomic.atomic(paths.store(name)) as folder:
        report = build_store.build_store(
            folder, raw, source, settings, workers=compute.workers, backend=compute.backend,
            progress=partial(tqdm, desc=f"preprocess {name}", unit="rec", disable=None),
        )  # fmt: skip
    atomic.write_json(paths.METRICS / "signals" / f"{name}.json", report)
    said = (
        name,
        report["stored"],
        report["recordings"],
        report["refused"] or "none",
        report["flags"] or "none",
    )
    logging.info(
        "%s: %d of %d stored; refused: %s; flags: %s (refused.csv in the store says why)", *said
    )


if __name__ == "__main__":
    stage.run(main, *sys.argv[1:])

"""preprocess@source: raw recordings to the source's signal store, `data/signals/<source>`."""

from ecgpipe.project import stage

if __name__ == "__main__":
    stage.end_quietly_on_signals()

import sys
from functools import partial

from tqdm import tqdm

from ecgpipe.preprocessing import build_store
from ecgpipe.preprocessing.params import PreprocessParams
from ecgpipe.project import atomic, params, paths
from ecgpipe.recordings import sources


def main(name: str) -> None:
    kinds = {"data": sources.DataParams, "preprocess": PreprocessParams}
    data, preprocess, compute = params.sections(params.load(), **kinds, compute=params.Compute)
    source = sources.select([params.one_of(name, data.sources, "data.sources")])[name]
    with atomic.atomic(paths.store(name)) as folder:
        report = build_store.build_store(
            folder, data.folder(name), source, preprocess, max_refused=data.max_refused,
            workers=compute.workers, backend=compute.backend,
            progress=partial(tqdm, desc=f"preprocess {name}", unit="rec", disable=None),
        )  # fmt: skip
    atomic.write_report(paths.METRICS / "signals" / f"{name}.json", report)
    build_store.log(name, report)


if __name__ == "__main__":
    stage.run(main, *sys.argv[1:], reads_recordings=True)

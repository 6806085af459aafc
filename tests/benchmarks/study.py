"""python -m tests.benchmarks.study [curves] [trials] --start NAME=FOLDER...

What starting from simulated hearts brings: learning curves over real recordings, out of fold and
with whole sources held out; and trials of settings with whole sources held out. The environment
names the recordings (`real_recordings`). A start is a model folder, such as data/pretrained; give
several to set them side by side (pretrained on permuted labels, without a class, wider).

    python -m tests.benchmarks.study curves --start pretrained=data/pretrained

Every cell (protocol, method, size, seed, fold) is written into the work folder as it ends, and a
study that was stopped goes on; a cell is computed again where its settings, recordings or start
have changed, not where code has: remove the folder `cells` then. `--page` alone writes the page of
what is there. Writes study.json, study.png and study.md beside this file.
"""

import argparse
import functools
import hashlib
import itertools
import json
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from tqdm import tqdm

from ecgpipe.preprocessing.params import PreprocessParams
from ecgpipe.project import atomic, params
from ecgpipe.training import checkpoint
from tests.benchmarks import real_recordings, study_methods, study_page, study_trials
from tests.benchmarks.study_data import ALL, PROTOCOLS, Divided, divide, scored
from tests.benchmarks.study_methods import NETWORK, Method

HERE = Path(__file__).parent
ROOT = real_recordings.ROOT
CONFIG = ROOT / "configs/real.yaml"
SIZES = (0, 25, 50, 100, 200, 400, ALL)
SEEDS = (1, 2, 3)
SECTIONS = ("model", "train", "augment")
RATE = 300.0  # recordings a second and core that a network of width 20 is trained on, to begin with


@dataclass(frozen=True)
class Cell:
    """One training and its answers to one fold."""

    protocol: str
    method: Method
    size: int | str
    seed: int
    fold: str

    @property
    def name(self) -> str:
        """Its file, without suffix."""
        parts = (self.method.name, self.protocol, self.size, self.seed, self.fold)
        return "-".join(str(part).replace(" ", "_").replace("/", "_") for part in parts)


@dataclass(frozen=True)
class Work:
    """What all cells share: the work folder, the folders of recordings, the conditioning and the
    sections of params that networks are trained by."""

    folder: Path
    real: Path
    ptbxl: Path | None
    preprocess: PreprocessParams
    settings: Mapping[str, Any]

    def __hash__(self) -> int:
        return hash((self.folder, self.real, self.ptbxl))

    def path(self, cell: Cell) -> Path:
        """Where a cell is kept."""
        return self.folder / "cells" / f"{cell.name}.json"


@functools.cache
def divided(work: Work, protocol: str, seed: int) -> Divided:
    """The recordings in the folds of a seed, once in each process."""
    collection = real_recordings.collect(work.folder, work.real, work.ptbxl, work.preprocess)
    return divide(collection, protocol, seed)


@functools.cache
def digest_of(folder: str) -> str:
    """The hash of a start's weights."""
    content = (Path(folder) / "weights.safetensors").read_bytes()
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def key(work: Work, cell: Cell) -> str:
    """What a kept cell must have to count: the hash of its settings, recordings and start."""
    table = divided(work, cell.protocol, cell.seed).table
    method = vars(cell.method) | {"start": cell.method.start and digest_of(cell.method.start)}
    settings = {name: dict(values) for name, values in work.settings.items()}
    parts = [method, settings, work.preprocess, cell.name]
    rows = [*table["digest"], *map(str, table["fold"])]
    return checkpoint.digest([json.loads(json.dumps(parts, default=_plain)), rows])


def _plain(value: Any) -> Any:
    return value.model_dump() if hasattr(value, "model_dump") else dict(value)


def kept(work: Work, cell: Cell) -> dict[str, Any] | None:
    """What a cell holds: `rows`, `probabilities` [row, class], `seconds`; None where it is to be
    computed."""
    path = work.path(cell)
    if not path.exists():
        return None
    content = json.loads(path.read_text(encoding="utf-8"))
    return content if content["key"] == key(work, cell) else None


def run(work: Work, cell: Cell) -> Cell:
    """Computes a cell and keeps it."""
    warnings.simplefilter("ignore")  # of convergence, a few thousand times
    begun_s, here = time.perf_counter(), divided(work, cell.protocol, cell.seed)
    held = here.held(cell.fold)
    rows = np.zeros(0, np.int64) if cell.size == 0 else here.trained(cell.fold, cell.size)
    said = study_methods.answers(cell.method, work.settings, here, rows, held, cell.seed)
    content = {
        "key": key(work, cell),
        "trained": len(rows),
        "rows": held.tolist(),
        "probabilities": np.round(said, 5).tolist(),
        "seconds": round(time.perf_counter() - begun_s, 2),
    }
    with atomic.atomic(work.path(cell)) as temporary:
        temporary.write_text(json.dumps(content), encoding="utf-8")
    return cell


def cells(
    methods: Sequence[Method],
    protocols: Sequence[str],
    sizes: Sequence[int | str],
    seeds: Sequence[int],
    folds: Mapping[str, Sequence[str]],
) -> list[Cell]:
    """All cells, a seed after the other, the quickest first; without recordings only a start has
    one, of one seed and all folds."""
    made = []
    for seed, protocol, method in itertools.product(seeds, protocols, methods):
        for size in sizes:
            if size != 0:
                made += [Cell(protocol, method, size, seed, fold) for fold in folds[protocol]]
            elif method.start and not method.changes and seed == seeds[0]:
                made.append(Cell(protocol, method, 0, seed, ALL))
    return sorted(made, key=lambda cell: (cell.seed, cost(cell, {})))


def cost(cell: Cell, settings: Mapping[str, Any]) -> float:
    """About how many recordings a cell goes through, a network's epochs counted."""
    size = 550 if cell.size == ALL else int(cell.size)
    if cell.method.kind != NETWORK or not size:
        return 1000.0
    epochs = settings.get("train", {}).get("epochs", 15)
    epochs = cell.method.changes.get("train", {}).get("epochs", epochs)
    least = (
        study_methods.LEAST_STEPS
        * study_methods.long_enough(size, {"batch": 16, "epochs": 1})["batch"]
    )
    return 200.0 + max(size * float(epochs), least) * (1 + cell.method.teachers)


def results(work: Work, wanted: Sequence[Cell]) -> list[dict[str, Any]]:
    """A row for each protocol, method and size of which every fold of some seed is there."""
    by_row: dict[tuple, dict[int, list[Cell]]] = {}
    for cell in wanted:
        seeds = by_row.setdefault((cell.protocol, cell.method.name, cell.size), {})
        seeds.setdefault(cell.seed, []).append(cell)
    rows = []
    for (protocol, name, size), seeds in by_row.items():
        whole = [answer for each in seeds.values() if (answer := joined(work, each)) is not None]
        if whole:
            table = divided(work, protocol, min(seeds)).table
            score = scored(table, [said for said, _ in whole])
            seconds = round(float(np.mean([spent for _, spent in whole])), 1)
            row = {"protocol": protocol, "method": name, "size": size, "seconds": seconds}
            rows.append(row | score)
    return rows


def joined(work: Work, each: Sequence[Cell]) -> tuple[NDArray[np.float64], float] | None:
    """[row, class]: the answers of one seed's cells, and their seconds; None where one is
    missing."""
    parts = [kept(work, cell) for cell in each]
    if any(part is None for part in parts):
        return None
    rows = np.concatenate([part["rows"] for part in parts])
    said = np.concatenate([part["probabilities"] for part in parts])
    return said[np.argsort(rows)], sum(part["seconds"] for part in parts)


def settings_of(path: Path) -> dict[str, Any]:
    """The sections of a params file that networks are trained by."""
    values = params.load(path)
    return {name: values[name] for name in SECTIONS}


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.study", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("parts", nargs="*", default=["curves", "trials"], help="curves, trials")
    parser.add_argument("--start", nargs="+", default=[f"pretrained={ROOT / 'data/pretrained'}"])
    parser.add_argument("--only", nargs="+", help="names of methods or trials")
    parser.add_argument("--protocols", nargs="+", choices=PROTOCOLS, default=list(PROTOCOLS))
    parser.add_argument("--sizes", nargs="+", default=list(map(str, SIZES)))
    parser.add_argument("--seeds", nargs="+", type=int, default=list(SEEDS))
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--config", type=Path, default=CONFIG, help="params of a start's training")
    parser.add_argument("--work", type=Path, default=real_recordings.WORK)
    parser.add_argument("--out", type=Path, default=HERE)
    parser.add_argument("--page", action="store_true", help="compute nothing, write the page")
    return parser.parse_args()


def main() -> None:
    """Computes what is missing, and writes the page of what is there."""
    chosen = arguments()
    work = Work(
        chosen.work.resolve(), *real_recordings.folders(), real_recordings.preprocess_params(),
        settings_of(chosen.config),
    )  # fmt: skip
    starts = dict(text.split("=", 1) for text in chosen.start)
    sizes = [ALL if size == ALL else int(size) for size in chosen.sizes]
    folds = {name: divided(work, name, chosen.seeds[0]).folds for name in PROTOCOLS}
    plan: dict[str, list[Cell]] = {}
    for part in chosen.parts:
        methods = getattr(study_trials, part)(starts)
        methods = [one for one in methods if not chosen.only or one.name in chosen.only]
        scope = (chosen.protocols, sizes) if part == "curves" else (["source"], [0, ALL])
        plan[part] = cells(methods, *scope, chosen.seeds, folds)
    if not chosen.page:
        compute(work, [cell for part in plan.values() for cell in part], chosen.jobs)
    content = {part: results(work, wanted) for part, wanted in plan.items()}
    write(chosen.out, content, work, next(iter(starts)))


def compute(work: Work, wanted: Sequence[Cell], jobs: int) -> None:
    """Computes the cells that are not kept, on so many processes, and shows how far it is."""
    missing = {cell.name: cell for cell in wanted if kept(work, cell) is None}
    costs = {name: cost(cell, work.settings) for name, cell in missing.items()}
    minutes = sum(costs.values()) / RATE / jobs / 60
    print(f"{len(missing)} of {len(wanted)} cells, about {minutes:.0f} min on {jobs} processes")
    done = Parallel(n_jobs=jobs, return_as="generator_unordered")(
        delayed(run)(work, cell) for cell in missing.values()
    )
    with tqdm(total=round(sum(costs.values())), unit="rec", unit_scale=True, disable=None) as bar:
        for cell in done:
            bar.set_postfix_str(cell.name)
            bar.update(round(costs[cell.name]))


def write(folder: Path, content: dict[str, list[dict[str, Any]]], work: Work, first: str) -> None:
    """Writes study.json, study.png and study.md; a part that was not asked for stays as it is."""
    path = folder / "study.json"
    before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    table = divided(work, "stratified", SEEDS[0]).table
    content = before | content | {"recordings": len(table), "sources": table["source"].nunique()}
    content |= {"first": first}
    atomic.write_json(path, content)
    if content.get("curves"):
        study_page.draw(content["curves"], folder / "study.png")
    (folder / "study.md").write_text(study_page.page(content), encoding="utf-8")


if __name__ == "__main__":
    main()

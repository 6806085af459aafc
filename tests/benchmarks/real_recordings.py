"""The real recordings that the study and the table of realism read, all in the form of the
Challenge's release, labelled, conditioned and joined by the project's own packages.

Two folders, which are no part of the project, give them: `ECGPIPE_REAL_DATA`, sources laid out as
in the release, and `ECGPIPE_PTBXL`, PTB-XL in its original form, whose labels stand in a table
alone. The latter is rewritten: a statement of `scp_codes`, whatever its likelihood, and the text of
`heart_axis` become the SNOMED CT codes that native_labels.csv has for them, as in the Challenge's
conversion (Reyna et al. 2021, https://physionet.org/content/challenge-2021/1.0.3).
"""

import ast
import csv
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ecgpipe.dataset import examples
from ecgpipe.diagnoses import vocabularies
from ecgpipe.labels import mapping, patients
from ecgpipe.labels.params import LabelParams
from ecgpipe.preprocessing import build_store
from ecgpipe.preprocessing.params import PreprocessParams
from ecgpipe.project import atomic, params, paths, tables
from ecgpipe.recordings import descriptions, sources
from ecgpipe.signals import store
from ecgpipe.splitting import join

ROOT = Path(__file__).parents[2]
WORK = paths.CHECKPOINTS / "study"
NAMES = (
    "chapman_shaoxing",
    "cpsc_2018",
    "cpsc_2018_extra",
    "georgia",
    "ludb",
    "ningbo",
    "ptb",
    "ptb-xl",
    "sph",
)
PTBXL = "ptb-xl"
_TABLE = "ptbxl_database.csv"
_LEADS = {"AVR": "aVR", "AVL": "aVL", "AVF": "aVF"}


@dataclass(frozen=True)
class Collection:
    """Real recordings: `table` as `splitting.join` makes it (labels, digest), by source and record;
    `raw` holds the source folders, `signals` the folders of their `stores`."""

    table: pd.DataFrame
    raw: Path
    signals: Path
    catalogue: dict[str, sources.Source]
    stores: dict[str, store.Store]


def folders() -> tuple[Path, Path | None]:
    """The two folders that the environment names, the second of which may be wanting. SystemExit
    where the first is unset."""
    real, ptbxl = os.environ.get("ECGPIPE_REAL_DATA"), os.environ.get("ECGPIPE_PTBXL")
    if not real:
        raise SystemExit("ECGPIPE_REAL_DATA is unset: set it to the folder of real recordings")
    return Path(real), Path(ptbxl) if ptbxl else None


def collect(work: Path, real: Path, ptbxl: Path | None, preprocess: PreprocessParams) -> Collection:
    """All recordings below `work`, which is filled where it is not: `raw/` with the sources in the
    Challenge's form, `signals-.../` with their stores."""
    raw = work / "raw"
    if not raw.exists():
        with atomic.atomic(raw) as folder:
            copy(folder, real, ptbxl)
    names = [name for name in NAMES if (raw / name).is_dir()]
    catalogue = sources.select(names, ROOT / paths.SOURCES)
    signals = work / f"signals-{preprocess.rate_hz:g}-{store.FORMAT}"
    for name in names:
        if not (signals / name).exists():
            with atomic.atomic(signals / name) as folder:
                build_store.build_store(
                    folder, raw / name, catalogue[name], preprocess, max_refused=0.2,
                    workers=1, backend="loky", progress=lambda results, total: results,
                )  # fmt: skip
    labels = work / "labels.csv"
    if not labels.exists():
        tables.write(labelled(raw, catalogue), labels)
    indexes = {name: join.read_store(signals / name) for name in names}
    table, _ = join.join(tables.read(labels, sealed=False), indexes)
    return Collection(table, raw, signals, catalogue, examples.open_stores(names, signals))


def labelled(raw: Path, catalogue: dict[str, sources.Source]) -> pd.DataFrame:
    """The label table of the sources below `raw`, with the 26 official classes."""
    values = LabelParams(classes="official", merge_ectopics=False, unscored="keep")
    described, words = {}, {}
    for name, source in catalogue.items():
        described[name] = patients.judged(descriptions.describe(raw / name, source))
        words[name] = mapping.vocabulary(source, raw / name)
    classes = mapping.chosen(values)
    return mapping.map_sources(described, catalogue, words, classes, values.unscored)


def copy(folder: Path, real: Path, ptbxl: Path | None) -> None:
    """Fills `folder` with the sources of `real`, and with those recordings of `ptbxl` that are not
    among them."""
    for name in NAMES:
        if (real / name).is_dir():
            shutil.copytree(real / name, folder / name)
    if ptbxl is None:
        return
    known = {path.stem for path in (folder / PTBXL).rglob("*.hea")}
    target = folder / PTBXL / "original"
    target.mkdir(parents=True)
    for row in rows_of(ptbxl):
        if record_of(row) not in known:
            rewrite(ptbxl, row, target)
    shutil.copy(ptbxl / _TABLE, folder / PTBXL)


def rows_of(ptbxl: Path) -> Iterator[dict[str, str]]:
    """The rows of PTB-XL's table."""
    with (ptbxl / _TABLE).open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def record_of(row: dict[str, str]) -> str:
    """What the Challenge's release calls a recording of PTB-XL."""
    return f"HR{int(row['ecg_id']):05d}"


def codes_of(row: dict[str, str]) -> list[str]:
    """The SNOMED CT codes of a row of PTB-XL's table, sorted."""
    meanings = vocabularies.vocabulary("PTB-XL")
    said = [*ast.literal_eval(row["scp_codes"]), row["heart_axis"]]
    return sorted(frozenset().union(*(meanings.get(label, ()) for label in said)))


def rewrite(ptbxl: Path, row: dict[str, str], target: Path) -> None:
    """Writes one recording of PTB-XL into `target`, its signals as they are."""
    record, stem = record_of(row), ptbxl / row["filename_hr"]
    first, *signals = stem.with_name(stem.name + ".hea").read_text("utf-8").split("\n")
    lines = [first.replace(stem.name, record)]
    for line in filter(str.strip, signals):
        *fields, lead = line.replace(stem.name, record).split()
        lines.append(" ".join([*fields, _LEADS.get(lead, lead)]))
    age = row["age"].partition(".")[0] or "NaN"
    sex = {"0": "Male", "1": "Female"}.get(row["sex"].partition(".")[0], "Unknown")
    lines += [f"#Age: {age}", f"#Sex: {sex}", f"#Dx: {','.join(codes_of(row))}"]
    (target / f"{record}.hea").write_text("\n".join(lines) + "\n", encoding="utf-8")
    shutil.copy(stem.with_name(stem.name + ".dat"), target / f"{record}.dat")


def preprocess_params() -> PreprocessParams:
    """The conditioning of params.yaml."""
    values = params.load(ROOT / paths.PARAMS)
    return params.section(PreprocessParams, values, "preprocess")

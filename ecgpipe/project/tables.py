"""The tables between stages, all CSV (UTF-8, LF), one row per recording. What people wrote is read
by `csv_files.parse`.

- labels.csv: IDENTITY columns, then one column per class headed by its SNOMED CT code:
  1 present, 0 absent, blank where the source never annotates the class.
- folds.csv: `path, age, gender`, the class columns, `source, record, patient, group, fold`;
  fold is 0..K-1, `test`, or `train` of what every fold trains on and none is scored on.
- predictions (val.csv, test.csv): `source, record`, one column of probability per class.

Tables between stages lie in folders with digests (`project.digests`), checked when they are read.

Between stages every text is as it was read, whatever a spreadsheet would make of it; tables for
people (left_out.csv, those of `check` and of audits) say apart what looks like a formula.

Ids are text (`00017` stays `00017`). age is in years, gender F or M; blank where unknown.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ecgpipe.project import atomic, csv_files, digests, json_objects, printable
from ecgpipe.project.digests import read_verified
from ecgpipe.project.errors import UserError
from ecgpipe.project.paths import FOLDS_INFO
from ecgpipe.project.remedies import again

# pandas is imported where a table is made; `predict` and `check` make none and start without it.
if TYPE_CHECKING:
    import pandas as pd

IDENTITY = ["source", "record", "path", "patient", "age", "gender", "rate_hz", "samples", "fault"]
FOLDS_HEAD = ["path", "age", "gender"]
FOLDS_TAIL = ["source", "record", "patient", "group", "fold"]
TEST, TRAIN = "test", "train"
_NUMBERS = {"age", "rate_hz", "samples"}


def class_codes(table: pd.DataFrame) -> list[str]:
    """The class columns of a table, in order: those headed by a SNOMED CT code (digits alone)."""
    return [column for column in table.columns if column.isdigit()]


def read(path: Path, *, sealed: bool = True) -> pd.DataFrame:
    """Any of our tables: ids and text as str ('' where blank), numbers and classes as float64 (NaN
    where blank). UserError where it is damaged or has no digest, which a table that does not lie in
    a `sealed` folder needs not have."""
    import pandas as pd

    content = digests.read_verified(path) if sealed else Path(path).read_bytes()
    records = csv_files.records(csv_files.decoded(content, path), path)
    _, names = next(records, (1, []))
    table = pd.DataFrame([cells for _, cells in records], columns=names, dtype=object)
    for column in table.columns:
        if column.isdigit() or column in _NUMBERS:
            table[column] = pd.to_numeric(table[column].replace("", np.nan)).astype("float64")
    return table


def read_numbers(path: Path) -> pd.DataFrame:
    """A table of numbers alone, as float64 or int64 (NaN where blank). UserError where it is
    damaged or has no digest."""
    import pandas as pd

    return pd.read_csv(io.BytesIO(digests.read_verified(path)))


def write(table: pd.DataFrame, path: Path, *, for_people: bool = False) -> None:
    """Writes a table atomically; whole numbers without a decimal point, others with seven digits.
    Any text comes back as it was, line breaks included.

    `for_people`: it is read in a spreadsheet, and by no stage, so a text that would be taken for a
    formula is told apart from one (`printable.text_cell`, `path_cell`).
    """
    import pandas as pd

    text = table.copy()
    for column in text.columns:
        if pd.api.types.is_float_dtype(text[column]):
            text[column] = _as_text(text[column].to_numpy())
        elif for_people and not pd.api.types.is_numeric_dtype(text[column]):
            cell = printable.path_cell if column == "path" else printable.text_cell
            text[column] = text[column].map(cell, na_action="ignore")
    with (
        atomic.atomic(Path(path)) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as handle,
    ):
        text.to_csv(csv_files.Lines(handle), index=False, lineterminator=csv_files.CRLF)


def _as_text(values: np.ndarray) -> np.ndarray:
    """Numbers as text, '' for NaN. Each different one is formatted once: a column of classes has
    two."""
    import pandas as pd

    place, different = pd.factorize(values)
    texts = np.array([*(f"{value:.7g}" for value in different), ""], dtype=object)
    return texts[place]  # NaN's place is -1, the last


def folds_info(path: Path = FOLDS_INFO) -> dict[str, Any]:
    """What the split says of itself in `path` (`splitting.summary.info`): `folds` (those that hold
    recordings), `unused` (the others of split.folds), and more. UserError where the file is
    missing or damaged."""
    if not path.is_file():
        raise UserError(f"{path} is missing; run `dvc repro split` first")
    said = json_objects.parse(read_verified(path), path, again(path, "split"))
    return {"unused": [], **said}

"""The catalogue of sources, configs/sources.yaml: how each is read.

    sources:
      my-hospital:                  # the name of its folder below data.root
        form: wfdb                  # or h5, which needs rate_hz, table and columns
        vocabulary: my_labels.csv   # or a name of `diagnoses.vocabularies.vocabularies`
        codes: native               # how its labels are written: snomed, native or aha

`data.sources` in params.yaml names those in use. An experiment reaches an entry too:
`dvc exp run -S configs/sources.yaml:sources.my-hospital.codes=aha`.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from ecgpipe.project import params, yaml_files
from ecgpipe.project.errors import UserError
from ecgpipe.project.params import SOURCES, Section
from ecgpipe.project.paths import NAME
from ecgpipe.recordings import demographics


class Columns(Section):
    """Column names of an HDF5 source's metadata table."""

    record: str
    labels: str
    patient: str | None = None
    age: str | None = None
    sex: str | None = None


class Patients(Section):
    """An optional table that tells a WFDB source's patients: `record` holds record names or their
    numbers. Only where it is not `required` may it be absent."""

    table: str
    record: str
    patient: str
    required: bool = True


class Source(Section):
    """`sources.<name>` in the catalogue: how one source is read. `vocabulary` is a name of
    `diagnoses.vocabularies.vocabularies`, or a CSV of one's own below the source's folder."""

    form: Literal["wfdb", "h5"]
    vocabulary: str
    codes: Literal["snomed", "native", "aha"]
    rate_hz: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    table: str | None = None
    columns: Columns | None = None
    patients: Patients | None = None

    @field_validator("vocabulary")
    @classmethod
    def _below_the_folder(cls, name: str) -> str:
        if name.endswith(".csv") and not _is_below(name):
            raise ValueError(
                "a vocabulary of one's own lies below its source's folder; move it there, give its "
                "name"
            )
        return name

    @model_validator(mode="after")
    def _tables_below_the_folder(self) -> "Source":
        for name in self._tables():
            if not _is_below(name):
                raise ValueError(
                    f"a table lies below its source's folder, found {name}; move it there, give "
                    "its name"
                )
        return self

    @model_validator(mode="after")
    def _fits_its_form(self) -> "Source":
        of_h5 = {"rate_hz": self.rate_hz, "table": self.table, "columns": self.columns}
        wrong = [key for key, value in of_h5.items() if (value is None) == (self.form == "h5")]
        if wrong:
            rule = "needs" if self.form == "h5" else "has no"
            of_wfdb = "; its labels are read from `#Dx` lines of headers; remove these keys"
            step = "" if self.form == "h5" else of_wfdb
            raise ValueError(f"form {self.form} {rule} {', '.join(wrong)}{step}")
        if PurePosixPath(self.vocabulary) in map(PurePosixPath, self._tables()):
            raise ValueError(
                f"vocabulary and table are two files, found {self.vocabulary} as both; name another"
            )
        return self

    def names_patients(self) -> bool:
        """Whether the entry names a table or a column of patients."""
        return bool(self.patients or (self.columns and self.columns.patient))

    def beside(self) -> list[str]:
        """What lies beside the recordings: the tables, and a vocabulary of one's own."""
        own = [self.vocabulary] if self.vocabulary.endswith(".csv") else []
        return [*self._tables(), *own]

    def _tables(self) -> list[str]:
        """The tables of recordings and of patients."""
        tables = [self.table, self.patients.table if self.patients else None]
        return [name for name in tables if name]


def _is_below(name: str) -> bool:
    """Whether a path leads from a folder into that folder."""
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts


class DataParams(Section):
    """`data` in params.yaml: where the sources lie, which are in use, and which share of a source's
    recordings may be refused."""

    root: str
    max_refused: float = Field(ge=0, le=1)
    sources: list[Annotated[str, Field(pattern=NAME)]] = Field(min_length=1)

    @field_validator("sources")
    @classmethod
    def _no_doubles(cls, names: list[str]) -> list[str]:
        doubles = [name for name, times in Counter(names).items() if times > 1]
        if doubles:
            raise ValueError(f"each source once; {', '.join(doubles)} stands more than once")
        return names

    def folder(self, name: str) -> Path:
        """The folder of one source: its name in the catalogue is its folder's, as dvc.yaml needs to
        know it too."""
        return Path(self.root) / name


def read(path: Path = SOURCES) -> tuple[dict[str, Any], list[str]]:
    """The entries of the catalogue as they are written, and the faults of the file; UserError
    where it holds none."""
    values, problems = yaml_files.read(path)
    entries = values.get("sources") if isinstance(values, dict) else None
    if not isinstance(entries, dict):
        raise UserError(
            f"{path}: expected entries below 'sources:', found none; write one a source"
        )
    strays = [name for name in values if name != "sources"]
    problems += [f"{name}: entries stand below 'sources:'; move it there" for name in strays]
    return entries, problems


def select(names: Iterable[str], path: Path = SOURCES) -> dict[str, Source]:
    """The sources `names` of the catalogue, checked. UserError lists every fault of theirs, and
    those of the file."""
    entries, problems = read(path)
    there = ", ".join(entries)
    names = list(names)
    for name in names:
        if name not in entries:
            problems.append(f"sources.{name}: no such entry (there: {there}); add it")
        else:
            problems += params.faults(Source, entries[name], f"sources.{name}")
    if problems:
        raise UserError(f"{path}:\n  " + "\n  ".join(problems))
    return {name: Source.model_validate(entries[name]) for name in names}


def single(labels: Iterable[str], source: Source | None) -> tuple[str, ...]:
    """Labels as a header or table separates them -> single labels: AHA statements end at ';'."""
    if source is None or source.codes != "aha":
        return demographics.cleaned(labels)
    return demographics.cleaned(part for label in labels for part in label.split(";"))

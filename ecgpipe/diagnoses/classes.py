"""Diagnoses: the classes to choose from, the codes that count as one class, and what each source can say at all.

Tables beside this file, all CSV:

- cinc2021_classes.csv: the 26 scored classes of the PhysioNet/CinC Challenge 2021 in the official order, with the
  severity coordinate behind the official score weights (https://github.com/physionetchallenges/evaluation-2021).
- study_classes.csv: the 17 classes of the source-aware study, equivalent codes merged; severities as in the above.
- native_labels.csv: `source, native_label, snomed_ct`, one row per label that a source can give. A class is annotated
  at a source if and only if some label of that source maps to one of the class's codes. A label without a code is
  known but says nothing that SNOMED CT names. The sources sim-* are those of the demo.

In every table `a|b` joins codes that count as one class; the first heads the class's column everywhere.
"""

import csv
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

_HERE = Path(__file__).parent
CHOICES = ("official", "study")
PVC = "427172004"
ECTOPICS = "164884008"
# The two pairs whose published weight is not 0.5 - |difference in severity|: (BBB, LBBB) and (LQRSV, PRWP).
_PAIRS = (("6374002", "164909002"), ("251146004", "365413008"))
_PAIR_WEIGHT = 0.475
# Verhoeff's permutation of digits; the place i from the right is permuted i times.
_VERHOEFF = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
# Sources whose native labels are readable names.
_SPELLED_OUT = ("CPSC2018", "CPSC2018-Extra", "INCART", "PTB", "Georgia")


@dataclass(frozen=True)
class Diagnosis:
    """One class: a recording has it where any of `codes` (SNOMED CT) is among its labels."""

    codes: tuple[str, ...]
    abbreviation: str
    name: str
    severity: float | None

    @property
    def code(self) -> str:
        """The code that heads the class's column."""
        return self.codes[0]


def classes(choice: str | list[str], merge_ectopics: bool = False) -> tuple[Diagnosis, ...]:
    """The classes of a choice: 'official' (26), 'study' (17), or a list of codes such as '59118001|713427006'.

    `merge_ectopics` adds the ventricular ectopic beats 164884008 to the class that holds the PVC code 427172004.
    ValueError where a code is no SNOMED CT code or stands in two classes, or where there is no PVC class to merge into.
    """
    if isinstance(choice, str):
        if choice not in CHOICES:
            raise ValueError(f"labels.classes: '{choice}' is none of {', '.join(CHOICES)}; or give a list of codes")
        chosen = _table("cinc2021_classes.csv" if choice == "official" else "study_classes.csv")
    else:
        chosen = tuple(_diagnosis(tuple(text.split("|"))) for text in choice)
    if merge_ectopics:
        chosen = _with_ectopics(chosen)
    codes = [code for diagnosis in chosen for code in diagnosis.codes]
    if not codes:
        raise ValueError("labels.classes: no class chosen; name at least one code")
    for code in codes:
        if not (code.isascii() and code.isdigit()):
            raise ValueError(f"labels.classes: '{code}' is no SNOMED CT code (digits, equivalents joined by '|')")
        if codes.count(code) > 1:
            raise ValueError(f"labels.classes: code {code} ({name_of(code)}) stands twice; a code belongs to one class")
    return chosen


def of_columns(codes: Sequence[str]) -> list[Diagnosis]:
    """The diagnoses that head a table's class columns, by their first codes, as the official list or the study's has
    them; one that neither has, or whose abbreviation stands twice, is abbreviated by its code."""
    official = classes("official")
    lists = [official] if list(codes) == [one.code for one in official] else [official, classes("study")]
    heads = {one.code: one for chosen in lists for one in chosen}
    found = [heads.get(code) or classes([code])[0] for code in codes]
    short = [one.abbreviation for one in found]
    return [one if short.count(one.abbreviation) == 1 else replace(one, abbreviation=one.code) for one in found]


def score_weights(classes: Sequence[Diagnosis]) -> np.ndarray:
    """The CinC 2021 weights [class, class]: 1 on the diagonal, 0.5 less the difference in severity elsewhere.

    Two pairs stand apart at 0.475: (BBB, LBBB) and (LQRSV, PRWP). ValueError where a class has no severity.
    Source: the published table of evaluation-2021, which this reproduces.
    """
    without = [diagnosis.code for diagnosis in classes if diagnosis.severity is None]
    if without:
        raise ValueError(f"no score weights: classes {', '.join(without)} have no severity; choose official classes")
    severity = np.array([diagnosis.severity for diagnosis in classes], dtype=np.float64)
    weights = 0.5 - np.abs(severity[:, None] - severity[None, :])
    np.fill_diagonal(weights, 1.0)
    column = {code: index for index, diagnosis in enumerate(classes) for code in diagnosis.codes}
    for one, other in _PAIRS:
        if one in column and other in column and column[one] != column[other]:
            weights[column[one], column[other]] = weights[column[other], column[one]] = _PAIR_WEIGHT
    return weights


def vocabularies() -> tuple[str, ...]:
    """The names in native_labels.csv that `vocabulary` knows."""
    return tuple(dict.fromkeys(row["source"] for row in _rows(_HERE / "native_labels.csv")))


def vocabulary(name_or_csv: str | Path) -> dict[str, frozenset[str]]:
    """Native label -> SNOMED CT codes: of a name in native_labels.csv, or of the own CSV (native_label, snomed_ct) at
    a path that ends in .csv. A label without a code is known, and no class."""
    if str(name_or_csv).endswith(".csv"):
        path, rows = Path(name_or_csv), _read(Path(name_or_csv))
    else:
        path, known = _HERE / "native_labels.csv", vocabularies()
        if name_or_csv not in known:
            raise ValueError(f"vocabulary '{name_or_csv}' is none of {', '.join(known)}; or name a .csv of your own")
        rows = [row for row in _rows(path) if row["source"] == name_or_csv]
    if not rows or not {"native_label", "snomed_ct"} <= rows[0].keys():
        there = f"found {', '.join(filter(None, rows[0]))}" if rows else "found no row"
        rule = "a vocabulary has the columns native_label,snomed_ct, separated by a comma, and one row at least"
        raise ValueError(f"{path}: {rule}; {there}; save it so")
    found: dict[str, frozenset[str]] = {}
    for row in rows:
        label, code = row["native_label"].strip(), row["snomed_ct"].strip()
        if None in row:
            rule = f"label '{label}': its row has more cells than the table has columns"
            raise ValueError(f"{path}: {rule}; a label that holds a comma stands in quotes, a code has none")
        if code and not is_code(code):
            rule = "6 to 18 digits, the last of which checks the others; one code a row"
            raise ValueError(f"{path}: label '{label}': '{code}' is no SNOMED CT code ({rule}); correct it")
        found[label] = found.get(label, frozenset()) | ({code} if code else set())
    return found


def is_code(text: str) -> bool:
    """Whether a text is a SNOMED CT identifier: 6 to 18 digits, of which the last is Verhoeff's check digit.

    Sources: SNOMED CT Release File Specifications, https://docs.snomed.org, "SCTID"; J. Verhoeff, Error Detecting
    Decimal Codes (1969): digits are multiplied in the group of the symmetries of a pentagon, each place permuted anew.

    >>> is_code("164889003"), is_code("164889004"), is_code("16488900"), is_code("1")
    (True, False, False, False)
    """
    if not (text.isascii() and text.isdigit() and 6 <= len(text) <= 18 and text[0] != "0"):
        return False
    product, permuted = 0, list(range(10))
    for digit in reversed(text):
        product = _turned(product, permuted[int(digit)])
        permuted = [_VERHOEFF[place] for place in permuted]
    return product == 0


def _turned(one: int, other: int) -> int:
    """The product of two symmetries of the pentagon: 0 to 4 are turns, 5 to 9 turns after a flip."""
    if one < 5:
        return (one + other) % 5 + (5 if other >= 5 else 0)
    return (one - other) % 5 + (5 if other < 5 else 0)


def annotated(vocabulary: Mapping[str, frozenset[str]], classes: Sequence[Diagnosis]) -> list[bool]:
    """Per class: can any label of this vocabulary say it?"""
    sayable = frozenset().union(*vocabulary.values())
    return [not sayable.isdisjoint(diagnosis.codes) for diagnosis in classes]


def name_of(code: str) -> str:
    """A readable name of a code (the official one, else what a source calls it), or the code itself.

    >>> name_of("164889003"), name_of("429622005"), name_of("1")
    ('atrial fibrillation', 'st depression', '1')
    """
    return _names().get(code, code)


def _read(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV as text; short rows are filled with ''."""
    if not path.is_file():
        raise ValueError(f"{path}: no such vocabulary; put it there, into its source's folder, or correct `vocabulary`")
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            return list(csv.DictReader(handle, restval=""))
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: a vocabulary is UTF-8 text, found other bytes ({error}); save it so") from error


@functools.cache
def _rows(path: Path) -> list[dict[str, str]]:
    """The rows of one of our own tables, read once."""
    return _read(path)


@functools.cache
def _table(file: str) -> tuple[Diagnosis, ...]:
    """One of our tables of classes."""
    return tuple(
        Diagnosis(
            codes=tuple(row["codes"].split("|")),
            abbreviation=row["abbreviations"].replace("|", "/"),
            name=row["names"].replace("|", " / "),
            severity=float(row["severity"]),
        )
        for row in _rows(_HERE / file)
    )


@functools.cache
def _names() -> dict[str, str]:
    """Code -> name."""
    names: dict[str, str] = {}
    rows = _rows(_HERE / "native_labels.csv")
    for row in sorted(rows, key=lambda row: row["source"] not in _SPELLED_OUT):  # stable: those that spell out first
        names.setdefault(row["snomed_ct"], row["native_label"])
    for row in _rows(_HERE / "cinc2021_classes.csv"):
        names.update(zip(row["codes"].split("|"), row["names"].split("|"), strict=False))
    return names


def _diagnosis(codes: tuple[str, ...]) -> Diagnosis:
    """A class of the user's own: named after what the official table says of its codes."""
    official = [known for known in _table("cinc2021_classes.csv") if not set(known.codes).isdisjoint(codes)]
    abbreviations = dict.fromkeys(_abbreviations().get(code, code) for code in codes)
    severities = {known.severity for known in official}
    return Diagnosis(
        codes=codes,
        abbreviation="/".join(abbreviations),
        name=" / ".join(dict.fromkeys(name_of(code) for code in codes)),
        severity=severities.pop() if len(severities) == 1 else None,
    )


@functools.cache
def _abbreviations() -> dict[str, str]:
    """Code -> abbreviation, of the official codes."""
    found: dict[str, str] = {}
    for row in _rows(_HERE / "cinc2021_classes.csv"):
        codes, abbreviations = row["codes"].split("|"), row["abbreviations"].split("|")
        found.update(zip(codes, abbreviations, strict=False))
    return found


def _with_ectopics(chosen: tuple[Diagnosis, ...]) -> tuple[Diagnosis, ...]:
    """The classes with 164884008 in the class of 427172004."""
    if not any(PVC in diagnosis.codes for diagnosis in chosen):
        raise ValueError(f"labels.merge_ectopics: none of the chosen classes holds {PVC} (PVC); add it or say false")
    return tuple(
        Diagnosis((*old.codes, ECTOPICS), old.abbreviation, old.name, old.severity)
        if PVC in old.codes and ECTOPICS not in old.codes
        else old
        for old in chosen
    )

"""Diagnoses: the classes to choose from, the codes that count as one class, and what each source
can say at all.

Tables beside this file, all CSV:

- cinc2021_classes.csv: the 26 scored classes of the PhysioNet/CinC Challenge 2021 in the official
  order, with the severity coordinate behind the official score weights
  (https://github.com/physionetchallenges/evaluation-2021).
- study_classes.csv: the 17 classes of the source-aware study, equivalent codes merged; severities
  as in the above.
- native_labels.csv: `source, native_label, snomed_ct`, one row per label that a source can give. A
  class is annotated at a source if and only if some label of that source maps to one of the class's
  codes. Every code that the recordings of the Challenge 2021 carry by its lists of scored and
  unscored diagnoses stands there (dx_mapping_*.csv in the place above), so that
  `vocabularies.known_codes` has them. A label without a code is known but says nothing that SNOMED
  CT names. The sources sim-*
  are those of the demo.

In every table `a|b` joins codes that count as one class; the first heads the class's column
everywhere.
"""

import functools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ecgpipe.diagnoses.vocabularies import HERE, is_code, name_of, read_rows
from ecgpipe.project.errors import UserError
from ecgpipe.project.rules import unknown
from ecgpipe.snomed import concepts

LISTS = {"official": "cinc2021_classes.csv", "study": "study_classes.csv"}
_COLUMNS = ("codes", "abbreviations", "names", "severity")


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


def select(choice: str | list[str], merge_ectopics: bool = False) -> tuple[Diagnosis, ...]:
    """The classes of a choice: 'official' (26), 'study' (17), or a list of codes such as
    '59118001|713427006' and of abbreviations such as 'AF', each of which stands for all codes of
    its official class.

    `merge_ectopics` adds the ventricular ectopic beats 164884008 to the class that holds the PVC
    code 427172004. UserError where a code is no SNOMED CT code or stands in two classes, or where
    there is no PVC class to merge into.
    """
    chosen = _listed(choice) if isinstance(choice, str) else tuple(map(_own, choice))
    if merge_ectopics:
        chosen = _with_ectopics(chosen)
    codes = [code for diagnosis in chosen for code in diagnosis.codes]
    if not codes:
        raise UserError("labels.classes: no class chosen; name at least one code")
    for code in codes:
        if codes.count(code) > 1:
            raise UserError(
                f"labels.classes: code {code} ({name_of(code)}) stands twice; "
                "a code belongs to one class"
            )
        if not is_code(code):
            raise UserError(f"labels.classes: {_no_code(code)}")
    return chosen


def of_columns(codes: Sequence[str]) -> list[Diagnosis]:
    """The diagnoses that head a table's class columns, by their first codes, as the official list
    or the study's has them; one that neither has, or whose abbreviation stands twice, is
    abbreviated by its code."""
    known = {diagnosis.code: diagnosis for diagnosis in select("official")}
    if list(codes) != list(known):
        known |= {diagnosis.code: diagnosis for diagnosis in select("study")}
    diagnoses = [known.get(code) or _own(code) for code in codes]
    times = Counter(diagnosis.abbreviation for diagnosis in diagnoses)
    named = []
    for diagnosis in diagnoses:
        if times[diagnosis.abbreviation] > 1:
            diagnosis = replace(diagnosis, abbreviation=diagnosis.code)
        named.append(diagnosis)
    return named


def equivalents(diagnosis: Diagnosis) -> list[str]:
    """Its codes, its own first, and those that the official list counts as the same class as one of
    them."""
    codes = set(diagnosis.codes)
    official = [known.codes for known in _table(LISTS["official"])]
    joined = [code for known in official if not codes.isdisjoint(known) for code in known]
    return list(dict.fromkeys([*diagnosis.codes, *joined]))


def is_annotated(
    vocabulary: Mapping[str, frozenset[str]], classes: Sequence[Diagnosis]
) -> list[bool]:
    """[class]: whether any label of this vocabulary (native label -> codes) means it."""
    sayable = frozenset().union(*vocabulary.values())
    return [not sayable.isdisjoint(diagnosis.codes) for diagnosis in classes]


def _listed(choice: str) -> tuple[Diagnosis, ...]:
    """The classes of one of our lists."""
    if choice not in LISTS:
        step = (
            f"or give a list, such as [{choice}]"
            if _official(choice)
            else "or give a list of codes"
        )
        raise UserError(f"labels.classes: '{choice}' is none of {', '.join(LISTS)}; {step}")
    return _table(LISTS[choice])


@functools.cache
def _table(file: str) -> tuple[Diagnosis, ...]:
    """One of our tables of classes."""
    return tuple(
        Diagnosis(
            codes=tuple(cells["codes"].split("|")),
            abbreviation=cells["abbreviations"].replace("|", "/"),
            name=cells["names"].replace("|", " / "),
            severity=float(cells["severity"]),
        )
        for _, cells in read_rows(HERE / file, _COLUMNS)
    )


def _own(text: str) -> Diagnosis:
    """A class of the user's own, such as '59118001|713427006': named after what the official table
    says of its codes."""
    # Joined abbreviations of one class, such as 'CLBBB|LBBB', name the same codes.
    codes = tuple(
        dict.fromkeys(code for part in text.split("|") for code in _official(part) or (part,))
    )
    official = _table(LISTS["official"])
    severities = {known.severity for known in official if not set(known.codes).isdisjoint(codes)}
    abbreviations = dict.fromkeys(_abbreviations().get(code, code) for code in codes)
    return Diagnosis(
        codes=codes,
        abbreviation="/".join(abbreviations),
        name=" / ".join(dict.fromkeys(map(name_of, codes))),
        severity=severities.pop() if len(severities) == 1 else None,
    )


def _official(abbreviation: str) -> tuple[str, ...]:
    """The codes of the official class that an abbreviation, or one of those joined, names; none
    where it names none."""
    for diagnosis in _table(LISTS["official"]):
        if abbreviation in (diagnosis.abbreviation, *diagnosis.abbreviation.split("/")):
            return diagnosis.codes
    return ()


def _no_code(text: str) -> str:
    """What a text is not, and which abbreviation may be meant."""
    rule = (
        f"'{text}' is no SNOMED CT code (6 to 18 digits, the last of which checks the others; "
        "equivalents joined by '|') and no abbreviation of the official list"
    )
    return unknown(rule, text, _abbreviations().values())


@functools.cache
def _abbreviations() -> dict[str, str]:
    """Code -> abbreviation, of the official codes."""
    abbreviations: dict[str, str] = {}
    for _, cells in read_rows(HERE / LISTS["official"], _COLUMNS):
        pairs = zip(cells["codes"].split("|"), cells["abbreviations"].split("|"), strict=False)
        abbreviations |= dict(pairs)
    return abbreviations


def _with_ectopics(chosen: tuple[Diagnosis, ...]) -> tuple[Diagnosis, ...]:
    """The classes with 164884008 in the class of 427172004."""
    pvc, ectopics = concepts.PREMATURE_VENTRICULAR_CONTRACTIONS, concepts.VENTRICULAR_ECTOPICS
    if not any(pvc in diagnosis.codes for diagnosis in chosen):
        raise UserError(
            f"labels.merge_ectopics: none of the chosen classes holds {pvc} (PVC); "
            "add it or say false"
        )
    merged = []
    for diagnosis in chosen:
        if pvc in diagnosis.codes and ectopics not in diagnosis.codes:
            diagnosis = replace(diagnosis, codes=(*diagnosis.codes, ectopics))
        merged.append(diagnosis)
    return tuple(merged)

"""What labels mean, as recordings state them: SNOMED CT codes; and which labels nobody understands.

How labels are written (`codes` of a source):

- snomed: SNOMED CT codes, 6 to 18 digits. A code is understood where the source's vocabulary has
  it, as a code or as a label of its own, or else where our tables know it: those of any source's
  labels (native_labels.csv, which holds what the Challenge 2021's recordings carry) or the chosen
  classes. Any other code, though its check digit be right, may be another name of a class
  (49436004 is atrial fibrillation as well as 164889003), so it is no proof that a class is absent:
  nobody understands it. To make it known give it a row in the vocabulary, with or without a code.
  Measured on 345 real recordings of nine data sets: of 759 labels one is unknown, 251238007 of
  Ningbo, which the Challenge's lists lack too; no recording is lost.
  Text is looked up as a native label, so that LUDB's free text and its conversion to codes need one
  entry.
- native: the source's own words, as in the vocabulary.
- aha: statements of the AHA/ACC/HRS recommendation (Mason et al. 2007,
  doi:10.1161/CIRCULATIONAHA.106.180201), a primary code with modifiers joined by '+': `60+310`.
  Zeros in front count for nothing: `022` is 22. The most specific entry of the vocabulary speaks
  alone, the one with the most of the statement's modifiers: `147+367` is T inversion and not T
  abnormality as well (at SPH no recording is both), `147+310` is what `147` is. Entries equally
  specific all speak. A statement that no entry fits is understood where the recommendation has its
  primary code, and any statement where it has all its modifiers (`PRIMARY`, `MODIFIERS`), or the
  vocabulary does.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from ecgpipe.diagnoses import vocabularies
from ecgpipe.diagnoses.classes import Diagnosis
from ecgpipe.labels.suggestions import suggestion
from ecgpipe.recordings.demographics import SNOMED_CT
from ecgpipe.recordings.descriptions import Description
from ecgpipe.recordings.sources import Source

AHA = re.compile(r"[0-9]{1,3}( *\+ *[0-9]{1,3})*", re.ASCII)
# Codes of the recommendation's tables: what a statement can say alone (primary and convenience
# statements), first and last of each run,
PRIMARY = (
    (1, 4),
    (10, 16),
    (20, 27),
    (30, 42),
    (50, 56),
    (60, 66),
    (70, 76),
    (80, 89),
    (100, 102),
    (104, 111),
    (120, 125),
    (128, 128),
    (131, 131),
    (140, 155),
    (160, 163),
    (165, 166),
    (173, 174),
    (180, 190),
    (500, 503),
)
# and what is added to it: secondary statements and modifiers.
MODIFIERS = ((200, 215), (220, 231), (301, 322), (330, 334), (340, 350), (360, 369))
Codes = Literal["snomed", "native", "aha"]
Vocabulary = Mapping[str, frozenset[str]]


class Meaning(NamedTuple):
    """Of one label as written: its SNOMED CT codes, whether the vocabulary holds it, whether it is
    understood as a diagnosis."""

    codes: frozenset[str]
    known: bool
    genuine: bool


def meanings_of(
    descriptions: Sequence[Description],
    source: Source,
    vocabulary: Vocabulary,
    classes: Sequence[Diagnosis],
) -> dict[str, Meaning]:
    """What each label of a source means."""
    scored = {code for diagnosis in classes for code in diagnosis.codes}
    meanings: dict[str, Meaning] = {}
    for description in descriptions:
        for label in description.labels:
            if label not in meanings:
                meanings[label] = _meaning(label, source, vocabulary, scored)
    return meanings


def _meaning(label: str, source: Source, vocabulary: Vocabulary, scored: set[str]) -> Meaning:
    nothing = Meaning(frozenset(), known=False, genuine=False)
    if source.codes == "aha" and not _is_statement(label, vocabulary):
        return nothing
    codes = snomed(label, source.codes, vocabulary)
    if codes is not None:
        return Meaning(codes, known=True, genuine=True)
    if source.codes == "snomed" and (label in scored or label in vocabularies.known_codes()):
        return Meaning(frozenset({label}), known=False, genuine=True)
    return nothing._replace(genuine=source.codes == "aha")


def snomed(label: str, codes: Codes, vocabulary: Vocabulary) -> frozenset[str] | None:
    """The SNOMED CT codes of one label as written, or None where the source's vocabulary does not
    know it.

    >>> words = {"147": frozenset({"164934002"}), "147+367": frozenset({"59931005"})}
    >>> sorted(snomed("147+310+367", "aha", words)), sorted(snomed("147+310", "aha", words))
    (['59931005'], ['164934002'])
    """
    if codes == "aha":
        return _of_statement(label, vocabulary)
    if codes == "snomed" and any(label in known for known in vocabulary.values()):
        return frozenset({label})
    if codes == "snomed" and label.isdigit() and not vocabularies.is_code(label):
        return None
    return vocabulary.get(label)


def _parts(statement: str) -> list[str]:
    """The codes of an AHA statement, the primary first.

    >>> _parts("022 + 310")
    ['22', '310']
    """
    return [part.strip().lstrip("0") for part in statement.split("+")]


def _of_statement(label: str, vocabulary: Vocabulary) -> frozenset[str] | None:
    """The codes of the entries of the vocabulary that fit an AHA statement most specifically."""
    primary, *modifiers = _parts(label)
    most = -1
    codes: frozenset[str] | None = None
    for entry, of_entry in vocabulary.items():
        first, *wanted = _parts(entry)
        if first != primary or not set(wanted) <= set(modifiers):
            continue
        if len(wanted) > most:
            most, codes = len(wanted), frozenset()
        if len(wanted) == most:
            codes |= of_entry
    return codes


def _is_statement(label: str, vocabulary: Vocabulary) -> bool:
    """Whether the recommendation, or the vocabulary, has every code of an AHA statement."""
    if not AHA.fullmatch(label):
        return False
    entries = [_parts(entry) for entry in vocabulary]
    primary, *modifiers = _parts(label)
    own_modifiers = {part for _, *parts in entries for part in parts}
    return (_in_runs(primary, PRIMARY) or any(first == primary for first, *_ in entries)) and all(
        part in own_modifiers or _in_runs(part, MODIFIERS) for part in modifiers
    )


def _in_runs(code: str, runs: Sequence[tuple[int, int]]) -> bool:
    return any(first <= int(code or 0) <= last for first, last in runs)


def hint(label: str, codes: Codes, vocabulary: Vocabulary) -> str:
    """What to think of a label that nobody understands, in brackets, or ''."""
    entry = suggestion(label, vocabulary)
    if entry and entry != label:
        return f" (did you mean '{entry}'?)"
    parts = [part.strip() for part in label.split(";")]
    if len(parts) > 1 and all(snomed(part, codes, vocabulary) is not None for part in parts):
        return " (separate labels by commas)"
    if codes == "snomed" and label.isdigit():
        if vocabularies.is_code(label):
            return " (a code that no table knows: give it a row in the vocabulary)"
        if SNOMED_CT.fullmatch(label):
            return " (its check digit is wrong: mistyped?)"
    return ""

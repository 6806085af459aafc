"""Patient ids that are no patient's: `unknown`, `-`, a number that stands for a missing one.

A group of the split is a patient, so a wrong id joins strangers, or parts one patient's recordings
and leaks. What is done with an id:

- A word or sign for none (`unknown`, `NA`, `-`, `?`, `anonymous`, `xxx`): no patient. Each
  recording is a group of its own, flagged no-patient.
- A number that often stands for none (`0`, `-1`, `999`) may be a patient all the same. It is taken
  for none where its recordings contradict each other though any one of them were wrong: two or more
  of either sex, or ages more than `MOST_YEARS` apart without the youngest and without the oldest.
- Numbers that differ in zeros in front alone (`007` and `7`, which a spreadsheet makes of it) are
  one patient, flagged odd-patient.
- Any other id whose recordings contradict each other (both sexes, or ages more than `MOST_YEARS`
  apart) is flagged odd-patient and kept: one wrong sex is likelier than a wrong id, and what is
  kept together cannot leak.
"""

import re
from collections.abc import Iterable, Sequence

from ecgpipe.recordings.descriptions import Description

MOST_YEARS = 30.0  # between two recordings of one patient; PTB-XL's span 17 years
NO_PATIENT, ODD_PATIENT = "no-patient", "odd-patient"
EACH_ALONE = "each counts as a patient of its own"
_WORDS = re.compile(
    r"unk(nown)?|unbekannt|inconnu|desconocido|sconosciuto|nan|none|null|nil|n\.?a\.?|n/a|"
    r"missing|blank|empty|anon(ym(ous|i[sz]ed)?)?|de-?identified|redacted|removed|undefined|"
    r"unidentified|unspecified|not (available|known)|no (id|patient)|k\. ?a\.|"
    r"#n/a|#(ref|value|null|num|div/0)!|#name\?"  # what a spreadsheet writes where it fails
)
_SIGNS = re.compile(r"[^\w]+|_+|x{2,}")
_STANDS_FOR_NONE = re.compile(r"-?0+|-1|-?9{3,}|x")


def judged(descriptions: Iterable[Description]) -> list[Description]:
    """Descriptions of one source's recordings in their order, without patients that are none;
    flagged where there was one, or where recordings of one patient contradict each other."""
    descriptions = list(descriptions)
    of_patient: dict[str, list[Description]] = {}
    for description in descriptions:
        if description.patient:
            of_patient.setdefault(_without_zeros(description.patient), []).append(description)
    flags = {patient: _flag(patient, members) for patient, members in of_patient.items()}
    judged = []
    for description in descriptions:
        patient = _without_zeros(description.patient or "")
        first = of_patient[patient][0].patient if patient else None
        judged.append(_flagged(description, first, flags.get(patient, "")))
    return judged


def _without_zeros(patient: str) -> str:
    """A number without zeros in front; other ids as they are."""
    is_number = patient.isascii() and patient.isdigit()
    return patient.lstrip("0") or "0" if is_number else patient


def is_no_patient(patient: str) -> bool:
    """Whether an id is a word or sign for none.

    >>> is_no_patient("Unknown"), is_no_patient("--"), is_no_patient("0"), is_no_patient("P-1")
    (True, True, False, False)
    """
    word = " ".join(patient.casefold().split())
    return bool(_WORDS.fullmatch(word) or _SIGNS.fullmatch(word))


def _flag(patient: str, members: Sequence[Description]) -> str:
    """no-patient, odd-patient or ''."""
    if is_no_patient(patient):
        return NO_PATIENT
    ages = sorted(member.age for member in members if member.age is not None)
    sexes = [member.sex for member in members if member.sex]
    if _STANDS_FOR_NONE.fullmatch(patient.casefold()):
        fewer = min(sexes.count("F"), sexes.count("M"))
        if fewer > 1 or (_far_apart(ages[1:]) and _far_apart(ages[:-1])):
            return NO_PATIENT
    spellings = {member.patient for member in members}
    is_odd = len(spellings) > 1 or len(set(sexes)) > 1 or _far_apart(ages)
    return ODD_PATIENT if is_odd else ""


def _far_apart(ages: Sequence[float]) -> bool:
    """Whether ages in years, in order, are not of one patient."""
    return len(ages) > 1 and ages[-1] - ages[0] > MOST_YEARS


def _flagged(description: Description, patient: str | None, flag: str) -> Description:
    """A description with its flag, of the patient as first spelt, or of none."""
    if not flag:
        return description
    patient = None if flag == NO_PATIENT else patient
    return description._replace(patient=patient, flags=(*description.flags, flag))

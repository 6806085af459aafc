"""What recordings say of a patient, in the words of many data sets: ages, sexes, and labels as
lists of codes."""

import re
import unicodedata
from collections.abc import Iterable

# PTB-XL gives every age above 89 years as 300, for its patients' privacy; it is recorded as this
# many years.
OVER_89 = 90.0
_OLDEST = 120.0
# A number in decimal digits of ASCII: what else Python takes (1_000, full-width digits, nan) nobody
# has meant.
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?", re.ASCII)
SNOMED_CT = re.compile(r"[1-9][0-9]{5,17}")
# How data sets write that they do not know an age or a sex.
_NO_VALUE = {"", "unknown", "nan", "none", "na", "n/a", "null", "-1", "-1.0"}
# Words of the languages of hospitals that mean one sex wherever they stand. What could mean either
# is not read: numbers (0 is male in PTB-XL's table, female in others), `H` (hombre, homme: beside
# it `M` would be mujer), and letters of single languages, but for `w` of weiblich and woman.
_FEMALE = "f female woman w weiblich frau femme f\u00e9minin feminin mujer femenino femmina vrouw"
_MALE = "m male man m\u00e4nnlich maennlich mann homme masculin hombre masculino maschio"
_SEX = dict.fromkeys(_FEMALE.split(), "F") | dict.fromkeys(_MALE.split(), "M")
# What may stand behind a number of years.
_IN_YEARS = re.compile(
    r"(?<=[0-9.])\s*(y|yrs?|years?|jahre?|ans?|a\u00f1os?|ann[io]|jaar)\Z", re.IGNORECASE
)
# DICOM's ages (PS3.5, value representation AS): three digits of days, weeks, months or years.
_DICOM = re.compile(r"([0-9]{3})([DWMY])", re.ASCII)
_YEARS = {"D": 1 / 365.25, "W": 7 / 365.25, "M": 1 / 12, "Y": 1.0}
_DECIMAL_COMMA = re.compile(r"([0-9]{1,3}),([0-9]{1,2})", re.ASCII)
_DIGITS = re.compile(r"[0-9]{6}")
_NO_LABEL = {"", "unknown", "nan", "none"}


def age(text: str) -> float | None:
    """An age in years as data sets write it, or None: blank, `NaN`, negative and above 120 mean
    unknown, 300 over 89. A comma before one or two digits is a decimal one. The word for years may
    follow; other units stand in DICOM's form alone.

    >>> age("74"), age("NaN"), age("-1"), age("300"), age("63,5")
    (74.0, None, None, 90.0, 63.5)
    >>> age("44 Jahre"), age("063Y"), age("006M"), age("6 months")
    (44.0, 63.0, 0.5, None)
    """
    text, unit = unicodedata.normalize("NFC", text.strip()), "Y"
    if of_dicom := _DICOM.fullmatch(text):
        text, unit = of_dicom.groups()
    text = _DECIMAL_COMMA.sub(r"\1.\2", _IN_YEARS.sub("", text))
    if not NUMBER.fullmatch(text):
        return None
    years = float(text) * _YEARS[unit]
    if years == 300:
        return OVER_89
    return years if 0 <= years <= _OLDEST else None


def sex(text: str) -> str | None:
    """F or M from their words in six languages, in any case; None for anything else, numbers too.

    >>> sex("Female"), sex("m"), sex("weiblich"), sex("Unknown"), sex("1")
    ('F', 'M', 'F', None, None)
    """
    return _SEX.get(unicodedata.normalize("NFC", text.strip()).lower())


def doubts(ages: Iterable[str], sexes: Iterable[str]) -> tuple[str, ...]:
    """odd-age, odd-sex: a value that is none and no word for unknown, or two that differ, among all
    that is written of one recording's patient.

    >>> doubts(["74", "74.0"], ["F", "M"]), doubts(["old"], ["unknown"])
    (('odd-sex',), ('odd-age',))
    """
    stated = {
        "odd-age": {age(text) for text in ages if _is_stated(text)},
        "odd-sex": {sex(text) for text in sexes if _is_stated(text)},
    }
    return tuple(flag for flag, values in stated.items() if None in values or len(values) > 1)


def not_understood(ages: Iterable[str], sexes: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """(age or sex, what is written of it that is no value and no word for unknown), of those of
    which there is such.

    >>> not_understood(["74", "old"], ["F"])
    (('age', 'old'),)
    """
    odd = {
        "age": [text for text in ages if _is_stated(text) and age(text) is None],
        "sex": [text for text in sexes if _is_stated(text) and sex(text) is None],
    }
    return tuple((what, ", ".join(dict.fromkeys(texts))) for what, texts in odd.items() if texts)


def _is_stated(text: str) -> bool:
    """Whether a text is no word for unknown."""
    return text.strip().lower() not in _NO_VALUE


def no_code(label: str) -> bool:
    """Whether a label has the six digits of a SNOMED CT code and is none: a fraction, two codes in
    one, text about it.

    >>> no_code("426783006"), no_code("426783006.0"), no_code("426783006;164889003")
    (False, True, True)
    >>> no_code("AV block 1")
    False
    """
    return SNOMED_CT.fullmatch(label) is None and _DIGITS.search(label) is not None


def cleaned(labels: Iterable[str]) -> tuple[str, ...]:
    """Labels in Unicode's form NFC, without blanks around them, empty ones, doubles and words for
    none, in their order.

    >>> cleaned(["426783006", " 426783006", "", "Unknown", "164889003 "])
    ('426783006', '164889003')
    """
    stripped = (unicodedata.normalize("NFC", label.strip()) for label in labels)
    return tuple(dict.fromkeys(label for label in stripped if label.lower() not in _NO_LABEL))

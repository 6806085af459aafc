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
_SEX = {"male": "M", "m": "M", "female": "F", "f": "F"}
_DECIMAL_COMMA = re.compile(r"([0-9]{1,3}),([0-9]{1,2})", re.ASCII)
_DIGITS = re.compile(r"[0-9]{6}")
_NO_LABEL = {"", "unknown", "nan", "none"}


def age(text: str) -> float | None:
    """An age in years as data sets write it, or None: blank, `NaN`, negative and above 120 mean
    unknown, 300 over 89. A comma before one or two digits is a decimal one.

    >>> age("74"), age("NaN"), age("-1"), age("300"), age("63,5")
    (74.0, None, None, 90.0, 63.5)
    """
    text = _DECIMAL_COMMA.sub(r"\1.\2", text.strip())
    if not NUMBER.fullmatch(text):
        return None
    years = float(text)
    if years == 300:
        return OVER_89
    return years if 0 <= years <= _OLDEST else None


def sex(text: str) -> str | None:
    """F or M from Female, F, Male, M in any case; None for anything else, numbers too.

    >>> sex("Female"), sex("m"), sex("Unknown"), sex("1")
    ('F', 'M', None, None)
    """
    return _SEX.get(text.strip().lower())


def doubts(ages: Iterable[str], sexes: Iterable[str]) -> tuple[str, ...]:
    """odd-age, odd-sex: a value that is none and no word for unknown, or two that differ, among all
    that is written of one recording's patient.

    >>> doubts(["74", "74.0"], ["F", "M"]), doubts(["old"], ["unknown"])
    (('odd-sex',), ('odd-age',))
    """
    stated = {
        "odd-age": {age(text) for text in ages if text.strip().lower() not in _NO_VALUE},
        "odd-sex": {sex(text) for text in sexes if text.strip().lower() not in _NO_VALUE},
    }
    return tuple(flag for flag, values in stated.items() if None in values or len(values) > 1)


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

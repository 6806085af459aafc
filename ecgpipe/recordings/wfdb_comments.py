"""The clinical data that stand in the comments of a WFDB header.

- `key: value`: `#Age: 74`, `# Age: 74`, `#<age>: 74` (LUDB), likewise Sex and Dx, in any case. The
  first of each counts. `Dx` separates labels by commas.
- LUDB's `#<diagnoses>` opens a list: each comment after it is one diagnosis, ended by a full stop.

The recordings of a hospital say the same few things again and again: what a comment means is worked
out once, but for long ones, which would fill the memory.
"""

import functools
from typing import NamedTuple

from ecgpipe.recordings import demographics
from ecgpipe.recordings.demographics import cleaned, no_code

_SHORT = 1000  # characters of comments that are remembered


class Clinical(NamedTuple):
    """What comments say: `values` of `key: value` by key, in small letters and without brackets;
    age in years, sex F or M, both None where unknown; labels as written, cleaned of blanks, empty
    ones and doubles.

    doubts: odd-age and odd-sex (`demographics.doubts`); odd-labels: two `Dx` lines that differ, or
    codes that nobody could have meant (`demographics.no_code`).
    """

    values: dict[str, list[str]]
    age: float | None
    sex: str | None
    labels: tuple[str, ...]
    doubts: tuple[str, ...]


def read(comments: tuple[str, ...]) -> Clinical:
    """What the comments of one header say, given without their signs `#`."""
    is_short = sum(map(len, comments)) <= _SHORT
    pair, patient, separated = _REMEMBERING if is_short else _ANEW
    values: dict[str, list[str]] = {}
    listed = None
    for index, text in enumerate(comments):
        key, value = pair(text)
        if value is not None:
            values.setdefault(key, []).append(value)
        if key == "diagnoses" and listed is None and not (value or "").strip("<>: \t"):
            listed = cleaned(line.rstrip(". \t") for line in comments[index + 1 :])
    age, sex, doubts = patient(tuple(values.get("age", ())), tuple(values.get("sex", ())))
    written = values.get("dx", ())
    labels = listed if listed is not None else separated(written[0]) if written else ()
    differ = len(written) > 1 and len({frozenset(separated(text)) for text in written}) > 1
    if differ or any(map(no_code, labels)):
        doubts = (*doubts, "odd-labels")
    return Clinical(values, age, sex, labels, doubts)


def _pair(text: str) -> tuple[str, str | None]:
    """(key in small letters without brackets, value or None) of one comment."""
    key, colon, value = text.partition(":")
    return key.strip("<> \t").lower(), value.strip() if colon else None


def _patient(
    ages: tuple[str, ...], sexes: tuple[str, ...]
) -> tuple[float | None, str | None, tuple[str, ...]]:
    """(age, sex, doubts) of all ages and sexes that are stated, of which the first count."""
    age = demographics.age(ages[0]) if ages else None
    sex = demographics.sex(sexes[0]) if sexes else None
    return age, sex, demographics.doubts(ages, sexes)


def _separated(text: str) -> tuple[str, ...]:
    """The labels of one `Dx` line."""
    return cleaned(text.split(","))


_ANEW = (_pair, _patient, _separated)
_REMEMBERING = tuple(functools.lru_cache(maxsize=4096)(function) for function in _ANEW)

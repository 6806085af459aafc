"""The clinical data that stand in the comments of a WFDB header.

- `key: value`: `#Age: 74`, `# Age: 74`, `#<age>: 74` (LUDB), likewise Sex and Dx, in any case. The
  first of each counts. `Dx` separates labels by commas.
- LUDB's `#<diagnoses>` opens a list: each comment after it is one diagnosis, ended by a full stop.

The recordings of a hospital state the same few lists of labels again and again: each of them is
taken apart once.
"""

import functools
from typing import NamedTuple

from ecgpipe.recordings import demographics
from ecgpipe.recordings.demographics import cleaned, no_code

_SHORT = 200  # characters of a `Dx` line that is remembered


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
    values: dict[str, list[str]] = {}
    listed = None
    for index, text in enumerate(comments):
        key, colon, value = text.partition(":")
        key = key.strip("<> \t").lower()
        if colon:
            values.setdefault(key, []).append(value.strip())
        if key == "diagnoses" and listed is None and not value.strip("<>: \t"):
            listed = cleaned(line.rstrip(". \t") for line in comments[index + 1 :])
    ages, sexes, written = values.get("age", ()), values.get("sex", ()), values.get("dx", ())
    age = demographics.age(ages[0]) if ages else None
    sex = demographics.sex(sexes[0]) if sexes else None
    stated = [_separated(text) for text in written]
    labels = listed if listed is not None else stated[0] if stated else ()
    doubts = demographics.doubts(ages, sexes)
    differ = len(stated) > 1 and len(set(map(frozenset, stated))) > 1
    if differ or any(map(no_code, labels)):
        doubts = (*doubts, "odd-labels")
    return Clinical(values, age, sex, labels, doubts)


def _separated(text: str) -> tuple[str, ...]:
    """The labels of one `Dx` line."""
    return _remembered(text) if len(text) <= _SHORT else cleaned(text.split(","))


@functools.lru_cache(maxsize=4096)
def _remembered(text: str) -> tuple[str, ...]:
    """The labels of one that is short."""
    return cleaned(text.split(","))

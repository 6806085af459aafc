"""Age and sex as the network takes them, in numpy alone: an ONNX file carries the text of this
module."""

import numpy as np
from numpy.typing import ArrayLike

COLUMNS = (
    "age in years / 100, 0 where unknown",
    "1 where the age is known, else 0",
    "1 where female, else 0",
    "1 where male, else 0",
)


OLDEST = 120.0  # years: an age beyond is one in other units
# How a sex may be written; an empty text is unknown too.
SEXES = {"f": "F", "female": "F", "m": "M", "male": "M", "": "", "unknown": ""}


def demographics(age: ArrayLike, sex: ArrayLike) -> np.ndarray:
    """float32 [recording, 4]: the COLUMNS of recordings.

    age: in years, None or NaN where unknown, which is not an age of 0. sex: F or M, Female or Male
    in any case, None, NaN or '' where unknown. ValueError for anything else: it would count as
    unknown, unseen.

    >>> demographics([50, 0, None], ["F", "male", None]).tolist()
    [[0.5, 1.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0], [0.0, 0.0, 0.0, 0.0]]
    """
    years = np.asarray(age, dtype=float)
    letter = np.array([_letter(value) for value in np.asarray(sex, dtype=object)], dtype=object)
    known = ~np.isnan(years)
    outside = years[known & ~((years >= 0) & (years <= OLDEST))]
    if len(outside):
        raise ValueError(f"age: years from 0 to {OLDEST:g}, None where unknown, found {outside[0]}")
    columns = [np.where(known, years, 0.0) / 100.0, known, letter == "F", letter == "M"]
    return np.stack(columns, axis=1).astype(np.float32)


def _letter(sex: object) -> str:
    """F, M, or '' where unknown."""
    is_missing = sex is None or sex != sex  # as NaN is
    letter = SEXES.get("" if is_missing else str(sex).strip().lower())
    if letter is None:
        raise ValueError(f"sex: F or M (Female, Male), None where unknown, found {sex!r}")
    return letter

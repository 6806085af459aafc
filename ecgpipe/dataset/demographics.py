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


def demographics(age: ArrayLike, sex: ArrayLike) -> np.ndarray:
    """float32 [recording, 4]: the COLUMNS of recordings.

    age: in years, None or NaN where unknown, which is not an age of 0. sex: 'F' or 'M', anything
    else where unknown.

    >>> demographics([50, 0, None], ["F", "M", None]).tolist()
    [[0.5, 1.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0], [0.0, 0.0, 0.0, 0.0]]
    """
    years, letter = np.asarray(age, dtype=float), np.asarray(sex, dtype=object)
    known = np.isfinite(years)
    columns = [np.where(known, years, 0.0) / 100.0, known, letter == "F", letter == "M"]
    return np.stack(columns, axis=1).astype(np.float32)

"""All features of a conditioned recording, by name and unit.

`UNITS` names them in their order. A feature that cannot be measured is NaN: PR where no two beats
have the same P, QT where T is too flat, all but the rhythm's where there is no beat.
"""

import numpy as np
from numpy.typing import NDArray

from ecgpipe.features import atria, beats, delineation, rhythm, variation, waves
from ecgpipe.project.leads import LEADS

UNITS = rhythm.UNITS | waves.UNITS | atria.UNITS | variation.UNITS
# Of beats to the usual one where P is: below, there is none. Measured: tests/features.
LEAST_P_LIKENESS = 0.5
_FLAT_MV = 0.005  # a lead that never moves by more was not recorded
_OF_P = ("pr_ms", "p_ms", "p_axis_deg")
_OF_LEAD = [[name for name in UNITS if lead in name.split("_")] for lead in LEADS]


def measure(signal_mv: NDArray, rate_hz: float, peaks: NDArray) -> NDArray[np.float32]:
    """The features [feature] of a conditioned recording [time, 12] with its R-peaks in samples."""
    values = dict.fromkeys(UNITS, np.nan) | rhythm.measure(np.asarray(peaks) / rate_hz)
    found = beats.find(signal_mv, rate_hz, np.asarray(peaks))
    if found is not None:
        marks = delineation.delineate(found)
        values |= waves.measure(found, marks)
        values |= atria.measure(found, marks)
        values |= variation.measure(found, marks)
        if values["p_likeness"] < LEAST_P_LIKENESS:
            values |= dict.fromkeys(_OF_P, np.nan)
        is_flat = np.ptp(found.signal_mv, axis=0) < _FLAT_MV
        for lead in np.flatnonzero(is_flat):
            values |= dict.fromkeys(_OF_LEAD[lead], np.nan)
    return np.array([values[name] for name in UNITS], dtype=np.float32)

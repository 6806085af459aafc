"""Made-up signals whose limb leads keep I + III = II, as those of a heart do."""

import numpy as np


def lawful(signal_mv: np.ndarray) -> np.ndarray:
    """[time, 12] with lead II as the sum of leads I and III."""
    whole = np.array(signal_mv)
    whole[:, 1] = whole[:, 0] + whole[:, 2]
    return whole

"""What people ask of a recording besides its classes: rate, PR, QRS, QT and axis, as measured on
the conditioned recording (`features.measure`), and in words.

The rate is that of the median RR interval, QTc is Fridericia's. How far they are from the truth of
simulated hearts, and from another program's marks on real ones, stands in the README beside this.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Intervals(NamedTuple):
    """Measured numbers, NaN where one could not be measured; the fields name the columns of a
    table."""

    rate_bpm: float
    pr_ms: float
    qrs_ms: float
    qt_ms: float
    qtc_ms: float
    qrs_axis_deg: float

    @property
    def cells(self) -> list[str]:
        """The numbers as a table has them: whole, blank where not measured."""
        return [f"{value:.0f}" if np.isfinite(value) else "" for value in self]

    @property
    def words(self) -> str:
        """What is said of them, in one line.

        >>> Intervals(72.4, np.nan, 92, 380, np.nan, np.nan).words.split("; ")[:2]
        ['rate 72/min, QRS 92 ms, QT 380 ms', 'PR not measured (no P that stays the same)']
        """
        if np.isnan(self.qrs_ms):
            return "not measured (no beat is seen whole)"
        forms = {
            "rate": (self.rate_bpm, "{:.0f}/min", "fewer than two beats"),
            "PR": (self.pr_ms, "{:.0f} ms", "no P that stays the same"),
            "QRS": (self.qrs_ms, "{:.0f} ms", ""),
            "QT": (self.qt_ms, "{:.0f} ms", "no T that stands out"),
            "QTc": (self.qtc_ms, "{:.0f} ms", "no QT or no rate"),
            "axis": (self.qrs_axis_deg, "{:.0f}\N{DEGREE SIGN}", "I or aVF is flat"),
        }
        known, unknown = [], []
        for name, (value, form, why) in forms.items():
            if np.isfinite(value):
                known.append(f"{name} {form.format(value)}")
            else:
                unknown.append(f"{name} not measured ({why})")
        return "; ".join([", ".join(known), *unknown])


def measured(signal_mv: NDArray, rate_hz: float) -> Intervals:
    """The numbers of a conditioned recording [time, 12] in mV."""
    # Loaded where something is measured: the detector takes most of a second to load.
    from ecgpipe.features import measure
    from ecgpipe.preprocessing.r_peaks import r_peaks

    peaks = r_peaks(signal_mv, rate_hz)
    features = measure.measure(signal_mv, rate_hz, peaks).tolist()
    values = dict(zip(measure.UNITS, features, strict=True))
    return Intervals(*(values[name] for name in Intervals._fields))

"""ECG paper: traces at 25 mm/s and 10 mm/mV on a grid of 1 mm and 5 mm, as a printed electrocardiogram has it."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

MM_PER_S = 25.0
MM_PER_MV = 10.0
_INCH_MM = 25.4
_MARGIN_MM = 6.0
_LEAST_MM, _GAP_MM = 12.0, 6.0
_FINE, _COARSE = "#f6d5d5", "#e9a9a9"
INK, SHADE = "black", "#0072B2"


def strips(
    traces: Sequence[tuple[str, np.ndarray, np.ndarray]], rate_hz: float, title: str, legend: tuple[str, str]
) -> Figure:
    """One strip per lead: (lead, one trace, another beneath it), each [time] in mV; `legend` names both traces."""
    duration_s = len(traces[0][1]) / rate_hz
    heights_mm = [_extent_mm(above, beneath) for _, above, beneath in traces]
    height_mm = sum(high - low + _GAP_MM for low, high in heights_mm) + 3 * _MARGIN_MM
    width_mm = duration_s * MM_PER_S + 2 * _MARGIN_MM
    figure = Figure(figsize=(width_mm / _INCH_MM, height_mm / _INCH_MM))
    axes = figure.add_axes((0, 0, 1, 1))
    _grid(axes, width_mm, height_mm)
    time_mm = _MARGIN_MM + np.arange(len(traces[0][1])) / rate_hz * MM_PER_S
    top_mm = height_mm - 2 * _MARGIN_MM
    for (lead, above, beneath), (low_mm, high_mm) in zip(traces, heights_mm, strict=True):
        zero_mm = top_mm - high_mm
        top_mm = zero_mm + low_mm - _GAP_MM
        axes.plot(time_mm, zero_mm + beneath * MM_PER_MV, color=SHADE, linewidth=0.8, alpha=0.8)
        axes.plot(time_mm, zero_mm + above * MM_PER_MV, color=INK, linewidth=0.8)
        axes.text(1, zero_mm + 2, lead, fontsize=9, weight="bold")
    axes.text(_MARGIN_MM, height_mm - 5, title, fontsize=11, weight="bold")
    for place, (text, colour) in enumerate(zip(legend, (INK, SHADE), strict=True)):
        axes.text(width_mm - _MARGIN_MM - 32 * (1 - place), height_mm - 5, text, fontsize=9, color=colour, ha="right")
    axes.text(width_mm - _MARGIN_MM, 1.5, "25 mm/s, 10 mm/mV", fontsize=7, ha="right")
    return figure


def _extent_mm(*traces: np.ndarray) -> tuple[float, float]:
    """How far below and above its zero line a strip reaches."""
    whole = np.concatenate(traces) * MM_PER_MV
    return min(float(whole.min()), -_LEAST_MM / 2), max(float(whole.max()), _LEAST_MM / 2)


def _grid(axes: Axes, width_mm: float, height_mm: float) -> None:
    """Paper of a size in mm, its data coordinates in mm too."""
    axes.set(xlim=(0, width_mm), ylim=(0, height_mm))
    axes.axis("off")
    for step, colour, width in ((1, _FINE, 0.3), (5, _COARSE, 0.5)):
        axes.vlines(np.arange(0, width_mm, step), 0, height_mm, color=colour, linewidth=width)
        axes.hlines(np.arange(0, height_mm, step), 0, width_mm, color=colour, linewidth=width)

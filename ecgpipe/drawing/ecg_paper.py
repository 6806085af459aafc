"""ECG paper: traces at 25 mm/s and 10 mm/mV on a grid of 1 mm and 5 mm, as a printed
electrocardiogram has it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ecgpipe.project import printable
from ecgpipe.project.leads import LEADS

DPI = 127  # five pixels a millimetre
LAYOUT = (("I", "aVR", "V1", "V4"), ("II", "aVL", "V2", "V5"), ("III", "aVF", "V3", "V6"), ("II",))
SHEET_S = 10.0
MOST_MV = 10.0
MM_PER_S = 25.0
MM_PER_MV = 10.0
_INCH_MM = 25.4
_MARGIN_MM = 6.0
_LEAST_MM, _GAP_MM = 12.0, 6.0
_ROW_MM = (-9.0, 12.0)  # a row of the sheet holds this at least: the pulse of 10 mm fits in
_NAME_MM = (1.5, 9.0, 3.5)  # a lead's name: how far from its start, how wide and how high
_LOWEST_NAME_MM = 7.5
_PULSE_MM = ((0.0, 2.0, 2.0, 7.0, 7.0, 10.0), (0.0, 0.0, 10.0, 10.0, 0.0, 0.0))
_LINE_MM = 4.5
_FINE, _COARSE = "#f6d5d5", "#e9a9a9"
INK, SHADE, CUT = "black", "#0072B2", "#D55E00"


class Piece(NamedTuple):
    """What a row of the sheet shows of one lead, from `start_mm` on: where on the paper, and how
    high above the row's zero, both [time] in mm."""

    lead: str
    start_mm: float
    place_mm: np.ndarray
    values_mm: np.ndarray

    @property
    def name_mm(self) -> float:
        """How high above the row's zero the lead's name stands: over what is drawn where it
        stands."""
        begin, width, _ = _NAME_MM
        across_mm = self.place_mm - self.start_mm - begin
        near = self.values_mm[(across_mm > -1) & (across_mm < width + 1)]
        return max(_LOWEST_NAME_MM, float(near.max(initial=0)) + 1.5)

    @property
    def is_cut(self) -> np.ndarray:
        """[time]: where the trace that was held within the sheet's range would leave it."""
        return np.abs(self.values_mm) >= MOST_MV * MM_PER_MV


def strips(
    traces: Sequence[tuple[str, np.ndarray, np.ndarray]],
    rate_hz: float,
    title: str,
    legend: tuple[str, str],
) -> Figure:
    """One strip per lead: (lead, one trace, another beneath it), each [time] in mV; `legend` names
    both traces."""
    duration_s = len(traces[0][1]) / rate_hz
    heights_mm = [_extent_mm(above, beneath) for _, above, beneath in traces]
    height_mm = sum(high - low + _GAP_MM for low, high in heights_mm) + 3 * _MARGIN_MM
    width_mm = duration_s * MM_PER_S + 2 * _MARGIN_MM
    figure, axes = _paper(width_mm, height_mm)
    time_mm = _MARGIN_MM + np.arange(len(traces[0][1])) / rate_hz * MM_PER_S
    top_mm = height_mm - 2 * _MARGIN_MM
    for (lead, above, beneath), (low_mm, high_mm) in zip(traces, heights_mm, strict=True):
        zero_mm = top_mm - high_mm
        top_mm = zero_mm + low_mm - _GAP_MM
        axes.plot(time_mm, zero_mm + beneath * MM_PER_MV, color=SHADE, linewidth=0.8, alpha=0.8)
        axes.plot(time_mm, zero_mm + above * MM_PER_MV, color=INK, linewidth=0.8)
        axes.text(1, zero_mm + 2, lead, fontsize=9, weight="bold")
    right_mm = width_mm - _MARGIN_MM
    axes.text(_MARGIN_MM, height_mm - 5, title, fontsize=11, weight="bold")
    axes.text(right_mm - 32, height_mm - 5, legend[0], fontsize=9, color=INK, ha="right")
    axes.text(right_mm, height_mm - 5, legend[1], fontsize=9, color=SHADE, ha="right")
    axes.text(right_mm, 1.5, "25 mm/s, 10 mm/mV", fontsize=7, ha="right")
    return figure


def twelve_leads(
    signal_mv: np.ndarray,
    rate_hz: float,
    title: str,
    note: str = "",
    duration_s: float | None = None,
) -> Figure:
    """A sheet of all twelve leads as a cardiograph prints it, to be saved at `DPI`: then a mm is
    five pixels.

    signal_mv: [time, 12] in mV, in the order of leads.LEADS. Its first 10 s are drawn, each lead
    about its median there: three rows of four leads, 2.5 s each, one after the other in time, and
    lead II over the 10 s beneath. A shorter recording leaves the paper empty. Each row opens with a
    pulse of 1 mV and 0.2 s. Rows are as high as what they hold, so that none runs into another;
    what is `MOST_MV` or more from the median is cut, and each cut marked. `note`: lines beneath the
    title; `duration_s`: of the whole recording, where `signal_mv` is its beginning alone. Layout
    and scale: AHA/ACCF/HRS recommendation (Kligfield et al. 2007,
    doi:10.1161/CIRCULATIONAHA.106.180200).
    """
    assert signal_mv.ndim == 2 and signal_mv.shape[1] == len(LEADS), signal_mv.shape
    shown = signal_mv[: round(SHEET_S * rate_hz)]
    centred_mm = np.clip(shown - np.median(shown, axis=0), -MOST_MV, MOST_MV) * MM_PER_MV
    rows = [_row(leads, centred_mm, rate_hz) for leads in LAYOUT]
    extents_mm = [_within(row) for row in rows]
    lines = [line for line in note.split("\n") if line]
    head_mm = _MARGIN_MM + _LINE_MM * len(lines)
    rows_mm = sum(high - low for low, high in extents_mm)
    width_mm = _in_squares(_left_mm() + SHEET_S * MM_PER_S + _MARGIN_MM)
    height_mm = _in_squares(rows_mm + head_mm + 2 * _MARGIN_MM)
    figure, axes = _paper(width_mm, height_mm, DPI)
    _write_head(axes, height_mm - 5, title, lines)
    top_mm = height_mm - head_mm - _MARGIN_MM / 2
    for row, (low_mm, high_mm) in zip(rows, extents_mm, strict=True):
        _draw(axes, row, top_mm - high_mm)
        top_mm -= high_mm - low_mm
    if duration_s is None:
        duration_s = len(signal_mv) / rate_hz
    axes.text(width_mm - _MARGIN_MM, 1.5, _caption(duration_s, rows), fontsize=7, ha="right")
    return figure


def _write_head(axes: Axes, top_mm: float, title: str, lines: Sequence[str]) -> None:
    axes.text(_MARGIN_MM, top_mm, title, fontsize=10, weight="bold")
    for number, line in enumerate(lines, start=1):
        axes.text(_MARGIN_MM, top_mm - _LINE_MM * number, line, fontsize=8)


def drawable(text: str) -> str:
    """Text as it stands: no sign in it means mathematics, one that is not seen is spelled out
    (`printable.shown`), and one that the font lacks becomes a question mark.

    >>> drawable("R$1, 5 \u00b5V, \u5fc3")
    'R\\\\$1, 5 \u00b5V, ?'
    """
    file = font_manager.findfont(font_manager.FontProperties())
    known = font_manager.get_font(file).get_charmap()
    signs = [sign if ord(sign) in known else "?" for sign in printable.shown(text)]
    return "".join(signs).replace("$", r"\$")


def _left_mm() -> float:
    """Where the traces begin, after the pulse."""
    return _MARGIN_MM + max(_PULSE_MM[0])


def _in_squares(length_mm: float) -> float:
    """A length rounded up to whole squares of 5 mm."""
    return 5 * np.ceil(length_mm / 5)


def _row(leads: Sequence[str], centred_mm: np.ndarray, rate_hz: float) -> list[Piece]:
    """A row of the sheet: its leads one after the other in time, of `centred_mm` [time, 12]."""
    column_s = SHEET_S / len(leads)
    bounds = [round(column_s * number * rate_hz) for number in range(len(leads) + 1)]
    pieces = []
    for lead, first, last in zip(leads, bounds, bounds[1:], strict=False):
        values_mm = centred_mm[first:last, LEADS.index(lead)]
        place_mm = _left_mm() + (first + np.arange(len(values_mm))) / rate_hz * MM_PER_S
        start_mm = _left_mm() + len(pieces) * column_s * MM_PER_S
        pieces.append(Piece(lead, start_mm, place_mm, values_mm))
    return pieces


def _within(row: Sequence[Piece]) -> tuple[float, float]:
    """How far below and above its zero a row of the sheet reaches, with a little room."""
    values_mm = np.concatenate([piece.values_mm for piece in row])
    low, high = _ROW_MM
    high = max(high, *(piece.name_mm + _NAME_MM[2] for piece in row))
    if len(values_mm):
        low, high = min(low, values_mm.min() - 2), max(high, values_mm.max() + 2)
    return low, high


def _draw(axes: Axes, row: Sequence[Piece], zero_mm: float) -> None:
    """The pulse, the traces and the names of one row, and a short stroke where one lead ends and
    the next begins."""
    across_mm, up_mm = (np.array(values) for values in _PULSE_MM)
    axes.plot(_MARGIN_MM + across_mm, zero_mm + up_mm, color=INK, linewidth=0.8)
    behind = {"facecolor": "white", "alpha": 0.7, "edgecolor": "none", "pad": 0.8}
    name = {"fontsize": 9, "weight": "bold", "bbox": behind, "zorder": 2.5}
    for number, piece in enumerate(row):
        if number:
            edge_mm = [piece.start_mm, piece.start_mm]
            axes.plot(edge_mm, [zero_mm - 4, zero_mm + 4], color=INK, linewidth=0.6)
        _draw_trace(axes, piece, zero_mm)
        axes.text(piece.start_mm + _NAME_MM[0], zero_mm + piece.name_mm, piece.lead, **name)


def _draw_trace(axes: Axes, piece: Piece, zero_mm: float) -> None:
    """One lead's trace, with a triangle at each place where it leaves the sheet's range."""
    cut = piece.is_cut
    height_mm = zero_mm + piece.values_mm
    # Drawn as far as where it leaves, and from where it comes back.
    padded = np.concatenate([[False], cut, [False]])
    inner = padded[:-2] & cut & padded[2:]
    shown_mm = np.where(inner, np.nan, height_mm)
    axes.plot(piece.place_mm, shown_mm, color=INK, linewidth=0.8, zorder=3)
    for beyond, marker in ((cut & (piece.values_mm > 0), "^"), (cut & (piece.values_mm < 0), "v")):
        # Every second change is a return.
        leaves = np.flatnonzero(np.diff(beyond, prepend=False, append=False))[::2]
        style = {"color": CUT, "marker": marker, "zorder": 4}
        axes.scatter(piece.place_mm[leaves], height_mm[leaves], 18, **style)


def _caption(duration_s: float, rows: Sequence[Sequence[Piece]]) -> str:
    """Scale, what is shown of how much, and whether a trace was cut."""
    caption = "25 mm/s, 10 mm/mV, each lead about its median"
    if duration_s > SHEET_S + 0.5:
        caption = f"first {SHEET_S:g} of {duration_s:.0f} s, {caption}"
    if any(piece.is_cut.any() for row in rows for piece in row):
        caption += f", cut at \u00b1{MOST_MV:g} mV (triangles)"
    return caption


def _extent_mm(*traces: np.ndarray) -> tuple[float, float]:
    """How far below and above its zero line a strip reaches."""
    whole = np.concatenate(traces) * MM_PER_MV
    return min(float(whole.min()), -_LEAST_MM / 2), max(float(whole.max()), _LEAST_MM / 2)


def _paper(width_mm: float, height_mm: float, dpi: float | None = None) -> tuple[Figure, Axes]:
    """Paper of a size in mm with its grid, its data coordinates in mm too."""
    figure = Figure(figsize=(width_mm / _INCH_MM, height_mm / _INCH_MM), dpi=dpi)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width_mm), ylim=(0, height_mm))
    axes.axis("off")
    for step, colour, width in ((1, _FINE, 0.3), (5, _COARSE, 0.5)):
        axes.vlines(np.arange(0, width_mm, step), 0, height_mm, color=colour, linewidth=width)
        axes.hlines(np.arange(0, height_mm, step), 0, width_mm, color=colour, linewidth=width)
    return figure, axes

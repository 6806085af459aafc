"""The twelve leads of a WFDB recording: which signal lines of its header they are, and their whole
steps as mV."""

import functools
import math
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ecgpipe.project.leads import LEADS, canonical
from ecgpipe.recordings import refusals, suffixes, wfdb_signals
from ecgpipe.recordings.refusals import Refused
from ecgpipe.recordings.wfdb_header import Header
from ecgpipe.recordings.wfdb_signal_lines import Layout, Signal

# What one step of a converter can be; above, no wave of an ECG is left. wfdb-python stretches a
# lead over the range of formats 24 and 32, which makes steps far below what any converter has.
LEAST_STEP_MV, MOST_STEP_MV = 1e-7, 0.1
_STRETCHED_MV = {"24": 1e-9, "32": 1e-12}
_LARGEST_BASELINE = 1 << 31
_WHOLE_IN_FLOAT32 = 1 << 24
_MV = {"mv": 1.0, "uv": 1e-3, "\u00b5v": 1e-3, "\u03bcv": 1e-3, "v": 1e3}


def choose(header: Header, file: Path, where: str) -> list[Signal]:
    """The signal lines of the 12 leads in the standard order, of the header `file`, which is
    `where` in errors; Refused as `check` says."""
    return [header.signals[line] for line in check(header, file, where)]


def check(header: Header, file: Path, where: str) -> tuple[int, ...]:
    """Which of its signal lines are the 12 leads in the standard order, of the header `file`, which
    is `where` in errors.

    Refused 'leads', 'format' (a signal file in another folder), 'units', 'gain' or 'signal' (one
    that is another record's).
    """
    try:
        lines = _lines(header.lines.layout.names)
        names = _named(header.lines.files, lines)
        for name in names:
            if "/" in name or "\\" in name or name in (".", "..", "~", "-"):
                rule = f"signal file '{name[:80]}' is not in the header's folder"
                raise Refused("format", f"{rule}; move it")
        _check_steps(header.lines.layout, lines)
    except Refused as refusal:
        raise Refused(refusal.reason, f"{where}: {refusal}") from None
    _check_owner(names, file, where)
    return lines


@functools.lru_cache(maxsize=32)
def _lines(names: tuple[str, ...]) -> tuple[int, ...]:
    """Which of the signals called `names` are the 12 leads, in the standard order; others are left
    out."""
    by_lead: dict[str, int] = {}
    for line, name in enumerate(names):
        lead = canonical(name)
        if lead in by_lead:
            rule = f"lead {lead} stands twice, each lead stands once"
            raise Refused("leads", f"{rule}; correct the header")
        if lead is not None:
            by_lead[lead] = line
    absent = [lead for lead in LEADS if lead not in by_lead]
    if absent:
        rule = f"all 12 standard leads are needed, missing {', '.join(absent)}"
        others = [name for name in names if canonical(name) is None]
        step = f"{refusals.found(others)}rename them in the header, or leave it out"
        if any(name.startswith("-") for name in others):
            step += " (-aVR is aVR turned over: its signal changes sign as well)"
        raise Refused("leads", f"{rule}; {step if others else 'leave it out'}")
    return tuple(by_lead[lead] for lead in LEADS)


def _named(files: tuple[str, ...], lines: tuple[int, ...]) -> Iterable[str]:
    """The files that such signal lines name, each once."""
    if files.count(files[0]) == len(files):
        return files[:1]
    return dict.fromkeys(files[line] for line in sorted(lines))


@functools.lru_cache(maxsize=32)
def _check_steps(layout: Layout, lines: tuple[int, ...]) -> None:
    """Refused 'units' or 'gain' where a lead's unit is none of voltage, or a step is none of a
    converter."""
    for lead, line in sorted(zip(LEADS, lines, strict=True), key=lambda pair: pair[1]):
        gain, units = layout.gains[line], layout.units[line]
        unit_mv = _MV.get(units.lower())
        if unit_mv is None and (gain is None or not math.isnan(gain)):
            rule = f"units are mV, uV or V, found '{units[:80]}'"
            raise Refused("units", f"lead {lead}: {rule}; convert it")
        step_mv = unit_mv / gain if unit_mv and gain else 0.0
        least_mv = _STRETCHED_MV.get(layout.formats[line], LEAST_STEP_MV)
        baseline = layout.baselines[line]
        if not least_mv <= step_mv < math.inf or abs(baseline) > _LARGEST_BASELINE:
            raise _no_gain(lead, gain, units, baseline)


def _no_gain(lead: str, gain: float | None, units: str, baseline: int) -> Refused:
    """What to say of a lead whose steps are none."""
    rule = (
        f"the gain is a number but 0, a step from {LEAST_STEP_MV:g} to {MOST_STEP_MV:g} mV, the "
        "baseline of 32 bits"
    )
    is_text = gain is not None and math.isnan(gain)
    found = f"'{units[:80]}'" if is_text else f"{gain} a {units[:80]}"
    return Refused("gain", f"lead {lead}: {rule}, found {found} and {baseline}; correct it")


def _check_owner(names: Iterable[str], file: Path, where: str) -> None:
    """Refused 'signal' where a header names the signal file of another record, which has a header
    beside it."""
    for name in names:
        stem = name.rpartition(".")[0] or name
        if stem != file.stem and os.path.lexists(file.with_name(stem + suffixes.HEADER)):
            raise Refused(
                "signal",
                f"{where}: its file {name} is record {stem}'s; correct the header or remove it",
            )


def read(file: Path, header: Header, root: Path) -> np.ndarray:
    """float32 [time, 12] in mV, NaN where a sample is missing, of the header `file` below `root`;
    Refused where header and signal file disagree."""
    wanted = choose(header, file, str(file))
    digital, missing = wfdb_signals.read(file, header, wanted, root)
    steps_mv = [_MV[signal.units.lower()] / signal.gain for signal in wanted]
    for index, step_mv in enumerate(steps_mv):
        # A lead that is constant (an electrode off) has no step of its own: wfdb-python writes
        # `1(1)/mV` for it.
        if step_mv > MOST_STEP_MV and not _constant(digital[~missing[:, index], index]):
            signal = wanted[index]
            refusal = _no_gain(LEADS[index], signal.gain, signal.units, signal.baseline)
            raise Refused(refusal.reason, f"{file}: {refusal}")
    signal_mv = _in_mv(digital, missing, [signal.baseline for signal in wanted], steps_mv)
    if missing.any():
        signal_mv[missing] = np.nan
    return signal_mv


def _constant(steps: np.ndarray) -> bool:
    return not steps.size or steps.min() == steps.max()


def _in_mv(
    digital: np.ndarray, missing: np.ndarray, baselines: list[int], steps_mv: list[float]
) -> np.ndarray:
    """Whole steps [time, lead] to float32 mV: the same steps give the same mV, whatever format they
    came in."""
    farthest = 0 if digital.dtype == np.int16 else _farthest(digital, missing)
    if max(farthest, max(baselines), -min(baselines)) < _WHOLE_IN_FLOAT32:
        signal_mv = digital.astype(np.float32)
        if any(baselines):
            signal_mv -= np.array(baselines, dtype=np.float32)
        signal_mv *= np.array(steps_mv, dtype=np.float32)
        return signal_mv
    signal_mv = np.empty(digital.shape, dtype=np.float32, order="F")
    for index, (baseline, step_mv) in enumerate(zip(baselines, steps_mv, strict=True)):
        signal_mv[:, index] = (digital[:, index].astype(np.float64) - baseline) * step_mv
    return signal_mv


def _farthest(digital: np.ndarray, missing: np.ndarray) -> int:
    """The known step that is farthest from 0, lead by lead to save memory."""
    farthest = 0
    for column, lost in zip(digital.T, missing.T, strict=True):
        known = column[~lost]
        if known.size:
            farthest = max(farthest, int(known.max()), -int(known.min()))
    return farthest

"""The twelve leads of a WFDB recording: which signal lines of its header they are, and their whole
steps as mV."""

import math
import os
from pathlib import Path

import numpy as np

from ecgpipe.project.leads import LEADS, canonical
from ecgpipe.recordings import suffixes, wfdb_signals
from ecgpipe.recordings.refusals import Refused
from ecgpipe.recordings.wfdb_header import Header, Signal

# What one step of a converter can be; above, no wave of an ECG is left. wfdb-python stretches a
# lead over the range of formats 24 and 32, which makes steps far below what any converter has.
LEAST_STEP_MV, MOST_STEP_MV = 1e-7, 0.1
_STRETCHED_MV = {"24": 1e-9, "32": 1e-12}
_LARGEST_BASELINE = 1 << 31
_WHOLE_IN_FLOAT32 = 1 << 24
_MV = {"mv": 1.0, "uv": 1e-3, "\u00b5v": 1e-3, "\u03bcv": 1e-3, "v": 1e3}


def choose(header: Header, file: Path, where: str) -> list[Signal]:
    """The signal lines of the 12 leads in the standard order, of the header `file`, which is
    `where` in errors.

    Refused 'leads', 'format' (a signal file in another folder), 'units', 'gain' or 'signal' (one
    that is another record's).
    """
    by_lead = _by_lead(header, where)
    absent = [lead for lead in LEADS if lead not in by_lead]
    if absent:
        raise Refused(
            "leads",
            f"{where}: all 12 standard leads are needed, missing {', '.join(absent)}; leave it out",
        )
    names = list(dict.fromkeys(signal.file for signal in by_lead.values()))
    for name in names:
        if "/" in name or "\\" in name or name in (".", "..", "~", "-"):
            raise Refused(
                "format",
                f"{where}: signal file '{name[:80]}' is not in the header's folder; move it",
            )
    for lead, signal in by_lead.items():
        _check_step(lead, signal, where)
    wanted = [by_lead[lead] for lead in LEADS]
    _check_owner(wanted, file, where)
    return wanted


def _by_lead(header: Header, where: str) -> dict[str, Signal]:
    """Standard lead -> its signal line; others are left out."""
    by_lead: dict[str, Signal] = {}
    for signal in header.signals:
        lead = canonical(signal.name)
        if lead in by_lead:
            raise Refused(
                "leads",
                f"{where}: lead {lead} stands twice, each lead stands once; correct the header",
            )
        if lead is not None:
            by_lead[lead] = signal
    return by_lead


def _check_step(lead: str, signal: Signal, where: str) -> None:
    """Refused 'units' or 'gain' where a lead's unit is none of voltage, or a step is none of a
    converter."""
    unit_mv = _MV.get(signal.units.lower())
    if unit_mv is None and (signal.gain is None or not math.isnan(signal.gain)):
        rule = f"units are mV, uV or V, found '{signal.units[:80]}'"
        raise Refused("units", f"{where}: lead {lead}: {rule}; convert it")
    step_mv = unit_mv / signal.gain if unit_mv and signal.gain else 0.0
    least_mv = _STRETCHED_MV.get(signal.format, LEAST_STEP_MV)
    if not least_mv <= step_mv < math.inf or abs(signal.baseline) > _LARGEST_BASELINE:
        raise _no_gain(lead, signal, where)


def _no_gain(lead: str, signal: Signal, where: str) -> Refused:
    """What to say of a lead whose steps are none."""
    rule = (
        f"the gain is a number but 0, a step from {LEAST_STEP_MV:g} to {MOST_STEP_MV:g} mV, the "
        "baseline of 32 bits"
    )
    is_text = signal.gain is not None and math.isnan(signal.gain)
    found = f"'{signal.units[:80]}'" if is_text else f"{signal.gain} a {signal.units[:80]}"
    return Refused(
        "gain", f"{where}: lead {lead}: {rule}, found {found} and {signal.baseline}; correct it"
    )


def _check_owner(wanted: list[Signal], file: Path, where: str) -> None:
    """Refused 'signal' where a header names the signal file of another record, which has a header
    beside it."""
    for name in dict.fromkeys(signal.file for signal in wanted):
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
            raise _no_gain(LEADS[index], wanted[index], str(file))
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

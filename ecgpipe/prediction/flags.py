"""What models miss of a recording that can be read, and of which lead a flag speaks.

Flags: age-unknown, sex-unknown (of models that take them), low-rate (the recording holds less than
the band that they use), short (less than the window that they were trained on); and those that it
was read with (`recordings.quality`, `recordings.wfdb_header`).
"""

from typing import Any

import numpy as np

from ecgpipe.project.leads import LEADS
from ecgpipe.recordings import quality
from ecgpipe.recordings.recording import Recording


def input_flags(recording: Recording, about: dict[str, Any], samples: int) -> list[str]:
    """Flags of what the models miss of a usable recording of so many conditioned `samples`, after
    those that it was read with; `about` is what model.json says."""
    flags = [with_details(flag, recording) for flag in recording.faults]
    if about["network"]["demographics"]:
        if recording.age is None:
            flags.append("age-unknown")
        if recording.sex is None:
            flags.append("sex-unknown")
    needed_hz = 2 * about["conditioning"]["high_hz"]
    if recording.rate_hz < needed_hz:
        flags.append(f"low-rate ({recording.rate_hz:g} Hz, the models need {needed_hz:g} Hz)")
    if samples < about["window"]:
        duration_s = samples / about["rate_hz"]
        window_s = about["window"] / about["rate_hz"]
        trained = f"the models were trained on windows of {window_s:.3g} s"
        flags.append(f"short ({duration_s:.3g} s, {trained})")
    return flags


def with_details(flag: str, recording: Recording) -> str:
    """A flag of `quality` with the leads that it is about, and how far they go."""
    signal_mv = recording.signal_mv  # [time, lead]
    if flag == "limb-leads":
        law = quality.other_law(signal_mv, recording.rate_hz)
        if law in quality.AUGMENTED:
            return f"{flag} (as if {law})"
        off_uv = 1000 * quality.limb_error_mv(signal_mv)
        return f"{flag} (off by {off_uv:.0f} microvolts{f', as if {law}' if law else ''})"
    extremes = np.stack([signal_mv.min(axis=0), signal_mv.max(axis=0)])  # [2, lead]
    largest_mv = np.abs(extremes).max(axis=0)
    if flag == "flat-lead":
        affected = quality.flat(signal_mv)
    elif flag == "saturated":
        affected = quality.saturated(signal_mv, recording.rate_hz, extremes)
    elif flag == "out-of-range":
        affected = largest_mv > quality.RANGE_MV
    else:
        return flag
    names = ", ".join(
        lead for lead, is_affected in zip(LEADS, affected, strict=True) if is_affected
    )
    if flag == "flat-lead":
        return f"{flag} ({names})"
    return f"{flag} ({names} up to {largest_mv[affected].max(initial=0):.3g} mV)"

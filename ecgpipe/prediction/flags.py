"""What models miss of a recording that can be read, and of which lead a flag speaks.

Flags: age-unknown, sex-unknown (of models that take them), low-rate (the recording holds less than
the band that they use), short (less than the window that they were trained on); and those that it
was read with (`quality`, `headers`).
"""

from typing import Any

import numpy as np

from ecgpipe.project.leads import LEADS
from ecgpipe.recordings import quality
from ecgpipe.recordings.recording import Recording


def input_flags(recording: Recording, about: dict[str, Any], samples: int) -> list[str]:
    """Flags of what the models miss of a usable recording of so many conditioned `samples`, after
    those that it was read with; `about` is what model.json says."""
    found, known = (
        [_with_leads(flag, recording) for flag in recording.faults],
        about["network"]["demographics"],
    )
    if known and recording.age is None:
        found.append("age-unknown")
    if known and recording.sex is None:
        found.append("sex-unknown")
    needed_hz = 2 * about["conditioning"]["high_hz"]
    if recording.rate_hz < needed_hz:
        found.append(f"low-rate ({recording.rate_hz:g} Hz, the models need {needed_hz:g} Hz)")
    if samples < about["window"]:
        found_s, window_s = samples / about["rate_hz"], about["window"] / about["rate_hz"]
        found.append(
            f"short ({found_s:.3g} s, the models were trained on windows of {window_s:.3g} s)"
        )
    return found


def _with_leads(flag: str, recording: Recording) -> str:
    """A flag of `quality` with the leads that it is about, and how far they go."""
    signal_mv = recording.signal_mv
    extremes = np.stack([signal_mv.min(axis=0), signal_mv.max(axis=0)])
    largest = np.abs(extremes).max(axis=0)
    if flag == "flat-lead":
        which = quality.flat(signal_mv)
    elif flag == "saturated":
        which = quality.saturated(signal_mv, recording.rate_hz, extremes)
    elif flag == "out-of-range":
        which = largest > quality.RANGE_MV
    else:
        return flag
    reach = f" up to {largest[which].max(initial=0):.3g} mV" * (flag != "flat-lead")
    return (
        f"{flag} ({', '.join(lead for lead, one in zip(LEADS, which, strict=True) if one)}{reach})"
    )

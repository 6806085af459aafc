"""Whether the recordings of a source, taken together, were read wrongly: in another unit or gain,
with limb leads under other names, with leads that nobody recorded.

One such recording is flagged and used. Where two or more, and more than `data.max_refused` of those
that were read, are doubtful for one cause, a run stops and names it:

- scale: `out-of-range`, and a typical lead reaches 5 mV (`quality.reach_mv`), or half of the leads
  span less than 0.25 mV. Of 696 real recordings none is: a typical lead reaches 4.7 mV at most and
  spans 0.54 mV at least. With a gain that is wrong by ten, 535 of them are (and 89 refused) or 659,
  by five 117 or 228, by two one or none.
- flat: half of the leads or more are flat, or a lead is that is flat in five or more and in more
  than half of the source's recordings. Four of 37 real recordings of Ningbo have flat leads, one
  has six of them.
- limb-leads: flagged so (`quality`).
"""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ecgpipe.project.errors import UserError
from ecgpipe.project.leads import LEADS
from ecgpipe.recordings import quality, refusal_limit
from ecgpipe.recordings.recording import Recording

LARGE_MV = 5.0
SMALL_MV = 0.25
_MANY = len(LEADS) // 2
_USUAL = 5  # recordings
_LIMBS = LEADS[:3]


class Measured(NamedTuple):
    """What one recording shows: whether it is out of scale, its flat leads, what makes its limb
    leads lawful again (None where they are, '' where nothing does), and by how many mV they break
    the law, 0 where a limb lead is flat or saturated."""

    is_off_scale: bool
    flat: tuple[str, ...]
    other_law: str | None
    limb_error_mv: float


def measure(recording: Recording) -> Measured:
    """What a recording shows, by its signal and the flags that it was read with."""
    signal_mv, flags = recording.signal_mv, recording.faults
    flat: tuple[str, ...] = ()
    if "flat-lead" in flags:
        is_flat = quality.flat(signal_mv)
        flat = tuple(lead for lead, is_one in zip(LEADS, is_flat, strict=True) if is_one)
    is_large = "out-of-range" in flags and quality.reach_mv(signal_mv) > LARGE_MV
    is_small = quality.typical(np.ptp(signal_mv, axis=0)) < SMALL_MV
    other_law = None
    if "limb-leads" in flags:
        other_law = quality.other_law(signal_mv, recording.rate_hz)
    is_asked = "saturated" not in flags and not set(flat) & set(_LIMBS)
    error_mv = quality.limb_error_mv(signal_mv) if is_asked else 0.0
    return Measured(is_large or is_small, flat, other_law, error_mv)


@dataclass
class Tally:
    """What the recordings of a source that were read have shown, one after the other."""

    measured: list[Measured] = field(default_factory=list)

    def add(self, measured: Measured) -> None:
        """Counts one recording."""
        self.measured.append(measured)

    def report(self) -> dict[str, Any]:
        """How many recordings are doubtful by cause, and by how many microvolts I + III is off
        II."""
        errors_uv = [1000 * each.limb_error_mv for each in self.measured] or [0.0]
        return {
            "doubtful": self._doubtful(),
            "limb_error_uv": {
                "median": round(float(np.median(errors_uv)), 1),
                "largest": round(max(errors_uv), 1),
            },
        }

    def check(self, most: float, where: Path | str) -> None:
        """UserError where more than the share `most` of the recordings of `where` are doubtful for
        one cause."""
        found = len(self.measured)
        told = [
            self._sentence(cause, count)
            for cause, count in self._doubtful().items()
            if count > max(1, most * found)
        ]
        if told:
            raise UserError(
                f"{where}: {'; '.join(told)}; that is more than data.max_refused {most:g}; "
                f"`{refusal_limit.command(where)}` names them; correct them, or raise max_refused "
                "where they are right"
            )

    def sentences(self) -> list[str]:
        """What is to be said of the source as a whole, doubtful or not."""
        told = [self._sentence(*pair) for pair in self._doubtful().items() if pair[1] > 1]
        apart = [
            1000 * each.limb_error_mv
            for each in self.measured
            if each.other_law is None and each.limb_error_mv > quality.ROUNDING_MV
        ]
        if apart:
            told.append(
                f"{len(apart)} of {len(self.measured)} recordings break III = II - I by "
                f"{min(apart):.0f} to {max(apart):.0f} microvolts, too little for exchanged leads: "
                "a device that filters its leads apart does so; not counted as doubts"
            )
        return told

    def _doubtful(self) -> dict[str, int]:
        usual = self._usually_flat()
        many = [each for each in self.measured if len(each.flat) >= _MANY or usual & set(each.flat)]
        return {
            "scale": sum(each.is_off_scale for each in self.measured),
            "flat": len(many),
            "limb-leads": sum(each.other_law is not None for each in self.measured),
        }

    def _usually_flat(self) -> set[str]:
        """The leads that are flat in more than half of the recordings, and not in a few alone."""
        times = Counter(lead for each in self.measured for lead in each.flat)
        least = max(_USUAL, len(self.measured) // 2 + 1)
        return {lead for lead in times if times[lead] >= least}

    def _sentence(self, cause: str, count: int) -> str:
        of_all = f"{count} of {len(self.measured)} recordings"
        if cause == "scale":
            return (
                f"{of_all} are out of scale (a typical lead reaches {LARGE_MV:g} mV, or half of "
                f"the leads span less than {SMALL_MV:g} mV): likely a wrong unit or gain"
            )
        if cause == "flat":
            usual = [lead for lead in LEADS if lead in self._usually_flat()]
            named = f"{', '.join(usual)} in most of them" if usual else "half of the leads or more"
            return f"{of_all} have flat leads ({named}): likely never recorded"
        doubtful = [each for each in self.measured if each.other_law is not None]
        law, times = Counter(each.other_law for each in doubtful).most_common(1)[0]
        why = f"{law} in {times} of them" if law else f"no other order mends {times} of them"
        laws = "the limb leads' laws" if law in quality.AUGMENTED else "III = II - I"
        return f"{of_all} break {laws}: likely a wrong lead order ({why})"

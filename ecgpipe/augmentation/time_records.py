"""The records of what moves samples in time: time maps (`time_warps`), STAR (`star`) and the flip
that reads backwards (`flips`)."""

import math
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from ecgpipe.augmentation.contracts import (
    CONDUCTION,
    DURATION,
    RHYTHM,
    VOLTAGE,
    Contract,
    all_but,
)
from ecgpipe.augmentation.record import Augmentation, Kind, Variant

# A crop moves R-peaks with the window, and a finding that comes once may lie outside it: no choice
# of a window helps.
CROP = Augmentation(
    name="crop",
    stream=0,
    kind=Kind.START,
    contract=Contract("random crop", keeps=all_but("R-peaks")),
    caption="a window somewhere in the recording; a shorter recording lies anywhere in its window.",
    probability=None,
)

JITTER = Augmentation(
    name="jitter",
    stream=6,
    kind=Kind.START,
    contract=Contract("jitter of the crop", keeps=all_but("R-peaks", "span")),
    caption="the window moves by up to `jitter_s`, beyond the ends too, where zeros stand.",
    settings={"s": (float, Field(0.5, ge=0))},
    probability=None,
)

ROLL = Augmentation(
    name="roll",
    stream=7,
    kind=Kind.WINDOW,
    turn=1,
    contract=Contract("roll", keeps=all_but("R-peaks", "RR"), breaks=RHYTHM),
    caption="the window begins up to `roll_s` later or earlier; what leaves one end enters the "
    "other.",
    settings={"s": (float, Field(1.0, ge=0))},
)

STRETCH = Augmentation(
    name="stretch",
    stream=8,
    kind=Kind.WINDOW,
    turn=3,
    fractional=True,
    contract=Contract("random stretch", all_but("R-peaks", "RR", "span"), DURATION),
    caption="slower or faster as a whole, by up to `stretch_scale`.",
    settings={"scale": (float, Field(1.2, ge=1, le=2))},
)


def _turns_back(settings: Mapping[str, Any]) -> str | None:
    """The steepest slope of s sin(2 pi f t) is 2 pi f s."""
    shift_s = max(abs(settings["shift_low_s"]), abs(settings["shift_high_s"]))
    if 2 * math.pi * shift_s * settings["frequency_high_hz"] < 1:
        return None
    return "2 pi x shift x frequency is 1 or more, so that time would run backwards"


SINE_RESAMPLE = Augmentation(
    name="sine_resample",
    stream=4,
    kind=Kind.WINDOW,
    turn=3,
    fractional=True,
    contract=Contract("sine resampling", all_but("R-peaks", "RR", "span"), DURATION + RHYTHM),
    caption="time swings slower and faster, read at t + s sin(2 pi f t).",
    settings={
        "shift_low_s": (float, -0.1),
        "shift_high_s": (float, 0.1),
        "frequency_low_hz": (float, Field(0.1, ge=0)),
        "frequency_high_hz": (float, Field(0.3, ge=0)),
    },
    fault=_turns_back,
)

LINEAR_RESAMPLE = Augmentation(
    name="linear_resample",
    stream=9,
    kind=Kind.WINDOW,
    turn=2,
    fractional=True,
    contract=Contract("linear resampling", all_but("R-peaks", "RR"), DURATION + RHYTHM),
    caption="time runs ever faster, or ever slower, from end to end.",
    settings={"low": (float, Field(0.8, gt=0.5)), "high": (float, Field(1.2, gt=0.5))},
)

TRIANGLE_RESAMPLE = Augmentation(
    name="triangle_resample",
    stream=10,
    kind=Kind.WINDOW,
    turn=2,
    fractional=True,
    contract=Contract("triangle resampling", all_but("R-peaks", "RR"), DURATION + RHYTHM),
    caption="the same up to the middle, and mirrored from there on.",
    settings=LINEAR_RESAMPLE.settings,
)

STAR = Augmentation(
    name="star",
    stream=5,
    kind=Kind.BEATS,
    fractional=True,
    contract=Contract(
        "STAR, beat-wise", all_but("amplitude"), breaks=("IAVB", "LPR", "LQT", *CONDUCTION)
    ),
    caption="what lies between two R-peaks moves and grows or shrinks a little (arXiv:2510.24740, "
    "in a form that keeps every R-peak).",
    settings={
        "how": (Literal["beatwise", "published"], "beatwise"),
        "warp": (float, Field(0.2, ge=0, lt=1)),
        "gain": (float, Field(0.2, ge=0, lt=1)),
    },
    variants=(
        Variant(
            name="star_published",
            setting="how",
            value="published",
            caption="beats get other lengths and sizes, as in the code released with the paper; no "
            "draws.",
            contract=Contract(
                "STAR, as published",
                keeps=all_but("R-peaks", "RR", "amplitude"),
                breaks=DURATION + RHYTHM + VOLTAGE,
            ),
        ),
    ),
)

TIME_FLIP = Augmentation(
    name="time_flip",
    stream=16,
    kind=Kind.WINDOW,
    contract=Contract(
        "time flip",
        keeps=all_but("R-peaks", "RR"),
        breaks=(*RHYTHM, *CONDUCTION, "AFL", "IAVB", "LPR", "LQT", "QAb", "TAb"),
    ),
    caption="backwards. Published, and of no use to an ECG.",
)

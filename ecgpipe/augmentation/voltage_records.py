"""The records of what changes voltages: gains (`gains`), additions (`additions`), leads that fall
silent (`lead_dropout`) and the flip that turns upside down (`flips`)."""

from typing import Literal

from pydantic import Field

from ecgpipe.augmentation.contracts import (
    AXIS,
    CONDUCTION,
    DISTURBS,
    VOLTAGE,
    Contract,
    all_but,
)
from ecgpipe.augmentation.record import Augmentation, Kind, Variant

TRIANGLE = Augmentation(
    name="triangle",
    stream=1,
    kind=Kind.GAIN,
    turn=1,
    contract=Contract("Multiply-Triangle", all_but("amplitude"), VOLTAGE),
    caption="a gain from 1 to a drawn size at a drawn moment and back to 1.",
    settings={
        "scale": (float, Field(4.0, gt=1)),
        "draw": (Literal["log-uniform", "uniform"], "log-uniform"),
        "per": (Literal["recording", "lead"], "recording"),
        "when": (Literal["before", "after"], "before"),
    },
    variants=(
        Variant(
            name="triangle_per_lead",
            setting="per",
            value="lead",
            caption="another one for each lead, as first published.",
            contract=Contract(
                "Multiply-Triangle, per lead",
                keeps=all_but("amplitude", "algebra"),
                breaks=(*VOLTAGE, *AXIS, "PRWP"),
            ),
        ),
    ),
)

MULTIPLY_SINE = Augmentation(
    name="multiply_sine",
    stream=11,
    kind=Kind.GAIN,
    contract=Contract("Multiply-Sine", all_but("amplitude"), VOLTAGE),
    caption="a gain that swings about 1.",
    settings={
        "depth": (float, Field(0.3, ge=0, lt=1)),
        "frequency_hz": (float, Field(1.0, ge=0)),
    },
    highest="frequency_hz",
)

MULTIPLY_LINEAR = Augmentation(
    name="multiply_linear",
    stream=12,
    kind=Kind.GAIN,
    contract=Contract("Multiply-Linear", all_but("amplitude"), VOLTAGE),
    caption="a gain from 1 at the start to a drawn size at the end.",
    settings={"scale": (float, Field(2.0, ge=1))},
)

NOISE = Augmentation(
    name="noise",
    stream=2,
    kind=Kind.ADDITION,
    contract=Contract("Gaussian noise", keeps=DISTURBS),
    caption="white noise of the electrodes, at a drawn ratio to the signal.",
    settings={"snr_low_db": (float, 10.0), "snr_high_db": (float, 30.0)},
)

WANDER = Augmentation(
    name="wander",
    stream=13,
    kind=Kind.ADDITION,
    contract=Contract("baseline wander", keeps=DISTURBS),
    caption="three slow sines of the electrodes: breathing, movement.",
    settings={
        "mv": (float, Field(0.2, ge=0)),
        "low_hz": (float, Field(0.05, ge=0)),
        "high_hz": (float, Field(0.5, ge=0)),
    },
    highest="high_hz",
)

HUM = Augmentation(
    name="hum",
    stream=14,
    kind=Kind.ADDITION,
    contract=Contract("mains hum", keeps=DISTURBS),
    caption="one sine of the electrodes at the frequency of the mains.",
    settings={
        "mv": (float, Field(0.05, ge=0)),
        "low_hz": (float, Field(49.0, gt=0)),
        "high_hz": (float, Field(61.0, gt=0)),
    },
    highest="high_hz",
)

NOTCH = Augmentation(
    name="notch",
    stream=15,
    kind=Kind.ADDITION,
    turn=-1,
    contract=Contract("notch", keeps=DISTURBS, breaks=(*VOLTAGE, "QAb")),
    caption="a narrow band is taken out.",
    settings={
        "low_hz": (float, Field(15.0, gt=0)),
        "high_hz": (float, Field(40.0, gt=0)),
        "quality": (float, Field(2.0, gt=0)),
    },
    highest="high_hz",
)

LEAD_DROPOUT = Augmentation(
    name="lead_dropout",
    stream=3,
    kind=Kind.LEADS,
    contract=Contract("lead dropout", all_but("algebra", "amplitude"), breaks=(*AXIS, "PRWP")),
    caption="each lead falls silent with probability `lead_dropout_share`, never all.",
    settings={
        "how": (Literal["leads", "sets"], "leads"),
        "share": (float, Field(0.25, ge=0, lt=1)),
    },
    probability=0.3,
    variants=(
        Variant(
            name="lead_dropout_sets",
            setting="how",
            value="sets",
            caption="six, four, three or two leads stay, the reduced sets of the CinC Challenge "
            "2021.",
        ),
    ),
)

AMPLITUDE_FLIP = Augmentation(
    name="amplitude_flip",
    stream=17,
    kind=Kind.GAIN,
    contract=Contract(
        "amplitude flip",
        keeps=all_but("polarity"),
        breaks=(*AXIS, *CONDUCTION, "TInv", "TAb", "QAb", "PRWP"),
    ),
    caption="upside down. Likewise.",
)

"""The settings of the augmentations: `augment` in params.yaml."""

import math
from typing import Literal

from pydantic import Field, model_validator

from ecgpipe.project.params import Section


class AugmentParams(Section):
    """`augment` in params.yaml: a switch per augmentation, its settings beside it."""

    respect_labels: bool
    interpolation: Literal["linear", "cubic"]
    crop: bool
    jitter: bool
    jitter_s: float = Field(ge=0)
    roll: bool
    roll_probability: float = Field(ge=0, le=1)
    roll_s: float = Field(ge=0)
    stretch: bool
    stretch_probability: float = Field(ge=0, le=1)
    stretch_scale: float = Field(ge=1, le=2)
    sine_resample: bool
    sine_resample_probability: float = Field(ge=0, le=1)
    sine_resample_shift_low_s: float
    sine_resample_shift_high_s: float
    sine_resample_frequency_low_hz: float = Field(ge=0)
    sine_resample_frequency_high_hz: float = Field(ge=0)
    linear_resample: bool
    linear_resample_probability: float = Field(ge=0, le=1)
    linear_resample_low: float = Field(gt=0.5)
    linear_resample_high: float = Field(gt=0.5)
    triangle_resample: bool
    triangle_resample_probability: float = Field(ge=0, le=1)
    triangle_resample_low: float = Field(gt=0.5)
    triangle_resample_high: float = Field(gt=0.5)
    star: bool
    star_probability: float = Field(ge=0, le=1)
    star_how: Literal["beatwise", "published"]
    star_warp: float = Field(ge=0, lt=1)
    star_gain: float = Field(ge=0, lt=1)
    triangle: bool
    triangle_probability: float = Field(ge=0, le=1)
    triangle_scale: float = Field(gt=1)
    triangle_draw: Literal["log-uniform", "uniform"]
    triangle_per: Literal["recording", "lead"]
    triangle_when: Literal["before", "after"]
    multiply_sine: bool
    multiply_sine_probability: float = Field(ge=0, le=1)
    multiply_sine_depth: float = Field(ge=0, lt=1)
    multiply_sine_frequency_hz: float = Field(ge=0)
    multiply_linear: bool
    multiply_linear_probability: float = Field(ge=0, le=1)
    multiply_linear_scale: float = Field(ge=1)
    noise: bool
    noise_probability: float = Field(ge=0, le=1)
    noise_snr_low_db: float
    noise_snr_high_db: float
    wander: bool
    wander_probability: float = Field(ge=0, le=1)
    wander_mv: float = Field(ge=0)
    wander_low_hz: float = Field(ge=0)
    wander_high_hz: float = Field(ge=0)
    hum: bool
    hum_probability: float = Field(ge=0, le=1)
    hum_mv: float = Field(ge=0)
    hum_low_hz: float = Field(gt=0)
    hum_high_hz: float = Field(gt=0)
    notch: bool
    notch_probability: float = Field(ge=0, le=1)
    notch_low_hz: float = Field(gt=0)
    notch_high_hz: float = Field(gt=0)
    notch_quality: float = Field(gt=0)
    lead_dropout: bool
    lead_dropout_probability: float = Field(ge=0, le=1)
    lead_dropout_how: Literal["leads", "sets"]
    lead_dropout_share: float = Field(ge=0, lt=1)
    time_flip: bool
    time_flip_probability: float = Field(ge=0, le=1)
    amplitude_flip: bool
    amplitude_flip_probability: float = Field(ge=0, le=1)

    @model_validator(mode="after")
    def _ranges(self) -> "AugmentParams":
        found = self.model_dump()
        pairs = [(key, key.replace("_low", "_high")) for key in found if "_low" in key]
        wrong = [
            f"{one} {found[one]} is above {two} {found[two]}"
            for one, two in pairs
            if found[one] > found[two]
        ]
        shift_s = max(abs(self.sine_resample_shift_low_s), abs(self.sine_resample_shift_high_s))
        if 2 * math.pi * shift_s * self.sine_resample_frequency_high_hz >= 1:
            wrong.append(
                "sine_resample: 2 pi x shift x frequency is 1 or more, so that time would run backwards"
            )
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

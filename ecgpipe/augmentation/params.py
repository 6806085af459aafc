"""The settings of the augmentations: `augment` in params.yaml."""

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field, create_model, model_validator

from ecgpipe.augmentation.all_augmentations import AUGMENTATIONS
from ecgpipe.augmentation.record import Augmentation
from ecgpipe.project.params import Section


class General(Section):
    """What `augment` in params.yaml says of all augmentations together."""

    respect_labels: bool
    interpolation: Literal["linear", "cubic"]


def schema(augmentations: Sequence[Augmentation]) -> type[General]:
    """The model of `augment`: a switch per augmentation, its settings beside it, as the records
    have them. An augmentation that is not listed there is off."""
    fields: dict[str, Any] = {}
    for augmentation in augmentations:
        name = augmentation.name
        fields[name] = (bool, False)
        if augmentation.probability is not None:
            fields[f"{name}_probability"] = (float, Field(augmentation.probability, ge=0, le=1))
        for key, setting in augmentation.settings.items():
            fields[f"{name}_{key}"] = setting

    def consistent(params: General) -> General:
        if wrong := [*_reversed_bounds(params), *_faults(params, augmentations)]:
            raise ValueError("; ".join(wrong))
        return params

    validators: dict[str, Any] = {"consistent": model_validator(mode="after")(consistent)}
    return create_model("AugmentSchema", __base__=General, __validators__=validators, **fields)


def _reversed_bounds(params: General) -> list[str]:
    """Settings `..._low...` that are above the `..._high...` beside them."""
    values = params.model_dump()
    wrong = []
    for low in values:
        high = low.replace("_low", "_high")
        if low != high and values[low] > values[high]:
            wrong.append(f"{low} {values[low]} is above {high} {values[high]}")
    return wrong


def _faults(params: General, augmentations: Sequence[Augmentation]) -> list[str]:
    """What is wrong with the settings of one augmentation together."""
    wrong = []
    for augmentation in augmentations:
        if augmentation.fault is not None:
            fault = augmentation.fault(augmentation.chosen_settings(params))
            if fault is not None:
                wrong.append(f"{augmentation.name}: {fault}")
    return wrong


class AugmentParams(schema(AUGMENTATIONS)):
    """`augment` in params.yaml: a switch per augmentation, its settings beside it."""

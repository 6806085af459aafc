"""All augmentations: their records, joined. What each does with a batch stands in `all_acts`.

The order is that of the settings in params.yaml and of the page.
"""

from collections.abc import Sequence

from ecgpipe.augmentation import time_records, voltage_records
from ecgpipe.augmentation.contracts import Contract
from ecgpipe.augmentation.record import Augmentation

AUGMENTATIONS: tuple[Augmentation, ...] = (
    time_records.CROP,
    time_records.JITTER,
    time_records.ROLL,
    time_records.STRETCH,
    time_records.SINE_RESAMPLE,
    time_records.LINEAR_RESAMPLE,
    time_records.TRIANGLE_RESAMPLE,
    time_records.STAR,
    voltage_records.TRIANGLE,
    voltage_records.MULTIPLY_SINE,
    voltage_records.MULTIPLY_LINEAR,
    voltage_records.NOISE,
    voltage_records.WANDER,
    voltage_records.HUM,
    voltage_records.NOTCH,
    voltage_records.LEAD_DROPOUT,
    time_records.TIME_FLIP,
    voltage_records.AMPLITUDE_FLIP,
)
BY_NAME = {augmentation.name: augmentation for augmentation in AUGMENTATIONS}
# Switch -> the key in `augment` of the frequency that the stores must be able to hold.
HIGHEST_HZ = {
    augmentation.name: f"{augmentation.name}_{augmentation.highest}"
    for augmentation in AUGMENTATIONS
    if augmentation.highest is not None
}


def contracts(
    augmentations: Sequence[Augmentation] = AUGMENTATIONS,
) -> list[tuple[Augmentation, Contract]]:
    """All contracts with their augmentations; those of variants follow that of the usual form."""
    every = []
    for augmentation in augmentations:
        every.append((augmentation, augmentation.contract))
        for variant in augmentation.variants:
            if variant.contract is not None:
                every.append((augmentation, variant.contract))
    return every

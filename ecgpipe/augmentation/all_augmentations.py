"""All augmentations: the lists of the modules that hold them, joined.

The order is that of the settings in params.yaml and of the page.
"""

from collections.abc import Sequence

from ecgpipe.augmentation import additions, flips, gains, lead_dropout, star, time_warps
from ecgpipe.augmentation.contracts import Contract
from ecgpipe.augmentation.record import Augmentation

AUGMENTATIONS: tuple[Augmentation, ...] = (
    *time_warps.AUGMENTATIONS,
    *star.AUGMENTATIONS,
    *gains.AUGMENTATIONS,
    *additions.AUGMENTATIONS,
    *lead_dropout.AUGMENTATIONS,
    *flips.AUGMENTATIONS,
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

"""Records and acts are of the same augmentations."""

from ecgpipe.augmentation import additions, flips, gains, lead_dropout, star, time_warps
from ecgpipe.augmentation.all_acts import ACTS
from ecgpipe.augmentation.all_augmentations import BY_NAME


def test_every_augmentation_acts_and_nothing_acts_unknown():
    assert ACTS.keys() == BY_NAME.keys()


def test_no_two_modules_name_the_same_act():
    modules = (additions, flips, gains, lead_dropout, star, time_warps)
    assert sum(len(module.ACTS) for module in modules) == len(ACTS)

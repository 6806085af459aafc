"""The list of all augmentations: what no two may share."""

import pytest

from ecgpipe.augmentation import all_augmentations
from ecgpipe.augmentation.all_augmentations import AUGMENTATIONS, BY_NAME
from ecgpipe.augmentation.contracts import CODES, PROMISES
from ecgpipe.augmentation.params import AugmentParams

# The numbers by which the models that exist were trained: another would change all their draws.
STREAMS = {
    "crop": 0,
    "triangle": 1,
    "noise": 2,
    "lead_dropout": 3,
    "sine_resample": 4,
    "star": 5,
    "jitter": 6,
    "roll": 7,
    "stretch": 8,
    "linear_resample": 9,
    "triangle_resample": 10,
    "multiply_sine": 11,
    "multiply_linear": 12,
    "wander": 13,
    "hum": 14,
    "notch": 15,
    "time_flip": 16,
    "amplitude_flip": 17,
}


def test_every_augmentation_has_a_name_and_a_stream_of_its_own_and_keeps_them():
    streams = [augmentation.stream for augmentation in AUGMENTATIONS]
    assert len(BY_NAME) == len(set(streams)) == len(AUGMENTATIONS)
    assert {name: BY_NAME[name].stream for name in STREAMS} == STREAMS


def test_contracts_speak_of_promises_and_classes_that_there_are_and_titles_differ():
    contracts = [contract for _, contract in all_augmentations.contracts()]
    assert all(contract.keeps <= PROMISES.keys() for contract in contracts)
    assert all(set(contract.breaks) <= CODES.keys() for contract in contracts)
    assert len({contract.title for contract in contracts}) == len(contracts) > len(AUGMENTATIONS)


@pytest.mark.parametrize("name", BY_NAME)
def test_a_variant_chooses_a_value_that_is_not_the_default(name):
    for variant in BY_NAME[name].variants:
        key = f"{name}_{variant.setting}"
        chosen = AugmentParams.model_validate(
            {"respect_labels": False, "interpolation": "linear", key: variant.value}
        )
        assert getattr(chosen, key) != AugmentParams.model_fields[key].default
        assert BY_NAME[name].contract_of(chosen) == (variant.contract or BY_NAME[name].contract)


def test_the_highest_frequencies_are_settings():
    known = {"wander": "wander_high_hz", "multiply_sine": "multiply_sine_frequency_hz"}
    assert known.items() <= all_augmentations.HIGHEST_HZ.items()
    assert set(all_augmentations.HIGHEST_HZ.values()) <= AugmentParams.model_fields.keys()

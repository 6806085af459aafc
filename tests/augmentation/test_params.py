from pathlib import Path

import pytest

from ecgpipe.augmentation.all_augmentations import BY_NAME
from ecgpipe.augmentation.params import AugmentParams
from ecgpipe.project import params

ROOT = Path(__file__).parents[2]
VALUES = params.load(ROOT / "params.yaml")["augment"]
FILES = [path for path in sorted((ROOT / "configs").glob("*.yaml")) if path.stem != "sources"]


def test_params_yaml_lists_every_augmentation_with_its_settings_in_their_order():
    assert list(VALUES) == list(AugmentParams.model_fields)


def test_what_is_not_listed_is_off_and_its_defaults_are_as_sound_as_what_is_listed():
    plain = {"respect_labels": False, "interpolation": "linear"}
    settings = AugmentParams.model_validate(plain)
    assert not any(getattr(settings, name) for name in BY_NAME)
    assert params.faults(AugmentParams, settings.model_dump(), "augment") == []
    assert params.faults(AugmentParams, {}, "augment") == [
        "augment.respect_labels: it is missing",
        "augment.interpolation: it is missing",
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_files_to_start_from_list_an_augmentation_whole_or_not_at_all(path):
    values = params.load(path)["augment"]
    for name, augmentation in BY_NAME.items():
        keys = {name, *(f"{name}_{key}" for key in augmentation.settings)}
        if augmentation.probability is not None:
            keys.add(f"{name}_probability")
        assert keys & values.keys() in (keys, set()), name


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        (
            {"noise_snr_low_db": 30, "noise_snr_high_db": 20},
            "noise_snr_low_db 30.0 is above noise_snr_high_db 20.0",
        ),
        ({"hum_low_hz": 48, "hum_high_hz": 45}, "hum_low_hz 48.0 is above hum_high_hz 45.0"),
        (
            {"sine_resample_shift_high_s": 1, "sine_resample_frequency_high_hz": 0.6},
            "sine_resample: 2 pi x shift x frequency is 1 or more, so that time would run "
            "backwards",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_refused(changed, rule):
    assert rule in "; ".join(params.faults(AugmentParams, VALUES | changed, "augment"))


def test_all_contradictions_are_told_at_once():
    wrong = VALUES | {"noise_snr_low_db": 30, "noise_snr_high_db": 20, "notch_low_hz": 41}
    assert "noise_snr_low_db 30.0 is above noise_snr_high_db 20.0; notch_low_hz 41.0" in "".join(
        params.faults(AugmentParams, wrong, "augment")
    )

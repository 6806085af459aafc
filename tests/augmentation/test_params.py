from pathlib import Path

import pytest

from ecgpipe.augmentation.params import AugmentParams
from ecgpipe.project import params

VALUES = params.load(Path(__file__).parents[2] / "params.yaml")["augment"]


def test_every_switch_has_its_settings_beside_it():
    names = [
        name
        for name, value in VALUES.items()
        if isinstance(value, bool) and name != "respect_labels"
    ]
    assert set(VALUES) == set(AugmentParams.model_fields)
    for name in names:
        assert any(key.startswith(f"{name}_") for key in VALUES) or name == "crop", name


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
            "sine_resample: 2 pi x shift x frequency is 1 or more, so that time would run backwards",
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

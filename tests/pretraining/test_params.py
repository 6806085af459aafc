import pytest

from ecgpipe.pretraining.params import PretrainParams
from ecgpipe.project import params
from tests.fixtures import small_pretraining


def test_the_card_is_drawn_from_a_seed_of_its_own():
    PretrainParams.model_validate(small_pretraining.values())
    with pytest.raises(ValueError, match="card_seed differs from seed"):
        PretrainParams.model_validate(small_pretraining.values(card_seed=1))


def test_it_starts_from_nothing_but_simulated_hearts():
    section = small_pretraining.values()
    section["train"]["start"] = "model"
    with pytest.raises(ValueError, match=r"train\.start is scratch"):
        PretrainParams.model_validate(section)


def test_faults_of_the_sections_within_are_told_with_their_place():
    section = small_pretraining.values()
    section["model"]["kernel"] = 8
    section["train"]["bacth"] = 8
    told = params.faults(PretrainParams, section, "pretrain")
    assert len(told) == 2
    assert any(fault.startswith("pretrain.model.kernel: a kernel must be odd") for fault in told)
    assert any(
        "pretrain.train.bacth" in fault and "did you mean 'batch'?" in fault for fault in told
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seconds": 2.5}, "train.window_s is no longer than seconds: found 3 and 2.5"),
        (
            {"preprocess": {"rate_hz": 500, "high_hz": 125}},
            "preprocess.high_hz lies below half of simulated_hz: found 125 and 250",
        ),
    ],
)
def test_a_simulated_recording_holds_what_is_learnt_from_it(changes, message):
    section = small_pretraining.values()
    for key, value in changes.items():
        section[key] = section[key] | value if isinstance(value, dict) else value
    (told,) = params.faults(PretrainParams, section, "pretrain")
    assert message in told

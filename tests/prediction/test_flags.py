import numpy as np
import pytest

from ecgpipe.prediction import flags
from ecgpipe.recordings import quality
from ecgpipe.recordings.recording import Recording
from tests.fixtures.limbs import lawful
from tests.fixtures.small_models import SHARED


def recording(signal_mv, rate_hz=500.0, age=50.0, sex="F"):
    signal_mv = np.asfortranarray(signal_mv, dtype=np.float32)
    return Recording(signal_mv, rate_hz, age, sex, None, (), quality.flags(signal_mv, rate_hz))


def plain(samples=3000):
    return lawful(np.random.default_rng(1).normal(0, 0.2, (samples, 12)))


def test_a_whole_recording_of_a_known_person_is_in_no_doubt():
    assert flags.input_flags(recording(plain()), SHARED, 600) == []
    assert flags.input_flags(recording(plain()), SHARED, 400) == []


def test_each_doubt_is_named():
    assert flags.input_flags(recording(plain(), 64.0, None, None), SHARED, 399) == [
        "age-unknown",
        "sex-unknown",
        "low-rate (64 Hz, the models need 80 Hz)",
        "short (3.99 s, the models were trained on windows of 4 s)",
    ]
    without = SHARED | {"network": SHARED["network"] | {"demographics": False}}
    assert flags.input_flags(recording(plain(), age=None, sex=None), without, 600) == []


@pytest.mark.parametrize("lead", [6, 11])
def test_how_far_a_lead_goes_is_said_of_the_lead_that_is_meant(lead):
    signal_mv = plain()
    signal_mv[1000:1500, lead] = 3.0
    signal_mv[2000:2003, 8] = -12.5
    signal_mv[:, 9] = 0.1
    name = {6: "V1", 11: "V6"}[lead]
    assert set(flags.input_flags(recording(signal_mv), SHARED, 600)) == {
        f"saturated ({name} up to 3 mV)",
        "out-of-range (V3 up to 12.5 mV)",
        "flat-lead (V4)",
    }

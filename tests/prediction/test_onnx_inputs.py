import subprocess
import sys

import numpy as np
import pytest

from ecgpipe.dataset.demographics import demographics
from ecgpipe.prediction import onnx_export
from ecgpipe.preprocessing import bandpass
from ecgpipe.recordings import recording
from tests.fixtures.small_models import CONDITIONING


@pytest.fixture(scope="module")
def carried():
    """What a program gets that runs the text of the module alone."""
    names = {}
    exec(compile(onnx_export.inputs_in_numpy(), "conditioning_numpy", "exec"), names)
    return names


def test_the_text_needs_numpy_alone():
    text = onnx_export.inputs_in_numpy()
    loaded = "{n.split('.')[0] for n in sys.modules} & {'scipy', 'ecgpipe'}"
    run = f"import sys; exec({text!r}); print(sorted({loaded}))"
    found = subprocess.run(
        [sys.executable, "-I", "-c", run], capture_output=True, text=True, check=True, cwd="/"
    )
    assert found.stdout == "[]\n"


@pytest.mark.parametrize("rate_hz", [50, 64, 100, 128, 257, 333.333, 360, 499.999, 500, 1000])
@pytest.mark.parametrize("seconds", [1, 1.7, 10, 23.4])
def test_it_conditions_as_the_stages_do(carried, rate_hz, seconds):
    rng = np.random.default_rng(int(rate_hz))
    signal_mv = (rng.normal(0, 0.3, (round(seconds * rate_hz), 12)).cumsum(axis=0) / 5 + 1).astype(
        np.float32
    )
    for how in (CONDITIONING, {"to_rate_hz": 250.0, "low_hz": 0.0, "high_hz": 100.0, "order": 4}):
        want = bandpass.condition(signal_mv, rate_hz, **how)
        found = carried["condition"](signal_mv, rate_hz, **how)
        assert found.shape == want.shape and found.dtype == np.float32
        assert np.abs(found - want).max() < 1e-5 * max(1, np.abs(signal_mv).max())


def test_it_conditions_real_recordings_as_the_stages_do(real_data, carried):
    worst = []
    for path in sorted(real_data.rglob("*.hea"))[::5]:
        one = recording.read(path)
        want = bandpass.condition(one.signal_mv, one.rate_hz, **CONDITIONING)
        worst.append(
            np.abs(carried["condition"](one.signal_mv, one.rate_hz, **CONDITIONING) - want).max()
        )
    assert len(worst) > 50
    assert max(worst) < 1e-5


@pytest.mark.parametrize("age", [None, 0.0, 61.0])
@pytest.mark.parametrize("sex", [None, "F", "M", "Female"])
def test_age_and_sex_are_those_of_the_training(carried, age, sex):
    assert (carried["demographics"]([age], [sex]) == demographics([age], [sex])).all()

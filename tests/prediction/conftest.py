"""Models of two folds, a folder of recordings, and a source of .h5 files with a table."""

import numpy as np
import pytest

from ecgpipe.recordings import sources
from ecgpipe.simulation import writers
from tests.fixtures import small_models
from tests.fixtures.limbs import lawful

SOURCE = sources.Source(
    form="h5",
    vocabulary="sim-west",
    codes="aha",
    rate_hz=500,
    table="metadata.csv",
    columns={"record": "ECG_ID", "labels": "AHA_Code", "age": "Age", "sex": "Sex"},
)


@pytest.fixture
def models(tmp_path):
    return small_models.write(tmp_path / "models")


@pytest.fixture
def recordings(tmp_path):
    rng = np.random.default_rng(1)
    for number, rate_hz in enumerate((500, 257, 1000)):
        signal_mv = lawful(rng.normal(0, 0.2, (6 * rate_hz, 12)))
        writers.write_challenge(
            tmp_path / "raw/g 1",
            f"R{number}",
            signal_mv,
            rate_hz,
            age=[50, None, 0][number],
            sex="F",
            labels=["1"],
        )
    (tmp_path / "raw/g 1/R9.hea").write_text("R9 12 500 5000\n")
    return tmp_path / "raw"


@pytest.fixture
def west(tmp_path):
    """Three .h5 files without a rate, as the demo's sim-west and SPH have them; the table tells of
    two."""
    rng = np.random.default_rng(2)
    for name in ("W1", "W2", "W3"):
        writers.write_h5(tmp_path / "west", name, lawful(rng.normal(0, 0.2, (3000, 12))))
    (tmp_path / "west/metadata.csv").write_text("ECG_ID,AHA_Code,Age,Sex\nW1,1,50,F\nW2,1,,M\n")
    return tmp_path / "west"

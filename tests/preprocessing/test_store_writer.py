"""What the writer stores is what was given, to the microvolt, or is refused."""

import h5py
import numpy as np
import pytest

from ecgpipe.preprocessing import store_writer
from ecgpipe.project.leads import LEADS
from ecgpipe.recordings import recording


def test_microvolts_round_to_nearest_and_clip_at_the_range():
    assert store_writer.to_microvolts(
        np.array([0.0004, 0.0006, -1.2345, 40.0, -40.0])
    ).tolist() == [
        0,
        1,
        -1234,
        32767,
        -32768,
    ]


def test_raw_digests_are_equal_for_equal_recordings_in_other_types_and_differ_for_another_rate():
    rng = np.random.default_rng(4)
    whole = rng.integers(-3000, 3000, (50, 12))
    as_float = (whole / 1000).astype(np.float32)
    assert store_writer.raw_digest(as_float, 500) == store_writer.raw_digest(whole / 1000, 500.0)
    assert store_writer.raw_digest(as_float, 500) != store_writer.raw_digest(as_float, 250)
    assert store_writer.raw_digest(as_float, 500) != store_writer.raw_digest(as_float[:-1], 500)
    assert store_writer.raw_digest(as_float, 500) == store_writer.raw_digest(
        np.asfortranarray(as_float), 500
    )


def test_raw_digests_tell_values_beyond_16_bits_apart():
    signal_mv = np.zeros((50, 12))
    digests = set()
    for value in (0, 32.767, 32.768, 65.536, -32.768, -65.536):
        signal_mv[7, 3] = value
        digests.add(store_writer.raw_digest(signal_mv, 500))
    assert len(digests) == 6


@pytest.mark.parametrize(
    "gain",
    [
        100,
        200,
        204.8,
        250,
        306,
        320,
        400,
        409.6,
        488,
        500,
        1000,
        1024,
        1600,
        2000,
        2048,
        4000,
        4096,
        4880,
        5000,
        8000,
        10000,
    ],
)
def test_raw_digests_are_equal_for_a_header_with_a_gain_and_for_floats_in_mv(tmp_path, gain):
    steps = np.random.default_rng(4).integers(-8000, 8000, (600, 12)).astype("<i2")
    steps = np.clip(steps, -8 * gain, 8 * gain).astype("<i2")  # within 8 mV
    (tmp_path / "A.dat").write_bytes(steps.tobytes())
    found = []
    for spelt in (f"{gain}/mV", f"{gain / 1000}/uV", f"{gain * 1000}/V"):
        lines = [
            f"A.dat 16 {spelt} 16 0 {steps[0, i]} {steps[:, i].sum()} 0 {lead}"
            for i, lead in enumerate(LEADS)
        ]
        (tmp_path / "A.hea").write_text("\n".join(["A 12 500 600", *lines]))
        found.append(recording.read(tmp_path / "A.hea"))
    for dtype in ("f4", "f8"):
        with h5py.File(tmp_path / "A.h5", "w") as file:
            file["ecg"] = (steps.T / float(gain)).astype(dtype)
            file.attrs["rate_hz"] = 500
        found.append(recording.read(tmp_path / "A.h5"))
    assert len({store_writer.raw_digest(one.signal_mv, one.rate_hz) for one in found}) == 1

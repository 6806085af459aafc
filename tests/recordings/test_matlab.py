"""scipy.io writes the same files: it is the outside oracle."""

import io

import numpy as np
import pytest
import scipy.io
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from ecgpipe.recordings import matlab
from ecgpipe.recordings.refusals import Refused
from tests.fixtures.corpus import big_5, bomb

SHAPES = st.tuples(st.integers(1, 15), st.integers(1, 60))


def written(values, **how):
    handle = io.BytesIO()
    scipy.io.savemat(handle, {"val": values}, **how)
    return handle.getvalue()


@settings(deadline=None)
@given(
    values=arrays.arrays(np.int16, SHAPES), level=st.sampled_from(["4", "5"]), packed=st.booleans()
)
def test_what_scipy_writes_reads_back(values, level, packed):
    how = {"do_compression": packed} if level == "5" else {}
    assert np.array_equal(matlab.int16(written(values, format=level, **how), "a.mat").T, values)


@pytest.mark.parametrize("packed", [False, True])
def test_big_endian_files_read_as_scipy_reads_them(packed):
    values = np.random.default_rng(1).integers(-3000, 3000, (50, 12)).astype(np.int16)
    raw = big_5(values, packed)
    assert np.array_equal(scipy.io.loadmat(io.BytesIO(raw))["val"], values.T)
    assert np.array_equal(matlab.int16(raw, "a.mat"), values)


@settings(deadline=None, max_examples=300)
@given(data=st.data(), packed=st.booleans())
def test_a_changed_file_reads_or_is_refused(data, packed):
    raw = bytearray(written(np.arange(48, dtype=np.int16).reshape(12, 4), do_compression=packed))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    raw = raw[: data.draw(st.integers(0, len(raw)))]
    try:
        assert matlab.int16(bytes(raw), "a.mat").ndim == 2
    except Refused as refusal:
        assert refusal.reason in ("format", "truncated", "oversized", "empty", "pickle")


def test_a_packed_stream_is_unpacked_to_the_size_of_a_recording_at_most():
    with pytest.raises(Refused, match="unpack to 67108864 bytes at most, found more") as caught:
        matlab.int16(bomb(), "a.mat")
    assert caught.value.reason == "oversized"


def test_complex_matrices_of_int16_are_refused_in_both_levels():
    values = np.ones((50, 12), dtype=np.int16)
    five = bytearray(big_5(values))
    flags = five.index(bytes([0, 0, 0, 10]), 128)
    five[flags + 2] = 8  # the flag `complex` beside the class
    four = bytearray(written(values.T, format="4"))
    four[12] = 1  # it has an imaginary part
    for raw in (five, four):
        with pytest.raises(Refused) as caught:
            matlab.int16(bytes(raw), "a.mat")
        assert caught.value.reason == "format"


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.int32, np.uint16, np.uint8])
def test_another_type_is_named_before_sizes_are_held_against_the_file(kind):
    raw = written(np.ones((12, 50), dtype=kind), format="4")
    for cut in (raw, raw[:-7], raw + b"1"):
        with pytest.raises(Refused, match="another type of level 4") as caught:
            matlab.int16(cut, "a.mat")
        assert caught.value.reason == "format"

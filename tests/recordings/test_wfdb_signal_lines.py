"""Signal lines in every spelling; tests of headers hold them against wfdb's reading."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgpipe.recordings import wfdb_signal_lines
from ecgpipe.recordings.refusals import Refused


def signals(*lines):
    rows = [line.split(None, 8) for line in lines]
    return wfdb_signal_lines.parse(rows, list(lines), "A.hea").signals()


@pytest.mark.parametrize(
    ("field", "gain", "baseline", "units"),
    [
        ("1000/mV", 1000.0, 0, "mV"),
        ("1000/mv", 1000.0, 0, "mv"),
        ("1000.0(0)/mV", 1000.0, 0, "mV"),
        ("1000(-7)/mV", 1000.0, -7, "mV"),
        ("1/uV", 1.0, 0, "uV"),
        ("2.5e-1/uV", 0.25, 0, "uV"),
        ("200", 200.0, 0, "mV"),
    ],
)
def test_gains_in_every_spelling(field, gain, baseline, units):
    signal = signals(f"A.mat 16+24 {field} 16 0 1 2 0 V1")[0]
    assert (signal.gain, signal.baseline, signal.units) == (gain, baseline, units)


def test_the_baseline_is_the_converters_zero_where_absent():
    signal = signals("A.dat 16 200/mV 12 1024 1 2 0 MLII lead two")[0]
    assert (signal.baseline, signal.name) == (1024, "MLII lead two")


@pytest.mark.parametrize(
    "field",
    ["much/mV", "200(3/mV", "1_000/mV", "\uff11\uff10/mV", "nan/mV", "inf/mV", "n/a", "/mV"],
)
def test_what_is_no_gain_is_kept_as_written_for_those_who_want_the_lead(field):
    signal = signals(f"A.mat 16 {field} 16 7")[0]
    assert math.isnan(signal.gain)
    assert (signal.units, signal.baseline) == (field, 7)


def test_the_format_field_in_full():
    signal = signals("A.dat 212x2:3+24 200/mV")[0]
    assert signal[1:5] == ("212", 2, 3, 24)
    assert (signal.initial, signal.checksum, signal.name) == (None, None, "")


def test_a_signal_line_may_stop_after_the_format():
    assert signals("A.dat 16")[0].gain is None


def test_a_header_may_have_no_signals():
    assert signals() == ()


FIELDS = [
    st.sampled_from(["A.mat", "B.dat"]),
    st.sampled_from(["16", "16+24", "212x2:3", "80"]),
    st.sampled_from(["1000/mV", "200(-7)/uV", "n/a", "1e3"]),
    st.just("16"),
    st.integers(-9, 9).map(str),
    st.integers(-(2**15), 2**15).map(str),
    st.integers(-(2**15), 2**15).map(str),
    st.just("0"),
    st.sampled_from(["I", "II", "lead V1"]),
]


@st.composite
def lines(draw):
    return " ".join(draw(field) for field in FIELDS[: draw(st.integers(2, len(FIELDS)))])


@settings(deadline=None)
@given(st.lists(lines(), max_size=5))
def test_a_line_means_the_same_beside_any_others(written):
    assert repr(signals(*written)) == repr(sum((signals(line) for line in written), ()))


@pytest.mark.parametrize("broken", ["A.mat", "A.mat sixteen", "A.mat 16 200 16 zero"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_line_at_fault_is_named_wherever_it_stands(broken, place):
    written = ["B.dat 16 200/mV 16 0 1 2 0 I"] * 2
    written.insert(place, broken)
    with pytest.raises(Refused, match=f"^A.hea: .*'{broken}'"):
        signals(*written)

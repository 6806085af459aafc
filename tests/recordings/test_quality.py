import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgpipe.recordings import quality, recording
from tests.fixtures.limbs import augmented, lawful


@pytest.fixture
def beating():
    """[5000, 12] in mV at 500 Hz: a narrow wave each second on a small noise, in whole
    microvolts."""
    time = np.arange(5000) / 500
    wave = np.exp(-0.5 * ((time % 1 - 0.4) / 0.02) ** 2)
    noise = np.random.default_rng(0).normal(0, 0.01, (5000, 12))
    return lawful(np.round(wave[:, None] * np.linspace(0.3, 1.5, 12) + noise, 3).astype(np.float32))


def test_a_normal_recording_has_no_flag(beating):
    assert quality.flags(beating, 500) == ()


def test_a_flat_lead(beating):
    beating[:, 3] = 0.2
    assert quality.flags(beating, 500) == ("flat-lead",)
    assert quality.flat(beating).tolist() == [False] * 3 + [True] + [False] * 8


def test_a_saturated_lead_stays_at_its_extreme_for_a_fifth_of_a_second(beating):
    beating[1000:1100, 5] = -5.0
    assert quality.flags(beating, 500) == ("saturated",)
    beating[1099, 5] = 0
    assert quality.flags(beating, 500) == ()


def test_many_short_visits_to_the_extreme_are_no_saturation(beating):
    beating[::10, 5] = 5.0
    assert quality.flags(beating, 500) == ()


def test_rest_at_the_baseline_is_no_saturation(beating):
    assert quality.flags(np.maximum(beating, 0), 500) == ()


def test_a_value_beyond_ten_millivolts(beating):
    beating[7, 0] = -10.5
    assert quality.flags(beating, 500) == ("out-of-range",)


def test_a_recording_of_hardly_any_amplitude(beating):
    assert quality.reach_mv(beating * 1000) > 300 > 3 > quality.reach_mv(beating) > 0.1
    assert quality.flags(beating / 10, 500) == ()
    assert quality.flags(beating / 20, 500) == ("low-amplitude",)
    beating[:, 6:] /= 50
    assert quality.flags(beating, 500) == (), "half of the leads"


def filtered(trace, share):
    """What a slower filter makes of a trace: `share` of it comes later."""
    late = np.concatenate([np.zeros(10), np.cumsum(trace)])
    return (1 - share) * trace + share * (late[10:] - late[:-10]) / 10


def test_leads_that_a_device_filters_apart_are_measured_and_not_flagged(beating):
    assert quality.limb_error_mv(beating) < 0.0001
    beating[:, 2] = filtered(beating[:, 2], 0.13)
    assert 0.015 < quality.limb_error_mv(beating) < 0.019
    assert quality.flags(beating, 500) == ()
    large = beating * 8
    assert quality.limb_error_mv(large) > 0.12
    assert "limb-leads" not in quality.flags(large, 500), "a share of the leads' own size"
    beating[:, 2] += 3.0
    assert "limb-leads" not in quality.flags(beating, 500), "an electrode's own potential"


@pytest.mark.parametrize(
    ("leads", "signs", "says"),
    [
        ([1, 0, 2], (1, 1, 1), "I and II exchanged, or III turned"),
        ([0, 2, 1], (1, 1, 1), "II and III exchanged, or I turned"),
        ([0, 1, 2], (-1, 1, 1), "II and III exchanged, or I turned"),
        ([0, 1, 2], (1, 1, -1), "I and II exchanged, or III turned"),
        ([0, 1, 2], (1, -1, 1), "II turned"),
    ],
)
def test_exchanged_and_turned_limb_leads_are_flagged_and_named(beating, leads, signs, says):
    beating[:, 2] *= 0.6
    beating = lawful(beating)
    beating[:, :3] = beating[:, leads] * np.array(signs)
    assert quality.flags(beating, 500) == ("limb-leads",)
    assert quality.other_law(beating, 500) == says
    assert quality.limb_error_mv(beating) > 0.3


@pytest.mark.parametrize("way", quality.AUGMENTED)
def test_exchanges_that_einthoven_does_not_see_are_flagged_and_named(beating, way):
    beating[:, 2] = 0.6 * np.roll(beating[:, 2], 20)
    beating = augmented(lawful(beating))
    assert quality.flags(beating, 500) == ()
    beating[:, :6] = beating[:, :6] @ quality.AUGMENTED[way]  # the columns that the way sets right
    assert not quality.unlawful(beating, 500)
    assert quality.flags(beating, 500) == ("limb-leads",)
    assert quality.other_law(beating, 500) == way


def test_augmented_leads_that_no_exchange_explains_are_not_flagged(beating):
    beating = augmented(lawful(beating))
    beating[:, 3] = filtered(beating[:, 3], 0.13)
    beating[:, 4] += 3.0
    beating[:, 5] *= 1.3
    assert quality.flags(beating, 500) == ()
    beating[::9, 3] = np.nan
    assert quality.flags(beating, 500) == ("non-finite",)


def test_a_lead_of_another_heart_breaks_every_law(beating):
    beating[:, 2] = np.roll(beating[:, 2], 170)
    assert quality.flags(beating, 500) == ("limb-leads",)
    assert quality.other_law(beating, 500) == ""


def test_limb_leads_exchanged_by_hand_are_flagged_in_every_real_recording(real_data):
    headers = sorted(real_data.rglob("*.hea"))[::10]
    flagged, apart = [], []
    for header in headers:
        read = recording.read(header)
        if {"flat-lead", "saturated"} & set(read.faults):
            continue
        exchanged = read.signal_mv[:, [1, 0, 2]]
        flagged.append(quality.unlawful(exchanged, read.rate_hz))
        assert quality.exchanged(read.signal_mv, read.rate_hz) == ""
        turned = read.signal_mv[:, [0, 1, 2, 4, 3, 5]]
        assert quality.exchanged(turned, read.rate_hz) == "aVR and aVL exchanged"
        assert not quality.unlawful(read.signal_mv, read.rate_hz)
        assert quality.limb_error_mv(read.signal_mv) <= 0.003
        apart.append(quality.unlawful(read.signal_mv * np.float32([1, 1.05] * 6), read.rate_hz))
    assert len(flagged) > 30 and all(flagged) and not any(apart)


def test_missing_values_are_flagged_and_hide_no_other_flag(beating):
    beating[:, 3] = 0.2
    beating[10:20, 3] = np.nan
    beating[5, 1] = np.inf
    assert quality.flags(beating, 500) == ("flat-lead", "non-finite")


def test_missing_values_are_put_on_the_line_between_their_neighbours():
    signal = np.arange(200, dtype=np.float32).reshape(100, 2)
    holed = signal.copy()
    holed[10:19, 0] = np.nan
    holed[0, 1] = holed[99, 1] = np.inf
    whole = quality.bridged(holed)
    assert np.array_equal(whole[:, 0], signal[:, 0])
    assert (whole[0, 1], whole[99, 1]) == (signal[1, 1], signal[98, 1])
    assert np.isnan(holed[12, 0]), "the caller's array stays as it is"


def test_too_many_missing_values_are_refused():
    signal = np.zeros((100, 12), dtype=np.float32)
    signal[:10, 4] = np.nan
    with pytest.raises(
        ValueError, match=r"a lead may miss less than 10% of its values, found 10\.0%"
    ):
        quality.bridged(signal)


@settings(deadline=None)
@given(st.integers(0, 60), st.integers(0, 40), st.sampled_from([-3, 3]))
def test_a_run_at_the_extreme_counts_wherever_it_starts(start, length, level):
    signal = np.random.default_rng(1).uniform(-1, 1, (100, 2)).astype(np.float32)
    signal[start : start + length, 1] = level
    assert quality.flags(signal, 50) == (("saturated",) if length >= 10 else ())


@settings(deadline=None)
@given(st.lists(st.booleans(), max_size=60))
def test_the_longest_run_is_that_of_a_plain_loop(mask):
    longest = run = 0
    for value in mask:
        run = run + 1 if value else 0
        longest = max(longest, run)
    assert quality.longest_run(np.array(mask, dtype=bool)) == longest


ROOT = Path(__file__).parents[2]


def test_every_flag_that_a_reader_can_give_has_a_sentence():
    source = "".join(
        (ROOT / f"ecgpipe/{name}.py").read_text()
        for name in (
            "recordings/quality",
            "prediction/vendor_formats",
            "recordings/wfdb_header",
            "labels/patients",
        )
    )
    named = set(re.findall(r'"([a-z]+-[a-z]+(?:-[a-z]+)?)"', source))
    kinds = ("flat-", "out-of", "limb-", "non-", "odd-", "derived-", "parser-", "no-", "low-")
    flags = {name for name in named if name.startswith(kinds)}
    assert len(flags) >= 10
    assert flags | {"saturated", "unknown-label"} == set(quality.SENTENCES)

"""Beat times by their definitions: rates, pauses, ratios, frequencies."""

import numpy as np
import pytest

from ecgpipe.simulation import rhythm


def test_sinus_intervals_have_the_rate_asked_for():
    intervals = rhythm.sinus_intervals(np.random.default_rng(0), 72, 60, 0.02, 0.01)
    assert 60 / intervals.mean() == pytest.approx(72, rel=1e-6)
    assert intervals.sum() > 60


def test_breathing_swings_the_sinus_interval():
    calm = rhythm.sinus_intervals(np.random.default_rng(1), 65, 12, 0.0, 0.005)
    swinging = rhythm.sinus_intervals(np.random.default_rng(1), 65, 12, 0.35, 0.005)
    assert np.ptp(calm) < 0.06
    assert 0.25 < np.ptp(swinging) < 0.45


def marked(count=12, **marks):
    """Marks of so many beats: the mark and its places."""
    return [
        next((mark for mark, places in marks.items() if place in places), "")
        for place in range(count)
    ]


def drawn(seed, **marks):
    return rhythm.sinus(np.random.default_rng(seed), np.full(12, 0.8), 0.16, marked(**marks))


def test_p_goes_before_qrs_by_the_pr_interval():
    beats = rhythm.sinus(np.random.default_rng(0), np.full(12, 0.8), 0.24, marked())
    np.testing.assert_allclose(beats.qrs_s - beats.p_s, 0.24, atol=0.012)


def test_an_atrial_premature_beat_is_early_and_its_pause_does_not_compensate():
    for seed in range(30):
        beats = drawn(seed, A=[6])
        early = int(np.flatnonzero(beats.origin == rhythm.ECTOPIC)[0])
        before, after = np.diff(beats.p_s)[early - 1 : early + 1]
        assert before < 0.8 * 0.8
        assert before + after < 2 * 0.8 * 0.99
        assert len(beats.qrs_s) in (11, 12)


def test_some_atrial_premature_beats_are_blocked_and_some_aberrant():
    rhythms = [drawn(seed, A=[6]) for seed in range(200)]
    blocked = sum(len(beats.qrs_s) == 11 for beats in rhythms)
    aberrant = sum((beats.conducted == rhythm.ABERRANT).any() for beats in rhythms)
    assert 4 < blocked < 30 and 8 < aberrant < 40
    assert all(len(drawn(seed, B=[6]).qrs_s) == 11 for seed in range(5))


def test_a_ventricular_beat_has_a_compensatory_pause():
    for seed in range(10):
        beats = drawn(seed, V=[6])
        odd = int(np.flatnonzero(beats.conducted == rhythm.VENTRICULAR)[0])
        assert beats.qrs_s[odd + 1] - beats.qrs_s[odd - 1] == pytest.approx(1.6, abs=0.02)
        assert beats.qrs_s[odd] - beats.qrs_s[odd - 1] < 0.7
        assert len(beats.p_s) in (11, 12)


def test_an_interpolated_beat_leaves_the_others_where_they_are():
    beats = drawn(1, I=[6])
    assert len(beats.qrs_s) == 13
    own_s = beats.qrs_s[beats.conducted == rhythm.NORMAL]
    np.testing.assert_allclose(np.diff(own_s), 0.8, atol=0.09)


def test_a_run_of_ventricular_beats_is_fast_and_the_sinus_takes_over_again():
    for seed in range(10):
        beats = drawn(seed, V=[4, 5, 6, 7], W=[])
        odd = np.flatnonzero(beats.conducted == rhythm.VENTRICULAR)
        assert np.diff(odd).tolist() == [1, 1, 1]
        rr_s = np.diff(beats.qrs_s)
        assert rr_s[odd[:-1]].max() < 0.6
        assert rr_s.min() > 0.2
        assert beats.conducted[-1] == rhythm.NORMAL


def test_ventricular_beats_in_fibrillation_come_early():
    marks = ["V" if place in (8, 14, 20) else "" for place in range(60)]
    beats = rhythm.fibrillation(np.random.default_rng(0), 70, 25, marks[:49])
    is_odd = beats.conducted == rhythm.VENTRICULAR
    assert is_odd.sum() == 3
    rr_s = np.diff(beats.qrs_s, prepend=0.0)
    assert rr_s[is_odd].max() < 0.6 < np.mean(rr_s[~is_odd])


def test_fibrillation_is_irregular_without_memory_and_has_no_p():
    beats = rhythm.fibrillation(np.random.default_rng(4), 90, 600)
    rr = np.diff(beats.qrs_s)
    assert len(beats.p_s) == 0
    assert 60 / rr.mean() == pytest.approx(90, rel=0.06)
    assert 0.12 < rr.std() / rr.mean() < 0.33
    assert abs(np.corrcoef(rr[:-1], rr[1:])[0, 1]) < 0.12
    assert rr.min() >= rhythm.SHORTEST_RR_S


def test_flutter_conducts_whole_numbers_of_flutter_waves():
    rr = np.diff(rhythm.flutter(np.random.default_rng(5), 0.2, [2, 4], 60).qrs_s)
    passed = np.round(rr / 0.2)
    assert set(passed) == {2, 4}
    np.testing.assert_allclose(rr, passed * 0.2, atol=0.03)


def test_fibrillation_waves_are_of_four_to_nine_hertz_and_largest_to_the_front():
    dipoles_mv = [
        rhythm.fibrillation_waves(np.random.default_rng(seed), 250, 5000) for seed in range(16)
    ]
    hz = np.fft.rfftfreq(5000, 1 / 250)
    for dipole_mv in dipoles_mv:
        power = np.abs(np.fft.rfft(dipole_mv - dipole_mv.mean(axis=0), axis=0)).sum(axis=1) ** 2
        assert 3 < hz[power.argmax()] < 10
    side, _, front = np.mean([dipole_mv.std(axis=0) for dipole_mv in dipoles_mv], axis=0)
    assert front > 1.5 * side


def test_flutter_waves_repeat_with_their_period():
    waves = rhythm.flutter_waves(np.random.default_rng(2), 0.2, 500, 5000)
    power = np.abs(np.fft.rfft(waves[:, 1] - waves[:, 1].mean()))
    assert np.fft.rfftfreq(5000, 1 / 500)[power.argmax()] == pytest.approx(5.0, abs=0.1)


def test_repolarisation_adapts_slowly_to_the_interval():
    beats = rhythm.Beats(
        np.array([0.0, 1.0, 2.0, 2.4, 3.4]), np.zeros(5, int), np.zeros(0), np.zeros(0, int)
    )
    assert beats.rr_s[3] == pytest.approx((0.4 + 2 * 1.0) / 3)

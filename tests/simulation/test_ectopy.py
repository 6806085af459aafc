"""Patterns of premature beats against their names."""

import numpy as np
import pytest

from ecgpipe.simulation import ectopy
from ecgpipe.simulation.findings import draw_findings


def marks(seed, **wanted):
    rng = np.random.default_rng(seed)
    calm = {"premature": 0, "ventricular": 0}
    findings = draw_findings(rng, "NSR", **(calm | wanted))
    return ectopy.marks(rng, findings, 16, 2, 12, 1.0)


def places(marked, kinds):
    return [place for place, mark in enumerate(marked) if mark and mark in kinds]


@pytest.mark.parametrize(("pattern", "every"), [("bigeminy", 2), ("trigeminy", 3)])
def test_every_second_or_third_beat_is_early(pattern, every):
    for seed in range(10):
        found = places(marks(seed, ventricular=2, ventricular_pattern=pattern), "VW")
        assert set(np.diff(found)) <= {every} and len(found) >= 2


def test_a_couplet_is_two_in_a_row_and_a_run_three_or_more():
    for seed in range(10):
        couplet = places(marks(seed, premature=1, atrial_pattern="couplet"), "A")
        run = places(marks(seed, ventricular=1, ventricular_pattern="run"), "VW")
        assert np.diff(couplet).tolist() == [1]
        assert len(run) >= 3 and set(np.diff(run)) == {1}


def test_single_beats_are_as_many_as_found_and_stay_within_their_limits():
    for seed in range(10):
        marked = marks(seed, ventricular=3, ventricular_pattern="single")
        found = places(marked, "VW")
        assert len(found) == 3 and min(found) >= 2 and max(found) < 12


def test_blocked_and_interpolated_beats_are_marked_as_such():
    assert places(marks(0, premature=2, atrial_pattern="blocked"), "B")
    assert places(marks(0, ventricular=2, ventricular_pattern="interpolated"), "I")


def test_a_long_recording_has_more_groups():
    rng = np.random.default_rng(0)
    findings = draw_findings(rng, "NSR", premature=2, atrial_pattern="single", ventricular=0)
    assert len(places(ectopy.marks(rng, findings, 60, 2, 55, 4.0), "A")) == 8

"""Who reads: drawn readers lie around the standard one and differ as archives do."""

from dataclasses import fields

import numpy as np

from ecgpipe.simulation.readers import STANDARD, Reader, draw_reader


def readers(count=400):
    return [draw_reader(np.random.default_rng([5, seed])) for seed in range(count)]


def test_the_standard_reader_lies_within_what_is_drawn():
    drawn = readers()
    for field in fields(Reader):
        values = [getattr(one, field.name) for one in drawn]
        assert min(values) <= getattr(STANDARD, field.name) <= max(values), field.name
        assert len(set(values)) > 1, field.name
        assert {type(value) for value in values} == {type(getattr(STANDARD, field.name))}


def test_a_reader_is_the_same_whenever_it_is_drawn():
    assert readers(3) == readers(3)
    assert readers(2)[0] != readers(2)[1]


def test_most_readers_begin_a_left_axis_near_minus_thirty_and_some_much_earlier():
    degrees = np.array([one.left_deg for one in readers()])
    near, early = np.mean(np.abs(degrees + 30) < 15), np.mean(degrees > -10)
    assert 0.6 < near < 0.9 and 0.12 < early < 0.35

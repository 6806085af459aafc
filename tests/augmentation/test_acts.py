"""The engine asks an act that nobody knows, by what its record says of it."""

import itertools

import pytest
import torch

from ecgpipe.augmentation.acts import Act
from ecgpipe.augmentation.augmenter import Augmenter
from ecgpipe.augmentation.contracts import Contract, all_but
from ecgpipe.augmentation.params import schema
from ecgpipe.augmentation.random_draws import RandomStreams
from ecgpipe.augmentation.record import Augmentation, Kind
from tests.fixtures.augmented_batches import CODES, WHOLE, recordings, untouched

CONTRACT = Contract("toy", all_but("polarity", "amplitude", "algebra"))


def toys(*toys):
    """Two recordings, and the engine of these augmentations (record, act) alone, all on."""
    data = recordings(count=2)
    records = [record for record, _ in toys]
    on = {record.name: True for record in records}
    settings = schema(records)(respect_labels=False, interpolation="linear", **on)
    acts = {record.name: act for record, act in toys}
    given = {"window": WHOLE, "normalise": "none", "seed": 7, "augmentations": records}
    return data, Augmenter(data, CODES, settings, **given, acts=acts)


def toy(kind, on, prepare=None, **others):
    """A record and its act."""
    about = {"name": "toy", "stream": 1000, "contract": CONTRACT, "caption": ""} | others
    return Augmentation(**about, kind=kind), Act(on, prepare)


@pytest.mark.parametrize("kind", Kind)
def test_whatever_it_acts_on_the_engine_asks_it(kind):
    acts = {
        Kind.WINDOW: lambda batch, position: position + 3 * batch.chosen,
        Kind.START: lambda batch: torch.full((2, 1), 3.0, dtype=torch.float64),
        Kind.BEATS: lambda batch, position, start: (start + position + 3, torch.ones(2, WHOLE)),
        Kind.GAIN: lambda batch: 1.0 + batch.chosen[..., None],
        Kind.ADDITION: lambda batch, signal, inside: signal * batch.chosen[..., None],
        Kind.LEADS: lambda batch: (torch.arange(12) != 4).expand(2, -1),
    }
    data, engine = toys(toy(kind, acts[kind], probability=1.0))
    plain = untouched(data)
    expected = {Kind.GAIN: 2 * plain, Kind.ADDITION: 2 * plain, Kind.LEADS: plain.clone()}
    expected[Kind.LEADS][:, 4] = 0
    moved = torch.nn.functional.pad(plain[:, :, 3:], (0, 3))
    assert torch.equal(engine.batch(torch.arange(2), 0), expected.get(kind, moved))


def test_of_one_kind_a_lower_turn_acts_first_and_the_next_sees_what_it_did():
    for kind, turns in itertools.product((Kind.WINDOW, Kind.BEATS), ((0, 0), (1, 0))):
        add = {
            Kind.WINDOW: lambda batch, position: position + 5,
            Kind.BEATS: lambda batch, position, start: (start + position + 5, torch.ones(2, WHOLE)),
        }
        halve = {
            Kind.WINDOW: lambda batch, position: position // 2,
            Kind.BEATS: lambda batch, position, start: (
                start + position // 2,
                torch.ones(2, WHOLE),
            ),
        }
        _, engine = toys(
            toy(kind, add[kind], name="add", turn=turns[0]),
            toy(kind, halve[kind], name="halve", stream=1001, turn=turns[1]),
        )
        tau, _ = engine.time_map(torch.arange(2), RandomStreams(torch.arange(2), 7, 0))
        position = torch.arange(WHOLE)
        expected = (position + 5) // 2 if turns == (0, 0) else position // 2 + 5
        assert torch.equal(tau[0], expected)


def test_prepared_things_are_made_once_and_come_with_every_batch():
    calls = []

    def prepare(data, window, settings):
        calls.append((len(data), window, dict(settings)))
        return torch.full((2, 1, 1), 0.5)

    data, engine = toys(
        toy(
            Kind.GAIN,
            lambda batch: batch.prepared,
            settings={"size": (float, 2.0)},
            prepare=prepare,
        )
    )
    for epoch in (0, 1):
        assert torch.equal(engine.batch(torch.arange(2), epoch), untouched(data) / 2)
    assert calls == [(2, WHOLE, {"size": 2.0})]

"""An augmentation is its record and its act: one that nobody knows gets settings, a contract, a row
of the table and a place on the page from its record alone, and draws with its act."""

from pathlib import Path
from typing import Literal

import pytest
import torch
from pydantic import Field

from ecgpipe.augmentation import all_augmentations
from ecgpipe.augmentation.acts import Act
from ecgpipe.augmentation.all_acts import ACTS
from ecgpipe.augmentation.augmenter import Augmenter
from ecgpipe.augmentation.contracts import Contract, all_but
from ecgpipe.augmentation.params import schema
from ecgpipe.augmentation.random_draws import RandomStreams
from ecgpipe.augmentation.record import Augmentation, Kind, Variant
from ecgpipe.drawing import augmentation_gallery
from ecgpipe.project import params
from tests.fixtures.augmented_batches import (
    CODES,
    OFF,
    WHOLE,
    made,
    recordings,
    switched,
    untouched,
)

VALUES = params.load(Path(__file__).parents[2] / "params.yaml")["augment"]


def _offset(batch, signal, inside):
    size_mv = batch.draws.between(1, batch.settings["low_mv"], batch.settings["high_mv"])
    sign = -1 if batch.settings["which"] == "down" else 1
    return (sign * size_mv * batch.chosen)[..., None].expand_as(signal).float()


def _fault(settings):
    return "it is no offset" if settings["high_mv"] == 0 else None


OFFSET = Augmentation(
    name="offset",
    stream=1000,
    kind=Kind.ADDITION,
    contract=Contract("offset", all_but("polarity", "amplitude", "algebra"), breaks=("LQRSV",)),
    caption="every lead moves by the same.",
    settings={
        "low_mv": (float, Field(0.1, ge=0)),
        "high_mv": (float, Field(0.3, ge=0, le=1)),
        "which": (Literal["up", "down"], "up"),
        "top_hz": (float, 20.0),
    },
    probability=0.25,
    variants=(
        Variant(
            name="offset_down",
            setting="which",
            value="down",
            caption="downwards.",
            contract=Contract("offset, down", all_but("polarity", "amplitude", "algebra")),
        ),
    ),
    highest="top_hz",
    fault=_fault,
)
MORE = (*all_augmentations.AUGMENTATIONS, OFFSET)
MODEL = schema(MORE)


def engine(data, settings):
    return Augmenter(
        data,
        CODES,
        settings,
        window=WHOLE,
        normalise="none",
        seed=7,
        augmentations=MORE,
        acts=ACTS | {"offset": Act(_offset)},
    )


def test_its_settings_stand_in_the_params_with_their_defaults_and_bounds():
    settings = MODEL(**VALUES)
    assert not settings.offset
    assert settings.offset_probability == 0.25
    assert settings.offset_high_mv == 0.3
    assert list(MODEL.model_fields)[-6:] == [
        "offset",
        "offset_probability",
        "offset_low_mv",
        "offset_high_mv",
        "offset_which",
        "offset_top_hz",
    ]


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"offset_which": "aside"}, "augment.offset_which: 'up' or 'down'"),
        ({"offset_high_mv": 2}, "augment.offset_high_mv: 1 or less"),
        (
            {"offset_mv": 1},
            "augment.offset_mv: no such setting; did you mean 'offset_low_mv'? (found 1)",
        ),
        ({"offset_low_mv": 0.5}, "augment: offset_low_mv 0.5 is above offset_high_mv 0.3"),
        (
            {"offset_low_mv": 0, "offset_high_mv": 0, "hum_low_hz": 80},
            "augment: hum_low_hz 80.0 is above hum_high_hz 49.0; offset: it is no offset",
        ),
    ],
)
def test_faults_of_its_settings_are_told_with_those_of_the_others(changed, fault):
    found = params.faults(MODEL, VALUES | changed, "augment")
    assert len(found) == 1
    assert fault in found[0]


def test_it_acts_by_draws_of_its_own_on_the_recordings_that_it_is_chosen_for():
    data = recordings(count=40)
    added = engine(data, MODEL(**OFF | {"offset": True, "offset_probability": 0.5})).batch(
        torch.arange(40), 0
    ) - untouched(data)
    draws = RandomStreams(data.keys, 7, 0).stream(1000)
    expected_mv = (0.1 + 0.2 * draws.uniform(1, 1)) * (draws.uniform(0, 1) < 0.5)
    assert torch.allclose(added, expected_mv[..., None].float().expand_as(added), atol=1e-6)
    assert 5 < int((expected_mv > 0).sum()) < 35


def test_the_others_draw_as_if_it_were_not_there():
    data = recordings(count=8)
    both = engine(data, MODEL(**OFF | {"star": True, "noise": True}))
    assert torch.equal(both.batch(torch.arange(8), 0), made(data, switched("star", "noise")))


def test_its_contract_spares_the_recordings_whose_class_it_may_break():
    data = recordings(count=4)
    data.labels[:2, 2] = 1  # LQRSV
    on = OFF | {"offset": True, "offset_probability": 1.0, "respect_labels": True}
    changed = engine(data, MODEL(**on)).batch(torch.arange(4), 0) != untouched(data)
    assert changed.flatten(1).any(dim=1).tolist() == [False, False, True, True]
    down = engine(data, MODEL(**on | {"offset_which": "down"}))
    changed = down.batch(torch.arange(4), 0) != untouched(data)
    assert changed.flatten(1).any(dim=1).all(), "the contract of the variant breaks nothing"


def test_a_frequency_that_the_stores_cannot_hold_is_refused():
    with pytest.raises(ValueError, match=r"augment.offset_top_hz: 50.0 must lie below half the"):
        engine(recordings(count=1), MODEL(**OFF | {"offset": True, "offset_top_hz": 50.0}))


def test_its_rows_stand_in_the_table_and_its_forms_on_the_page():
    shown = list(
        augmentation_gallery.cases(augmentation_gallery.all_off(MODEL(**VALUES), MORE), MORE)
    )
    page = augmentation_gallery.page(shown, augmentations=MORE)
    kept = "keeps | keeps |  |  |  | keeps"
    assert (
        f"\n| offset | addition | {kept} | LQRSV |\n| offset, down | addition | {kept} |  |" in page
    )
    assert "### offset\n\n`augment.offset`: every lead moves by the same.\n" in page
    down = "### offset, down\n\n`augment.offset` with `offset_which: down`: downwards.\n"
    assert f"{down}\n![offset, down](offset_down.png)" in page
    chosen = {case.name: case.params.offset_which for case in shown if case.params.offset}
    assert chosen == {"offset": "up", "offset_down": "down"}

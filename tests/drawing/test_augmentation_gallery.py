"""The page of augmentations: every one with its picture, as the code has it."""

from pathlib import Path

import numpy as np
import pytest
from markdown_it import MarkdownIt
from matplotlib import image

from ecgpipe.augmentation import all_augmentations
from ecgpipe.augmentation.all_augmentations import BY_NAME
from ecgpipe.augmentation.contracts import PROMISES
from ecgpipe.augmentation.params import AugmentParams
from ecgpipe.drawing import augmentation_gallery
from ecgpipe.prediction import reading
from ecgpipe.project import params
from ecgpipe.project.errors import UserError
from ecgpipe.simulation import writers

ROOT = Path(__file__).parents[2]
VALUES = params.load(ROOT / "params.yaml")
OFF = augmentation_gallery.all_off(AugmentParams.model_validate(VALUES["augment"]))
CASES = list(augmentation_gallery.cases(OFF))


def test_the_page_shows_every_augmentation_with_its_picture(tmp_path):
    names = augmentation_gallery.write(tmp_path, VALUES)
    page = (tmp_path / "README.md").read_text(encoding="utf-8")
    variants = [variant for augmentation in BY_NAME.values() for variant in augmentation.variants]
    assert names == [*BY_NAME, *(variant.name for variant in variants)]
    assert page == augmentation_gallery.page(CASES)
    assert page.count("![") == len(names)
    pictures = [image.imread(tmp_path / f"{name}.png") for name in names]
    assert all(f"({name}.png)" in page for name in names)
    assert len({picture.tobytes() for picture in pictures}) == len(names)
    assert len({picture.shape[1] for picture in pictures}) == 1


def test_one_may_look_at_a_recording_of_ones_own(tmp_path):
    time = np.arange(5000)[:, None] / 500
    signal_mv = np.sin(2 * np.pi * 1.3 * time).repeat(12, axis=1)
    writers.write_challenge(tmp_path, "A1", signal_mv, 500, age=60, sex="M", labels=["426783006"])
    for name in ("A1.hea", "A1"):
        augmentation_gallery.write(tmp_path / f"page of {name}", VALUES, tmp_path / name)
        page = (tmp_path / f"page of {name}/README.md").read_text(encoding="utf-8")
        assert "acts alone on `A1`" in page


def test_a_recording_is_named_as_for_predict_and_what_is_wrong_with_it_is_told(
    tmp_path, monkeypatch
):
    signal_mv = np.sin(np.arange(5000)[:, None] / 60).repeat(12, axis=1)
    for name in ("A1", "A2"):
        writers.write_challenge(tmp_path, name, signal_mv, 500, age=1, sex=None, labels=["1"])
        writers.write_h5(tmp_path / "h5", name, signal_mv)
    shown, source = [], reading.source_of_rate(250)
    monkeypatch.setattr(augmentation_gallery, "_draw", lambda data, *rest: shown.append(data))
    augmentation_gallery.write(tmp_path / "page", VALUES, tmp_path / "h5/A1.h5", source)
    assert shown[0].place[0, 2] == 5000 / 250 * VALUES["preprocess"]["rate_hz"]
    for record, message in (
        ("h5/A1.h5", r"^/.*A1\.h5: the rate .*--rate-hz HZ"),
        ("gone", "gone: no such file"),
        ("h5", r"h5: one recording is drawn, found 2; name one, such as .*A1\.h5"),
    ):
        with pytest.raises(UserError, match=message):
            augmentation_gallery.write(tmp_path / "page", VALUES, tmp_path / record)


def test_a_switch_alone_acts_always_and_whatever_the_labels():
    values = VALUES["augment"] | {"respect_labels": True, "noise": True}
    off = augmentation_gallery.all_off(AugmentParams.model_validate(values))
    alone = augmentation_gallery.alone_on(off, BY_NAME["star"])
    assert [name for name in BY_NAME if getattr(alone, name)] == ["star"]
    assert alone.star_probability == 1
    assert not alone.respect_labels


def test_the_committed_page_is_the_one_made_from_code():
    page = (ROOT / "plots/augmentations/README.md").read_text(encoding="utf-8")
    assert page == augmentation_gallery.page(CASES)


def test_the_table_says_of_each_augmentation_what_its_contract_does():
    tokens = MarkdownIt("commonmark").enable("table").parse(augmentation_gallery.page(CASES))
    texts = [
        tokens[place + 1].content
        for place, token in enumerate(tokens)
        if token.type in ("th_open", "td_open")
    ]
    width = len(PROMISES) + 3
    head, *rows = [texts[place : place + width] for place in range(0, len(texts), width)]
    assert head == ["augmentation", "acts on", *PROMISES, "may break"]
    contracts = [contract for _, contract in all_augmentations.contracts()]
    assert [row[0] for row in rows] == [contract.title for contract in contracts]
    for row, contract in zip(rows, contracts, strict=True):
        kept = {promise for promise, mark in zip(PROMISES, row[2:-1], strict=True) if mark}
        assert (kept, row[-1]) == (contract.keeps, ", ".join(contract.breaks))

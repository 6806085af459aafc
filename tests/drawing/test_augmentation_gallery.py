from pathlib import Path

import numpy as np
from matplotlib import image

from ecgpipe.augmentation import augmenter, contracts
from ecgpipe.augmentation.params import AugmentParams
from ecgpipe.drawing import augmentation_gallery
from ecgpipe.project import params
from ecgpipe.simulation import writers

VALUES = params.load(Path(__file__).parents[2] / "params.yaml")


def test_the_page_shows_every_augmentation_with_its_picture(tmp_path):
    names = augmentation_gallery.write(tmp_path, VALUES)
    page = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert set(names) == {*augmenter.SWITCHES, *augmentation_gallery.VARIANTS}
    assert contracts.table() in page
    assert page.count("![") == len(names)
    pictures = [image.imread(tmp_path / f"{name}.png") for name in names]
    assert all(f"({name}.png)" in page for name in names)
    assert len({picture.tobytes() for picture in pictures}) == len(names)
    assert len({picture.shape[1] for picture in pictures}) == 1


def test_one_may_look_at_a_recording_of_ones_own(tmp_path):
    time = np.arange(5000)[:, None] / 500
    writers.write_challenge(
        tmp_path,
        "A1",
        np.sin(2 * np.pi * 1.3 * time).repeat(12, axis=1),
        500,
        age=60,
        sex="M",
        labels=["426783006"],
    )
    augmentation_gallery.write(tmp_path / "page", VALUES, tmp_path / "A1.hea")
    assert "acts alone on `A1`" in (tmp_path / "page/README.md").read_text(encoding="utf-8")


def test_a_switch_alone_acts_always_and_whatever_the_labels():
    settings = AugmentParams.model_validate(
        VALUES["augment"] | {"respect_labels": True, "noise": True}
    )
    alone = augmentation_gallery._switched(settings, "star")
    assert [name for name in augmenter.SWITCHES if getattr(alone, name)] == ["star"]
    assert alone.star_probability == 1
    assert not alone.respect_labels

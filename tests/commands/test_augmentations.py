"""`python -m ecgpipe augmentations`: a page for a recording, in the folder that was named."""

import pytest

from ecgpipe.__main__ import main
from ecgpipe.commands import augmentations
from ecgpipe.drawing import augmentation_gallery
from tests.commands.conftest import ROOT


def test_the_page_lies_where_it_was_asked_for_and_the_command_says_so(
    tmp_path, monkeypatch, capsys
):
    asked = []
    monkeypatch.setattr(
        augmentation_gallery,
        "write",
        lambda *arguments: asked.append(arguments) or ["star", "roll"],
    )
    out = tmp_path / "page"
    options = ["--out", str(out), "--params", str(ROOT / "params.yaml")]
    assert main(["augmentations", "A1.hea", *options]) == 0
    assert capsys.readouterr().out == f"2 augmentations -> {out}/README.md\n"
    folder, values, record, source = asked[0]
    assert (folder, str(record)) == (out, "A1.hea")
    assert source is None
    assert values["augment"]["crop"] is True


def test_a_recording_is_read_as_predict_reads_it(tmp_path, monkeypatch, west):
    asked = []
    monkeypatch.setattr(augmentation_gallery, "write", lambda *given: asked.append(given) or [])
    options = ["--out", str(tmp_path / "page"), "--params", str(ROOT / "params.yaml")]
    for option in (["--rate-hz", "250"], ["--source", "sim-west"]):
        catalogue = ["--catalogue", str(ROOT / "configs/sources.yaml")]
        assert main(["augmentations", f"{west}/W1.h5", *option, *catalogue, *options]) == 0
    assert [source.rate_hz for _, _, _, source in asked] == [250, 500]


@pytest.mark.parametrize(
    ("record", "folder"), [([], "plots/augmentations"), (["A1.hea"], "augmentations")]
)
def test_without_a_folder_a_users_recording_does_not_replace_the_projects_page(
    monkeypatch, capsys, record, folder
):
    monkeypatch.setattr(augmentation_gallery, "write", lambda *arguments: [])
    assert main(["augmentations", *record, "--params", str(ROOT / "params.yaml")]) == 0
    assert capsys.readouterr().out == f"0 augmentations -> {folder}/README.md\n"


def test_the_page_replaces_no_other_page(tmp_path, monkeypatch, capsys):
    """`--out .` replaced the project's own README.md."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "README.md").write_text("# Project\n")
    for out, found in ((".", "README.md"), ("none/page", "")):
        options = ["--out", out, "--params", str(ROOT / "params.yaml")]
        assert main(["augmentations", *options]) == 2
        rule = f"is replaced whole, found {found} there" if found else "lies in a folder that is"
        assert f"{out}: --out {rule}" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]
    assert augmentation_gallery.page([]).startswith(f"{augmentations.TITLE}\n")

"""`python -m ecgpipe augmentations`: a page for a recording, in the folder that was named."""

import pytest

from ecgpipe.__main__ import main
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
    folder, values, record = asked[0]
    assert (folder, str(record)) == (out, "A1.hea")
    assert values["augment"]["crop"] is True


@pytest.mark.parametrize(
    ("record", "folder"), [([], "plots/augmentations"), (["A1.hea"], "augmentations")]
)
def test_without_a_folder_a_users_recording_does_not_replace_the_projects_page(
    monkeypatch, capsys, record, folder
):
    monkeypatch.setattr(augmentation_gallery, "write", lambda *arguments: [])
    assert main(["augmentations", *record, "--params", str(ROOT / "params.yaml")]) == 0
    assert capsys.readouterr().out == f"0 augmentations -> {folder}/README.md\n"

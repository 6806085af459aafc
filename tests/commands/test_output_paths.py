import os
import re
import stat

import pytest

from ecgpipe.__main__ import main
from ecgpipe.commands import check, compare, export, output_paths, predict
from tests.commands.conftest import ROOT

KIND = output_paths.Kind("a list", re.compile(rb"\Alist\n"))


def test_new_files_older_ones_and_links_to_them_may_be_written(tmp_path):
    (tmp_path / "empty").write_text("")
    (tmp_path / "older").write_text("list\n" + 100_000 * "a")
    (tmp_path / "link").symlink_to("older")
    (tmp_path / "again").symlink_to("link")
    for name in ("new", "empty", "older"):
        assert output_paths.file(tmp_path / name, "--out", KIND) == tmp_path / name
    assert output_paths.file(tmp_path / "again", "--out", KIND) == (tmp_path / "older").resolve()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again", "empty", "link", "older"]


def test_nothing_else_is_ever_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "device").symlink_to("/dev/null")
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "self").symlink_to("self")
    (tmp_path / "plain").write_text("")
    (tmp_path / "other").write_text("a list\n")
    (tmp_path / "link").symlink_to("other")
    (tmp_path / "older").write_text("list\n")
    (tmp_path / "older").chmod(0o444)
    for name, message in (
        (".", "found a folder"),
        ("pipe", "found a device, pipe or socket"),
        ("device", "found a device"),
        ("dangling", r"a link that leads nowhere \(nowhere\)"),
        ("self", "a link that leads nowhere"),
        ("none/p", "none is none; make it first"),
        ("plain/p", "plain is none; make it first"),
        ("other", "other: --csv replaces nothing but a list, found another file; name one"),
        ("link", "link: --csv replaces nothing but a list, found another file; name one"),
        ("older", "may not be written; name another"),
        (250 * "p", "cannot be written into .* .File name too long.; name another place"),
    ):
        with pytest.raises(ValueError, match=message) as caught:
            output_paths.file(tmp_path / name, "--csv", KIND)
        assert "--csv" in str(caught.value)


def test_where_the_disk_takes_nothing_it_is_told_at_once(tmp_path, monkeypatch):
    def refuse(**_):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(output_paths.tempfile, "NamedTemporaryFile", refuse)
    for call in (
        lambda: output_paths.file(tmp_path / "new", "--out", KIND),
        lambda: output_paths.folder(tmp_path / "new"),
        lambda: output_paths.page(tmp_path / "new", "# Title"),
    ):
        with pytest.raises(ValueError, match=r"--out cannot be written into .*Read-only file"):
            call()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_told_at_once(tmp_path):
    (tmp_path / "closed").mkdir(mode=stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(ValueError, match=r"closed .Permission denied.; name another place"):
        output_paths.file(tmp_path / "closed/p.csv", "--out", KIND)


def test_a_folder_is_new_or_empty(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "full/one").mkdir(parents=True)
    (tmp_path / "plain").write_text("")
    (tmp_path / "link").symlink_to("empty")
    assert [output_paths.folder(tmp_path / name).name for name in ("new", "empty")] == [
        "new",
        "empty",
    ]
    for name in ("full", "plain", "link"):
        with pytest.raises(
            ValueError, match=f"{name}: --out writes a new folder; remove this one or name another"
        ):
            output_paths.folder(tmp_path / name)
    with pytest.raises(ValueError, match="none is none; make it first"):
        output_paths.folder(tmp_path / "none/new")


def test_a_page_replaces_an_older_one_of_its_title(tmp_path):
    (tmp_path / "empty").mkdir()
    for name, title in (("older", "# Title"), ("other", "# Title of mine"), ("mixed", "# Title")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "README.md").write_text(f"{title}\n")
        (tmp_path / name / "a.png").write_text("")
    (tmp_path / "mixed/thesis.txt").write_text("years")
    (tmp_path / "link").symlink_to("older")
    for name in ("new", "empty", "older"):
        assert output_paths.page(tmp_path / name, "# Title") == tmp_path / name
    for name, found in (("other", "README.md"), ("mixed", "thesis.txt"), ("link", "link")):
        with pytest.raises(ValueError, match=f"--out is replaced whole, found {found} there; name"):
            output_paths.page(tmp_path / name, "# Title")


INPUTS = ("raw/A1.hea", "raw/A1.mat", "params.yaml", "models/fold-0/model.json", "notes.csv")


@pytest.mark.parametrize("target", INPUTS)
def test_no_command_writes_over_an_input(raw, models, tmp_path, monkeypatch, capsys, target):
    """All of these were replaced without a word."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    (tmp_path / "notes.csv").write_text("path,note\n")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for command in (
        ["predict", "raw", "--model", "models", "--out", target],
        ["check", "raw", "--csv", target],
        ["export", "--model", "models", "--onnx", target],
        ["compare", ".", ".", "--csv", target],
        ["compare", ".", ".", "--markdown", target],
    ):
        assert main(command) == 2
        error = capsys.readouterr().err
        assert error.startswith(f"ecgpipe: {target}: ")
        assert " replaces nothing but " in error
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_every_command_knows_what_it_wrote_and_not_what_another_did(
    raw, models, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert main(["predict", "raw", "--model", "models", "--out", "p.csv"]) == 0
    assert main(["check", "raw", "--csv", "c.csv"]) == 0
    (tmp_path / "o.csv").write_text("kind,name,metric,a,b,difference,low\n")
    (tmp_path / "o.md").write_text("### out_of_fold: b (B) against a (A)\n")
    (tmp_path / "m.onnx").write_bytes(b"\x08\x09" + bytes(300_000) + b"conditioning_numpy")
    kinds = {
        "p.csv": predict.TABLE,
        "c.csv": check.TABLE,
        "o.csv": compare.TABLE,
        "o.md": compare.PAGE,
        "m.onnx": export.MODEL,
    }
    for written in kinds:
        for name, kind in kinds.items():
            if name == written:
                output_paths.file(tmp_path / written, "--out", kind)
            else:
                with pytest.raises(ValueError, match="replaces nothing but"):
                    output_paths.file(tmp_path / written, "--out", kind)

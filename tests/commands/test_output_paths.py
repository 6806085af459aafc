import os

import pytest

from ecgpipe.commands import output_paths


def test_new_files_plain_files_and_links_to_them_may_be_written(tmp_path):
    (tmp_path / "plain").write_text("")
    (tmp_path / "link").symlink_to("plain")
    (tmp_path / "again").symlink_to("link")
    assert output_paths.file(tmp_path / "new") == tmp_path / "new"
    assert output_paths.file(tmp_path / "plain") == tmp_path / "plain"
    assert output_paths.file(tmp_path / "again") == (tmp_path / "plain").resolve()


def test_nothing_else_is_ever_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "device").symlink_to("/dev/null")
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "self").symlink_to("self")
    (tmp_path / "plain").write_text("")
    for name, message in (
        (".", "found a folder"),
        ("pipe", "found a device, pipe or socket"),
        ("device", "found a device"),
        ("dangling", r"a link that leads nowhere \(nowhere\)"),
        ("self", "a link that leads nowhere"),
        ("none/p", "none is none; make it first"),
        ("plain/p", "plain is none; make it first"),
    ):
        with pytest.raises(ValueError, match=message) as caught:
            output_paths.file(tmp_path / name, "--csv")
        assert "--csv" in str(caught.value)


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

import os
import pickle

import numpy as np
import pytest

from ecgpipe.recordings import safe_files
from ecgpipe.recordings.refusals import Refused


def reason(path, root, most=safe_files.MOST_BYTES):
    with pytest.raises(Refused) as caught:
        safe_files.content(path, root, most)
    assert str(path)[:4] in str(caught.value) or caught.value.reason == "name"
    return caught.value.reason


def test_a_regular_file_is_read_whole(tmp_path):
    (tmp_path / "a").write_bytes(b"123")
    assert safe_files.size(tmp_path / "a", tmp_path) == 3
    assert safe_files.content(tmp_path / "a", tmp_path) == b"123"
    assert reason(tmp_path / "a", tmp_path, 2) == "oversized"


def test_what_is_no_regular_file_is_refused_before_it_is_opened(tmp_path):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    assert [reason(tmp_path / name, tmp_path) for name in ("folder", "pipe", "loop")] == [
        "no-file"
    ] * 3
    assert reason(tmp_path / "absent", tmp_path) == "missing"
    assert reason(tmp_path / "a\nb", tmp_path) == "name"
    assert reason(tmp_path / "a\0b", tmp_path) == "name"


def test_links_are_followed_inside_the_folder_alone(tmp_path):
    (tmp_path / "in/deep").mkdir(parents=True)
    (tmp_path / "in/a").write_bytes(b"in")
    (tmp_path / "out").write_bytes(b"out")
    (tmp_path / "in/deep/good").symlink_to("../a")
    (tmp_path / "in/deep/bad").symlink_to(tmp_path / "out")
    (tmp_path / "in/deep/chain").symlink_to("bad")
    assert safe_files.content(tmp_path / "in/deep/good", tmp_path / "in") == b"in"
    for name in ("bad", "chain"):
        assert reason(tmp_path / "in/deep" / name, tmp_path / "in") == "outside"
    assert reason(tmp_path / "in/deep/good", tmp_path / "in/deep") == "outside"
    (tmp_path / "linked").symlink_to("in")
    assert safe_files.content(tmp_path / "linked/deep/good", tmp_path / "linked") == b"in", (
        "the folder itself may be a link"
    )


@pytest.mark.parametrize(
    ("head", "is_a"),
    [
        (b"", "empty"),
        (b"version https://git-lfs.github.com/spec/v1\n", "lfs-pointer"),
        (b"\n <!doctype HTML><html>", "web-page"),
        (b"<?xml version='1.0'?>", "web-page"),
        (b"\xef\xbb\xbf<html>", "web-page"),
        (b"<!-- saved from", "web-page"),
        (b"<head><title>", "web-page"),
        *((pickle.dumps([1], protocol), "pickle") for protocol in range(6)),
        *((pickle.dumps({"a": (1, 2)}, protocol), "pickle") for protocol in range(6)),
        (b"PK\x03\x04", "archive"),
        (b"MATLAB 5.0", None),
        (b"rec 12 500 5000\n", None),
    ],
)
def test_what_is_known_to_be_no_recording_is_named(tmp_path, head, is_a):
    (tmp_path / "a").write_bytes(head)
    found = safe_files.identify(tmp_path / "a")
    assert (found and found.reason) == is_a


def test_before_a_file_is_read_only_what_no_recording_begins_with_is_named():
    certain = [
        b"version https://git-lfs.github.com/spec/v1",
        b"<!DOCTYPE html>",
        b"\xef\xbb\xbf\n<html>",
        pickle.dumps(list(range(999)), 4),
    ]
    for head in certain:
        assert (
            safe_files.no_recording(head, "a.dat").reason
            == safe_files.foreign_bytes(head, "a.dat").reason
        )
    samples = np.random.default_rng(1).integers(-300, 300, (20_000, 256)).astype("<i2")
    samples[:5000, 0] = np.frombuffer(b"\x1f\x8bPKBZ<!\x80\x04", "<i2").repeat(
        1000
    )  # as other files begin
    assert not any(safe_files.no_recording(row.tobytes(), "a.dat") for row in samples)


def test_headers_are_utf_8_with_or_without_a_mark_or_latin_1():
    for raw in (b"caf\xc3\xa9", b"\xef\xbb\xbfcaf\xc3\xa9", b"caf\xe9"):
        assert safe_files.text(raw) == "caf\u00e9"


def test_names_are_shown_as_text_that_any_file_takes():
    assert safe_files.shown("a\nb\udcff \u00fc") == "a\\nb\\udcff \u00fc"
    safe_files.shown("a\udcff").encode()

import io
import os
import sys
from pathlib import Path

import pytest

from ecgpipe.commands import path_lists


@pytest.mark.parametrize("begin", [b"", b"\xef\xbb\xbf"])
def test_a_line_is_a_path_and_blanks_around_it_are_none_of_it(begin):
    content = begin + " a b/1.hea \r\n\n \t\n심/2\n-3.h5".encode()
    assert path_lists.paths(content, "list") == [Path("a b/1.hea"), Path("심/2"), Path("-3.h5")]
    assert path_lists.paths(b"", "list") == []


def test_names_between_nul_are_taken_as_they_are():
    content = b" a\n1.hea \0b\xff.hea\0"
    assert path_lists.paths(content, "list") == [
        Path(" a\n1.hea "),
        Path(os.fsdecode(b"b\xff.hea")),
    ]


@pytest.mark.parametrize("content", ["a\u00e4".encode("latin-1"), "a.hea\n".encode("utf-16")])
def test_a_list_that_is_no_text_is_named(tmp_path, content):
    (tmp_path / "list.txt").write_bytes(content)
    with pytest.raises(
        ValueError, match=r"list\.txt: a list is UTF-8 text, found byte 0x.. at \d; save it so"
    ):
        path_lists.read(str(tmp_path / "list.txt"))


def test_a_list_comes_from_standard_input_too(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a\nb\n")))
    assert path_lists.read("-") == [Path("a"), Path("b")]

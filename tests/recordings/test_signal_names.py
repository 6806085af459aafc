"""The names of signal files in headers, however broken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgpipe.recordings import signal_names


@pytest.mark.parametrize(
    ("text", "stem", "names"),
    [
        ("A 12 500\nA.mat 16\n#B.mat 16\n", "A", {"A", "A.mat"}),
        ("\ufeffA 12\r\n\tA.dat\t16\r", "A", {"A", "A.dat"}),
        ("a b 12\na b_1.dat 16\na b", "a b", {"a", "a b", "a b_1.dat"}),
        ("", "A", set()),
        ("\0\1\n \n#", "A", {"\1"}),
    ],
)
def test_the_first_field_of_each_line_may_be_a_name(text, stem, names):
    assert signal_names.in_header(text, stem) == names


@given(st.text(alphabet="a b.\n\r#\t\0", max_size=60))
def test_any_text_is_taken(text):
    assert all(name and "\n" not in name for name in signal_names.in_header(text, "a b"))


def test_headers_that_cannot_be_read_name_nothing(tmp_path):
    (tmp_path / "A.hea").write_text("A 12\nX.mat 16\n")
    (tmp_path / "B.hea").symlink_to("/etc/hostname")
    (tmp_path / "c\nd.hea").write_text("c 12\nY.mat 16\n")
    headers = [tmp_path / name for name in ("A.hea", "B.hea", "c\nd.hea", "missing.hea")]
    assert signal_names.of_headers(headers, tmp_path) == {"A", "X.mat", "c", "Y.mat"}

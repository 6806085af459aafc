from pathlib import Path

import pytest

from ecgpipe.project import json_objects
from ecgpipe.project.errors import UserError


def test_an_object_is_read():
    content = '{"a": [1, 2.5, null], "\u00e4": "b"}'.encode()
    assert json_objects.parse(content, Path("x.json"), "write it anew") == {
        "a": [1, 2.5, None],
        "\u00e4": "b",
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no readable JSON"),
        (b"{", "no readable JSON"),
        (b"\xff{}", "no readable JSON"),
        (b"[" * 200_000, "nested too deep"),
        (b'{"a":' * 200_000, "nested too deep"),
        (b'{"a": NaN}', "NaN is no number of JSON"),
        (b'{"a": -Infinity}', "-Infinity is no number of JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", "no readable JSON"),
        (b"[1]", "a JSON object is expected, found list"),
        (b"null", "a JSON object is expected, found NoneType"),
    ],
)
def test_what_is_no_object_is_one_line(content, message):
    with pytest.raises(UserError, match=f"^x.json: .*{message}.*; write it anew$") as caught:
        json_objects.parse(content, Path("x.json"), "write it anew")
    assert "\n" not in str(caught.value)

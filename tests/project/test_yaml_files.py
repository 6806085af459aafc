import itertools
import math
import re
from datetime import date
from pathlib import Path

import pytest
from dvc.utils.serialize import ParseError, load_yaml, parse_yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgpipe.project import yaml_files

ROOT = Path(__file__).parents[2]
FILES = [ROOT / "params.yaml", *sorted((ROOT / "configs").glob("*.yaml"))]


def write(folder, text):
    (folder / "settings.yaml").write_text(text, encoding="utf-8")
    return folder / "settings.yaml"


def read(folder, text):
    values, faults = yaml_files.read(write(folder, text))
    assert faults == []
    return values


def same(ours, theirs):
    """Equal, with equal types and order of keys; NaN equals NaN."""
    assert type(ours) is type(theirs), (ours, theirs)
    if isinstance(ours, dict):
        assert list(ours) == list(theirs)
        for key, value in ours.items():
            same(value, theirs[key])
    elif isinstance(ours, list):
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            same(one, other)
    else:
        assert ours == theirs or (math.isnan(ours) and math.isnan(theirs))
    return True


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_projects_files_are_read_as_dvc_reads_them(path):
    values, faults = yaml_files.read(path)
    assert same(values, load_yaml(str(path)))
    assert faults == []


NUMBERS = [
    "1e-3", "1E5", "1e+3", "1.e2", "-1.5e-3", "1.0", "1.", ".5", "-.5", "+.5", ".5e3", ".5e+3",
    "._5", "1_000.5_0", "1e1_0", "1_0e1", "0.0", "-0.0", "0", "-0", "+0", "1", "+1", "-1", "1_000",
    "1__0", "010", "0123", "089", "00", "0_1", "0o17", "0o8", "-0o17", "0O17", "017", "0x1F",
    "0x1f", "-0xff", "0X1F", "0xG", "0b101", "-0b1", "0b2", "1.5.2", "1e", "1e+", "e1", "1f", "1,5",
    "1_", "_1", "-", "+", ".", "..", "+.", "1e400", "-1e400", "123456789012345678901234567890",
]  # fmt: skip
WORDS = [
    "on", "On", "ON", "off", "yes", "Yes", "YES", "no", "No", "n", "N", "y", "Y", "true", "True",
    "TRUE", "tRUE", "false", "False", "FALSE", "~", "null", "Null", "NULL", "nULL", "none", "None",
    ".inf", ".Inf", ".INF", "+.inf", "-.INF", ".iNF", "inf", ".nan", ".NaN", ".NAN", "+.nan", "nan",
    "~x", "text", "12:30:45", "190:20:30", "1:30", "12:30:45.5", "2020-1-1", "20-01-01", "2020-01",
    "2020-01-01x", "2020-01-01T00:00", "a=b", "==", "<<a", "<", ">", "|", "é", "0o", "0x",
    "http://x:1", "a:b", "a#b", "-x", "---", "--", "?x", ".5.5", "1-1", "+1+", "0.1.2", "1e3e4",
    "1e-3x", "10ms", "426783006", "ptb-xl", "data/raw",
]  # fmt: skip


@pytest.mark.parametrize("scalar", [*NUMBERS, *WORDS])
def test_a_scalar_is_read_as_dvc_reads_it(tmp_path, scalar):
    for text in (f"a: {scalar}\n", f"a: '{scalar}'\n", f'a: "{scalar}"\n', f"a: [{scalar}]\n"):
        try:
            theirs = parse_yaml(text, "settings.yaml")
        except (ParseError, ValueError):
            with pytest.raises(ValueError, match=r"settings\.yaml"):
                read(tmp_path, text)
        else:
            assert same(read(tmp_path, text), theirs)


# The scalars that YAML 1.1 reads otherwise, written out: no library is asked.
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001), ("010", 10), ("0o17", 15), ("0x1F", 31), ("1_000", 1000), ("1.", 1.0),
        (".5", 0.5), ("+1", 1), ("on", "on"), ("off", "off"), ("yes", "yes"), ("no", "no"),
        ("True", True), ("TRUE", True), ("~", None), ("", None), ("null", None), (".inf", math.inf),
        ("-.INF", -math.inf), ("12:30:45", "12:30:45"), ("'1e-3'", "1e-3"), ("'true'", "true"),
        ("''", ""), ("'2020-01-01'", "2020-01-01"), ("'<<'", "<<"), ("9" * 30, int("9" * 30)),
    ],
)  # fmt: skip
def test_a_scalar_is_read_as_yaml_1_2_has_it(tmp_path, text, value):
    assert same(read(tmp_path, f"a: {text}\n"), {"a": value})


PIECES = [
    "a: ", "b: ", "1", "0x1F", "1e3", "on", "~", "x", "é", "😀", "\n", "\n  ", "\n    ", "\n- ",
    "- ", "[", "]", "{", "}", ", ", ",", ": ", ":", '"', "'", "\\n", "\\/", "\\\n", "&x ", "*x",
    "<<: ", ">\n  ", ">-\n  ", "#", "# c", " ", "? ", "%", "!", "---", "...", "=", "@", "\xa0",
    "\t", "\u2028", "\x85", "\ufeff", "\r", "\x0b", "|", "|-", "|\n  ",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=14).map(lambda pieces: "a: " + "".join(pieces)))
@settings(max_examples=500, deadline=None)
def test_no_file_is_read_otherwise_than_dvc_reads_it(tmp_path_factory, text):
    """Of any text: what both read is the same. Either may refuse what the other reads."""
    try:
        values, faults = yaml_files.read(write(tmp_path_factory.getbasetemp(), text))
        theirs = parse_yaml(text, "settings.yaml")
    except (ParseError, ValueError):
        return
    assert faults or same(values, theirs)


@given(st.text("0123456789_+-.eExobaBFT: ~nulNULtruefalsoyINF=<", max_size=9))
@settings(max_examples=500, deadline=None)
def test_no_scalar_is_read_otherwise_than_dvc_reads_it(tmp_path_factory, scalar):
    text = f"a: {scalar}\n"
    try:
        values, faults = yaml_files.read(write(tmp_path_factory.getbasetemp(), text))
        theirs = parse_yaml(text, "settings.yaml")
    except (ParseError, ValueError):
        return
    assert faults or same(values, theirs)


@pytest.mark.parametrize(
    "text",
    [
        "a: &a {x: 1}\nb: {<<: *a, y: 2}\nc: *a\n",
        "a: &a {x: 1, y: 1}\nb: {y: 2, <<: *a}\n",
        "a: &a {x: 1}\nb: &b {x: 2, z: 3}\nc: {w: 0, <<: [*a, *b]}\n",
        "a: &a [1, 2]\nb: *a\nc: [*a, *a]\n",
        "'<<': {b: 1}\n",
        "a: |\n  x\n  y\nb: >-\n  x\n  y\n",
        "---\na: 1\n...\n",
        '\ufeffa: "\\u00e9 \\/ \\x41"\n',
        "a: {b:1, c: 2, 'd':3}\n",
    ],
)
def test_aliases_merges_and_blocks_are_read_as_dvc_reads_them(tmp_path, text):
    assert same(read(tmp_path, text), parse_yaml(text, "settings.yaml"))


def test_what_has_no_place_in_json_is_refused_and_read_as_text(tmp_path):
    text = "a: 2020-01-02\nb:\n- 2001-12-14t21:59:43.10-05:00\n- =\nc: {d: <<}\ne: 2001-13-45\n"
    assert parse_yaml("a: 2020-01-02\n", "")["a"] == date(2020, 1, 2), "what DVC would hand over"
    values, faults = yaml_files.read(write(tmp_path, text))
    dated = "2001-12-14t21:59:43.10-05:00"
    assert values == {"a": "2020-01-02", "b": [dated, "="], "c": {"d": "<<"}, "e": "2001-13-45"}
    rule = "a value is text, a number, true, false or null"
    assert faults == [
        f"a: {rule}, found '2020-01-02' in line 1; put it in quotes",
        f"b.0: {rule}, found '{dated}' in line 3; put it in quotes",
        f"b.1: {rule}, found '=' in line 4; put it in quotes",
        f"c.d: {rule}, found '<<' in line 5; put it in quotes",
        f"e: {rule}, found '2001-13-45' in line 6; put it in quotes",
    ]


def test_keys_that_stand_twice_are_all_told_with_their_lines(tmp_path):
    text = "a:\n  x: 1\n  y: {z: 1, z: 2}\n  x: 2\nb:\n- {k: 1, k: 1}\na: 3\n"
    _, faults = yaml_files.read(write(tmp_path, text))
    assert sorted(faults) == [
        "a.x: it stands twice, in lines 2 and 4; leave one",
        "a.y.z: it stands twice, in lines 3 and 3; leave one",
        "a: it stands twice, in lines 1 and 7; leave one",
        "b.0.k: it stands twice, in lines 6 and 6; leave one",
    ]
    _, faults = yaml_files.read(write(tmp_path, "a: &a {x: 1}\nb:\n  <<: *a\n  x: 2\n  <<: *a\n"))
    assert faults == ["b.<<: it stands twice, in lines 3 and 5; leave one"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a:\n  b: [1, 2\nc: 1\n", "line 3, column 2: it is no YAML: while parsing a flow seq"),
        ("a:\n\tb: 1\n", r"line 2: the character '\t' has no place here; write spaces"),
        ("a: *b\n", "line 1, column 4: it is no YAML: found undefined alias"),
        ("a: 1\n---\nb: 2\n", "line 2, column 1: it is no YAML: expected a single document"),
        ("a: b: c\n", "line 1, column 5: it is no YAML: mapping values are not allowed"),
        ("a: {<<: 1}\n", "line 1, column 9: while constructing a mapping, expected a mapping or "),
        ("a: 1\nb: \x07\n", r"line 2: the character '\x07' has no place here"),
        ("a: \ud7ff\uffff\n", "it is no YAML: "),
        ("a: 'x\u2028y'\n", r"line 1: the character '\u2028' has no place here; write spaces"),
        ("%YAML 1.1\n---\na: on\n", "line 1: a directive such as %YAML changes what values mean"),
        ("a: !!python/name:os.system 1\n", "line 1: the tag 'tag:yaml.org,2002:python/name:os.sys"),
        ("a:\n- !!binary aGk=\n", "line 2: the tag 'tag:yaml.org,2002:binary' changes what a va"),
        ("a: !!set {x}\n", "line 1: the tag 'tag:yaml.org,2002:set' changes what a value means"),
        ("a: +_\n", "line 1, column 4: a number cannot be read (invalid literal for int() with"),
        ("a: ._\n", "line 1, column 4: a number cannot be read (could not convert string to fl"),
        ("a: " + "9" * 5000, "line 1, column 4: a number cannot be read (Exceeds the limit"),
    ],
    ids=lambda text: text[:12],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_told_in_one_line_that_says_where(tmp_path, text, message):
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        yaml_files.read(write(tmp_path, text))
    assert str(caught.value).startswith(str(tmp_path / "settings.yaml"))
    assert "\n" not in str(caught.value)


def laughs():
    """Each list holds the last one nine times: 9 ** 9 values in ten lines."""
    return "a0: &a0 [x, x]\n" + "".join(
        f"a{level}: &a{level} [{', '.join(itertools.repeat(f'*a{level - 1}', 9))}]\n"
        for level in range(1, 10)
    )


def staircase():
    return "".join(f"{' ' * level}k{level}:\n" for level in range(3000))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("s: {1: {}}\n", "s: keys are text, found '1' in line 1; put it in quotes"),
        ("a: {}\n~: 1\n", "the file: keys are text, found '~' in line 2"),
        ("? [b]\n: 2\ntrue: 1\n", "found a list or a section in line 1; put it in quotes; the fi"),
        ("2020-01-01: 1\n", "the file: keys are text, found '2020-01-01' in line 1"),
        ("=: 1\n", "the file: keys are text, found '=' in line 1; put it in quotes"),
        ("a: &a [*a]\n", "line 1: the alias *a stands in a part with an anchor; write it out"),
        ("a: &a {b: {c: *a}}\n", "line 1: the alias *a stands in a part with an anchor"),
        (laughs(), "line 2: the alias *a0 stands in a part with an anchor"),
        (f"a: &a 1\nb: [{'*a, ' * 1001}]\n", "line 2: more than 1000 aliases; write the values"),
        (f"a: {'[' * 300}{']' * 300}", "line 1: lists and sections lie more than 20 deep in each"),
        (f"a: {'[' * 3000}{']' * 3000}", "line 1, column 1003: it is no YAML: while increasing"),
        (staircase(), "line 21: lists and sections lie more than 20 deep in each other; flatten"),
    ],
    ids=lambda text: text[:12],
)  # fmt: skip
def test_a_file_that_no_settings_can_be_is_refused_at_once(tmp_path, text, message):
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        yaml_files.read(write(tmp_path, text))
    assert str(caught.value).startswith(str(tmp_path / "settings.yaml"))


def test_a_file_that_is_not_utf_8_is_named(tmp_path):
    (tmp_path / "settings.yaml").write_bytes(b"data: \xe9\xff\n")
    with pytest.raises(ValueError, match=r"settings\.yaml: it is not UTF-8 text"):
        yaml_files.read(tmp_path / "settings.yaml")


@pytest.mark.parametrize("text", ["", "# a comment\n", "---\n"])
def test_a_file_without_values_holds_nothing(tmp_path, text):
    assert yaml_files.read(write(tmp_path, text)) == (None, [])


def test_a_value_that_is_long_is_cut():
    assert yaml_files.short("a" * 100) == f"'{'a' * 79}..."
    assert yaml_files.short(1 << 20000) == "int of more than 4300 digits"


def test_every_setting_has_the_number_of_its_line(tmp_path):
    text = "\ufeff# first\na:\n  b: 1\n  c:\n  - x\n  - {d: 2,\n     e: 3}\nf.g: {h: 4}\nb: &b 1\n"
    assert yaml_files.line_numbers(write(tmp_path, text)) == {
        "a": 2,
        "a.b": 3,
        "a.c": 4,
        "a.c.0": 5,
        "a.c.1.d": 6,
        "a.c.1.e": 7,
        "f.g": 8,
        "f.g.h": 8,
        "b": 9,
    }
    assert yaml_files.line_numbers(write(tmp_path, "# nothing\n")) == {}

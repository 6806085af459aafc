import math
from pathlib import Path

import pytest
from pydantic import Field, model_validator

from ecgpipe import __main__
from ecgpipe.project import params

ROOT = Path(__file__).parents[2]


class Train(params.Section):
    rate: float
    folds: list[int]
    name: str = Field(pattern=params.NAME)


GOOD = {"rate": 1, "folds": [0, 1], "name": "a-1.b_2"}


def write(tmp_path, text):
    (tmp_path / "params.yaml").write_text(text, encoding="utf-8")
    return tmp_path / "params.yaml"


def test_numbers_are_read_as_dvc_reads_them(tmp_path):
    values = params.load(write(tmp_path, "train: {rate: 1e-3, on: yes, id: 012}\n"))
    assert values == {"train": {"rate": 0.001, "on": "yes", "id": 12}}


@pytest.mark.parametrize("text", ["", "- a\n", "word\n"])
def test_a_file_without_sections_is_named(tmp_path, text):
    with pytest.raises(ValueError, match=r"params\.yaml: expected sections such as 'data:', found"):
        params.load(write(tmp_path, text))


def test_a_section_is_found_and_checked():
    train = params.section(Train, {"a": {"train": GOOD}}, "a.train")
    assert (train.rate, train.folds, train.name) == (1.0, [0, 1], "a-1.b_2")
    with pytest.raises(ValueError, match="frozen"):
        train.rate = 2


@pytest.mark.parametrize("name", ["test", "train.deep", "train.rate.deep"])
def test_a_missing_section_is_named(name):
    with pytest.raises(ValueError, match=f"params.yaml has no section '{name}'"):
        params.section(Train, {"train": GOOD}, name)


def test_all_faults_are_reported_together():
    values = {"rate": "fast", "folds": [0, "1"], "name": "a b", "extra": 1}
    with pytest.raises(ValueError, match=r"^params\.yaml:\n") as caught:
        params.section(Train, {"train": values}, "train")
    text = str(caught.value)
    for part in (
        "train.rate: ",
        "(found 'fast')",
        "train.folds.1: ",
        "train.name: ",
        "train.extra: Extra inputs",
    ):
        assert part in text
    assert text.count("\n") == 4


def test_nothing_is_converted_in_silence():
    assert params.faults(Train, GOOD, "train") == []
    for key, value in (
        ("rate", "1"),
        ("folds", (0, 1)),
        ("folds", [True]),
        ("name", 1),
        ("rate", math.inf),
        ("rate", math.nan),
    ):
        assert len(params.faults(Train, GOOD | {key: value}, "train")) == 1, (key, value)


@pytest.mark.parametrize("name", ["", "-a", "a b", "a;b", "a/b", "$a", "a\n", "a" * 101])
def test_names_that_a_shell_would_take_apart_are_refused(name):
    assert "String should match pattern" in params.faults(Train, GOOD | {"name": name}, "train")[0]


def test_keys_that_stand_twice_are_all_told_with_their_lines(tmp_path):
    path = write(tmp_path, "a:\n  x: 1\n  y: {z: 1, z: 2}\n  x: 2\nb:\n- {k: 1, k: 1}\na: 3\n")
    values, doubles = params.read(path)
    assert values["a"]["x"] == 1, "the first counts"
    assert doubles == [
        "a.y.z: it stands twice, in lines 3 and 3; leave one",
        "a.x: it stands twice, in lines 2 and 4; leave one",
        "b.0.k: it stands twice, in lines 6 and 6; leave one",
        "a: it stands twice, in lines 1 and 7; leave one",
    ]
    with pytest.raises(
        ValueError, match=r"params\.yaml: a\.y\.z: it stands twice.*; a\.x: it stands twice"
    ):
        params.load(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "a:\n  b: [1, 2\nc: 1\n",
            r"params\.yaml, line 3, column 2: it is no YAML: expected ',' or '\]'",
        ),
        ("a:\n\tb: 1\n", r"params\.yaml, line 2, column 1: it is no YAML: found character"),
        ("a: *b\n", r"line 1, column 4: it is no YAML: found undefined alias 'b'"),
        ("a: 1\n---\nb: 2\n", r"line 2, column 1: it is no YAML: but found another document"),
        (
            "a: !!python/name:os.system 1\n",
            r"line 1, column 4: it is no YAML: could not determine a constructor",
        ),
        ("a: \x07\n", r"params\.yaml.*: it is no YAML: special characters are not allowed"),
    ],
)
def test_a_fault_of_the_syntax_is_one_line_that_says_where(tmp_path, text, said):
    with pytest.raises(ValueError, match=said) as caught:
        params.load(write(tmp_path, text))
    assert "\n" not in str(caught.value)


LAUGHS = "a0: &a0 [x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10)
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "sources: {1: {form: h5}}\n",
            r"sources: keys are text, found '1' in line 1; put it in quotes$",
        ),
        (
            "a: {}\n~: 1\n? [b]\n: 2\n",
            r"the file: keys are text, found '~' in line 2.*a list or a section in line 3",
        ),
        ("a: &a [*a]\n", r"line 1: the alias \*a stands in a part with an anchor; write it out$"),
        ("a: &a {b: {c: *a}}\n", r"line 1: the alias \*a stands in a part with an anchor"),
        (LAUGHS, r"line 2: the alias \*a0 stands in a part with an anchor"),
        (
            "a: &a 1\nb: [" + "*a, " * 1001 + "]\n",
            r"line 2: more than 1000 aliases; write the values out$",
        ),
        (
            "a: " + "[" * 3000 + "]" * 3000,
            r"line 1: lists and sections lie more than 20 deep in each other; flatten",
        ),
        (
            "".join(" " * n + f"k{n}:\n" for n in range(3000)),
            r"line 21: lists and sections lie more than 20 deep",
        ),
        ("a: 2001-13-45\n", r"a value cannot be read \(month must be in 1..12"),
        ("a: " + "9" * 5000, r"a value cannot be read \(Exceeds the limit"),
    ],
    ids=lambda text: text[:12],
)
def test_a_file_that_no_stage_can_use_is_refused_at_once(tmp_path, text, said):
    with pytest.raises(ValueError, match=said) as caught:
        params.read(write(tmp_path, text))
    assert str(caught.value).startswith(str(tmp_path / "params.yaml"))


def test_an_alias_stands_for_its_value(tmp_path):
    text = "a: &a {x: 1}\nb: {<<: *a, y: 2}\nc: *a\n"
    assert params.load(write(tmp_path, text)) == {
        "a": {"x": 1},
        "b": {"x": 1, "y": 2},
        "c": {"x": 1},
    }


def test_a_name_that_a_stage_is_given_is_one_of_those_known():
    assert params.one_of("1", [0, 1], "split.folds") == "1"
    with pytest.raises(ValueError, match=r"^'2' is not in split\.folds; give one of 0, 1$"):
        params.one_of("2", [0, 1], "split.folds")


def test_a_file_that_is_not_utf_8_is_named(tmp_path):
    (tmp_path / "params.yaml").write_bytes(b"data: \xe9\xff\n")
    with pytest.raises(ValueError, match=r"params\.yaml: it is not UTF-8 text"):
        params.load(tmp_path / "params.yaml")


def test_a_fault_of_a_whole_section_does_not_print_it():
    class Band(params.Section):
        low: float
        high: float

        @model_validator(mode="after")
        def _order(self) -> "Band":
            if self.low >= self.high:
                raise ValueError(f"low < high must hold: {self.low}, {self.high}")
            return self

    assert params.faults(Band, {"low": 2, "high": 1}, "band") == [
        "band: low < high must hold: 2.0, 1.0"
    ]
    assert params.faults(Band, {"low": 2}, "band") == ["band.high: Field required"]
    long = params.faults(Train, GOOD | {"name": "a " * 500}, "train")
    assert len(long) == 1
    assert len(long[0]) < 200


@pytest.mark.parametrize(("text", "count"), [("a: 1\n", "12 faults"), ("data: {}\n", "13 faults")])
def test_the_command_counts_the_faults_and_fails(tmp_path, capsys, text, count):
    assert __main__.main(["params", str(write(tmp_path, text))]) == 1
    assert capsys.readouterr().out.endswith(f"params.yaml: {count}\n")


def test_the_command_tells_double_keys_beside_the_other_faults(tmp_path, capsys):
    text = (ROOT / "params.yaml").read_text()
    assert (
        __main__.main(
            [
                "params",
                str(write(tmp_path, text.replace("  epochs: 32", "  epochs: 32\n  epochs: 3"))),
            ]
        )
        == 1
    )
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 2
    assert said[0].startswith("train.epochs: it stands twice, in lines")
    assert said[1].endswith("params.yaml: 1 fault")

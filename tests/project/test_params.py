import math

import pytest
from pydantic import Field, model_validator

from ecgpipe.project import params, paths


class Train(params.Section):
    rate: float
    folds: list[int]
    name: str = Field(pattern=paths.NAME)


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
        "train.extra: no such setting",
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
    assert "1 to 100 letters, digits" in params.faults(Train, GOOD | {"name": name}, "train")[0]


def test_faults_of_the_file_are_told_together_and_refuse_it(tmp_path):
    path = write(tmp_path, "a:\n  x: 1\n  x: 2\n  day: 2020-01-01\na: 3\n")
    values, problems = params.read(path)
    assert values == {"a": 3}
    assert len(problems) == 3
    told = r"params\.yaml: a: it stands twice, .*; a\.x: it stands twice, .*; a\.day: a value is"
    with pytest.raises(ValueError, match=told):
        params.load(path)


def test_a_catalogue_left_in_the_file_is_refused_with_where_it_goes(tmp_path):
    path = write(tmp_path, "a: {x: 1}\nsources: {mine: {form: h5}}\n")
    with pytest.raises(
        ValueError, match=r"params\.yaml: sources: .*; move .* configs/sources\.yaml"
    ):
        params.load(path)
    assert params.read(path)[0] == {"a": {"x": 1}}


def test_a_name_that_a_stage_is_given_is_one_of_those_known():
    assert params.one_of("1", [0, 1], "split.folds") == "1"
    with pytest.raises(ValueError, match=r"^'2' is not in split\.folds; give one of 0, 1$"):
        params.one_of("2", [0, 1], "split.folds")


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
    assert params.faults(Band, {"low": 2}, "band") == ["band.high: it is missing"]
    long = params.faults(Train, GOOD | {"name": "a " * 500}, "train")
    assert len(long) == 1
    assert len(long[0]) < 200

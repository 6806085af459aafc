from typing import Annotated, Literal

import pytest
from pydantic import Field

from ecgpipe.project import params, paths


class Inner(params.Section):
    low_hz: float = Field(gt=0, lt=50)


class Outer(params.Section):
    width: int = Field(ge=1, le=64)
    on: bool
    how: Literal["beatwise", "whole"]
    inner: Inner | None = None
    folds: list[int] | list[str]
    classes: str | list[str]
    names: list[Annotated[str, Field(pattern=paths.NAME)]] = Field(min_length=1)
    points: dict[str, float]


GOOD = {
    "width": 20,
    "on": True,
    "how": "whole",
    "inner": {"low_hz": 1.0},
    "folds": [0, 1],
    "classes": "study",
    "names": ["a"],
    "points": {},
}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"width": 2.5}, ["o.width: a whole number (found 2.5)"]),
        ({"width": "20"}, ["o.width: a whole number (found '20')"]),
        ({"width": 0}, ["o.width: 1 or more (found 0)"]),
        ({"width": 65}, ["o.width: 64 or less (found 65)"]),
        ({"on": "yes"}, ["o.on: true or false (found 'yes')"]),
        (
            {"how": "beetwise"},
            ["o.how: 'beatwise' or 'whole'; did you mean 'beatwise'? (found 'beetwise')"],
        ),
        ({"how": 3}, ["o.how: 'beatwise' or 'whole' (found 3)"]),
        ({"inner": 3}, ["o.inner: a section with settings of its own (found 3)"]),
        ({"inner": {"low_hz": 50}}, ["o.inner.low_hz: below 50 (found 50)"]),
        ({"inner": {"low_hz": 0}}, ["o.inner.low_hz: above 0 (found 0)"]),
        ({"inner": {"low_hz": float("nan")}}, ["o.inner.low_hz: a finite number (found nan)"]),
        (
            {"inner": {"low": 1.0}},
            [
                "o.inner.low_hz: it is missing",
                "o.inner.low: no such setting (found 1.0)",
            ],
        ),
        (
            {"inner": {"low_hz": 1.0, "lowhz": 1.0}},
            ["o.inner.lowhz: no such setting; did you mean 'low_hz'? (found 1.0)"],
        ),
        ({"classes": 3}, ["o.classes: text; put it in quotes or a list (found 3)"]),
        ({"classes": [3]}, ["o.classes.0: text; put it in quotes (found 3)"]),
        ({"classes": {"a": 1}}, ["o.classes: text or a list"]),
        ({"names": []}, ["o.names: a list of 1 or more (found [])"]),
        ({"names": "a"}, ["o.names: a list (found 'a')"]),
        (
            {"names": ["a b"]},
            [
                "o.names.0: 1 to 100 letters, digits, '.', '_' and '-', a letter or digit first "
                "(found 'a b')"
            ],
        ),
        ({"points": [1]}, ["o.points: a section with settings of its own (found [1])"]),
        ({"widht": 20}, ["o.widht: no such setting; did you mean 'width'? (found 20)"]),
        ({"speed": 20}, ["o.speed: no such setting (found 20)"]),
    ],
    ids=str,
)
def test_a_fault_is_told_in_words_that_name_what_is_allowed(change, told):
    assert params.faults(Outer, GOOD, "o") == []
    assert params.faults(Outer, GOOD | change, "o") == told


def test_no_word_of_the_library_that_checks_is_told():
    for wrong in (None, 3, 2.5, "x", [], [None], {}, {"a": 1}, True, float("inf")):
        for key in GOOD:
            for fault in params.faults(Outer, GOOD | {key: wrong}, "o"):
                assert "Input" not in fault and "[" not in fault.split(" (found ")[0], fault

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgpipe.splitting import institutions

CHALLENGE = [["chapman_shaoxing", "ningbo"], ["cpsc_2018", "cpsc_2018_extra"], ["ptb", "ptb-xl"]]
NAMES = list("abcdefgh")


@st.composite
def worlds(draw):
    """Sizes of some sources, and some institutions, which may name sources that are not there."""
    sizes = draw(st.dictionaries(st.sampled_from(NAMES), st.integers(1, 1000), min_size=1))
    place = draw(st.lists(st.integers(0, 5), min_size=len(NAMES), max_size=len(NAMES)))
    members: dict[int, list[str]] = {}
    for name, number in zip(NAMES, place, strict=True):
        members.setdefault(number, []).append(name)
    # Numbers 4 and 5 stand for sources that no institution names.
    return sizes, [names for number, names in members.items() if number < 4]


def test_sources_stand_by_institution_and_names_that_are_not_there_are_ignored():
    used = ["ptb-xl", "sph", "ningbo", "ptb", "cpsc_2018"]
    assert institutions.of(used, CHALLENGE) == [
        ["cpsc_2018"],
        ["ningbo"],
        ["ptb", "ptb-xl"],
        ["sph"],
    ]
    assert institutions.of(used, []) == [[name] for name in sorted(used)]


def test_institutions_are_dealt_whole_the_largest_first_each_to_the_emptiest_fold():
    sizes = {
        "ptb": 5,
        "ptb-xl": 218,
        "georgia": 103,
        "ningbo": 349,
        "chapman_shaoxing": 102,
        "cpsc_2018": 69,
    }
    dealt = institutions.deal_to_folds(sizes, CHALLENGE, 3)
    assert dealt == {
        "ningbo": "0",
        "chapman_shaoxing": "0",
        "ptb": "1",
        "ptb-xl": "1",
        "georgia": "2",
        "cpsc_2018": "2",
    }


def test_equal_sizes_are_dealt_by_name():
    assert institutions.deal_to_folds({"b": 1, "c": 1, "a": 1}, [], 2) == {
        "a": "0",
        "b": "1",
        "c": "0",
    }


@given(worlds(), st.integers(2, 6))
def test_dealing_keeps_institutions_whole_fills_the_first_folds_and_is_even(world, folds):
    sizes, together = world
    whole = institutions.of(list(sizes), together)
    if len(whole) < 2:
        with pytest.raises(ValueError, match="needs 2 at least"):
            institutions.deal_to_folds(sizes, together, folds)
        return
    dealt = institutions.deal_to_folds(sizes, together, folds)
    assert dealt.keys() == sizes.keys()
    assert all(len({dealt[name] for name in names}) == 1 for names in whole)
    used = {str(fold) for fold in range(min(folds, len(whole)))}
    assert set(dealt.values()) == used, "the last folds stay unused"
    filled = {fold: sum(sizes[name] for name in sizes if dealt[name] == fold) for fold in used}
    largest = max(sum(sizes[name] for name in names) for names in whole)
    assert max(filled.values()) - min(filled.values()) <= largest


def test_one_institution_alone_cannot_be_held_out():
    with pytest.raises(
        ValueError, match=r"found \[ptb, ptb-xl\]; add another to data.sources, or edit split.inst"
    ):
        institutions.deal_to_folds({"ptb": 5, "ptb-xl": 9}, CHALLENGE, 2)


def test_a_test_source_whose_institution_is_in_use_besides_is_a_fault():
    used = ["ptb", "ptb-xl", "ningbo", "georgia"]
    (fault,) = institutions.partly_tested(["ptb", "ningbo"], used, CHALLENGE)
    assert fault.startswith(
        "split.test_sources: institution [ptb, ptb-xl] is to be tested whole or not at all"
    )
    assert "ptb-xl is not named; name all of it, or edit split.institutions" in fault
    assert institutions.partly_tested(["ptb", "ptb-xl", "ningbo"], used, CHALLENGE) == []
    assert institutions.partly_tested(["ptb"], ["ptb", "georgia"], CHALLENGE) == [], (
        "its other source is not in use"
    )
    assert institutions.partly_tested(["ptb"], used, []) == []
    assert institutions.partly_tested([], used, CHALLENGE) == []

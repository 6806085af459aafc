"""Single labels: what they mean, and what to think of those that nobody understands."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgpipe.diagnoses import vocabularies
from ecgpipe.diagnoses.classes import select
from ecgpipe.labels import meanings
from tests.fixtures.labelled import AF, EAST, LUDB, NINGBO, NSR, PTB_XL, SPH, TINV, described


def meaning(source, label):
    vocabulary = vocabularies.vocabulary(source.vocabulary)
    return meanings.meanings_of(described((label,)), source, vocabulary, select([AF]))[label]


def test_equally_specific_statements_all_speak():
    words = {"1+2": frozenset({"11"}), "1+3": frozenset({"12"}), "1": frozenset({"13"})}
    assert meanings.snomed("1+3+2", "aha", words) == {"11", "12"}


@settings(deadline=None)
@given(st.permutations(["367", "310", "346"]), st.integers(0, 2))
def test_the_order_of_modifiers_and_zeros_in_front_say_nothing(modifiers, zeros):
    words = vocabularies.vocabulary("SPH")
    statement = "+".join("0" * zeros + code for code in ["147", *modifiers])
    assert meanings.snomed(statement, "aha", words) == {TINV}


@pytest.mark.parametrize(
    ("source", "label", "codes", "known", "genuine"),
    [
        (PTB_XL, AF, {AF}, True, True),
        (PTB_XL, "106068003", {"106068003"}, False, True),  # Ningbo says it
        (PTB_XL, "49436004", set(), False, False),  # atrial fibrillation (disorder)
        (PTB_XL, "164889004", set(), False, False),
        (PTB_XL, "999999", set(), False, False),
        (NINGBO, "251238007", set(), False, False),
        (LUDB, "Rhythm: Sinus rhythm", {NSR}, True, True),
        (EAST, "sinus rhythm", {NSR}, True, True),
        (EAST, AF, set(), False, False),
        (SPH, "50", {AF}, True, True),
        (SPH, "050", {AF}, True, True),
        (SPH, "145+362", set(), False, True),  # ST depression
        (SPH, "145+226", set(), False, True),  # consider ischemia
        (SPH, "9", set(), False, False),
        (SPH, "103", set(), False, False),
        (SPH, "999", set(), False, False),
        (SPH, "226", set(), False, False),  # a secondary statement alone
        (SPH, "367", set(), False, False),  # a modifier alone
        (SPH, "50+999", set(), False, False),
        (SPH, "0", set(), False, False),
        (SPH, "0050", set(), False, False),
    ],
)
def test_what_a_label_means(source, label, codes, known, genuine):
    assert meaning(source, label) == (codes, known, genuine)


def test_the_recommendations_statements_are_121_and_all_of_sphs_are_among_them():
    runs = [range(first, last + 1) for first, last in meanings.PRIMARY]
    primary = [code for run in runs for code in run]
    assert len(primary) == len(set(primary)) == 121
    assert primary == sorted(primary)
    for entry in vocabularies.vocabulary("SPH"):
        assert int(entry.split("+")[0]) in primary


@pytest.mark.parametrize(
    ("label", "codes", "says"),
    [
        ("164889004", "snomed", "its check digit is wrong: mistyped?"),
        ("49436004", "snomed", "a code that no table knows"),
        (" flimmern", "native", "did you mean 'Flimmern'?"),
        ("unregelma\u0308\u00dfig", "native", "did you mean 'unregelm\u00e4\u00dfig'?"),
        ("Flattern", "native", ""),
        ("Flimern", "native", "did you mean 'Flimmern'?"),
        ("Flimmern; unregelm\u00e4\u00dfig", "native", "separate labels by commas"),
        ("Flimmern; Flattern", "native", ""),
        ("147", "snomed", ""),
    ],
)
def test_what_to_think_of_an_unknown_label(label, codes, says):
    words = {"Flimmern": frozenset({AF}), "unregelm\u00e4\u00dfig": frozenset()}
    assert meanings.hint(label, codes, words) == (f" ({says})" if says else "") or (
        says == "a code that no table knows" and says in meanings.hint(label, codes, words)
    )

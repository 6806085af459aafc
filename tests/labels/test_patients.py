"""Ids of patients that are none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgpipe.labels import patients
from ecgpipe.recordings.descriptions import Description

NONE = ["unknown", "UNK", "NA", "n/a", "-", "--", "?", "none", "anonymous", "xxx", "...", "n.a."]
NONE += ["#N/A", "#REF!", "#DIV/0!", "#NAME?", "k.A."]


def of(patient, *persons):
    """Recordings of one id, of persons such as 'F60'; '' is unknown, '-60' of age alone."""
    return [
        Description(
            f"R{number}",
            f"R{number}.hea",
            patient,
            float(person[1:]) if person[1:] else None,
            person[:1].strip("-") or None,
            flags=("odd-age",),
        )
        for number, person in enumerate(persons)
    ]


def flags(descriptions):
    return {flag for one in patients.judged(descriptions) for flag in one.flags} - {"odd-age"}


@pytest.mark.parametrize("word", NONE)
def test_a_word_for_none_is_no_patient(word):
    judged = patients.judged(of(word, "F60", "F60"))
    assert [one.patient for one in judged] == [None, None]
    assert [one.flags for one in judged] == [("odd-age", "no-patient")] * 2


@pytest.mark.parametrize("number", ["0", "000", "-1", "999", "9999", "X"])
def test_a_number_for_none_is_one_where_strangers_share_it(number):
    assert flags(of(number, "F60", "M20", "F30", "M80")) == {"no-patient"}
    assert flags(of(number, "-20", "-80", "-25", "-78")) == {"no-patient"}
    assert flags(of(number, "F60", "F61", "F62")) == set()
    assert flags(of(number, "F60", "F61", "M62")) == {"odd-patient"}, "one wrong sex"
    assert flags(of(number, "F60", "F61", "F6")) == {"odd-patient"}, "one wrong age"


def test_strangers_under_another_id_are_flagged_and_kept_together():
    persons = of("P1", "F60", "M20", "F30", "M80")
    judged = patients.judged(persons)
    assert [one.patient for one in judged] == ["P1"] * 4
    assert flags(persons) == {"odd-patient"}
    assert flags(of("P1", "F20", "F50")) == set()
    assert flags(of("P1", "F20", "F51")) == {"odd-patient"}


def test_a_number_with_and_without_zeros_in_front_is_one_patient():
    persons = [*of("007", "F60"), *of("7", "F61"), *of("8", "F60"), *of("07", "F60")]
    judged = patients.judged(persons)
    assert [one.patient for one in judged] == ["007", "007", "8", "007"]
    assert ["odd-patient" in one.flags for one in judged] == [True, True, False, True]
    assert patients.judged(of("007", "F60", "F61")) == of("007", "F60", "F61")


@pytest.mark.parametrize("patient", ["P1", "10", "99", "1", "NAN1", "A-1", "none1", "Nadal", "0x"])
def test_other_ids_are_patients(patient):
    persons = of(patient, "F60", "F61", "", "F")
    assert patients.judged(persons) == persons


@given(st.lists(st.sampled_from(["P1", "P2", "0", "unknown", None, ""])))
def test_recordings_keep_their_order_and_all_but_patients_and_flags(ids):
    persons = [of(one, "F60")[0]._replace(record=f"R{place}") for place, one in enumerate(ids)]
    judged = patients.judged(iter(persons))
    assert [one.record for one in judged] == [one.record for one in persons]
    for one, before in zip(judged, persons, strict=True):
        assert one._replace(patient=before.patient, flags=before.flags) == before
        assert (one.patient, one.flags) == (before.patient, before.flags) or (
            before.patient == "unknown" and one.patient is None
        )

"""What comments of headers say of a patient, as data sets write it."""

import pytest

from ecgpipe.recordings import wfdb_comments


@pytest.mark.parametrize("line", ["#Age: 74", "# Age: 74", "#<age>: 74", "# age : 74", "#\tAge:74"])
def test_ages_in_every_spelling_of_the_comment(line):
    assert wfdb_comments.read((line[1:].strip(),)).age == 74


@pytest.mark.parametrize(
    ("written", "labels"),
    [
        ("1,2", ("1", "2")),
        ("1,2,", ("1", "2")),
        ("1,,2", ("1", "2")),
        ("1, 2,1", ("1", "2")),
        ("", ()),
        ("Unknown", ()),
        ("first degree AV block,sinus rhythm", ("first degree AV block", "sinus rhythm")),
    ],
)
def test_labels_are_cleaned(written, labels):
    assert wfdb_comments.read((f"Dx: {written}",)).labels == labels


def test_a_ludb_header_lists_its_diagnoses_line_by_line():
    comments = (
        "<age>: 51",
        "<sex>: F",
        "<diagnoses>:",
        "Rhythm: Sinus bradycardia.",
        "Ventricular extrasystole, type: single PVC.",
    )
    clinical = wfdb_comments.read(comments)
    assert (clinical.age, clinical.sex) == (51, "F")
    assert clinical.labels == (
        "Rhythm: Sinus bradycardia",
        "Ventricular extrasystole, type: single PVC",
    )


@pytest.mark.parametrize(
    ("comments", "doubts"),
    [
        (("Age: 74", "Sex: F", "Dx: 426783006"), ()),
        (("Age: 74", "age: 75", "Sex: F"), ("odd-age",)),
        (("Age: old", "Sex: 3"), ("odd-age", "odd-sex")),
        (("Dx: 426783006,164889003", "Dx: 164889003, 426783006"), ()),
        (("Dx: 426783006", "Dx: 164889003"), ("odd-labels",)),
        (("Dx: 426783006;164889003",), ("odd-labels",)),
        (("<diagnoses>:", "426783006.0."), ("odd-labels",)),
    ],
)
def test_what_is_odd_is_named(comments, doubts):
    assert wfdb_comments.read(comments).doubts == doubts


@pytest.mark.parametrize("length", [1, 30, 300])
def test_a_long_list_of_labels_means_what_its_parts_mean(length):
    labels = [str(426783006 + 1000 * number) for number in range(length)]
    assert list(wfdb_comments.read((f"Dx: {', '.join(labels)}",)).labels) == labels

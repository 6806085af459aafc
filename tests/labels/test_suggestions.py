"""Suggestions: typos that people make, and diagnoses that differ by a letter or two."""

import pytest

from ecgpipe.diagnoses import vocabularies
from ecgpipe.labels.suggestions import suggestion


@pytest.mark.parametrize(
    ("label", "entry"),
    [
        ("Sinus Rythm", "sinus rhythm"),
        ("sinsu rhythm", "sinus rhythm"),
        ("simus rhythm", "sinus rhythm"),
        ("sinus  rhythm", "sinus rhythm"),
        ("Atrial fibrilation", "atrial fibrillation"),
        ("Vorhofflimern", "Vorhofflimmern"),
        ("linksanteriorer Hemiblok", "linksanteriorer Hemiblock"),
    ],
)
def test_a_typo_of_a_letter_or_two_is_seen(label, entry):
    others = ["atrial flutter", "sinus arrhythmia", "Vorhofflattern"]
    assert suggestion(label, [*others, entry]) == entry


@pytest.mark.parametrize(
    ("label", "entry"),
    [
        ("LBBB", "RBBB"),
        ("IIAVBI", "IIAVBII"),
        ("AV block 1", "AV block 2"),
        ("av block type II", "av block type III"),
        ("incomplete right bundle branch block", "complete right bundle branch block"),
        ("left bundle branch block", "right bundle branch block"),
        ("anterior myocardial infarction", "inferior myocardial infarction"),
        ("abnormal", "normal"),
        ("atypical atrial flutter", "typical atrial flutter"),
        ("irregular rhythm", "regular rhythm"),
        ("bradycardia", "tachycardia"),
        ("hypokalemia", "hyperkalemia"),
        ("supraventricular ectopics", "ventricular ectopics"),
        ("sinus arrhythmia", "sinus rhythm"),
        ("Flattern", "Flimmern"),
        ("", "normal"),
    ],
)
def test_another_diagnosis_is_no_typo(label, entry):
    assert suggestion(label, [entry]) == suggestion(entry, [label]) == ""


def test_no_label_of_a_real_vocabulary_is_taken_for_another_meaning():
    """Of each vocabulary the entry is left out that a label would mean."""
    suggested = []
    for name in vocabularies.vocabularies():
        words = vocabularies.vocabulary(name)
        for label, codes in words.items():
            entry = suggestion(label, [other for other in words if other != label])
            if entry and words[entry] != codes:
                suggested.append((name, label, entry))
    assert suggested == []

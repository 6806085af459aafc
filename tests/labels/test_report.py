import pandas as pd
import pytest

from ecgpipe.diagnoses import vocabularies
from ecgpipe.labels import mapping, report
from ecgpipe.recordings.descriptions import Description
from ecgpipe.recordings.sources import Source
from tests.fixtures.labelled import AF, CPSC, EAST, SPH, STUDY, TAB, described


@pytest.fixture
def reported():
    descriptions = {
        "cpsc": [
            *described(
                (AF, "429622005"), ("426783006", TAB), ("429622005", "999"), (), ("heart",), (TAB,)
            ),
            *(Description(f"X{n:02d}", f"X{n:02d}.hea", fault="leads: missing") for n in range(60)),
        ],
        "sph": described(("50+310", "999"), ("1",)),
    }
    sources = {"cpsc": CPSC, "sph": SPH}
    words = {name: vocabularies.vocabulary(source.vocabulary) for name, source in sources.items()}
    parts = [mapping.map_source(n, descriptions[n], sources[n], words[n], STUDY) for n in sources]
    return report.report(pd.concat(parts, ignore_index=True), descriptions, sources, words, STUDY)


def test_the_report_counts_positives_by_class_and_source(reported):
    assert (reported["recordings"], reported["usable"]) == (68, 6)
    cpsc, sph = reported["sources"]["cpsc"], reported["sources"]["sph"]
    assert [cpsc["positives"][name] for name in ("AF", "RBBB", "TAb")] == [1, 0, None]
    assert [sph["positives"][name] for name in ("AF", "NSR", "TAb")] == [1, 1, 0]
    assert reported["classes"]["AF"] | {"codes": 0, "name": 0} == {
        "code": AF,
        "name": 0,
        "codes": 0,
        "positives": 2,
        "annotated": 5,
    }
    tab = reported["classes"]["TAb"]
    assert (tab["positives"], tab["annotated"]) == (0, 1), "at sph alone, and not beside '999'"


def test_the_report_names_what_was_left_out_up_to_a_cap(reported):
    left_out = reported["sources"]["cpsc"]["left_out"]
    assert left_out["no-labels"] == {"recordings": 1, "records": ["R3"]}
    assert left_out["unknown-labels"] == {"recordings": 1, "records": ["R4"]}
    assert left_out["leads"]["recordings"] == 60
    assert left_out["leads"]["records"] == [f"X{n:02d}" for n in range(50)]
    assert reported["sources"]["sph"]["left_out"] == {}


def test_the_report_counts_the_flags_of_usable_recordings():
    one, two, three = described((AF,), (AF,), ())
    flagged = [
        one._replace(flags=("odd-age", "odd-sex")),
        two._replace(flags=("odd-age",)),
        three._replace(flags=("odd-age",)),
    ]
    words = vocabularies.vocabulary(CPSC.vocabulary)
    table = mapping.map_source("cpsc", flagged, CPSC, words, STUDY)
    said = report.report(table, {"cpsc": flagged}, {"cpsc": CPSC}, {"cpsc": words}, STUDY)[
        "sources"
    ]["cpsc"]
    assert said["flags"] == {"odd-age": 2, "odd-sex": 1}


def test_the_report_counts_labels_that_no_class_takes(reported):
    cpsc, sph = reported["sources"]["cpsc"], reported["sources"]["sph"]
    assert cpsc["unknown"] == {"999": 1, "heart": 1}
    assert cpsc["outside_vocabulary"] == {"164934002 t wave abnormal": 2}
    assert cpsc["unscored"] == {"429622005 st depression": 2}
    assert cpsc["without_a_class"] == 2, "R2, and R5 whose class is not annotated"
    assert cpsc["partly_unknown"] == 1, "R2"
    assert (sph["unknown"], sph["without_a_class"]) == ({"999": 1}, 0)
    assert (cpsc["age_unknown"], cpsc["sex_unknown"], cpsc["patient_unknown"]) == (0, 0, 4)


def test_the_report_and_the_log_name_what_an_unknown_label_may_mean(caplog):
    words = vocabularies.vocabulary(EAST.vocabulary)
    stated = described(("sinus rhythm",), ("sinus rhythm", "Sinus Rhythm"), ("sinus rhythm",))
    table = mapping.map_source("east", stated, EAST, words, STUDY)
    made = report.report(table, {"east": stated}, {"east": EAST}, {"east": words}, STUDY)
    assert made["sources"]["east"]["did_you_mean"] == {"Sinus Rhythm": "sinus rhythm"}
    report.log(made, {"east": EAST})
    assert "east: unknown label 'Sinus Rhythm': did you mean 'sinus rhythm'?" in caplog.text


@pytest.mark.parametrize(("column", "warns"), [("who", True), (None, False)])
def test_the_log_warns_of_unknown_patients_where_the_source_names_them(column, warns, caplog):
    columns = {"record": "id", "labels": "said", "patient": column}
    entry = {"form": "h5", "vocabulary": "SPH", "codes": "aha", "rate_hz": 500, "table": "t.csv"}
    source = Source.model_validate(entry | {"columns": columns})
    words = vocabularies.vocabulary("SPH")
    one, two, three = described(("1",), ("1",), ("1",))
    stated = [one._replace(patient="p"), two, three]
    table = mapping.map_source("own", stated, source, words, STUDY)
    made = report.report(table, {"own": stated}, {"own": source}, {"own": words}, STUDY)
    report.log(made, {"own": source})
    says = "own: the patient is unknown in 2 of 3 usable recordings: each counts as a patient of"
    assert (says in caplog.text) == warns

"""Groups against a plain walk over their links, and duplicates whose labels disagree."""

import shutil

import numpy as np
import pandas as pd

from ecgpipe.preprocessing import store_writer
from ecgpipe.recordings.recording import read
from ecgpipe.simulation import writers
from ecgpipe.splitting import duplicates
from tests.fixtures.split_tables import recordings

COLUMNS = ["source", "record", "digest", "426783006", "164889003"]


def test_one_signal_with_two_diagnoses_is_named_and_a_blank_disagrees_with_nothing():
    rows = [
        ("a", "1", "x", 1, 0),
        ("b", "7", "x", 0, 0),
        ("a", "2", "y", 1, np.nan),
        ("b", "8", "y", 1, 1),
        ("a", "3", "z", 0, 1),
        ("a", "4", "w", 1, 0),
    ]
    table = pd.DataFrame(rows, columns=COLUMNS)
    assert duplicates.conflicting_labels(table) == [
        {"records": ["a/1", "b/7"], "classes": ["426783006"]}
    ]


def test_a_blank_between_two_that_differ_hides_nothing():
    rows = [
        ("a", "1", "x", 1, 0),
        ("b", "2", "x", np.nan, np.nan),
        ("c", "3", "x", 0, 0),
        ("d", "4", "x", np.nan, 0),
    ]
    for order in ([0, 1, 2, 3], [1, 0, 3, 2], [3, 2, 1, 0]):
        table = pd.DataFrame([rows[place] for place in order], columns=COLUMNS)
        (conflict,) = duplicates.conflicting_labels(table)
        assert sorted(conflict["records"]) == ["a/1", "c/3"]
        assert conflict["classes"] == ["426783006"]


def test_the_same_recording_in_other_units_is_one_group(tmp_path):
    rng = np.random.default_rng(0)
    signal_mv = rng.normal(0, 0.3, (2500, 12))
    writers.write_challenge(tmp_path, "mv", signal_mv, 500, age=50, sex="F", labels=["1"])
    text = (tmp_path / "mv.hea").read_text()
    (tmp_path / "uv.hea").write_text(text.replace("mv", "uv").replace("1000/mV", "1/uV"))
    shutil.copy(tmp_path / "mv.mat", tmp_path / "uv.mat")
    digests = []
    for name in ("mv", "uv"):
        recording = read(tmp_path / f"{name}.hea")
        digests.append(store_writer.raw_digest(recording.signal_mv, recording.rate_hz))
    assert digests[0] == digests[1]
    table = pd.DataFrame(
        {"source": ["a", "b"], "record": ["mv", "uv"], "patient": "", "digest": digests}
    )
    assert len(set(duplicates.groups(table))) == 1


def test_a_group_is_a_patient_of_one_source_united_with_its_exact_duplicates():
    rows = [
        ["cpsc", "A1", "", "x"],
        ["cpsc", "A2", "", "y"],
        ["extra", "Q1", "7", "x"],
        ["extra", "Q2", "7", "z"],
        ["other", "1", "7", "w"],
    ]
    table = pd.DataFrame(rows, columns=["source", "record", "patient", "digest"])
    assert duplicates.groups(table).tolist() == [
        "cpsc/A1",
        "cpsc/A2",
        "cpsc/A1",
        "cpsc/A1",
        "other:7",
    ]


def test_groups_agree_with_a_plain_walk_over_the_links():
    table = recordings({"a": 60, "b": 60}, patients=30, seed=3)
    table.loc[::7, "digest"] = "same-" + (table.index[::7] % 4).astype(str)
    group = duplicates.groups(table)
    patients = table["source"] + table["patient"]
    reached = {0}
    while True:
        linked = table.iloc[sorted(reached)]
        same_patient = patients.isin(patients[linked.index])
        same_signal = table["digest"].isin(linked["digest"])
        more = set(np.flatnonzero(same_patient | same_signal))
        if more == reached:
            break
        reached = more
    assert reached == set(np.flatnonzero(group == group[0]))

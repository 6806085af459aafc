"""Simulated recordings: labels against the signal measured afresh, files against the records they
are read as."""

import hashlib
import shutil

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgpipe.diagnoses import vocabularies
from ecgpipe.project.errors import UserError
from ecgpipe.recordings import refusals, sources
from ecgpipe.recordings.descriptions import describe
from ecgpipe.recordings.recording import read
from ecgpipe.simulation import hospitals


def test_a_worker_makes_no_folder_again_that_its_owner_took_away(tmp_path, monkeypatch):
    original = hospitals._write

    def taken_away(name, folder, seed, index):
        if index == 2:
            shutil.rmtree(tmp_path / "temporary")
        return original(name, folder, seed, index)

    monkeypatch.setattr(hospitals, "_write", taken_away)
    monkeypatch.chdir(tmp_path)
    for name in hospitals.SOURCES:
        (tmp_path / "temporary").mkdir()
        with pytest.raises(FileNotFoundError):
            hospitals._write_chunk(name, tmp_path / "temporary", str(tmp_path), 1, range(4))
        assert not (tmp_path / "temporary").exists()


def digests(folder):
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    assert paths
    return {
        path.relative_to(folder): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths
    }


def test_the_same_seed_gives_the_same_files_with_any_number_of_workers(raw, params, tmp_path):
    hospitals.simulate("sim-west", tmp_path / "again", params, workers=2)
    assert digests(tmp_path / "again") == digests(raw / "sim-west")


def test_another_seed_gives_other_files(raw, params, tmp_path):
    hospitals.simulate(
        "sim-south", tmp_path / "other", params.model_copy(update={"seed": 2}), workers=1
    )
    assert not set(digests(tmp_path / "other").values()) & set(digests(raw / "sim-south").values())


def test_a_longer_run_begins_with_the_same_recordings(raw, params, tmp_path):
    more = params.model_copy(update={"recordings": 160})
    hospitals.simulate("sim-east", tmp_path / "more", more, workers=1)
    assert digests(raw / "sim-east").items() <= digests(tmp_path / "more").items()


def test_every_source_speaks_only_its_own_words(raw):
    west = pd.read_csv(raw / "sim-west" / "metadata.csv", dtype=str)
    assert list(west) == ["ECG_ID", "AHA_Code", "Patient_ID", "Age", "Sex", "N", "Date"]
    statements = set(";".join(west["AHA_Code"].dropna()).split(";"))
    for name in ("sim-east", "sim-south"):
        headers = list((raw / name).rglob("*.hea"))
        assert headers
        words = set()
        for path in headers:
            written = path.read_text().partition("Dx: ")[2].splitlines()
            words |= set(written[0].split(",")) if written else set()
        assert words <= set(vocabularies.vocabulary(name))
    assert statements <= set(vocabularies.vocabulary("sim-west"))


def test_the_west_says_1_of_a_normal_recording_and_20_of_sinus_rhythm_beside_another_finding():
    rng = np.random.default_rng(0)
    assert hospitals.native("sim-west", ("NSR",), rng) == ["1"]
    assert "20" in hospitals.native("sim-west", ("NSR", "RBBB"), rng)
    assert "1" not in hospitals.native("sim-west", ("NSR", "RBBB"), rng)


def test_what_a_source_has_no_word_for_is_left_out_or_other():
    rng = np.random.default_rng(0)
    assert hospitals.native("sim-south", ("NSR", "LAD"), rng) == hospitals.native(
        "sim-south", ("NSR",), rng
    )
    assert hospitals.native("sim-south", ("LAD",), rng) == ["OTHER"]


def test_some_patients_of_the_west_come_twice(raw):
    column = pd.read_csv(raw / "sim-west" / "metadata.csv")["Patient_ID"]
    assert (column.value_counts() == 2).any()


def test_an_unknown_source_is_named(params, tmp_path):
    with pytest.raises(UserError, match="source 'sim-up' is not one of sim-north, sim-east"):
        hospitals.simulate("sim-up", tmp_path / "x", params)


def test_every_recording_can_be_read_and_only_the_truncated_one_is_refused(raw):
    refused = []
    for name, codes in (("sim-north", "snomed"), ("sim-east", "native"), ("sim-south", "native")):
        source = sources.Source(form="wfdb", vocabulary=name, codes=codes)
        descriptions = list(describe(raw / name, source))
        assert len(descriptions) == hospitals.size(name, 120)
        for description in descriptions:
            try:
                recording = read(raw / name / description.path, source)
                assert recording.rate_hz == hospitals.SOURCES[name].rate_hz
            except refusals.Refused as error:
                refused.append((description.record, error.reason))
    assert refused == [("NO00012", "truncated")]


def test_the_shares_of_the_sources_make_a_whole():
    assert sum(source.share for source in hospitals.SOURCES.values()) == pytest.approx(1)


@given(recordings=st.integers(60, 100_000))
def test_the_sources_sizes_add_up_to_the_recordings_asked_for(recordings):
    sizes = {name: hospitals.size(name, recordings) for name in hospitals.SOURCES}
    assert sum(sizes.values()) == recordings
    for name, size in sizes.items():
        assert abs(size - recordings * hospitals.SOURCES[name].share) <= 1

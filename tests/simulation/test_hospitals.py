"""Simulated recordings: labels against the signal measured afresh, files against the records they
are read as."""

import hashlib
import shutil
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ecgpipe.diagnoses import vocabularies
from ecgpipe.project.leads import LEADS
from ecgpipe.recordings import refusals, sources
from ecgpipe.recordings.recording import describe, read
from ecgpipe.simulation import hospitals, label_criteria
from ecgpipe.simulation.params import SimulateParams

ALL = list(hospitals.SOURCES)
CHOSEN = SimulateParams(sources=ALL, recordings=120, seed=1)


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    folder = tmp_path_factory.mktemp("raw")
    for name in ALL:
        hospitals.simulate(name, folder / name, CHOSEN, workers=1)
    return folder


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


def test_a_recording_has_the_length_rate_and_limb_algebra_it_should():
    for seed in range(6):
        made = hospitals.simulate_recording(np.random.default_rng(seed), rate_hz=257, seconds=11)
        assert made.signal_mv.shape == (11 * 257, len(LEADS)) and made.signal_mv.dtype == np.float32
        i, ii, iii, avr, avl, avf = made.signal_mv[:, :6].T
        np.testing.assert_allclose(iii, ii - i, atol=1e-5)
        np.testing.assert_allclose(avr + avl + avf, 0, atol=1e-5)
        assert np.abs(made.signal_mv).max() < 10


def test_every_class_is_a_fair_share_of_many_patients():
    made = Counter()
    for seed in range(600):
        made.update(
            hospitals.simulate_recording(
                np.random.default_rng([7, seed]), rate_hz=100, clean=True
            ).labels
        )
    assert set(made) == set(label_criteria.CODES)
    shares = {label: count / 600 for label, count in made.items()}
    assert 0.28 < shares.pop("NSR") < 0.45
    assert min(shares.values()) > 0.05 and max(shares.values()) < 0.26, shares


def test_the_same_seed_gives_the_same_files_with_any_number_of_workers(raw, tmp_path):
    hospitals.simulate("sim-west", tmp_path / "again", CHOSEN, workers=2)
    assert digests(tmp_path / "again") == digests(raw / "sim-west")


def test_another_seed_gives_other_files(raw, tmp_path):
    hospitals.simulate(
        "sim-south", tmp_path / "other", CHOSEN.model_copy(update={"seed": 2}), workers=1
    )
    assert not set(digests(tmp_path / "other").values()) & set(digests(raw / "sim-south").values())


def test_a_longer_run_begins_with_the_same_recordings(raw, tmp_path):
    more = CHOSEN.model_copy(update={"recordings": 160})
    hospitals.simulate("sim-east", tmp_path / "more", more, workers=1)
    assert digests(raw / "sim-east").items() <= digests(tmp_path / "more").items()


def test_every_source_speaks_only_its_own_words(raw):
    west = pd.read_csv(raw / "sim-west" / "metadata.csv", dtype=str)
    assert list(west) == ["ECG_ID", "AHA_Code", "Patient_ID", "Age", "Sex", "N", "Date"]
    said = {word for row in west["AHA_Code"].dropna() for word in row.split(";")}
    for name in ("sim-east", "sim-south"):
        headers = list((raw / name).rglob("*.hea"))
        assert headers
        lines = [
            line for path in headers for line in path.read_text().splitlines() if "Dx:" in line
        ]
        words = {word for line in lines for word in line.split(":")[1].strip().split(",")} - {""}
        assert words <= set(vocabularies.vocabulary(name))
    assert said <= set(vocabularies.vocabulary("sim-west"))


def test_every_fault_is_in_the_files(raw):
    north, west = raw / "sim-north", raw / "sim-west"
    assert "Age: -1" in (north / "g1/NO00004.hea").read_text()
    assert "1000.0(0)/mV" in (north / "g1/NO00008.hea").read_text()
    assert any(
        line.startswith("#Dx") and line.endswith(",")
        for line in (north / "g1/NO00010.hea").read_text().split("\n")
    )
    assert (north / "g1/NO00012.mat").stat().st_size < 0.7 * (
        north / "g1/NO00001.mat"
    ).stat().st_size
    assert "Age: NaN" in (north / "g1/NO00014.hea").read_text()
    assert len(list(west.glob("*.h5"))) == 1 + len(pd.read_csv(west / "metadata.csv"))
    flat = np.frombuffer((north / "g1/NO00006.mat").read_bytes()[24:], "<i2").reshape(-1, 12)
    assert (np.ptp(flat, axis=0) == 0).sum() == 1


def test_the_copy_is_equal_in_microvolts(raw):
    import h5py

    north = np.frombuffer((raw / "sim-north/g1/NO00016.mat").read_bytes()[24:], "<i2").reshape(
        -1, 12
    )
    with h5py.File(raw / "sim-west/WE00010.h5") as file:
        west = np.rint(file["ecg"][:].astype(np.float64).T * 1000)
    np.testing.assert_array_equal(north, west)


def test_some_patients_of_the_west_come_twice(raw):
    column = pd.read_csv(raw / "sim-west" / "metadata.csv")["Patient_ID"]
    assert (column.value_counts() == 2).any()


def test_an_unknown_source_is_named(tmp_path):
    with pytest.raises(ValueError, match="source 'sim-up' is not one of sim-north, sim-east"):
        hospitals.simulate("sim-up", tmp_path / "x", CHOSEN)


def test_every_recording_can_be_read_and_only_the_truncated_one_is_refused(raw):
    refused = []
    for name, codes in (("sim-north", "snomed"), ("sim-east", "native"), ("sim-south", "native")):
        source = sources.Source(form="wfdb", vocabulary=name, codes=codes)
        found = list(describe(raw / name, source))
        assert len(found) == hospitals.size(name, 120)
        for one in found:
            try:
                recording = read(raw / name / one.path, source)
                assert recording.rate_hz == hospitals.SOURCES[name].rate_hz
            except refusals.Refused as error:
                refused.append((one.record, error.reason))
    assert refused == [("NO00012", "truncated")]


def test_the_section_names_the_sources_there_are():
    assert SimulateParams(sources=ALL, recordings=60, seed=0).sources == ALL
    with pytest.raises(ValidationError, match="sim-north"):
        SimulateParams(sources=["sim-up"], recordings=60, seed=0)
    assert sum(source.share for source in hospitals.SOURCES.values()) == pytest.approx(1)


@given(recordings=st.integers(60, 100_000))
def test_the_sources_sizes_add_up_to_the_recordings_asked_for(recordings):
    sizes = [hospitals.size(name, recordings) for name in hospitals.SOURCES]
    assert sum(sizes) == recordings
    assert all(
        abs(one - recordings * source.share) <= 1
        for one, source in zip(sizes, hospitals.SOURCES.values(), strict=True)
    )

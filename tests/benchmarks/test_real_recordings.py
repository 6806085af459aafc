"""The rewritten PTB-XL is the Challenge's: codes of recordings that stand in both, and a made-up
one read back."""

import os
from pathlib import Path

import numpy as np
import pytest

from ecgpipe.project.leads import LEADS
from ecgpipe.recordings import recording, wfdb_header
from ecgpipe.simulation import writers
from tests.benchmarks import real_recordings

ROW = {
    "ecg_id": "21",
    "patient_id": "7.0",
    "age": "300.0",
    "sex": "1",
    "scp_codes": "{'SR': 0.0, 'AFIB': 15.0, 'NORM': 80.0, 'ABQRS': 0.0}",
    "heart_axis": "LAD",
    "filename_hr": "records500/00000/00021_hr",
}


def original(folder: Path) -> np.ndarray:
    """Writes ROW's recording as PTB-XL's release has it, lead names in capitals; its signal."""
    signal_mv = np.random.default_rng(1).normal(0, 0.3, (1000, 12)).round(3)
    target = folder / "records500/00000"
    writers.write_wfdb(target, "00021_hr", signal_mv, 500, age=None, sex=None, labels=[])
    header = target / "00021_hr.hea"
    lines = [line for line in header.read_text().splitlines() if not line.startswith("#")]
    header.write_text("\n".join(lines).replace(" aV", " AV") + "\n")
    rows = [",".join(ROW), ",".join(f'"{value}"' for value in ROW.values())]
    (folder / "ptbxl_database.csv").write_text("\n".join(rows) + "\n")
    return signal_mv


def test_statements_and_axis_become_codes_whatever_their_likelihood():
    assert real_recordings.codes_of(ROW) == sorted(
        ["426783006", "164889003", "39732003", "164951009"]  # SR, AFIB, LAD, ABQRS
    )


def test_a_recording_in_its_original_form_reads_as_one_of_the_challenge(tmp_path):
    signal_mv = original(tmp_path / "ptbxl")
    (row,) = real_recordings.rows_of(tmp_path / "ptbxl")
    real_recordings.rewrite(tmp_path / "ptbxl", row, tmp_path)
    read = recording.read(tmp_path / "HR00021.hea")
    np.testing.assert_allclose(read.signal_mv, signal_mv, atol=5e-4)
    names = wfdb_header.read(tmp_path / "HR00021.hea").lines.layout.names
    assert names == tuple(LEADS)
    text = (tmp_path / "HR00021.hea").read_text()
    assert "#Age: 300\n#Sex: Female\n#Dx: 164889003,164951009,39732003,426783006" in text


def test_codes_are_those_that_the_challenge_gave_the_same_recordings(real_data):
    ptbxl = os.environ.get("ECGPIPE_PTBXL")
    if not ptbxl:
        pytest.skip("ECGPIPE_PTBXL is unset: no PTB-XL in its original form")
    same = {}
    for row in real_recordings.rows_of(Path(ptbxl)):
        for header in (real_data / "ptb-xl").rglob(f"{real_recordings.record_of(row)}.hea"):
            said = header.read_text().partition("#Dx: ")[2].splitlines()[0].split(",")
            same[header.stem] = set(said) ^ set(real_recordings.codes_of(row))
    # Of version 1.0.3 the third has no first degree block any more.
    assert {name: odd for name, odd in same.items() if odd} == {"HR00003": {"270492004"}}
    assert len(same) == 5

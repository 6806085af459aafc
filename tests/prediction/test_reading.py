"""How files are found and read for `predict` and `check`."""

import numpy as np
import pytest

from ecgpipe.prediction import check, reading
from tests.prediction.conftest import SOURCE


def test_paths_without_recordings_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"nowhere: no such file; name another"):
        reading.expand([tmp_path / "nowhere"])
    with pytest.raises(ValueError, match=r"below this folder, the folder is empty; name another"):
        reading.expand([tmp_path])
    (tmp_path / "A.HEA").write_text("x")
    held = (
        r"no \.hea, \.h5 or other recording below this folder among 1 files \(1 suffix, the first"
    )
    with pytest.raises(ValueError, match=held):
        reading.expand([tmp_path])


def test_the_table_of_single_files_lies_beside_them_and_its_absence_is_named(west):
    assert reading.metadata_rows([west / "W1.h5"], SOURCE)[west / "W1.h5"].age == 50
    (west / "metadata.csv").unlink()
    with pytest.raises(
        ValueError, match=r"west/metadata\.csv: no such table; .* or --rate-hz instead of --source"
    ):
        reading.metadata_rows([west / "W1.h5"], SOURCE)


def test_a_prediction_needs_no_labels(west):
    """Whoever asks for a diagnosis has none yet."""
    (west / "metadata.csv").write_text("ECG_ID,Age,Sex\nW1,50,F\nW2,,M\n")
    rows = reading.metadata_rows([west], SOURCE)
    assert (rows[west / "W1.h5"].age, rows[west / "W1.h5"].labels) == (50, "")
    assert rows[west / "W2.h5"].sex == "M"
    (west / "metadata.csv").write_text("ECG_ID,Sex\nW1,F\n")
    with pytest.raises(ValueError, match="no column Age"):
        reading.metadata_rows([west], SOURCE)


def test_a_row_that_stands_twice_and_a_name_that_two_files_have_tell_of_nobody(west):
    with (west / "metadata.csv").open("a") as handle:
        handle.write("W2,1,70,F\n")
    (west / "sub").mkdir()
    (west / "sub/W1.h5").write_bytes((west / "W1.h5").read_bytes())
    assert set(reading.metadata_rows([west], SOURCE).values()) == {None}


def test_records_are_named_as_wfdb_does_and_hidden_files_are_none(recordings):
    folder = recordings / "g 1"
    header = folder / "R1.hea"
    paths = [folder / "R1", folder / "R1.mat", folder / "R1.dat", header, folder / "R1.hea"]
    assert [reading.expand([path]) for path in paths] == [[header]] * 5
    assert reading.expand(paths) == [header]
    (folder / "a.b.hea").write_bytes(header.read_bytes())
    assert reading.expand([folder / "a.b"]) == [folder / "a.b.hea"]
    before = reading.expand([folder])
    (folder / "._R1.hea").write_bytes(b"\0\5\26\7")
    assert reading.expand([folder]) == before


def test_what_is_no_recording_is_named_by_what_it_is(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("")
    suffixes = ".dat, .dcm, .dicom, .ecg, .edf, .h5, .hea, .mat, "
    for name, code, message in (
        ("gone", "missing", "no such file, and no gone.hea"),
        ("gone/A1.hea", "missing", "no such file"),
        ("empty", "missing", "no recording below this folder"),
        ("notes.txt", "format", f"a recording ends in one of {suffixes}"),
    ):
        verdict, reason, _ = reading.read(tmp_path / name)
        assert verdict == "refused"
        assert reason.startswith(f"{code}: ") and message in reason


def test_a_record_of_eight_leads_is_told_how_to_compute_the_others(recordings):
    header = recordings / "g 1/R1.hea"
    for lead in ("III", "aVR", "aVL", "aVF"):
        header.write_text(header.read_text().replace(f" {lead}\n", f" X{lead}\n"))
    assert (
        "or write a copy with all 12 leads: III = II - I, aVR = -(I + II) / 2"
        in reading.read(header)[1]
    )
    header.write_text(header.read_text().replace(" V6\n", " V7\n"))
    _, reason, _ = reading.read(header)
    assert reason.startswith("leads: ") and "III = " not in reason


def test_a_table_tells_of_the_files_that_are_there(west, tmp_path):
    named = [tmp_path / "gone/X.h5", west / "W1.h5", west / "gone.h5"]
    assert set(reading.metadata_rows(named, SOURCE)) == {west / "W1.h5"}


def test_a_link_is_followed_within_the_folder_that_was_named(recordings, tmp_path):
    (tmp_path / "one/sub").mkdir(parents=True)
    for suffix in (".hea", ".mat"):
        (tmp_path / f"one/R1{suffix}").write_bytes((recordings / f"g 1/R1{suffix}").read_bytes())
    (tmp_path / "one/sub/R1.mat").symlink_to(tmp_path / "one/R1.mat")
    (tmp_path / "one/sub/L1.hea").write_bytes((recordings / "g 1/R1.hea").read_bytes())
    files = reading.expand([tmp_path / "one"])
    assert [row[1] for row in check.check(files, within=[tmp_path / "one"])] == ["ok", "ok"]
    assert [row[2] for row in check.check(files)] == ["", "outside"]


def test_an_unknown_rate_is_refused_with_the_next_step(west):
    verdict, reason, _ = reading.read(west / "W1.h5")
    assert verdict == "refused"
    assert reason.startswith("rate: ")
    assert "--source NAME" in reason
    assert "--source NAME (its entry in configs/sources.yaml) or --rate-hz HZ" in reason
    assert [row[1] for row in check.check(reading.expand([west]), SOURCE)] == ["ok"] * 3
    for wrong in (0, -1, np.nan, np.inf):
        with pytest.raises(ValueError, match="--rate-hz: a rate is above 0 Hz"):
            reading.source_of_rate(wrong)


def test_a_signal_file_without_header_is_refused_and_costs_itself_alone(recordings):
    (recordings / "g 1/R1.hea").unlink()
    rows = list(check.check(reading.expand([recordings / "g 1/R1.mat", recordings / "g 1/R2"])))
    assert [row[1] for row in rows] == ["refused", "ok"]
    assert rows[0][2] == "missing" and "no such file" in rows[0][3]


def test_files_none_of_which_is_a_recording_stop_and_some_do_not(tmp_path):
    with pytest.raises(ValueError, match=r"x\.pdf: a recording ends in one of .*; give one of"):
        (tmp_path / "x.pdf").write_text("x")
        reading.check_forms([tmp_path / "x.pdf", tmp_path / "y.txt"])
    reading.check_forms([tmp_path / "x.pdf", tmp_path / "A.hea"])
    reading.check_forms([tmp_path / "x.pdf", tmp_path / "A.XML"])
    reading.check_forms([])

"""Tests of `check`: what it says of files, and of a source."""

import re
from pathlib import Path

import numpy as np
import pytest

from ecgpipe.prediction import check, reading
from ecgpipe.recordings import descriptions, safe_files, source_files, sources
from tests.fixtures import corpus, folder_corpus
from tests.prediction.conftest import SOURCE


def test_two_files_of_one_record_are_a_fault_of_a_source_alone(recordings, tmp_path):
    for folder in ("one/a", "one/b", "one/.snapshot"):
        (tmp_path / folder).mkdir(parents=True)
        for suffix in (".hea", ".mat"):
            (tmp_path / f"{folder}/R1{suffix}").write_bytes(
                (recordings / f"g 1/R1{suffix}").read_bytes()
            )
    (tmp_path / "one/folder.hea").mkdir()
    files = reading.expand([tmp_path / "one"])
    assert [row[1] for row in check.check(files, within=[tmp_path / "one"])] == ["ok", "ok"]
    source = sources.Source(form="wfdb", vocabulary="PTB", codes="snomed")
    rows = check.check(files, source, [tmp_path / "one"])
    assert [row[1:3] for row in rows] == [("refused", "duplicate-record")] * 2


def test_a_file_with_a_line_break_in_its_name_is_told_once(recordings):
    folder = recordings / "g 1"
    (folder / "R1.hea").rename(folder / "R\n1.hea")
    for name in ("R0.hea", "R0.mat", "R2.hea", "R2.mat", "R9.hea"):
        (folder / name).unlink()
    source = sources.Source(form="wfdb", vocabulary="PTB", codes="snomed")
    for one in (None, source):
        rows = list(check.check(reading.expand([recordings]), one, [recordings]))
        assert [(Path(row.path).name, row.reason) for row in rows] == [("R\\n1.hea", "name")]


def test_check_names_what_looks_like_a_recording_and_is_not_read(recordings):
    for name in ("stray.dat", "UPPER.HEA", "more.hea.gz", "cart.xml", "README"):
        (recordings / name).write_text("x")
    rows = list(check.check(reading.expand([recordings]), None, [recordings]))
    left_out = {Path(row.path).name: row.reason for row in rows if row.verdict == check.LEFT_OUT}
    assert left_out == {"stray.dat": "no-header", "UPPER.HEA": "suffix", "more.hea.gz": "archive"}
    source = sources.Source(form="wfdb", vocabulary="PTB", codes="snomed")
    rows = list(check.check(reading.expand([recordings]), source, [recordings]))
    left_out = {Path(row.path).name: row.reason for row in rows if row.verdict == check.LEFT_OUT}
    assert left_out["cart.xml"] == "form", "the stages do not read it"
    assert len({row.path for row in rows}) == len(rows)


def test_check_tells_leads_sizes_and_what_is_unknown(recordings):
    """Of three recordings one has a flat lead, one limb leads under each other's names, one no
    age."""
    folder = recordings / "g 1"
    (folder / "R9.hea").unlink()
    raw = np.fromfile(folder / "R2.mat", dtype="<i2")[12:].reshape(-1, 12).copy()
    raw[:, 8] = 0
    (folder / "R2.mat").write_bytes((folder / "R2.mat").read_bytes()[:24] + raw.tobytes())
    header = (folder / "R2.hea").read_text().split("\n")
    header[9] = "R2.mat 16+24 1000/mV 16 0 0 0 0 V3"
    (folder / "R2.hea").write_text("\n".join(header))
    exchanged = (folder / "R0.hea").read_text().replace(" II\n", " X\n").replace(" I\n", " II\n")
    (folder / "R0.hea").write_text(exchanged.replace(" X\n", " I\n"))
    whole = check.Whole()
    rows = check.check(reading.expand([recordings]), within=[recordings], whole=whole)
    said = {Path(row.path).stem: (row.reason, row.sentence) for row in rows}
    assert said["R0"][0] == "limb-leads"
    assert re.search(
        r"\(off by \d{3,4} microvolts, as if I and II exchanged, or III", said["R0"][1]
    )
    assert said["R1"] == ("", "")
    assert said["R2"] == ("flat-lead", "a lead spans less than 10 microvolts (V3)")
    assert whole.sentences()[-1] == "the age is unknown in 1 of 3 recordings"


def test_check_of_a_source_says_what_the_stages_leave_out(west):
    (west / "metadata.csv").write_text("ECG_ID,AHA_Code,Age,Sex\nW1,1,50,F\nW9,1,50,F\n")
    rows = check.check(reading.expand([west]), SOURCE, [west])
    reasons = {Path(row.path).stem: row.reason for row in rows}
    described = list(descriptions.describe(west, SOURCE))
    stages = {one.record: one.fault.partition(":")[0] for one in described}
    assert stages == {"W1": "", "W2": "no-metadata", "W3": "no-metadata", "W9": "missing"}
    assert reasons == stages


def test_check_of_a_source_flags_patients_that_are_none(west):
    entry = SOURCE.columns.model_copy(update={"patient": "who"})
    (west / "metadata.csv").write_text(
        "ECG_ID,AHA_Code,Age,Sex,who\nW1,1,50,F,NA\nW2,1,50,F,P\nW3,1,50,M,P\n"
    )
    rows = check.check(reading.expand([west]), SOURCE.model_copy(update={"columns": entry}), [west])
    flags = {Path(row.path).stem: (row.reason, row.sentence) for row in rows}
    assert flags["W1"] == ("no-patient", "the patient's id is a word or number for none")
    assert {flags[name][0] for name in ("W2", "W3")} == {"odd-patient"}


@pytest.mark.parametrize("column", ["who", None])
def test_check_of_a_source_that_names_patients_counts_those_unknown(west, column):
    entry = SOURCE.columns.model_copy(update={"patient": column})
    (west / "metadata.csv").write_text(
        "ECG_ID,AHA_Code,Age,Sex,who\nW1,1,50,F,P\nW2,1,50,F,\nW3,1,50,M,\n"
    )
    whole = check.Whole()
    source = SOURCE.model_copy(update={"columns": entry})
    list(check.check(reading.expand([west]), source, [west], whole))
    alone = "the patient is unknown in 2 of 3 recordings: each counts as a patient of its own"
    assert [told for told in whole.sentences() if "patient" in told] == ([alone] if column else [])


def test_check_groups_ages_and_sexes_that_are_not_understood(west):
    (west / "metadata.csv").write_text("ECG_ID,AHA_Code,Age,Sex\nW1,1,old,H\nW2,1,50,X\nW3,1,,X\n")
    whole = check.Whole()
    rows = list(check.check(reading.expand([west]), SOURCE, [west], whole))
    assert [row.reason for row in rows] == ["odd-age|odd-sex", "odd-sex", "odd-sex"]
    assert whole.explained == {row.path for row in rows}
    assert whole.sentences()[-2:] == [
        "the age is not understood in 1 of 3 recordings: 'old' (1); write years as a number from "
        "0 to 120",
        "the sex is not understood in 3 of 3 recordings: 'X' (2), 'H' (1); write F or M",
    ]


def test_check_names_the_files_of_contradictions_and_of_other_flags(recordings):
    said = {"R0": "#Age: 61\n#Age: 62\n", "R1": "#Age: old\n", "R2": "#Sex: X\n"}
    for name, lines in said.items():
        header = recordings / f"g 1/{name}.hea"
        text = re.sub(r"#(Age|Sex):.*\n", "", header.read_text())
        header.write_text(text + lines)
    raw = recordings / "g 1/R2.mat"
    steps = np.fromfile(raw, dtype="<i2")[12:].reshape(-1, 12).copy()
    steps[:, 8] = 0
    raw.write_bytes(raw.read_bytes()[:24] + steps.tobytes())
    header = (recordings / "g 1/R2.hea").read_text().split("\n")
    header[9] = "R2.mat 16+24 1000/mV 16 0 0 0 0 V3"
    (recordings / "g 1/R2.hea").write_text("\n".join(header))
    whole = check.Whole()
    rows = list(check.check(reading.expand([recordings]), within=[recordings], whole=whole))
    reasons = {Path(row.path).stem: row.reason for row in rows if row.verdict == "flagged"}
    assert reasons == {"R0": "odd-age", "R1": "odd-age", "R2": "flat-lead|odd-sex"}
    assert {Path(path).stem for path in whole.explained} == {"R1"}


def test_check_of_a_source_says_of_labels_what_label_map_does(recordings):
    labels = {"R0": "", "R1": "sinus rhythm;LBBB", "R2": "sinus rhythm,what"}
    for name, text in labels.items():
        header = recordings / f"g 1/{name}.hea"
        header.write_text(re.sub(r"# ?Dx:.*", f"#Dx: {text}", header.read_text()))
    (recordings / "words.csv").write_text("native_label,snomed_ct\nsinus rhythm,426783006\n")
    source = sources.Source(form="wfdb", vocabulary="words.csv", codes="native")
    rows = list(check.check(reading.expand([recordings]), source, [recordings]))
    verdicts = {Path(row.path).stem: (row.verdict, row.reason) for row in rows}
    assert verdicts["R0"] == ("refused", "no-labels")
    assert verdicts["R1"] == ("refused", "unknown-labels")
    assert verdicts["R2"] == ("flagged", "unknown-label")
    (sentence,) = [row.sentence for row in rows if Path(row.path).stem == "R2"]
    assert sentence.endswith("are known ('what')")


def test_check_gives_every_case_of_the_corpus_its_verdict(tmp_path):
    """Without a source equal record names are no fault: all cases but a few are called `rec`."""
    cases = corpus.make(tmp_path)[::2]
    cases = [case for case in cases if case.file.suffix in (".hea", ".h5")]
    wrong, told = [], 0
    for case in cases:
        if case.file.is_dir():
            continue
        folder = case.file.parent
        rows = check.check(reading.expand([folder]), within=[folder])
        verdicts = {row.path: (row.verdict, row.reason) for row in rows}
        said = verdicts[safe_files.shown(case.file)]
        told += 1
        if said != (case.verdict, case.reason):
            wrong.append((case.name, case.verdict, case.reason, said))
    assert told > 290
    assert wrong == []


@pytest.mark.parametrize("case", folder_corpus.CASES, ids=lambda case: case.name)
def test_check_tells_each_file_of_a_folder_once(tmp_path, case):
    root = tmp_path / "folder"
    folder_corpus.write(case, root)
    rows = list(check.check(reading.expand([root], strict=False), within=[root]))
    assert len({row.path for row in rows}) == len(rows)
    account = source_files.account(root, None)
    read = [row for row in rows if row.verdict != check.LEFT_OUT]
    assert len(read) == (len(account.recordings) or 1)
    assert len(rows) - len(read) == len(account.left_out)

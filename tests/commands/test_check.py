import csv
from pathlib import Path

from ecgpipe.__main__ import main


def test_check_says_one_verdict_per_recording_and_fails_when_any_is_refused(raw, capsys):
    report = raw.parent / "report.csv"
    assert main(["check", str(raw), "--csv", str(report)]) == 0
    said = capsys.readouterr().out
    assert "2 recordings: 2 ok, 0 flagged, 0 refused" in said
    assert f"{raw}: 4 files: 2 recordings, 2 signal files, 0 tables, 0 no recordings" in said
    (raw / "A2.mat").write_bytes((raw / "A2.mat").read_bytes()[:-100])
    assert main(["check", str(raw), "--csv", str(report)]) == 1
    with report.open() as handle:
        rows = list(csv.DictReader(handle))
    assert [(Path(row["path"]).name, row["verdict"]) for row in rows] == [
        ("A1.hea", "ok"),
        ("A2.hea", "refused"),
    ]
    assert rows[1]["reason"] == "truncated" and "the header tells of" in rows[1]["sentence"]
    assert list(rows[0]) == ["path", "verdict", "reason", "sentence"]

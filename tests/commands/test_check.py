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
    (raw / "A1.hea").write_text((raw / "A1.hea").read_text() + "#Sex: X\n")
    main(["check", str(raw), "--csv", str(report)])
    said = capsys.readouterr().out
    assert "flagged: " not in said and "1 flagged" in said and "'X' (1); write F or M" in said
    assert "odd-sex" in report.read_text()
    assert list(rows[0]) == ["path", "verdict", "reason", "sentence"]


def test_recordings_left_out_unread_are_no_success_and_other_files_are(raw, capsys):
    for number in range(6):
        (raw / f"note{number}.txt").write_text("x")
    (raw / "all.zip").write_bytes(b"PK")
    assert main(["check", str(raw)]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.endswith(
        "1 left out (archive), 6 no recordings "
        "(note0.txt, note1.txt, note2.txt, note3.txt, note4.txt, ...)"
    )
    (raw / "note5.txt").unlink()
    for suffix in (".hea", ".mat"):
        (raw / f"A2{suffix}").rename(raw / f"A2{suffix.upper()}")
    assert main(["check", str(raw)]) == 1
    said = capsys.readouterr().out
    assert "1 recordings: 1 ok, 0 flagged, 0 refused" in said
    assert f"left out: {raw / 'A2.HEA'}: suffix: the names of recordings end in small" in said
    assert "fetch the header" not in said
    assert "1 left out (suffix), 5 no recordings" in said
    assert said.endswith("note3.txt, note4.txt)\n")

"""The stage reads its section and writes its source where the others look."""

from pathlib import Path

import pytest

from stages import simulate

SECTION = "simulate:\n  sources: [sim-north, sim-south]\n  recordings: 60\n  seed: 3\n"


def test_the_stage_writes_its_source(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(SECTION)
    simulate.main("sim-south")
    assert len(list(Path("data/raw/sim-south").rglob("*.hea"))) == 11
    assert not Path("data/raw/sim-north").exists()


def test_a_faulty_section_is_refused_by_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(SECTION.replace("60", "sixty"))
    with pytest.raises(ValueError, match=r"simulate\.recordings: .*found 'sixty'"):
        simulate.main("sim-south")

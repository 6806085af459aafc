"""The stage reads its section and writes its source where the others look."""

from pathlib import Path

import pytest

from stages import simulate

SECTION = "simulate:\n  sources: [sim-north, sim-south]\n  recordings: 60\n  seed: 3\n"
SECTION += "compute: {workers: 1, backend: loky, device: cpu}\n"


def test_the_stage_writes_its_source(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(SECTION)
    simulate.main("sim-south")
    assert len(list(Path("data/raw/sim-south").rglob("*.hea"))) == 11
    assert not Path("data/raw/sim-north").exists()


def test_a_source_that_is_not_the_simulators_is_refused_by_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(SECTION)
    with pytest.raises(
        ValueError,
        match=r"^'ptb-xl' is not in the simulator; give one of sim-north, sim-east, sim-",
    ):
        simulate.main("ptb-xl")
    assert not Path("data").exists()


def test_a_faulty_section_is_refused_by_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(SECTION.replace("60", "sixty"))
    with pytest.raises(ValueError, match=r"simulate\.recordings: .*found 'sixty'"):
        simulate.main("sim-south")

import json
import os
import shutil
import sys
from pathlib import Path

import distributed
import numpy as np
import pytest
from joblib.externals.loky import get_reusable_executor

from ecgpipe.preprocessing import build_store
from ecgpipe.preprocessing.params import PreprocessParams
from ecgpipe.project import params, paths, stage, tables
from ecgpipe.recordings import sources
from ecgpipe.signals.store import open_store, read_about
from ecgpipe.simulation import writers
from stages import preprocess
from tests.fixtures.limbs import lawful

PARAMS = """
data: {root: data/raw, sources: [one.two], max_refused: 0.9}
preprocess: {rate_hz: 100, low_hz: 0.5, high_hz: 40, order: 2, min_duration_s: 3}
compute: {workers: 1, backend: loky, device: auto}
"""
CATALOGUE = """
sources:
  one.two: {form: wfdb, vocabulary: PTB, codes: snomed}
  faulty: {form: edf}
"""

KILLER = """
import os, sys
def trace(event, arguments):
    if event == "open" and str(arguments[0]).endswith("g1/A.hea"):
        os.kill(os.getpid(), 9)
sys.addaudithook(trace)
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A source of seven recordings: a good one, one too short, one cut, a flat lead, all flat, and
    a name twice."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(PARAMS)
    (tmp_path / "configs").mkdir()
    (tmp_path / params.SOURCES).write_text(CATALOGUE)
    rng = np.random.default_rng(1)
    raw = tmp_path / "data/raw/one.two"
    samples_of = {"g1/A": 5000, "g1/B": 1000, "g1/C": 5000}
    samples_of |= dict.fromkeys(("g1/D", "g2/E", "g1/F"), 4000)
    for name, samples in samples_of.items():
        signal_mv = lawful(rng.normal(0, 0.3, (samples, 12)))
        signal_mv[:, 4] *= name != "g1/D"
        signal_mv *= name != "g2/E"
        folder, record = name.split("/")
        writers.write_challenge(
            raw / folder, record, signal_mv, 500, age=50, sex="F", labels=["426783006"]
        )
    cut = raw / "g1/C.mat"
    cut.write_bytes(cut.read_bytes()[:-2])
    for suffix in (".hea", ".mat"):
        shutil.copy(raw / f"g1/F{suffix}", raw / f"g2/F{suffix}")
    return tmp_path


def test_every_recording_is_stored_or_refused_with_its_reason(project):
    preprocess.main("one.two")
    store = open_store(paths.store("one.two"))
    assert list(store.index["record"]) == ["A", "D"]
    assert list(store.index["samples"]) == [1000, 800]
    assert list(store.index["flags"]) == ["", "flat-lead"]
    refused = tables.read(paths.store("one.two") / "refused.csv")
    assert dict(zip(refused["path"], refused["reason"], strict=True)) == {
        "g1/B.hea": "short",
        "g1/C.hea": "truncated",
        "g2/E.hea": "flat",
        "g1/F.hea": "duplicate-record",
        "g2/F.hea": "duplicate-record",
    }
    report = json.loads((paths.METRICS / "signals/one.two.json").read_text())
    assert report["recordings"] == report["stored"] + sum(report["refused"].values()) == 7
    assert report["flags"] == {"flat-lead": 1}
    assert store.conditioning == {"to_rate_hz": 100.0, "low_hz": 0.5, "high_hz": 40.0, "order": 2}


def test_a_new_run_replaces_the_store_whole_and_leaves_nothing_behind(project):
    preprocess.main("one.two")
    before = read_about(paths.store("one.two"))["digest"]
    (paths.store("one.two") / "stray").write_text("")
    preprocess.main("one.two")
    assert read_about(paths.store("one.two"))["digest"] == before
    assert sorted(path.name for path in paths.SIGNALS.iterdir()) == ["one.two"]
    assert not (paths.store("one.two") / "stray").exists()


def test_a_dask_cluster_makes_the_same_bytes(project):
    preprocess.main("one.two")
    loky = {path.name: path.read_bytes() for path in paths.store("one.two").iterdir()}
    assert len(loky) == 7
    (project / "params.yaml").write_text(
        PARAMS.replace("workers: 1, backend: loky", "workers: 2, backend: dask")
    )
    preprocess.main("one.two")
    assert {path.name: path.read_bytes() for path in paths.store("one.two").iterdir()} == loky


def test_a_scheduler_named_in_the_environment_does_the_work(project, monkeypatch):
    local = {
        "n_workers": 1,
        "threads_per_worker": 2,
        "processes": False,
        "dashboard_address": "127.0.0.1:0",
    }
    with distributed.LocalCluster(**local) as cluster:
        monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", cluster.scheduler_address)
        (project / "params.yaml").write_text(PARAMS.replace("loky", "dask"))
        preprocess.main("one.two")
        assert "_condition_files" in str(list(cluster.scheduler.task_prefixes))
    assert list(open_store(paths.store("one.two")).index["record"]) == ["A", "D"]


def test_dask_without_its_package_says_what_to_install(project, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    (project / "params.yaml").write_text(PARAMS.replace("loky", "dask"))
    with pytest.raises(ValueError, match="dask needs the package distributed"):
        preprocess.main("one.two")


def test_two_runs_at_once_are_refused(project, monkeypatch, caplog):
    monkeypatch.setattr(sys, "argv", [preprocess.__file__, "one.two"])
    with stage.lock("preprocess-one.two"), pytest.raises(SystemExit):
        stage.run(preprocess.main, "one.two")
    assert (
        "another process is running stage preprocess-one.two; wait for it or end it" in caplog.text
    )
    assert not paths.store("one.two").exists()


def test_a_run_fails_where_more_is_refused_than_allowed_and_counts_the_reasons(project):
    (project / "params.yaml").write_text(PARAMS.replace("max_refused: 0.9", "max_refused: 0.7"))
    says = (
        r"data/raw/one\.two: 5 of 7 recordings are refused "
        r"\(2 duplicate-record, 1 flat, 1 short, 1 truncated\), more"
    )
    with pytest.raises(ValueError, match=says):
        preprocess.main("one.two")
    assert not paths.store("one.two").exists()


def test_what_is_left_out_unread_counts_and_stops_before_a_signal_is_read(project, monkeypatch):
    monkeypatch.setattr(build_store, "condition_source", None)
    for number in range(64):
        (project / f"data/raw/one.two/E{number}.HEA").write_text("x")
        (project / f"data/raw/one.two/E{number}.MAT").write_text("x")
    says = r"64 of 71 recordings are refused or left out unread \(64 suffix\), more than .* 0\.9 \("
    with pytest.raises(ValueError, match=says):
        preprocess.main("one.two")
    assert not paths.store("one.two").exists()


def test_refused_and_left_out_are_one_share(project):
    (project / "data/raw/one.two/stray.mat").write_text("x")
    (project / "params.yaml").write_text(PARAMS.replace("max_refused: 0.9", "max_refused: 0.74"))
    with pytest.raises(ValueError, match="6 of 8 recordings are refused or left out unread"):
        preprocess.main("one.two")


def test_a_link_that_leads_out_of_the_source_costs_one_recording(project):
    outside = project / "elsewhere.mat"
    (project / "data/raw/one.two/g1/A.mat").rename(outside)
    (project / "data/raw/one.two/g1/A.mat").symlink_to(outside)
    preprocess.main("one.two")
    refused = tables.read(paths.store("one.two") / "refused.csv").set_index("record")
    assert refused.loc["A", "reason"] == "outside"


@pytest.fixture
def deadly(project, monkeypatch):
    """The project, in which every new process that opens g1/A.hea is killed."""
    (project / "sitecustomize.py").write_text(KILLER)
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(project), str(Path(preprocess.__file__).parents[1])])
    )
    return project


def test_a_recording_that_kills_its_process_is_refused_and_the_next_is_read(deadly):
    values = params.load(deadly / "params.yaml")
    settings = params.section(PreprocessParams, values, "preprocess")
    raw = Path("data/raw/one.two")
    headers = [raw / "g1/A.hea", raw / "g1/D.hea"]
    first, second = build_store.condition_one_by_one(
        str(deadly), headers, sources.select(["one.two"])["one.two"], settings, raw
    )
    assert (
        first[:2] == ("refused", "crashed")
        and "g1/A.hea: the process that conditioned it died" in first[2]
    )
    assert second[0] == "ok"


@pytest.mark.campaign
def test_a_worker_that_dies_costs_one_recording_and_not_the_run(deadly, monkeypatch):
    (deadly / "params.yaml").write_text(
        PARAMS.replace("workers: 1", "workers: 2").replace("d: 0.9", "d: 1")
    )
    monkeypatch.setattr(build_store, "_FEW", 1)
    monkeypatch.setattr(build_store, "_CHUNK", 2)
    get_reusable_executor().shutdown(wait=True)
    preprocess.main("one.two")
    get_reusable_executor().shutdown(wait=True)
    refused = tables.read(paths.store("one.two") / "refused.csv").set_index("record")
    assert refused.loc["A", "reason"] == "crashed"
    assert list(open_store(paths.store("one.two")).index["record"]) == ["D"]


H5 = """
sources:
  one.two: {form: h5, vocabulary: PTB, codes: native, rate_hz: 500, table: t.csv,
            columns: {record: id, labels: dx}}
"""


def write_h5_source(project, change):
    """The source as ten .h5 files, the signals of the last three changed."""
    (project / params.SOURCES).write_text(H5)
    (project / "params.yaml").write_text(PARAMS.replace("0.9", "0.2"))
    rng, raw = np.random.default_rng(1), project / "data/raw/one.two"
    shutil.rmtree(raw)
    for number in range(10):
        signal_mv = lawful(rng.normal(0, 0.3, (4000, 12)))
        writers.write_h5(raw, f"R{number}", change(signal_mv) if number > 6 else signal_mv, 500)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            lambda mv: mv * 1000,
            r"3 of 10 recordings are refused \(3 range\), more .* microvolts tak",
        ),
        (
            lambda mv: mv / 1000,
            r"3 of 10 recordings are refused \(3 flat\), more than .* volts taken",
        ),
        (
            lambda mv: mv * 15,
            r"3 of 10 recordings are out of scale .* wrong unit or gain; that is m",
        ),
        (
            lambda mv: mv[:, [1, 0, *range(2, 12)]],
            r"3 of 10 .* lead order \(I and II exchanged, or",
        ),
        (lambda mv: mv * ([1] * 6 + [0] * 6), r"3 of 10 recordings have flat leads"),
    ],
    ids=["microvolts", "volts", "gain", "lead-order", "flat"],
)
def test_a_source_that_was_read_wrongly_stops_with_its_likely_cause(project, change, says):
    write_h5_source(project, change)
    with pytest.raises(ValueError, match=r"data/raw/one\.two: " + says):
        preprocess.main("one.two")
    assert not paths.store("one.two").exists()
    (project / "params.yaml").write_text(PARAMS.replace("0.9", "0.3"))
    preprocess.main("one.two")


def test_what_the_store_cannot_hold_is_refused_and_never_clipped(project):
    write_h5_source(project, lambda signal_mv: signal_mv)
    rng, raw = np.random.default_rng(3), project / "data/raw/one.two"
    jump = lawful(rng.normal(0, 0.1, (4000, 12)))
    jump[1000:2000, 7] += 32  # which the raw recording may, and a filter makes larger
    jump[2000:3000, 7] -= 32
    writers.write_h5(raw, "R3", jump, 500)
    offset = lawful(rng.normal(0, 0.3, (4000, 12))) + np.array([0] * 6 + [60] * 6)
    writers.write_h5(raw, "R4", offset, 500)
    preprocess.main("one.two")
    refused = tables.read(paths.store("one.two") / "refused.csv")
    assert refused["record"].tolist() == ["R3"]
    assert refused["reason"].tolist() == ["range"]
    assert "conditioned, it goes beyond 32.767 mV" in refused["message"][0]
    store = open_store(paths.store("one.two"))
    assert store.index.set_index("record").loc["R4", "flags"] == "out-of-range"
    report = json.loads((project / "metrics/signals/one.two.json").read_text())
    assert report["doubtful"] == {"scale": 0, "flat": 0, "limb-leads": 0}
    assert report["limb_error_uv"]["largest"] < 2

"""The whole pipeline on a few simulated recordings, stage by stage as DVC runs them, and the file
that binds them."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from dvc.utils.hydra import apply_overrides
from dvc.utils.serialize import load_yaml

from ecgpipe import __main__
from ecgpipe.project import digests, params, tables
from ecgpipe.project.params import SOURCES
from ecgpipe.project.paths import (
    FOLDS,
    LABELS,
    LEFT_OUT,
    METRICS,
    OPERATING,
    PLOTS,
    model,
    predictions,
    store,
)
from ecgpipe.recordings.sources import select
from tests.fixtures.sealed import write_sealed
from tests.fixtures.small_project import (
    ALL_STAGES,
    ROOT,
    SIMULATED,
    run_stages,
    run_stages_in_a_process,
    write_params,
)


@pytest.fixture
def inside(whole, monkeypatch):
    """The folder of the project, which is the working directory."""
    monkeypatch.chdir(whole)
    return whole


def test_every_recording_made_is_in_a_fold_or_listed_with_its_reason(inside):
    labels, folds, left_out = (
        tables.read(path, sealed=path != LEFT_OUT) for path in (LABELS, FOLDS, LEFT_OUT)
    )
    assert len(labels) == 72
    assert len(folds) + len(left_out) == 72
    assert left_out["reason"].str.len().min() > 5
    assert set(folds["fold"]) == {"0", "1", "test"}
    assert list(folds.columns[:3]) == ["path", "age", "gender"]
    assert list(folds.columns[-5:]) == ["source", "record", "patient", "group", "fold"]


def test_a_source_that_annotates_nine_classes_has_blanks_for_the_others(inside):
    folds = tables.read(FOLDS)
    codes = tables.class_codes(folds)
    south = folds[folds["source"] == "sim-south"][codes]
    assert len(codes) == 17
    assert int(south.isna().all().sum()) == 8
    assert folds[folds["source"] == "sim-north"][codes].notna().all().all()


def test_the_exact_duplicate_across_two_sources_stands_on_one_side(inside):
    folds = tables.read(FOLDS)
    groups = folds.groupby("group")
    spanning = groups["source"].nunique()
    assert int((spanning > 1).sum()) == 1
    assert (groups["fold"].nunique() == 1).all()


def test_the_metrics_name_what_they_are(inside):
    summary = json.loads((METRICS / "summary.json").read_text())
    assert {"test", "test_ensemble", "out_of_fold"} <= set(summary)
    numbers = re.findall(r": -?\d", json.dumps(summary))
    assert 5 < len(numbers) <= 30
    assert sorted(path.name for path in (METRICS / "folds").iterdir()) == ["0.json", "1.json"]
    for name in ("roc", "pr", "history", "calibration", "confusion", "classes"):
        assert (PLOTS / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_noise_in_place_of_the_test_recordings_changes_no_weight_and_no_operating_point(
    inside, tmp_path, monkeypatch
):
    """Labels and signals of all test recordings are replaced after the split."""
    made_again = shutil.ignore_patterns("raw", "models", "predictions", "plots")
    shutil.copytree(inside, tmp_path / "p", ignore=made_again)
    monkeypatch.chdir(tmp_path / "p")
    rng, table = np.random.default_rng(1), tables.read(FOLDS)
    test = table["fold"] == "test"
    codes = tables.class_codes(table)
    table.loc[test, codes] = rng.integers(0, 2, (int(test.sum()), len(codes))).astype(float)
    write_sealed(table, FOLDS)
    for source, rows in table[test].groupby("source"):
        path = store(source) / "signals.npy"
        index = tables.read(store(source) / "index.csv").set_index("record")
        stored = np.load(path)
        for record in rows["record"]:
            first, samples = (int(index.loc[record, key]) for key in ("first", "samples"))
            stored[first : first + samples] = rng.integers(-9000, 9000, (samples, 12))
        np.save(path, stored)
        digests.write_digests(path.parent)
    run_stages(["train", "evaluate"], params.load())
    same = [OPERATING]
    for fold in ("0", "1"):
        same += [model(fold) / "weights.safetensors", predictions(fold) / "val.csv"]
        tested = predictions(fold) / "test.csv"
        assert tested.read_bytes() != (inside / tested).read_bytes()
    for path in same:
        assert path.read_bytes() == (inside / path).read_bytes(), path


def test_predict_on_the_raw_files_equals_the_folds_own_test_predictions(inside, tmp_path):
    folds = tables.read(FOLDS)
    test = folds[(folds["fold"] == "test") & (folds["source"] == "sim-north")]
    paths = [f"data/raw/sim-north/{path}" for path in test["path"]]
    assert paths
    options = ["--precision", "fp32", "--out", str(tmp_path / "p.csv")]
    assert __main__.main(["predict", *paths, *options]) == 0
    ours = tables.read(tmp_path / "p.csv", sealed=False)
    expected = []
    for fold in ("0", "1"):
        table = tables.read(predictions(fold) / "test.csv").set_index(["source", "record"])
        expected.append(table.loc[[("sim-north", record) for record in test["record"]]].to_numpy())
    names = [column for column in ours.columns[3:] if not column.endswith("_present")]
    point = json.loads(OPERATING.read_text())["ensemble"]
    mean = np.mean(expected, axis=0).astype(float)
    logits = np.log(mean / (1 - mean)) * point["slope"] + point["shift"]
    calibrated = 1 / (1 + np.exp(-logits))
    assert np.allclose(ours[names].astype(float), calibrated, atol=5e-6)
    decisions = ours[[f"{name}_present" for name in names]].astype(float)
    assert ((decisions == 1) == (calibrated >= point["threshold"])).all(axis=None)


def test_the_same_bytes_twice_whatever_the_workers_the_order_of_files_and_the_surroundings(
    inside, tmp_path, monkeypatch
):
    """The second run has another hash seed, locale, time zone, and a working directory of an
    awkward name."""
    (tmp_path / "a b \u00e9").mkdir()
    (tmp_path / "link").symlink_to("a b \u00e9")
    monkeypatch.chdir(tmp_path / "link")
    root = Path()
    values = write_params(root / "params.yaml", compute={"workers": 2}, data={"sources": SIMULATED})
    elsewhere = {
        "PYTHONHASHSEED": "11",
        "TZ": "Pacific/Kiritimati",
        "LC_ALL": "C",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
        "PWD": str(tmp_path / "link"),
    }
    run_stages_in_a_process(["simulate"], values, root, elsewhere)
    for source in SIMULATED:  # the same files, found in another order of creation
        folder = Path("data/raw") / source
        shutil.copytree(folder, Path("data/again"))
        shutil.rmtree(folder)
        for path in sorted(Path("data/again").rglob("*"), reverse=True):
            if path.is_file():
                target = folder / path.relative_to("data/again")
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, target)
        shutil.rmtree("data/again")
    run_stages_in_a_process(ALL_STAGES[1:], values, root, elsewhere)
    compared = 0
    for path in sorted(inside.rglob("*")):
        relative = path.relative_to(inside)
        skipped = relative.parts[:2] == ("data", "checkpoints") or path.name == "params.yaml"
        if path.is_file() and not skipped:
            assert path.read_bytes() == (root / relative).read_bytes(), relative
            compared += 1
    assert compared > 200, "the recordings too"


def test_whole_institutions_are_held_out_and_folds_beyond_them_stay_unused(
    whole, tmp_path, monkeypatch
):
    folder = tmp_path / "held-out"
    shutil.copytree(whole, folder)
    monkeypatch.chdir(folder)
    together = [["sim-north", "sim-east"], ["sim-south", "sim-west"]]
    split = {"folds": [0, 1, 2], "protocol": "source", "test_fraction": 0, "institutions": together}
    values = write_params(
        folder / "params.yaml", split=split, train={"epochs": 1, "unannotated": "negative"}
    )
    run_stages(["split", "train", "evaluate"], values)
    folds = tables.read(FOLDS)
    assert sorted(sorted(set(rows["source"])) for _, rows in folds.groupby("fold")) == [
        ["sim-east", "sim-north"],
        ["sim-south", "sim-west"],
    ]
    for unused in (model(2), predictions(2)):
        left = sorted(path.name for path in unused.iterdir())
        assert left == ["SHA256SUMS", "unused.json"], "DVC tracks it, so evaluate leaves it"
    summary = json.loads((METRICS / "summary.json").read_text())
    assert summary["counts"]["folds"] == 2
    assert sorted(path.name for path in (METRICS / "folds").iterdir()) == ["0.json", "1.json"]
    assert json.loads((model(0) / "model.json").read_text())["folds"] == [0, 1]
    path = folds["path"][folds["source"] == "sim-north"].iloc[0]
    command = ["predict", f"data/raw/sim-north/{path}", "--out", str(tmp_path / "p.csv")]
    assert __main__.main(command) == 0
    assert tables.read(tmp_path / "p.csv", sealed=False)["verdict"].tolist() == ["ok"]


def test_an_override_on_the_command_line_changes_one_line_of_params(tmp_path):
    path = tmp_path / "params.yaml"
    shutil.copy(ROOT / "params.yaml", path)
    before = path.read_text().splitlines()
    apply_overrides(path, ["augment.triangle=true"])
    after = path.read_text().splitlines()
    changed = [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]]
    assert changed == [("  triangle: false", "  triangle: true")]


def test_an_override_of_the_sources_keeps_every_comment_and_section(tmp_path):
    path = tmp_path / "params.yaml"
    shutil.copy(ROOT / "params.yaml", path)
    apply_overrides(path, ["data.sources=[sim-north,sim-west]"])
    before, after = (ROOT / "params.yaml").read_text().splitlines(), path.read_text().splitlines()
    assert [line for line in before if line not in after] == []
    assert len(before) - len(after) == 2
    assert params.load(path)["data"]["sources"] == ["sim-north", "sim-west"]
    apply_overrides(path, ["split.institutions=[[sim-north,sim-west]]"])
    assert params.load(path)["split"]["institutions"] == [["sim-north", "sim-west"]]
    comments = [line for line in before if line.startswith("#")]
    after = path.read_text().splitlines()
    assert [line for line in after if line.startswith("#")] == comments


@pytest.mark.parametrize(
    ("override", "before", "after"),
    [
        ("sources.sph.rate_hz=250", "    rate_hz: 500", "    rate_hz: 250"),
        ("sources.ptb-xl.codes=native", "    codes: snomed", "    codes: native"),
        ("sources.sim-west.columns.age=Years", "      age: Age", "      age: Years"),
    ],
)
def test_an_override_reaches_one_line_of_the_catalogue(tmp_path, override, before, after):
    path = tmp_path / "sources.yaml"
    shutil.copy(ROOT / SOURCES, path)
    lines = path.read_text().splitlines()
    apply_overrides(path, [override])
    pairs = zip(lines, path.read_text().splitlines(), strict=True)
    assert [pair for pair in pairs if pair[0] != pair[1]] == [(before, after)]


def test_an_override_adds_an_entry_to_the_catalogue_and_keeps_the_rest(tmp_path):
    path = tmp_path / "sources.yaml"
    shutil.copy(ROOT / SOURCES, path)
    lines = path.read_text().splitlines()
    apply_overrides(path, ["+sources.mine={form: wfdb, vocabulary: my.csv, codes: native}"])
    assert path.read_text().splitlines()[: len(lines)] == lines
    assert select(["mine"], path)["mine"].vocabulary == "my.csv"


def test_classes_go_by_the_same_names_in_every_metric_file(inside):
    metrics = {}
    for name in ("classes", "labels", "split", "subgroups"):
        metrics[name] = json.loads((METRICS / f"{name}.json").read_text())
    names = set(metrics["classes"])
    assert len(names) == 17
    assert set(metrics["labels"]["classes"]) == names
    for source in metrics["labels"]["sources"].values():
        assert set(source["positives"]) == names
    for part in metrics["split"]["parts"].values():
        assert set(part["prevalence"]) == names
    of_women = metrics["subgroups"]["sex"]["F"]["out_of_fold"]["classes"]
    fold = json.loads((METRICS / "folds/0.json").read_text())
    assert set(of_women) == set(fold["validation"]["classes"]) == set(fold["point"]) == names
    codes = {name: of_class["code"] for name, of_class in metrics["classes"].items()}
    assert {k: each["code"] for k, each in metrics["labels"]["classes"].items()} == codes


def test_dvc_yaml_tracks_the_catalogue_source_by_source():
    stages = load_yaml(ROOT / "dvc.yaml")["stages"]
    tracked = {}
    for name, stage in stages.items():
        for entry in stage.get("do", stage).get("params", []):
            if isinstance(entry, dict):
                tracked[name] = entry
    assert tracked == {
        # DVC makes no list of parameters of the list data.sources
        "label-map": {str(SOURCES): ["sources"]},
        "preprocess": {str(SOURCES): ["sources.${item}"]},
    }


def test_dvc_yaml_lists_sources_and_folds_once_in_params():
    stages = load_yaml(ROOT / "dvc.yaml")["stages"]
    assert {name: stage["foreach"] for name, stage in stages.items() if "foreach" in stage} == {
        "simulate": "${simulate.sources}",
        "preprocess": "${data.sources}",
        "train": "${split.folds}",
    }
    for name, stage in stages.items():
        if name == "pretrain":  # Git keeps what it makes, and it runs on demand alone
            continue
        body = stage.get("do", stage)
        for out in body.get("outs", []):
            assert isinstance(out, str), f"{name}: cache: false stops the run cache"
    metrics = [stage.get("do", stage).get("metrics", []) for stage in stages.values()]
    assert [each for each in metrics if each] == [[{"metrics/summary.json": {"cache": False}}]]


def test_the_catalogue_alone_reads_the_real_recordings(real_data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sources = ["chapman_shaoxing", "ptb", "sph"]
    values = write_params(
        tmp_path / "params.yaml",
        data={"root": str(real_data), "sources": sources},
        labels={"classes": "official"},
        simulate={"sources": []},
        split={"test_fraction": 0},
        train={"epochs": 1},
    )
    run_stages(ALL_STAGES, values)
    folds = tables.read(FOLDS)
    assert set(folds["source"]) == set(sources)
    assert len(tables.class_codes(folds)) == 26
    summary = json.loads((METRICS / "summary.json").read_text())
    assert summary["counts"]["test_recordings"] == 0
    assert (summary["test"]["auroc_macro"], summary["test"]["auroc_macro_sd"]) == (None, None)
    assert dict(folds["source"].value_counts()) == {"chapman_shaoxing": 13, "ptb": 7, "sph": 5}
    assert tables.read(LEFT_OUT, sealed=False)["reason"].str.partition(":")[0].tolist() == [
        "no-metadata"
    ]

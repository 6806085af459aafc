import json

import numpy as np
import pytest

from ecgpipe.project import digests, params, paths, tables
from ecgpipe.project.leads import LEADS
from ecgpipe.signals import store
from ecgpipe.splitting.folds import check_disjoint
from stages import split
from tests.fixtures.sealed import write_sealed, write_sealed_text

AF, SB = "164889003", "426177001"
SPLIT = {
    "folds": [0, 1, 2],
    "protocol": "stratified",
    "test_fraction": 0.2,
    "test_sources": [],
    "institutions": [],
    "seed": 7,
}


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project root with labels of two sources, their stores' tables, and the store of a source no
    longer listed."""
    monkeypatch.chdir(tmp_path)
    generator = np.random.default_rng(0)
    lines = [",".join([*tables.IDENTITY, AF, SB])]
    for source in ("ptb-xl", "sph"):
        folder = paths.store(source)
        folder.mkdir(parents=True)
        names = [f"{number:05d}" for number in range(40)]
        for name in names:
            af = "" if source == "sph" else generator.integers(2)
            sb = generator.integers(2)
            lines.append(f"{source},{name},g1/{name}.hea,,61,M,500,5000,,{af},{sb}")
        index = ["record,first,samples,flags,digest,first_peak,peaks"]
        index += [f"{name},0,2500,,{source[:1]}{name},0,9" for name in names[1:]]
        (folder / "index.csv").write_text("\n".join([*index, ""]))
        (folder / "refused.csv").write_text(
            'record,path,reason,message\n00000,g1/00000.hea,short,"1 s, too short"\n'
        )
        about = {"format": store.FORMAT, "leads": LEADS, "unit": store.UNIT}
        (folder / "store.json").write_text(json.dumps(about | {"digest": f"digest-{source}"}))
        digests.write_digests(folder)
    (paths.SIGNALS / "georgia").mkdir()
    write_sealed_text("\n".join([*lines, ""]), paths.LABELS)
    write_params()


def write_params(**changes) -> None:
    values = {
        "data": {"root": "data/raw", "sources": ["ptb-xl", "sph"]},
        "split": {**SPLIT, **changes},
    }
    params.PARAMS.write_text(json.dumps(values))


@pytest.mark.usefixtures("project")
def test_the_stage_writes_folds_their_facts_the_left_out_and_the_figures():
    split.main()
    folds = tables.read(paths.FOLDS)
    assert list(folds.columns) == [*tables.FOLDS_HEAD, AF, SB, *tables.FOLDS_TAIL]
    assert folds["record"].tolist() == [f"{number:05d}" for number in range(1, 40)] * 2
    assert folds["path"][0] == "g1/00001.hea"
    assert folds[AF][folds["source"] == "sph"].isna().all()
    assert set(folds["fold"]) == {"0", "1", "2", "test"}
    check_disjoint(folds)
    info = json.loads(paths.FOLDS_INFO.read_text())
    assert len(info.pop("table")) == 32
    assert info == {
        "sources": {"ptb-xl": "digest-ptb-xl", "sph": "digest-sph"},
        "folds": [0, 1, 2],
        "unused": [],
        "protocol": "stratified",
        "classes": [AF, SB],
        "codes": [[AF], [SB]],
        "names": ["AF", "SB"],
        "full_names": ["atrial fibrillation", "sinus bradycardia"],
    }
    left_out = tables.read(paths.LEFT_OUT, sealed=False)
    assert left_out["reason"].tolist() == ["short: 1 s, too short"] * 2
    figures = json.loads((paths.METRICS / "split.json").read_text())
    assert figures["left_out"] == {"short": {"recordings": 2}}
    assert figures["patient_unknown"] == 78
    assert sum(part["recordings"] for part in figures["parts"].values()) == len(folds) == 78
    assert not (paths.SIGNALS / "georgia").exists()


@pytest.mark.usefixtures("project")
def test_running_twice_or_with_shuffled_labels_writes_the_same_bytes():
    split.main()
    outputs = [paths.FOLDS, paths.FOLDS_INFO, paths.LEFT_OUT, paths.METRICS / "split.json"]
    first = [path.read_bytes() for path in outputs]
    write_sealed(tables.read(paths.LABELS).sample(frac=1, random_state=1), paths.LABELS)
    split.main()
    assert [path.read_bytes() for path in outputs] == first


@pytest.mark.usefixtures("project")
def test_another_label_gives_other_facts_so_that_no_training_goes_on_under_it():
    split.main()
    first = json.loads(paths.FOLDS_INFO.read_text())
    labels = tables.read(paths.LABELS)
    row = labels.index[(labels["record"] == "00005") & labels[AF].notna()][0]
    labels.loc[row, AF] = 1 - labels.loc[row, AF]
    write_sealed(labels, paths.LABELS)
    split.main()
    second = json.loads(paths.FOLDS_INFO.read_text())
    assert [key for key in first if first[key] != second[key]] == ["table"]


@pytest.mark.usefixtures("project")
def test_a_fault_leaves_the_old_outputs_alone():
    split.main()
    before = paths.FOLDS.read_bytes()
    write_params(protocol="source", institutions=[["ptb-xl", "sph"]])
    with pytest.raises(
        ValueError, match=r"needs 2 at least, found \[ptb-xl, sph\]; add another to data.sources"
    ):
        split.main()
    assert paths.FOLDS.read_bytes() == before


@pytest.mark.usefixtures("project")
def test_folds_beyond_the_institutions_are_listed_as_unused(caplog):
    write_params(protocol="source")
    split.main()
    assert "split.folds: institutions are fewer than folds; 2 stay unused" in caplog.text
    info = tables.folds_info()
    assert (info["folds"], info["unused"]) == ([0, 1], [2])
    folds = tables.read(paths.FOLDS)
    assert {fold: set(rows["source"]) for fold, rows in folds.groupby("fold")} == {
        "0": {"ptb-xl"},
        "1": {"sph"},
    }
    figures = json.loads((paths.METRICS / "split.json").read_text())
    assert list(figures["parts"]) == ["0", "1"]
    assert figures["deviation"]["fold_sizes"] == 0
    assert list(figures["parts"]["0"]["prevalence"]) == ["AF", "SB"]


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("sources", "fault"),
    [
        (["ptb_xl", "sph"], r"data/signals/ptb_xl"),
        ("ptb-xl", r"data\.sources: a list"),
        ([], r"data\.sources: a list of 1 or more"),
        (["../signals"], r"data\.sources\.0: 1 to 100 letters, digits"),
    ],
)
def test_a_wrong_list_of_sources_costs_no_store(sources, fault):
    values = params.load()
    values["data"]["sources"] = sources
    params.PARAMS.write_text(json.dumps(values))
    with pytest.raises((ValueError, OSError), match=fault):
        split.main()
    assert sorted(path.name for path in paths.SIGNALS.iterdir()) == ["georgia", "ptb-xl", "sph"]

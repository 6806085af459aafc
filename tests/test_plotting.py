import itertools
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ecgpipe import layout, plotting
from ecgpipe.answers import Answers

TEMPLATES = Path(__file__).parent.parent / ".dvc" / "plots"
OUTPUTS = {f"{name}.json" for name in ("roc", "pr", "history", "calibration")} | {
    f"{name}.png" for name in ("roc", "pr", "history", "calibration", "confusion", "classes")
}


def answers(rows=600, classes=4, seed=0):
    """Class 2 is never positive, class 3 is never annotated."""
    rng = np.random.default_rng(seed)
    labels = (rng.random((rows, classes)) < 0.2).astype(float)
    labels[:, 2] = 0
    labels[:, 3] = np.nan
    probabilities = np.clip(rng.random(labels.shape) * 0.8 + 0.2 * np.nan_to_num(labels), 0, 1)
    return Answers(labels, probabilities, np.full(labels.shape, 0.5), np.full(rows, "a", object))


def report(given, names):
    known = given.annotated.sum(axis=0)
    values = [0.8, 0.7, np.nan, np.nan]
    each = {
        name: {
            "auroc": values[i],
            "ap": values[i],
            "positives": int((given.labels[:, i] == 1).sum()),
            "annotated": known[i],
        }
        for i, name in enumerate(names)
    }
    return {"classes": each, "undefined": {names[2]: "no positives", names[3]: "not annotated"}}


def history(folds=2, epochs=3):
    table = pd.DataFrame({"epoch": np.tile(np.arange(1, epochs + 1), folds)})
    return table.assign(
        train_loss=0.3,
        val_loss=0.4,
        val_auroc_macro=np.nan,
        fold=np.repeat([f"fold {k}" for k in range(folds)], epochs),
    )


def draw(folder, with_test=True):
    names = ["A", "B", "C", "D"]
    settings = {"out_of_fold": answers()} | ({"test_ensemble": answers(200, seed=1)} if with_test else {})
    told = {name: report(one, names) for name, one in settings.items()}
    plotting.draw(settings, told, names, history(), folder)


def test_every_plot_is_written_with_and_without_a_test_part(tmp_path):
    for with_test in (True, False):
        folder = tmp_path / str(with_test)
        draw(folder, with_test)
        assert {path.name for path in folder.iterdir()} == OUTPUTS


def test_the_same_data_give_the_same_bytes_without_the_name_of_the_software(tmp_path):
    for name in ("one", "other"):
        draw(tmp_path / name)
    for name in OUTPUTS:
        first = (tmp_path / "one" / name).read_bytes()
        assert first == (tmp_path / "other" / name).read_bytes(), name
        assert b"matplotlib" not in first.lower()


def test_the_plots_data_are_long_records_with_unknown_values_as_null(tmp_path):
    draw(tmp_path)
    roc = json.loads((tmp_path / "roc.json").read_text())
    assert {record["class"] for record in roc} == {"A", "B"}
    assert all(record.keys() == {"class", "fpr", "tpr"} for record in roc)
    told = json.loads((tmp_path / "history.json").read_text())
    assert told[0] == {"epoch": 1, "fold": "fold 0", "train_loss": 0.3, "val_auroc_macro": None, "val_loss": 0.4}
    assert (tmp_path / "roc.json").read_text().endswith("]\n")


@pytest.mark.parametrize("count", [1, 5, 6, 17, 26])
def test_every_class_has_a_panel_and_the_legend_a_free_place(count):
    names = [f"class {index}" for index in range(count)]
    figure, panels, free = plotting._panels(names, "x", "y")
    assert [axes.get_title() for axes in panels.values()] == names
    assert free not in panels.values()
    assert free in figure.axes


def test_no_text_overlaps_in_the_panels(tmp_path):
    names = [f"CRBBB/RBBB{index}" for index in range(4)]
    given = {name: answers() for name in plotting.COLOURS}
    told = {name: report(one, names) for name, one in given.items()}
    figure = plotting.roc(given, told, names)
    plotting.save(figure, tmp_path / "roc.png")
    renderer = figure.canvas.get_renderer()
    texts = [text for axes in figure.axes for text in (*axes.texts, axes.title) if text.get_text()]
    boxes = [text.get_window_extent(renderer) for text in texts]
    assert len(boxes) == 12
    pairs = itertools.combinations(range(12), 2)
    assert [(texts[i].get_text(), texts[j].get_text()) for i, j in pairs if boxes[i].overlaps(boxes[j])] == []


def test_histories_need_their_columns(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    layout.predictions("0").mkdir(parents=True)
    history(1).drop(columns="fold").to_csv(layout.predictions("0") / "history.csv", index=False)
    assert plotting.read_histories(["0"])["fold"].unique().tolist() == ["fold 0"]
    (layout.predictions("0") / "history.csv").write_text("epoch,train_loss\n1,0.5\n")
    with pytest.raises(ValueError, match=r"history\.csv: no column val_loss, val_auroc_macro; train this fold again"):
        plotting.read_histories(["0"])


@pytest.mark.parametrize(("name", "column"), [("curves_by_class", "class"), ("curves_by_fold", "fold")])
def test_the_templates_hold_dvc_anchors_and_the_column_that_tells_curves_apart(name, column):
    text = (TEMPLATES / f"{name}.json").read_text()
    assert json.loads(text)["data"] == {"values": "<DVC_METRIC_DATA>"}
    for anchor in ("TITLE", "X", "Y", "X_LABEL", "Y_LABEL"):
        assert f'"<DVC_METRIC_{anchor}>"' in text
    assert f'"field": "{column}"' in text

import json
from pathlib import Path

import numpy as np
import pytest

from ecgpipe.evaluation import predictions
from ecgpipe.project import digests, paths
from ecgpipe.report import plots
from tests.fixtures.small_run import history, run

TEMPLATES = Path(__file__).parents[2] / ".dvc" / "plots"
DATA = ("roc", "pr", "history", "calibration", "classes", "sources", "cooccurrence")
PNGS = tuple(name for name, _, _ in plots.PICTURES)
OUTPUTS = {f"{name}.json" for name in DATA} | {f"{name}.png" for name in PNGS}
# What each template must be able to read: the file that it draws, its columns for x and y.
DRAWN = {
    "curves_by_class": ("roc", "fpr", "tpr"),
    "steps_by_class": ("pr", "recall", "precision"),
    "reliability_by_class": ("calibration", "predicted", "observed"),
    "curves_by_fold": ("history", "epoch", "val_auroc_macro"),
    "dots_by_class": ("classes", "auroc", "class"),
    "map_of_scores": ("sources", "source", "class"),
    "map_of_shares": ("cooccurrence", "other", "class"),
}


def draw(folder, tested=True):
    settings, metrics, names = run(tested)
    return plots.plot(settings, metrics, names, history(), folder)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plots")
    return folder, draw(folder)


def read(folder, name):
    return json.loads((folder / f"{name}.json").read_text())


def test_every_plot_is_written_and_given_to_the_report_in_its_order(drawn):
    folder, pictures = drawn
    assert {path.name for path in folder.iterdir()} == OUTPUTS
    assert [path.stem for _, _, path in pictures] == list(PNGS)
    assert all(
        title and caption.endswith(".") and path.is_file() for title, caption, path in pictures
    )


def test_without_a_test_part_every_plot_is_written_too(tmp_path):
    draw(tmp_path, tested=False)
    assert {path.name for path in tmp_path.iterdir()} == OUTPUTS
    assert {record["setting"] for record in read(tmp_path, "classes")} == {"out of fold"}


def test_the_same_data_give_the_same_bytes_without_the_name_of_the_software(drawn, tmp_path):
    draw(tmp_path)
    for name in OUTPUTS:
        data = (tmp_path / name).read_bytes()
        assert data == (drawn[0] / name).read_bytes(), name
        assert b"matplotlib" not in data.lower()


def test_the_plots_data_are_long_records_with_unknown_values_as_null(drawn):
    folder, names = drawn[0], run()[2]
    roc = read(folder, "roc")
    assert {record["class"] for record in roc} == set(names[:3])
    assert all(record.keys() == {"class", "fpr", "tpr"} for record in roc)
    wanted = {
        "epoch": 1,
        "fold": "fold 0",
        "train_loss": 0.3,
        "val_auroc_macro": None,
        "val_loss": 0.4,
    }
    assert read(folder, "history")[0] == wanted
    assert {record["probabilities"] for record in read(folder, "calibration")} == {
        "raw",
        "calibrated",
    }
    unknown = [record for record in read(folder, "classes") if record["class"] == names[3]]
    assert [record["auroc"] for record in unknown] == [None, None]
    assert (folder / "roc.json").read_text().endswith("]\n")


def test_labels_that_go_together_are_counted_over_all_recordings(drawn):
    settings, _, names = run()
    labels = np.concatenate([record.labels for record in settings.whole.values()])
    for record in read(drawn[0], "cooccurrence"):
        row, column = names.index(record["class"]), names.index(record["other"])
        both = (labels[:, row] == 1) & ~np.isnan(labels[:, column])
        assert record["recordings"] == both.sum()
        share = (labels[both, column] == 1).mean() if both.any() else None
        assert record["share"] == (None if share is None else pytest.approx(share, abs=1e-6))


def test_records_of_labels_hold_the_class_itself_as_one():
    labels = np.array([[1.0, 0], [1, 1], [0, 0]])
    made = predictions.Predictions(labels, labels, labels, labels, np.arange(3))
    shares = {
        (record["class"], record["other"]): record["share"]
        for record in plots.together(made, ["A", "B"])
    }
    assert shares == {("A", "A"): 1, ("A", "B"): 0.5, ("B", "A"): 1, ("B", "B"): 1}


def test_histories_need_their_columns(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    paths.predictions("0").mkdir(parents=True)
    history(1).drop(columns="fold").to_csv(paths.predictions("0") / "history.csv", index=False)
    digests.write_digests(paths.predictions("0"))
    assert plots.read_histories(["0"])["fold"].unique().tolist() == ["fold 0"]
    (paths.predictions("0") / "history.csv").write_text("epoch,train_loss\n1,0.5\n")
    digests.write_digests(paths.predictions("0"))
    with pytest.raises(
        ValueError,
        match=r"history\.csv: no column val_loss, val_auroc_macro; train this fold again",
    ):
        plots.read_histories(["0"])


def test_both_losses_share_a_scale_and_the_legend_names_the_folds():
    figure = plots.training_history(history(3).assign(val_loss=[*range(9)]))
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "fold 0",
        "fold 1",
        "fold 2",
    ]


def fields(template):
    """Every column that a template names, but for those that it makes itself."""
    named, made = set(), set()

    def walk(value):
        if isinstance(value, dict):
            named.update(value[key] for key in ("field",) if isinstance(value.get(key), str))
            made.update([value["as"]] if isinstance(value.get("as"), str) else [])
            value = list(value.values())
        if isinstance(value, list):
            for inner in value:
                walk(inner)

    walk(template)
    return {name for name in named - made if not name.startswith("<DVC")}


def test_there_is_a_template_for_each_plot_and_no_other():
    assert {path.stem for path in TEMPLATES.glob("*.json")} == set(DRAWN)
    assert {name for name, _, _ in DRAWN.values()} == set(DATA)


@pytest.mark.parametrize("name", DRAWN)
def test_the_templates_hold_dvc_anchors_and_columns_that_the_data_have(name, drawn):
    data, x, y = DRAWN[name]
    text = (TEMPLATES / f"{name}.json").read_text()
    template = json.loads(text)
    assert template["data"] == {"values": "<DVC_METRIC_DATA>"}
    for anchor in ("TITLE", "X", "Y", "X_LABEL"):
        assert f'"<DVC_METRIC_{anchor}>"' in text
    columns = {"rev", *read(drawn[0], data)[0]}
    assert fields(template) <= columns
    assert {x, y} <= columns

import pytest

from ecgpipe.evaluation import metric_list, metrics
from ecgpipe.evaluation.held_out import WHOLE
from ecgpipe.evaluation.metric_list import MACRO, METRICS, Metric
from ecgpipe.report.html import write
from ecgpipe.report.html_tables import class_columns, class_rows, headline, points, subgroup_rows
from tests.fixtures.small_run import run, with_floor


def test_classes_carry_full_names_counts_marks_and_why_they_are_undefined():
    _, trees, names = run()
    rows = {row["name"]: row for row in class_rows(trees, "out_of_fold")}
    assert rows[names[1]]["words"] == "atrial fibrillation"
    assert [rows[name]["few"] for name in names] == [False, True, False, True]
    assert rows[names[3]]["why"] == "not annotated"
    assert [entry["value"] for entry in rows[names[3]]["entries"]] == ["undefined"] * 6
    assert rows[names[3]]["entries"][0]["interval"] == ""


def test_settings_stand_in_the_order_of_the_list_of_metrics():
    rows = {row["title"]: row["entries"] for row in headline(run()[1])}
    assert list(rows)[:3] == [
        "AUROC, macro",
        "AUROC, macro over classes with 10 or more positives",
        "Average precision, macro",
    ]
    assert [bool(entry["sd"]) for entry in rows["F1, macro"]] == [False, False, True]
    assert rows["Calibration error before calibration"][0]["interval"] == ""


def test_a_subgroup_without_recordings_in_a_setting_has_an_empty_cell():
    late = subgroup_rows("source", run()[1]["subgroups"]["source"])[-1]
    assert late["name"] == "late"
    none, tested = late["entries"]
    assert (none["recordings"], none["scored"], none["means"]) == ("0", 0, ["", "", ""])
    assert tested["recordings"] != "0"


def test_operating_points_mark_thresholds_that_rest_on_no_positive():
    _, trees, names = run()
    rows = {row["name"]: row for row in points(trees)}
    assert [entry["undecided"] for entry in rows[names[3]]["thresholds"]] == [True, True]
    assert rows[names[3]]["ensemble"] == {
        "threshold": "0.500",
        "temperature": "1.000",
        "shift": "0.000",
    }
    threshold = trees["folds"]["0"]["point"][names[0]]["threshold"]
    expected = {"value": f"{threshold:.3f}", "undecided": False}
    assert rows[names[0]]["thresholds"][0] == expected
    untested = run(False)[1]
    used = untested["classes"][names[0]]["point"]["threshold"]
    first = points(untested)[0]
    assert first["ensemble"]["threshold"] == f"{used:.3f}", "predict uses it, test part or not"


@pytest.mark.parametrize("headlined", [False, True])
def test_a_metric_that_is_added_stands_on_the_page(monkeypatch, tmp_path, headlined):
    toy = Metric(
        "found",
        "Share found",
        reads="binary",
        function=metrics.sensitivity,
        over=(MACRO,),
        summary=WHOLE if headlined else (),
    )
    monkeypatch.setattr(metric_list, "METRICS", (*METRICS, toy))
    trees = run.__wrapped__()[1]
    write(trees, [], "", tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert '<th scope="row">Share found, macro</th>' in text
    # Heads of the tables of classes in two settings; of four kinds of subgroup in two settings.
    assert text.count('<th scope="col">Share<br>found</th>') == (2 + 4 * 2 if headlined else 2)
    for name, row in zip(run()[2], class_rows(trees, "out_of_fold"), strict=True):
        value = trees["classes"][name]["out_of_fold"]["found"]
        expected = {"value": "undefined" if value != value else f"{value:.3f}", "interval": ""}
        assert row["entries"][-1] == expected


def test_recordings_without_a_flag_are_called_so():
    rows = subgroup_rows("flag", run()[1]["subgroups"]["flag"])
    assert [row["name"] for row in rows] == ["flat-lead", "no flag"]


def test_the_floor_stands_beside_the_network_where_it_was_computed():
    metrics = with_floor()
    heads = list(class_columns(with_floor=True).values())
    assert heads[:2] == ["AUROC", "AUROC of the floor"]
    entries = [row["entries"] for row in class_rows(metrics, "out_of_fold")]
    assert [len(each) for each in entries] == [len(heads)] * 4
    first = next(iter(metrics["classes"].values()))["out_of_fold"]
    assert entries[0][1]["value"] == f"{first['floor_auroc']:.3f}"
    assert entries[0][1]["interval"]
    rows = {row["title"]: row["entries"] for row in headline(metrics)}
    of_floor = rows["AUROC, macro, of the floor (a logistic regression on simple features)"]
    assert [bool(entry["value"]) for entry in of_floor] == [True, True, False]
    assert not [row for row in headline(run()[1]) if "floor" in row["title"]]

import copy
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from ecgpipe.report import closing
from tests.fixtures.small_run import run, with_floor

PAGE = Path("plots/report.html")


def test_a_run_ends_with_its_scores_and_where_they_are():
    held_out, metrics, _ = run()
    first, auroc, *_, last = closing.lines(metrics, PAGE)
    pooled = held_out.whole["out_of_fold"]
    by_class = []
    for labels, scores in zip(pooled.labels.T, pooled.raw.T, strict=True):
        known = np.isfinite(labels)
        if 0 < labels[known].sum() < known.sum():
            by_class.append(roc_auc_score(labels[known], scores[known]))
    assert f"AUROC, macro: out of fold {np.mean(by_class):.3f} (" in auroc
    assert ", test ensemble 0." in auroc and ", test, single models 0." in auroc
    counts = metrics["summary"]["counts"]
    assert first.startswith(f"4 classes, {counts['folds']} folds, {counts['recordings']} record")
    assert last == "plots/report.html shows all of it, metrics/summary.json has the numbers"


@pytest.mark.parametrize("frequent", [0.5, 0.75])
def test_means_over_frequent_classes_are_told_where_rare_ones_move_them(frequent):
    metrics = copy.deepcopy(run(tested=False)[1])
    setting = metrics["settings"]["out_of_fold"]
    setting |= {"auroc_macro": 0.5, "auroc_macro_frequent": frequent}
    told = [line for line in closing.lines(metrics, PAGE) if "10 or more positives" in line]
    assert [f"out of fold {frequent:.3f}" in line for line in told] == [True] * (frequent > 0.5)


@pytest.mark.parametrize("tested", [False, True])
def test_the_lines_are_logged_and_few(tested, caplog):
    caplog.set_level("INFO")
    metrics = run(tested)[1]
    closing.tell(metrics, PAGE)
    assert caplog.messages == [f"evaluate: {line}" for line in closing.lines(metrics, PAGE)]
    assert len(caplog.messages) <= 7
    assert ("no test part" in caplog.text) != tested


@pytest.mark.parametrize(("sharper", "words"), [(0, "are above it by +0."), (3, "do not beat it")])
def test_the_floor_has_a_line(sharper, words):
    lines = closing.lines(with_floor(sharper), PAGE)
    told = [line for line in lines if "logistic regression on 12 features" in line]
    assert len(told) == 1
    assert words in told[0]
    assert not [line for line in closing.lines(run()[1], PAGE) if "logistic" in line]

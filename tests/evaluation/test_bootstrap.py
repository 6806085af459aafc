import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as trials
from hypothesis import strategies as st
from sklearn import metrics

from ecgpipe.evaluation import bootstrap


@trials(max_examples=150, deadline=None)
@given(st.data())
def test_areas_equal_scikit_learn_on_the_resampled_rows(data):
    rows = data.draw(st.integers(1, 40))
    truth = np.array(data.draw(st.lists(st.sampled_from([0.0, 1.0]), min_size=rows, max_size=rows)))
    levels = data.draw(st.sampled_from([1, 4, 1000]))  # few levels: many ties
    scores = (
        np.array(data.draw(st.lists(st.integers(0, levels), min_size=rows, max_size=rows))) / levels
    )
    groups = np.array(data.draw(st.lists(st.integers(0, 6), min_size=rows, max_size=rows)))
    weights = bootstrap.counts(groups, 8, data.draw(st.integers(0, 99)))
    ranking = bootstrap.rank(truth, scores, np.arange(rows), rows)
    counted = ranking.count(weights.astype(np.float32))
    areas = bootstrap.auroc(counted), bootstrap.average_precision(counted)
    for resample, (auroc, ap) in enumerate(zip(*areas, strict=True)):
        drawn = np.repeat(np.arange(rows), weights[:, resample])
        again = truth[drawn]
        if 0 < again.sum() < len(again):
            assert auroc == pytest.approx(metrics.roc_auc_score(again, scores[drawn]), abs=1e-12)
            assert ap == pytest.approx(
                metrics.average_precision_score(again, scores[drawn]), abs=1e-12
            )
        else:
            assert np.isnan([auroc, ap]).all()


def test_a_row_of_many_entries_counts_with_each_of_them():
    rng = np.random.default_rng(0)
    truth, scores = (rng.random((50, 3)) < 0.3).astype(float), rng.integers(0, 20, (50, 3)) / 20
    weights = bootstrap.counts(np.arange(50), 5, 1)
    entries = truth.ravel(), scores.ravel(), np.repeat(np.arange(50), 3)
    auroc = bootstrap.auroc(bootstrap.rank(*entries, 50).count(weights.astype(np.float32)))
    for resample in range(5):
        drawn = np.repeat(np.arange(50), weights[:, resample])
        expected = metrics.roc_auc_score(truth[drawn].ravel(), scores[drawn].ravel())
        assert auroc[resample] == pytest.approx(expected, abs=1e-12)


def test_a_group_is_drawn_whole_and_as_many_groups_as_there_are():
    groups = np.array(["a", "b", "b", "c", "c", "c"], object)
    weights = bootstrap.counts(groups, 500, 3)
    assert (weights[1] == weights[2]).all()
    assert (weights[3] == weights[4]).all()
    assert (weights[[0, 1, 3]].sum(axis=0) == 3).all()
    assert weights[0].mean() == pytest.approx(1, abs=0.15)


def test_resamples_are_keyed_by_their_seed():
    groups = np.arange(30)
    one, same, other = (bootstrap.counts(groups, 4, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_one_group_can_count_more_often_than_a_byte_holds():
    weights = bootstrap.counts(np.zeros(3), 2, 0)
    assert weights.tolist() == [[1, 1]] * 3
    assert bootstrap.exact_dtype(2**20, np.array([[16]], np.uint8)) is np.float64
    assert bootstrap.exact_dtype(2**20, np.array([[15]], np.uint8)) is np.float32


def test_percentiles_are_numpys_and_undefined_where_too_few_resamples_are_defined():
    draws = np.random.default_rng(0).normal(size=1000)
    assert bootstrap.percentiles(draws) == pytest.approx(np.percentile(draws, [2.5, 97.5]))
    draws[:40] = np.nan
    assert bootstrap.percentiles(draws) == pytest.approx(np.percentile(draws[40:], [2.5, 97.5]))
    draws[:60] = np.nan
    assert np.isnan(bootstrap.percentiles(draws)).all()

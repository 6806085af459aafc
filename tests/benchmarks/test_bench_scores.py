"""The benchmark of the stage evaluate runs the stage as it is now."""

from dataclasses import replace

import pytest

from tests.benchmarks import bench_scores, collection


@pytest.mark.campaign
def test_the_stage_evaluate_takes_the_project_made_for_it(tmp_path, monkeypatch):
    few = {name: replace(each, recordings=40) for name, each in collection.SOURCES.items()}
    monkeypatch.setattr(collection, "SOURCES", few)
    monkeypatch.setattr(bench_scores, "RESAMPLES", 100)
    table = bench_scores.make(tmp_path)
    assert len(table) == 40 * len(few)
    row = bench_scores.stage(tmp_path, len(table))
    assert row.ours > 0
    assert (tmp_path / "plots/report.html").exists()

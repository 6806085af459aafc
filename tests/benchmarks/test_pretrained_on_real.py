"""The scores of a network of simulated hearts on real recordings, on made-up ones."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from ecgpipe.dataset import examples
from ecgpipe.model import saved_model
from ecgpipe.model.inference import probabilities_of
from ecgpipe.prediction import pretrained
from ecgpipe.preprocessing import store_writer
from ecgpipe.project import atomic, paths, tables
from ecgpipe.signals.store import open_store
from tests.benchmarks import pretrained_on_real
from tests.fixtures import small_models

ROWS = 40


@pytest.fixture
def collection(tmp_path, monkeypatch):
    """Recordings of two sources, the first of which does not annotate the last class."""
    monkeypatch.chdir(tmp_path)
    paths.PRETRAINED.parent.mkdir()
    small_models.write_one(paths.PRETRAINED)
    rng, rows = np.random.default_rng(1), []
    for name in ("a", "b"):
        with store_writer.Writer(tmp_path / name, 100.0, small_models.CONDITIONING) as writer:
            for index in range(ROWS // 2):
                signal_uv = rng.normal(0, 300, (600, 12)).astype(np.int16)
                writer.append(f"r{index}", signal_uv, np.zeros(0, np.int32), (), str(index))
                row = {"source": name, "record": f"r{index}", "age": 50.0, "gender": "F"}
                present = (rng.random(3) < 0.5).astype(float)
                present[2] = np.nan if name == "a" else present[2]
                row |= {"patient": f"p{index // 2}"}
                rows.append(row | dict(zip(small_models.CODES, present, strict=True)))
            writer.close()
    stores = {name: open_store(tmp_path / name) for name in ("a", "b")}
    return SimpleNamespace(table=pd.DataFrame(rows), stores=stores)


def test_scores_are_those_of_the_network_on_annotated_recordings(collection):
    result = pretrained_on_real.scored(paths.PRETRAINED, collection)
    assert result["sources"] == {"a": ROWS // 2, "b": ROWS // 2}
    annotated = [each["annotated"] for each in result["scores"]["classes"].values()]
    assert annotated == [ROWS, ROWS, ROWS // 2]
    network, about = saved_model.load(paths.PRETRAINED)
    data = examples.examples(collection.table, collection.stores)
    raw = probabilities_of(network, data, about["window"], "none").numpy()
    truth = collection.table[tables.class_codes(collection.table)].to_numpy()
    expected = roc_auc_score(truth[:, 0], raw[:, 0])
    assert result["scores"]["classes"]["NSR"]["auroc"] == pytest.approx(expected)
    said = pretrained_on_real.said(result["scores"])
    assert len(said) == 4 and said[-1].startswith("mean of ")


def test_predict_tells_what_was_written(collection):
    result = pretrained_on_real.scored(paths.PRETRAINED, collection)
    atomic.write_json(pretrained.on_real_of(paths.PRETRAINED), result)
    assert (
        json.loads(pretrained.on_real_of(paths.PRETRAINED).read_text())["weights"]
        == result["weights"]
    )
    (line,) = pretrained.told(paths.MODELS, paths.PRETRAINED)
    assert f"on {ROWS} real recordings of 2 sources its mean AUROC over" in line


def test_the_conditioning_is_the_models_own(collection):
    preprocess = pretrained_on_real.preprocess_of(paths.PRETRAINED)
    assert (preprocess.rate_hz, preprocess.low_hz, preprocess.high_hz) == (100.0, 0.5, 40.0)

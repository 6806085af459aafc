"""What pretraining leaves, of a tiny training on simulated recordings."""

import json

import numpy as np
import pytest

from ecgpipe.dataset import examples
from ecgpipe.evaluation import challenge_score, operating_points
from ecgpipe.model import saved_model
from ecgpipe.model.inference import probabilities_of
from ecgpipe.pretraining import outputs, simulated_store, stream
from ecgpipe.pretraining.params import PretrainParams
from ecgpipe.project import digests, tables
from ecgpipe.training import trainer
from tests.fixtures import small_pretraining
from tests.fixtures.small_training import ALONE, quiet


@pytest.fixture(scope="module")
def delivered(tmp_path_factory):
    """The folder that was written, the training, the fresh recordings and the card."""
    folder = tmp_path_factory.mktemp("pretrained")
    params = PretrainParams.model_validate(small_pretraining.values(folder=str(folder / "made")))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        store = simulated_store.make(stream.of(params, 1), 60, 1, "test")
        table, stores = simulated_store.read(store)
        data = examples.examples(table, stores)
        parts = [data.take(np.arange(first, first + 20)) for first in (0, 20, 40)]
        run = trainer.Trainer(
            *parts[:2], params.model, params.train, params.augment,
            codes=tables.class_codes(table), peers=ALONE, state_path=folder / "state.pt", key="key",
        )  # fmt: skip
        run.run(quiet)
        simulated = {"train": "a", "card": "b"}
        card = outputs.deliver(
            run, parts[2], params, small_pretraining.EVALUATE, simulated=simulated
        )
    return folder / "made", run, parts[2], card


def test_the_folder_is_a_model_folder_of_the_trained_network(delivered):
    folder, run, fresh, _ = delivered
    network, about = saved_model.load(folder)
    assert about["classes"] == run.codes == [codes[0] for codes in about["codes"]]
    assert about["conditioning"]["to_rate_hz"] == 100
    expected = probabilities_of(run.state.network, fresh, 300, "none")
    np.testing.assert_array_equal(probabilities_of(network, fresh, 300, "none"), expected)
    assert not run.state_path.exists()
    for path in folder.iterdir():
        if path.name != digests.SUMS:
            digests.verify(path)


def test_the_operating_point_is_chosen_on_validation_and_never_answers_what_was_not_learnt(
    delivered,
):
    folder, run, _, card = delivered
    _, about = saved_model.load(folder)
    point, skill = operating_points.read(
        folder / "operating.json", about["classes"], {"0": about["validation"]}
    )
    raw = probabilities_of(run.state.network, run.validation, 300, "none").numpy()
    labels = run.validation.labels.numpy().astype(float)
    expected = operating_points.choose(
        labels, raw, challenge_score.scored_classes(run.codes), small_pretraining.EVALUATE
    )
    np.testing.assert_allclose(point.scaling.slope, expected.scaling.slope)
    learnt = np.isfinite(skill.auroc)
    np.testing.assert_allclose(point.thresholds[learnt], expected.thresholds[learnt])
    assert np.isinf(point.thresholds[~learnt]).all() and 0 < learnt.sum() < 26
    assert np.isnan(skill.precision).all(), "how often it is right among patients is not known"
    assert card["scores"]["classes_of_mean"] == learnt.sum()


def test_the_card_says_what_it_was_made_by(delivered):
    folder, _, _, card = delivered
    stored = json.loads((folder / "card.json").read_text())
    assert stored["made"] == "made from simulated hearts alone; not for patients"
    assert stored["recordings"] == {"train": 20, "validation": 20, "card": 20}
    assert stored["params"]["train"]["epochs"] == 2
    assert stored["simulated"] == {"train": "a", "card": "b"}
    assert "torch" in stored["versions"] and card["made"] == stored["made"]


def test_a_folder_of_other_things_is_not_replaced(delivered, tmp_path):
    outputs.refuse_others(delivered[0])
    outputs.refuse_others(tmp_path / "new")
    outputs.refuse_others(tmp_path)
    (tmp_path / "thesis.txt").write_text("years of work")
    for place in (tmp_path, tmp_path / "thesis.txt"):
        with pytest.raises(ValueError, match=r"^pretrain\.folder: .* would be replaced whole"):
            outputs.refuse_others(place)

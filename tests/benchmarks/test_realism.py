"""The distances of realism: none between equals, all between strangers."""

import numpy as np
import pandas as pd
import pytest

from tests.benchmarks import real_recordings, realism, realism_page, separating


def sides(shift: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two tables of three features, of which the second's first is shifted by so many
    deviations."""
    rng = np.random.default_rng(1)
    first, second = rng.normal(size=(200, 3)), rng.normal(size=(200, 3))
    second[:, 0] += shift
    names = ["shifted", "a", "offset, uV"]
    return pd.DataFrame(first, columns=names), pd.DataFrame(second, columns=names)


def test_distances_of_a_shift():
    first, *others = realism.compared(*sides(2.0))
    assert first["feature"] == "shifted"
    # Of two normal distributions: 2 Phi(shift / 2) - 1, and the shift itself.
    assert first["ks"] == pytest.approx(0.683, abs=0.06)
    assert first["wasserstein"] == pytest.approx(2.0, abs=0.2)
    assert max(row["ks"] for row in others) < 0.15


def test_equals_are_not_told_apart_and_strangers_are():
    assert realism.told_apart(*sides(0.0)) == pytest.approx(0.5, abs=0.1)
    assert realism.told_apart(*sides(4.0), kind="logistic") > 0.98
    found = realism.separation(*sides(4.0))
    (first, reached, lost), *_ = found["tellers"]
    assert first == "shifted"
    assert reached > 0.98
    assert lost > 0.3
    assert found["auroc"]["features of the file, boosting"] < 0.6


def test_a_partner_has_the_same_classes_and_is_given_once():
    real = np.array([[1, np.nan, 1], [0, 1, 0], [1, 0, 0]])
    simulated = np.array([[0, 1, 0], [1, 0, 1], [1, 0, 0]], float)
    partner = realism.matched(real, simulated, np.random.default_rng(1))
    assert partner.tolist() == [1, 0, 2]
    assert sorted(realism.matched(real, simulated[:2], np.random.default_rng(1)))[0] == -1


def test_a_network_tells_a_sine_from_noise():
    rng = np.random.default_rng(1)
    noise = [rng.normal(0, 200, (200, 12)).astype(np.int16) for _ in range(32)]
    wave = np.round(300 * np.sin(np.arange(200) / 7))[:, None]
    waves = [(one / 4 + wave).astype(np.int16) for one in noise]
    assert separating.network_auroc(waves, noise, 100.0, epochs=8) > 0.9


def test_the_page_of_simulated_recordings_against_themselves():
    preprocess = real_recordings.preprocess_params()
    made = realism.of_simulated(range(4), 1, preprocess, "published")
    table = pd.DataFrame([measured.features for measured, _ in made])
    assert all(measured.signal_uv.shape == (1000, 12) for measured, _ in made)
    assert all(np.nansum(labels) > 0 for _, labels in made)
    rows = realism.compared(pd.concat([table] * 5), pd.concat([table] * 5))
    assert {row["ks"] for row in rows} == {0.0}
    content = {
        "recordings": {"real": 20, "simulated": 20, "pairs": 20},
        "population": "published",
        "alike_in_classes": 1.0,
        "separation": {"auroc": {"all features": 0.5}, "tellers": [("a", 0.9, 0.1)]},
        "overall": rows,
        "classes": {"NSR": rows},
    }
    text = realism_page.page(content)
    assert "### NSR" in text
    assert text.count("| 0.00 | 0.00 |") == realism_page.MOST_ROWS + realism_page.MOST_OF_CLASS or (
        len(rows) < realism_page.MOST_ROWS
    )

import dataclasses

import numpy as np
import pandas as pd
import pytest

from ecgpipe.evaluation import predictions
from ecgpipe.evaluation.predictions import read_probabilities
from tests.fixtures.made_predictions import predictions_with_gaps
from tests.fixtures.sealed import write_sealed


def test_rows_of_the_table_are_taken_and_joined():
    whole = dataclasses.replace(predictions_with_gaps(10), rows=np.arange(10) + 5)
    mask = np.zeros(20, bool)
    mask[[6, 14, 19]] = True
    part = whole.of(mask)
    assert part.rows.tolist() == [6, 14]
    np.testing.assert_array_equal(part.raw, whole.raw[[1, 9]])
    both = predictions.joined([whole, part])
    assert both.rows.tolist() == [*range(5, 15), 6, 14]


@pytest.fixture
def part(tmp_path):
    rows = pd.DataFrame(
        {"source": ["a", "a", "b"], "record": ["1", "2", "1"], "11": 0.0, "22": 1.0}
    )
    predicted = pd.DataFrame(
        {"source": ["b", "a", "a"], "record": ["1", "1", "2"], "11": [0.1, 0.2, 0.3], "22": 0.5}
    )
    return rows, predicted, tmp_path / "val.csv"


def test_predictions_come_in_the_order_of_the_table(part):
    rows, predicted, path = part
    write_sealed(predicted, path)
    assert read_probabilities(path, rows)[:, 0].tolist() == [0.2, 0.3, 0.1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table[["source", "record", "22", "11"]], "the same codes in another order"),
        (
            lambda table: table.rename(columns={"22": "33"}),
            r"\['22', '33'\]; train this fold again",
        ),
        (lambda table: table[1:], r"1 recordings are missing, such as \('b', '1'\)"),
        (lambda table: table.iloc[[0, 0, 1, 2]], "1 recordings are twice"),
        (
            lambda table: pd.concat([table, table[:1].assign(record="9")]),
            r"not of this part, such as \('b', '9'\)",
        ),
        (lambda table: table.assign(**{"11": 1.5}), r"outside 0\.\.1"),
        (lambda table: table.assign(**{"11": np.nan}), "a probability is blank"),
    ],
)
def test_predictions_that_do_not_fit_the_table_are_refused(part, change, message):
    rows, predicted, path = part
    write_sealed(change(predicted), path)
    with pytest.raises(ValueError, match=message):
        read_probabilities(path, rows)

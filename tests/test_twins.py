import numpy as np
import pandas as pd

from ecgpipe import twins


def test_one_signal_with_two_diagnoses_is_named_and_a_blank_disagrees_with_nothing():
    rows = [
        ("a", "1", "x", 1, 0), ("b", "7", "x", 0, 0), ("a", "2", "y", 1, np.nan), ("b", "8", "y", 1, 1),
        ("a", "3", "z", 0, 1), ("a", "4", "w", 1, 0),
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["source", "record", "digest", "426783006", "164889003"])
    assert twins.disagreeing(table) == [{"records": ["a/1", "b/7"], "classes": ["426783006"]}]

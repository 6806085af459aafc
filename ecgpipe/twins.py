"""Exact duplicates that disagree: one signal, in one source or in two, with two different diagnoses.

Which of them is right, no table tells. They stand in one group, so that they never lie on two sides of a split, and are
named in metrics/split.json.
"""

from typing import Any

import pandas as pd

from ecgpipe import tables


def disagreeing(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Of rows with `source, record, digest` and class columns: each pair of neighbours of one digest that differ in a
    class which both annotate, as `records` (source/record) and `classes` (codes), in order."""
    codes = tables.class_codes(table)
    found = []
    for _, rows in table[table.duplicated("digest", keep=False)].groupby("digest"):
        names, values = (rows["source"] + "/" + rows["record"]).tolist(), rows[codes].to_numpy()
        for place in range(1, len(rows)):
            differ = abs(values[place] - values[place - 1]) > 0  # a blank differs from nothing
            if differ.any():
                classes = [code for code, yes in zip(codes, differ, strict=True) if yes]
                found.append({"records": names[place - 1 : place + 1], "classes": classes})
    return sorted(found, key=lambda one: one["records"])

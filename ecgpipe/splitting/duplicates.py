"""Exact duplicates that disagree: one signal, in one source or in two, with two different diagnoses.

Which of them is right, no table tells. They stand in one group, so that they never lie on two sides of a split, and are
named in metrics/split.json.
"""

from typing import Any

import pandas as pd

from ecgpipe.project import tables


def disagreeing(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Of rows with `source, record, digest` and class columns: for each digest whose rows disagree, the `records`
    (source/record) that annotate one of the `classes` (codes) for which a row says no and another yes, in order."""
    codes = tables.class_codes(table)
    found = []
    for _, rows in table[table.duplicated("digest", keep=False)].groupby("digest"):
        names, values = rows["source"] + "/" + rows["record"], rows[codes]
        differ = values.min() < values.max()  # of what is known: a blank differs from nothing
        if differ.any():
            classes = values.columns[differ]
            found.append({"records": names[values[classes].notna().any(axis=1)].tolist(), "classes": classes.tolist()})
    return sorted(found, key=lambda one: one["records"])

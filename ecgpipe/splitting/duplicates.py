"""Exact duplicates that disagree: one signal, in one source or in two, with two different
diagnoses.

Which of them is right, no table tells. They stand in one group, so that they never lie on two sides
of a split, and are named in metrics/split.json.
"""

from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ecgpipe.project import tables
from ecgpipe.splitting.join import LEFT_OUT


def conflicting_labels(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Of rows with `source, record, digest` and class columns: for each digest whose rows disagree,
    the `records` (source/record) that annotate one of the `classes` (codes) for which a row says no
    and another yes, in order."""
    codes = tables.class_codes(table)
    found = []
    for _, rows in table[table.duplicated("digest", keep=False)].groupby("digest"):
        names, values = rows["source"] + "/" + rows["record"], rows[codes]
        differ = values.min() < values.max()  # of what is known: a blank differs from nothing
        if differ.any():
            classes = values.columns[differ]
            found.append(
                {
                    "records": names[values[classes].notna().any(axis=1)].tolist(),
                    "classes": classes.tolist(),
                }
            )
    return sorted(found, key=lambda one: one["records"])


def groups(table: pd.DataFrame) -> np.ndarray:
    """Each row's group: the smallest `<source>:<patient>` or, without a patient,
    `<source>/<record>` in the group."""
    known = table["patient"] != ""
    names = np.where(
        known, table["source"] + ":" + table["patient"], table["source"] + "/" + table["record"]
    )
    person, people = pd.factorize(names, sort=True)
    signal, signals = pd.factorize(table["digest"])
    size = len(people) + len(signals)
    edges = coo_array(
        (np.ones(len(table), dtype=bool), (person, len(people) + signal)), shape=(size, size)
    )
    component = connected_components(edges, directed=False)[1][: len(people)]
    first = np.unique(component, return_index=True)[
        1
    ]  # people are sorted, so the first is the smallest
    return np.asarray(people, dtype=object)[first[np.unique(component, return_inverse=True)[1]]][
        person
    ]


def repeated(table: pd.DataFrame, kept: pd.Series) -> pd.DataFrame:
    """The rows that are not `kept`, as rows of left_out.csv that name the kept recording they would
    repeat."""
    name = table["source"] + "/" + table["record"]
    same = table["digest"].map(name[kept].groupby(table["digest"][kept]).first())
    person = table["group"].map(name[kept].groupby(table["group"][kept]).first())
    reason = ("duplicate of " + same).where(same.notna(), "same-patient as a duplicate: " + person)
    return table.assign(stage="split", reason=reason)[~kept][LEFT_OUT].reset_index(drop=True)

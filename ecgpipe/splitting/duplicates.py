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
    conflicts = []
    for _, rows in table[table.duplicated("digest", keep=False)].groupby("digest"):
        labels = rows[codes]
        differ = labels.min() < labels.max()  # of what is known: a blank differs from nothing
        if differ.any():
            classes = labels.columns[differ]
            names = rows["source"] + "/" + rows["record"]
            annotated = labels[classes].notna().any(axis=1)
            conflicts.append({"records": names[annotated].tolist(), "classes": classes.tolist()})
    return sorted(conflicts, key=lambda conflict: conflict["records"])


def groups(table: pd.DataFrame) -> np.ndarray:
    """Each row's group: the smallest `<source>:<patient>` or, without a patient,
    `<source>/<record>` in the group."""
    patients = table["source"] + ":" + table["patient"]
    records = table["source"] + "/" + table["record"]
    names = np.where(table["patient"] != "", patients, records)
    person, people = pd.factorize(names, sort=True)
    signal, signals = pd.factorize(table["digest"])
    # A graph of people and, after them, signals: each recording links its person to its signal.
    size = len(people) + len(signals)
    links = (person, len(people) + signal)
    graph = coo_array((np.ones(len(table), dtype=bool), links), shape=(size, size))
    component = connected_components(graph, directed=False)[1][: len(people)]
    # People are sorted, so the first of a component is its smallest.
    _, first, number = np.unique(component, return_index=True, return_inverse=True)
    smallest = np.asarray(people, dtype=object)[first[number]]  # [person]
    return smallest[person]


def repeated(table: pd.DataFrame, kept: pd.Series) -> pd.DataFrame:
    """The rows that are not `kept`, as rows of left_out.csv that name the kept recording they would
    repeat."""
    name = table["source"] + "/" + table["record"]
    same = table["digest"].map(name[kept].groupby(table["digest"][kept]).first())
    person = table["group"].map(name[kept].groupby(table["group"][kept]).first())
    reason = ("duplicate of " + same).where(same.notna(), "same-patient as a duplicate: " + person)
    return table.assign(stage="split", reason=reason)[~kept][LEFT_OUT].reset_index(drop=True)

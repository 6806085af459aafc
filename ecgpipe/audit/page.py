"""The page of an audit of labels (README.md): what was found, in a few lines, then table by
table."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ecgpipe.audit import prevalence, unmapped_labels
from ecgpipe.audit.contradictions import chosen_pairs
from ecgpipe.diagnoses.classes import Diagnosis
from ecgpipe.report import templates
from ecgpipe.report.templates import count, number, several

TEMPLATE = Path(__file__).with_name("page.md.j2")
TITLE = "# Audit of labels"
MOST_LABELS = 12
MOST_RECORDS = 10
DIRECTIONS = {1: "labelled, not seen", 0: "seen, not labelled"}


@dataclass(frozen=True)
class Audit:
    """All that was found. `entries`, `unscored` and `contradictions` are the tables of
    `prevalence`, `unmapped_labels` and `contradictions`.

    `suspects`: `source, record, class, label, probability, score, fold, others, plot`, highest
    score first; `unjudged`: class -> why; `without`: why there are no suspects at all, or '';
    `unplotted`: recording -> why it has no plot; `disagreeing`: exact duplicates with different
    labels, as `splitting.duplicates.conflicting_labels` names them.
    """

    classes: Sequence[Diagnosis]
    entries: pd.DataFrame
    unscored: pd.DataFrame
    contradictions: pd.DataFrame
    suspects: pd.DataFrame
    unjudged: Mapping[str, str]
    without: str
    unplotted: Mapping[str, str]
    most: int
    disagreeing: Sequence[Mapping[str, Any]] = ()


def gist(audit: Audit) -> list[str]:
    """What was found, a sentence a line."""
    sizes = _sizes(audit.entries)
    usable = several(sizes.sum(), "usable recording")
    return [
        f"{usable} of {len(sizes)} sources, {len(audit.classes)} classes.",
        *_gist_of_entries(audit.entries),
        *_gist_of_labels(audit),
        *_gist_of_recordings(audit),
        *([audit.without] if audit.without else _gist_of_suspects(audit)),
    ]


def _gist_of_entries(entries: pd.DataFrame) -> list[str]:
    odd, judged = prevalence.suspicious(entries), int(entries["expected"].notna().sum())
    worst = [
        f"{entry['abbreviation']} at {entry['source']} {count(entry['positives'])}"
        for entry in _rows(odd.head(3))
    ]
    return [f"{len(odd)} of {judged} cells of class and source suspicious{_such(worst)}."]


def _gist_of_labels(audit: Audit) -> list[str]:
    labels = audit.unscored[audit.unscored["kind"] == "unscored"]
    times = labels[labels["hint"] != ""].groupby("label")["recordings"].sum()
    near = [f"{label} {count(often)}" for label, often in _most(times)]
    without = several(len(labels), "native label")
    sentences = [f"{without} without a class{_such(near, 'near to one are')}."]
    unsaid = unmapped_labels.unsaid(audit.entries)
    if unsaid:
        sentences.append(f"No source in use annotates {', '.join(unsaid)}.")
    return sentences


def _gist_of_recordings(audit: Audit) -> list[str]:
    times = audit.contradictions.groupby(["one", "other"]).size()
    pairs = [f"{first} with {second} {count(often)}" for (first, second), often in _most(times)]
    records = len(audit.contradictions[["source", "record"]].drop_duplicates())
    carry = "carries" if records == 1 else "carry"
    recordings = several(records, "recording")
    sentences = [f"{recordings} {carry} labels that contradict each other{_such(pairs)}."]
    same = [" and ".join(duplicates["records"]) for duplicates in audit.disagreeing]
    if same:
        signals = several(len(same), "signal")
        sentences.append(f"{signals} recorded with different labels{_such(same[:3])}.")
    return sentences


def _gist_of_suspects(audit: Audit) -> list[str]:
    records = len(audit.suspects[["source", "record"]].drop_duplicates())
    first = [
        f"{suspect['source']} {suspect['record']} ({suspect['class']})"
        for suspect in _rows(audit.suspects.head(3))
    ]
    doubted = f"{several(len(audit.suspects), 'label')} of {several(records, 'recording')}"
    sentences = [f"The models doubt {doubted}{_such(first, 'most')}."]
    if audit.unjudged:
        names = ", ".join(audit.unjudged)
        sentences.append(f"Too rare or too hard for the models to judge: {names}.")
    return sentences


def _most(times: pd.Series) -> Iterable[tuple[Any, int]]:
    """The three most frequent, and how often they were met."""
    return times.sort_values(ascending=False, kind="stable").head(3).items()


def _such(examples: Sequence[str], word: str = "") -> str:
    """Examples in brackets, where there are any."""
    lead = f"{word}: " if word else ""
    return f" ({lead}{', '.join(examples)})" if examples else ""


def page(audit: Audit) -> str:
    """The whole README.md."""
    return templates.render(
        TEMPLATE,
        gist=gist(audit),
        directions=DIRECTIONS,
        factor=f"{prevalence.FACTOR:g}",
        sisters=prevalence.SISTERS,
        sister_recordings=prevalence.SISTER_RECORDINGS,
        most_labels=MOST_LABELS,
        **_entries(audit.entries),
        labels=_labels(audit.unscored),
        unsaid=unmapped_labels.unsaid(audit.entries),
        pairs=_pairs(audit),
        contradictions=_rows(audit.contradictions.head(MOST_RECORDS)),
        contradicting=len(audit.contradictions),
        duplicates=_duplicates(audit),
        without=audit.without,
        plotted=_plotted(audit.suspects),
        unplotted=audit.unplotted,
        most=audit.most,
        suspects=_most_suspicious(audit),
        unjudged=audit.unjudged,
    )


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return table.to_dict("records")


def _entries(entries: pd.DataFrame) -> dict[str, Any]:
    """Recordings of each source (`sizes`), the entries of each class (`counts`), those that are
    `suspicious`, the entries of which a fault is known although they are not (`known`, by the
    fault), and the classes not judged (`alone`)."""
    unsuspicious = ~entries["verdict"].isin(["few", "many"])
    known = entries[unsuspicious & (entries["explanation"] != "")]
    places = known["abbreviation"] + " at " + known["source"]
    by_fault = places.groupby(known["explanation"], sort=False)
    by_class = entries.groupby("abbreviation", sort=False)
    return {
        "sizes": _sizes(entries).to_dict(),
        "counts": {name: _rows(rows) for name, rows in by_class},
        "suspicious": _rows(prevalence.suspicious(entries)),
        "known": {fault: list(names) for fault, names in by_fault},
        "alone": entries.loc[entries["verdict"] == "not judged", "abbreviation"].unique().tolist(),
    }


def _sizes(entries: pd.DataFrame) -> pd.Series:
    """Usable recordings of each source."""
    return entries.groupby("source", sort=False)["recordings"].first()


def _labels(unscored: pd.DataFrame) -> list[dict[str, Any]]:
    """The most frequent labels of each source and kind, and all that are near a class."""
    place = unscored.groupby(["source", "kind"], sort=False).cumcount()
    return _rows(unscored[(place < MOST_LABELS) | (unscored["hint"] != "")])


def _pairs(audit: Audit) -> list[dict[str, Any]]:
    """The pairs of chosen classes that contradict each other, and where they meet."""
    met, pairs = audit.contradictions, []
    for first, second, reason in chosen_pairs(audit.classes):
        names = first.abbreviation, second.abbreviation
        carriers = met[(met["one"] == names[0]) & (met["other"] == names[1])]
        by_source = carriers.groupby("source", sort=False).size().items()
        where = [f"{source} {count(times)}" for source, times in by_source]
        pairs.append(
            {"names": names, "reason": reason, "recordings": len(carriers), "where": where},
        )
    return pairs


def _duplicates(audit: Audit) -> list[dict[str, Any]]:
    """Exact duplicates with different labels: their recordings and the classes by name."""
    names = {}
    for diagnosis in audit.classes:
        names |= dict.fromkeys(diagnosis.codes, diagnosis.abbreviation)
    named = []
    for duplicates in audit.disagreeing:
        differ = [names[code] for code in duplicates["classes"]]
        named.append({"records": duplicates["records"], "classes": differ})
    return named


def _plotted(suspects: pd.DataFrame) -> list[dict[str, Any]]:
    """Each recording with a plot: whose it is, its labels, and what is doubted of them."""
    plotted = []
    for plot, rows in suspects[suspects["plot"] != ""].groupby("plot", sort=False):
        first = rows.iloc[0]
        doubts = [doubt(row) for row in _rows(rows)]
        whose = {"source": first["source"], "record": first["record"], "plot": plot}
        plotted.append(whose | {"labels": labels_of(first), "doubts": doubts})
    return plotted


def labels_of(row: Mapping[str, Any]) -> str:
    """All labels of a suspect's recording."""
    names = row["others"].split()
    if row["label"]:
        names = [row["class"], *names]
    return ", ".join(names) or "none of the classes"


def doubt(row: Mapping[str, Any]) -> str:
    """One suspect in words."""
    probability, score = number(row["probability"]), number(row["score"])
    return f"{row['class']} {DIRECTIONS[row['label']]}: probability {probability}, score {score}"


def _most_suspicious(audit: Audit) -> list[dict[str, Any]]:
    """The first suspects of each class and direction."""
    rows = []
    suspects = audit.suspects
    for diagnosis in audit.classes:
        of_class = suspects[suspects["class"] == diagnosis.abbreviation]
        for label in DIRECTIONS:
            rows += _rows(of_class[of_class["label"] == label].head(audit.most))
    return rows

"""The page of an audit of labels (README.md): what was found, in a few lines, then table by
table."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ecgpipe.audit import prevalence, unmapped_labels
from ecgpipe.audit.contradictions import chosen_pairs
from ecgpipe.diagnoses.classes import Diagnosis

TITLE = "# Audit of labels"
MOST_LABELS = 12
MOST_RECORDS = 10
DIRECTIONS = {1: "labelled, not seen", 0: "seen, not labelled"}


@dataclass(frozen=True)
class Audit:
    """All that was found. `cells`, `unscored` and `contradictions` are the tables of the modules of
    these names.

    `suspects`: `source, record, class, label, probability, score, fold, others, plot`, highest
    score first; `unjudged`: class -> why; `without`: why there are no suspects at all, or '';
    `undrawn`: recording -> why it has no plot; `disagreeing`: exact duplicates with different
    labels, as `splitting.duplicates.conflicting_labels` names them.
    """

    classes: Sequence[Diagnosis]
    cells: pd.DataFrame
    unscored: pd.DataFrame
    contradictions: pd.DataFrame
    suspects: pd.DataFrame
    unjudged: Mapping[str, str]
    without: str
    undrawn: Mapping[str, str]
    most: int
    disagreeing: Sequence[Mapping[str, Any]] = ()


def gist(audit: Audit) -> list[str]:
    """What was found, a sentence a line."""
    sizes = audit.cells.groupby("source", sort=False)["recordings"].first()
    said = [
        f"{int(sizes.sum()):,} usable recordings of {len(sizes)} sources, {len(audit.classes)} classes."
    ]
    odd = prevalence.suspicious(audit.cells)
    judged = int(audit.cells["expected"].notna().sum())
    worst = [
        f"{row['abbreviation']} at {row['source']} {row['positives']:,.0f}"
        for _, row in odd.head(3).iterrows()
    ]
    said.append(f"{len(odd)} of {judged} cells of class and source suspicious{_such(worst)}.")
    labels = audit.unscored[audit.unscored["kind"] == "unscored"]
    near = (
        labels[labels["hint"] != ""]
        .groupby("label")["recordings"]
        .sum()
        .sort_values(ascending=False, kind="stable")
    )
    hinted = [f"{label} {times:,}" for label, times in near.head(3).items()]
    said.append(
        f"{_number(len(labels), 'native label')} without a class{_such(hinted, 'near to one are')}."
    )
    named = unmapped_labels.unsaid(audit.cells)
    if named:
        said.append(f"No source in use annotates {', '.join(named)}.")
    pairs = (
        audit.contradictions.groupby(["one", "other"])
        .size()
        .sort_values(ascending=False, kind="stable")
    )
    told = [f"{one} with {other} {times}" for (one, other), times in pairs.head(3).items()]
    records = len(audit.contradictions[["source", "record"]].drop_duplicates())
    carry = "carries" if records == 1 else "carry"
    said.append(
        f"{_number(records, 'recording')} {carry} labels that contradict each other{_such(told)}."
    )
    twins = [" and ".join(one["records"]) for one in audit.disagreeing]
    if twins:
        said.append(
            f"{_number(len(twins), 'signal')} recorded with different labels{_such(twins[:3])}."
        )
    if audit.without:
        return [*said, audit.without]
    people = len(audit.suspects[["source", "record"]].drop_duplicates())
    first = [
        f"{row['source']} {row['record']} ({row['class']})"
        for _, row in audit.suspects.head(3).iterrows()
    ]
    doubted = f"{_number(len(audit.suspects), 'label')} of {_number(people, 'recording')}"
    said.append(f"The models doubt {doubted}{_such(first, 'most')}.")
    if audit.unjudged:
        said.append(f"Too rare or too hard for the models to judge: {', '.join(audit.unjudged)}.")
    return said


def page(audit: Audit) -> str:
    """The whole README.md."""
    parts = [
        TITLE,
        "Made by `python -m ecgpipe audit`. It may show patients' recordings: do not publish it unread.",
    ]
    parts += ["\n".join(f"- {_plain(line)}" for line in gist(audit))]
    parts += ["## Positives of each class at each source", _counts(audit), *_suspicious(audit)]
    parts += ["## Native labels that count for no class", *_unscored(audit)]
    parts += ["## Labels that contradict each other", *_contradictions(audit)]
    parts += ["## Duplicates that disagree", *_disagreeing(audit)]
    parts += ["## Labels that the models doubt", *_suspects(audit)]
    return "\n\n".join(parts) + "\n"


def _disagreeing(audit: Audit) -> list[str]:
    if not audit.disagreeing:
        return [
            "None: exact duplicates of a signal carry the same labels, where both annotate them."
        ]
    short = {code: one.abbreviation for one in audit.classes for code in one.codes}
    rows = [
        [", ".join(one["records"]), ", ".join(short[code] for code in one["classes"])]
        for one in audit.disagreeing
    ]
    rule = "The same signal with different labels: at most one can be right. Correct the wrong one, or leave both out."
    return [rule, _table(["recordings", "classes that differ"], rows)]


def _number(count: int, word: str) -> str:
    return f"{count:,} {word}{'s' * (count != 1)}"


def _such(examples: Sequence[str], word: str = "") -> str:
    """Examples in brackets, where there are any."""
    return f" ({word + ': ' * bool(word)}{', '.join(examples)})" if examples else ""


def _plain(text: Any) -> str:
    """Text that breaks no table and no markup."""
    return " ".join(str(text).replace("|", r"\|").replace("<", "&lt;").split())


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_plain(value) for value in line) + " |" for line in lines)


def _counts(audit: Audit) -> str:
    """Classes down, sources across; suspicious cells bold with an arrow."""
    marks = {"few": " \u2193", "many": " \u2191"}
    rows: dict[str, list[str]] = {}
    for _, cell in audit.cells.iterrows():
        text = "" if np.isnan(cell["positives"]) else f"{cell['positives']:,.0f}"
        text = f"**{text}{marks[cell['verdict']]}**" if cell["verdict"] in marks else text
        rows.setdefault(cell["abbreviation"], []).append(text)
    sizes = audit.cells.groupby("source", sort=False)["recordings"].first()
    head = ["class", *sizes.index]
    return _table(
        head,
        [["recordings", *(f"{n:,}" for n in sizes)], *([name, *row] for name, row in rows.items())],
    )


def _suspicious(audit: Audit) -> list[str]:
    rule = (
        f"Blank: the source does not annotate the class. Bold: {prevalence.FACTOR:g} times fewer (\u2193) or more "
        "(\u2191) "
        "positives than the median share of the other sources that annotate the class lets expect, and not by the "
        "accident of small numbers. Hospitals differ: a bold cell is a question. All figures stand in `cells.csv`."
    )
    rows = [
        [
            f"{row['abbreviation']} at {row['source']}",
            f"{row['positives']:,.0f} of {row['recordings']:,}",
            f"{row['expected']:,.1f}",
            _percent(row["positives"] / row["recordings"]),
            f"{_percent(row['lowest'])} to {_percent(row['highest'])}",
            row["explanation"],
        ]
        for _, row in prevalence.suspicious(audit.cells).iterrows()
    ]
    alone = audit.cells.loc[audit.cells["verdict"] == "not judged", "abbreviation"]
    plain = audit.cells[
        ~audit.cells["verdict"].isin(["few", "many"]) & (audit.cells["explanation"] != "")
    ]
    parts = [rule]
    if rows:
        parts.append(
            _table(
                ["cell", "positives", "expected", "share", "elsewhere", "why it may be so"], rows
            )
        )
    for text, own in plain.groupby("explanation", sort=False):
        named = [f"{row['abbreviation']} at {row['source']}" for _, row in own.iterrows()]
        parts.append(
            f"Known, though the figures here do not show it: {', '.join(named)}. {_plain(text)}"
        )
    if len(alone):
        text = (
            f"fewer than {prevalence.SISTERS} other sources of {prevalence.SISTER_RECORDINGS} "
            "recordings annotate them"
        )
        parts.append(f"Not judged, since {text}: {', '.join(dict.fromkeys(alone))}.")
    return parts


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _unscored(audit: Audit) -> list[str]:
    rows, parts = (
        [],
        [f"The {MOST_LABELS} most frequent of each source, and all that are near a class."],
    )
    for _, own in audit.unscored.groupby(["source", "kind"], sort=False):
        kept = own[(np.arange(len(own)) < MOST_LABELS) | (own["hint"] != "")]
        rows += [[row[column] for column in audit.unscored.columns] for _, row in kept.iterrows()]
    words = {
        "unscored": "no class",
        "outside_vocabulary": "outside the vocabulary",
        "unknown": "unknown",
    }
    rows = [
        [source, label, f"{times:,}", words[kind], text]
        for source, label, times, kind, text in rows
    ]
    parts.append(
        _table(["source", "label", "recordings", "kind", "hint"], rows) if rows else "None."
    )
    unsaid = unmapped_labels.unsaid(audit.cells)
    return parts + [f"Classes that no vocabulary in use can say: {', '.join(unsaid)}."] * bool(
        unsaid
    )


def _contradictions(audit: Audit) -> list[str]:
    found, rows = audit.contradictions, []
    for one, other, reason in chosen_pairs(audit.classes):
        own = found[(found["one"] == one.abbreviation) & (found["other"] == other.abbreviation)]
        where = ", ".join(
            f"{source} {times}"
            for source, times in own.groupby("source", sort=False).size().items()
        )
        rows.append([f"{one.abbreviation} with {other.abbreviation}", reason, len(own), where])
    if not rows:
        return ["No two of the chosen classes are such a pair."]
    parts = [_table(["pair", "reason", "recordings", "where"], rows)]
    listed = [
        [row["source"], row["record"], row["labels"]]
        for _, row in found.head(MOST_RECORDS).iterrows()
    ]
    if listed:
        more = f"The first {len(listed)} of {len(found)}; all stand in `contradictions.csv`."
        parts += [more, _table(["source", "record", "labels"], listed)]
    return parts


def _suspects(audit: Audit) -> list[str]:
    if audit.without:
        return [audit.without]
    how = (
        "By confident learning (Northcutt et al. 2021, doi:10.1613/jair.1.12125) on out-of-fold probabilities brought "
        "to scale: the other label is at least as probable as is usual for recordings that carry it. The score is how "
        "far it exceeds the usual plus how far the own label falls short. The models err too: a suspect is a recording "
        "to look at, no verdict. Probabilities are those of the class. All suspects stand in `suspects.csv`."
    )
    parts = [how, *_drawn(audit), f"### By class, at most {audit.most} each way", _by_class(audit)]
    if audit.unjudged:
        parts += ["### Classes not judged", _table(["class", "why"], audit.unjudged.items())]
    return parts


def _drawn(audit: Audit) -> list[str]:
    parts = []
    for picture, own in audit.suspects[audit.suspects["plot"] != ""].groupby("plot", sort=False):
        first = own.iloc[0]
        heading = f"### {_plain(first['source'])} {_plain(first['record'])}"
        doubts = "\n".join(f"- {doubt(row)}" for _, row in own.iterrows())
        parts += [heading, f"Labels: {_plain(labels_of(first))}.\n\n{doubts}"]
        parts.append(f"![{_plain(first['record'])} on ECG paper]({picture})")
    parts += [
        f"No plot of {_plain(record)}: {_plain(why)}." for record, why in audit.undrawn.items()
    ]
    return parts


def labels_of(row: Mapping[str, Any]) -> str:
    """All labels of a suspect's recording."""
    return (
        ", ".join([row["class"]] * int(row["label"]) + row["others"].split())
        or "none of the classes"
    )


def doubt(row: Mapping[str, Any]) -> str:
    """One suspect in words."""
    return f"{row['class']} {DIRECTIONS[row['label']]}: probability {row['probability']:.2f}, score {row['score']:.2f}"


def _by_class(audit: Audit) -> str:
    rows = []
    for one in audit.classes:
        for label, direction in DIRECTIONS.items():
            own = audit.suspects
            own = own[(own["class"] == one.abbreviation) & (own["label"] == label)]
            for _, row in own.head(audit.most).iterrows():
                record = f"[{row['record']}]({row['plot']})" if row["plot"] else row["record"]
                figures = [f"{row['probability']:.2f}", f"{row['score']:.2f}"]
                rows.append(
                    [one.abbreviation, direction, row["source"], record, *figures, row["others"]]
                )
    if not rows:
        return "None."
    return _table(
        ["class", "direction", "source", "record", "probability", "score", "other labels"], rows
    )

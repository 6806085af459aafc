"""metrics/labels.json: what label-map used, left out and did not understand, source by source."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from ecgpipe.diagnoses.classes import Diagnosis, is_annotated
from ecgpipe.diagnoses.vocabularies import name_of
from ecgpipe.labels.mapping import Vocabulary, meanings_of
from ecgpipe.recordings.descriptions import Description
from ecgpipe.recordings.sources import Source

MOST_NAMED = 50
_LOG = logging.getLogger(__name__)


def report(
    table: pd.DataFrame,
    descriptions: Mapping[str, Sequence[Description]],
    sources: Mapping[str, Source],
    vocabularies: Mapping[str, Vocabulary],
    classes: Sequence[Diagnosis],
) -> dict[str, Any]:
    """What metrics/labels.json says of the whole labels.csv: nothing is left out or unknown in
    silence.

    Positives are null where a class is not annotated. At most 50 records are named per reason.
    """
    good = table[table["fault"] == ""]
    return {
        "recordings": len(table),
        "usable": len(good),
        "sources": {
            name: {
                **_of_source(table[table["source"] == name], descriptions[name]),
                **_spoken(descriptions[name], source, vocabularies[name], classes),
                "positives": _positives(good[good["source"] == name], vocabularies[name], classes),
            }
            for name, source in sources.items()
        },
        "classes": {
            one.code: {
                "abbreviation": one.abbreviation, "name": one.name, "codes": list(one.codes),
                "positives": int((good[one.code] == 1).sum()), "annotated": int(good[one.code].notna().sum()),
            }
            for one in classes
        },
    }  # fmt: skip


def _of_source(table: pd.DataFrame, descriptions: Sequence[Description]) -> dict[str, Any]:
    """What `report` counts of one source's recordings."""
    good = table[table["fault"] == ""]
    usable = set(good["record"])
    return {
        "recordings": len(table),
        "usable": len(good),
        "age_unknown": int(good["age"].isna().sum()),
        "sex_unknown": int((good["gender"] == "").sum()),
        "patient_unknown": int((good["patient"] == "").sum()),
        "left_out": _left_out(table),
        "flags": dict(
            Counter(flag for one in descriptions if one.record in usable for flag in one.flags)
        ),
    }


def _spoken(
    descriptions: Sequence[Description],
    source: Source,
    vocabulary: Vocabulary,
    classes: Sequence[Diagnosis],
) -> dict[str, Any]:
    """What the labels of a source say beyond the classes: label -> recordings, the most frequent
    first.

    `unknown` are labels that its vocabulary does not hold, `outside_vocabulary` those of them that
    are codes of a class (blank where the class is not annotated), `unscored` labels that it holds
    and that no chosen class counts. `without_a_class` counts recordings whose labels are diagnoses,
    and none of an annotated class, `partly_unknown` those that have both, a diagnosis and a label
    that nobody understands.
    """
    meanings = meanings_of(descriptions, source, vocabulary, classes)
    said = zip(classes, is_annotated(vocabulary, classes), strict=True)
    annotated = {code for diagnosis, yes in said if yes for code in diagnosis.codes}
    scored = {code for diagnosis in classes for code in diagnosis.codes}
    counts: dict[str, Counter[str]] = {
        "unknown": Counter(),
        "outside_vocabulary": Counter(),
        "unscored": Counter(),
    }
    for label, times in Counter(label for d in descriptions for label in d.labels).items():
        in_class = not scored.isdisjoint(meanings[label].codes)
        if not meanings[label].known:
            counts["outside_vocabulary" if in_class else "unknown"][_named(label, source)] += times
        elif not in_class:
            counts["unscored"][_named(label, source)] += times
    ordered = {
        key: dict(sorted(said.items(), key=lambda pair: (-pair[1], pair[0])))
        for key, said in counts.items()
    }
    genuine = [
        [meanings[label] for label in d.labels if meanings[label].genuine] for d in descriptions
    ]
    without = sum(
        bool(every) and all(annotated.isdisjoint(one.codes) for one in every) for every in genuine
    )
    partly = sum(
        0 < len(every) < len(d.labels) for every, d in zip(genuine, descriptions, strict=True)
    )
    return {**ordered, "without_a_class": without, "partly_unknown": partly}


def _named(label: str, source: Source) -> str:
    """A code with its name, where it has one; other labels as they are."""
    name = name_of(label) if source.codes == "snomed" else label
    return label if name == label else f"{label} {name}"


def _positives(
    good: pd.DataFrame, vocabulary: Vocabulary, classes: Sequence[Diagnosis]
) -> dict[str, int | None]:
    """Positives per class of one source, None where the class is not annotated there."""
    said = zip(classes, is_annotated(vocabulary, classes), strict=True)
    return {
        one.code: int((good[one.code] == 1).sum()) if annotated else None for one, annotated in said
    }


def _left_out(table: pd.DataFrame) -> dict[str, Any]:
    """Reason -> how many recordings of one source, and the first of them by name."""
    bad = table[table["fault"] != ""]
    reasons = bad["fault"].str.partition(":")[0] if len(bad) else bad["fault"]
    named = {reason: rows["record"].tolist() for reason, rows in bad.groupby(reasons)}
    return {
        reason: {"recordings": len(rows), "records": rows[:MOST_NAMED]}
        for reason, rows in named.items()
    }


def log(report: Mapping[str, Any]) -> None:
    """Tells of each source how many recordings are usable, and what was not understood."""
    for name, source in report["sources"].items():
        left_out = {reason: each["recordings"] for reason, each in source["left_out"].items()}
        _LOG.info(
            "%s: %d of %d usable; left out: %s; unknown labels: %s (metrics/labels.json)",
            name, source["usable"], source["recordings"], left_out or "none",
            source["unknown"] or "none",
        )  # fmt: skip

"""metrics/labels.json: what label-map used, left out and did not understand, source by source."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from ecgpipe.diagnoses.classes import Diagnosis, is_annotated, of_columns
from ecgpipe.diagnoses.vocabularies import name_of
from ecgpipe.labels import patients
from ecgpipe.labels.meanings import Meaning, Vocabulary, meanings_of
from ecgpipe.labels.suggestions import suggestion
from ecgpipe.recordings.descriptions import Description
from ecgpipe.recordings.source_files import Account
from ecgpipe.recordings.sources import Source

MOST_NAMED = 50
_LOG = logging.getLogger(__name__)
_OF_PATIENTS = {
    patients.NO_PATIENT: f"their patient's id is none; {patients.EACH_ALONE}",
    patients.ODD_PATIENT: "ages or sexes of several under one id, or one id in two spellings",
}


def report(
    table: pd.DataFrame,
    descriptions: Mapping[str, Sequence[Description]],
    sources: Mapping[str, Source],
    vocabularies: Mapping[str, Vocabulary],
    classes: Sequence[Diagnosis],
    accounts: Mapping[str, Account] | None = None,
) -> dict[str, Any]:
    """What metrics/labels.json says of the whole labels.csv: nothing is left out or unknown in
    silence.

    `files` accounts for every file below the folder of a source in `accounts`. Classes go by the
    abbreviations that every metric file has (`classes.of_columns`). Positives are null where a
    class is not annotated. At most 50 records are named per reason.
    """
    names = [diagnosis.abbreviation for diagnosis in of_columns([each.code for each in classes])]
    good = table[table["fault"] == ""]
    of_sources = {}
    for name, source in sources.items():
        positives = _positives(good[good["source"] == name], vocabularies[name], classes)
        files = {"files": accounts[name].summary()} if accounts else {}
        of_sources[name] = {
            **files,
            **_of_source(table[table["source"] == name], descriptions[name]),
            **_of_labels(descriptions[name], source, vocabularies[name], classes),
            "positives": dict(zip(names, positives, strict=True)),
        }
    return {
        "recordings": len(table),
        "usable": len(good),
        "sources": of_sources,
        "classes": {
            name: _of_class(diagnosis, good[diagnosis.code])
            for name, diagnosis in zip(names, classes, strict=True)
        },
    }


def _of_class(diagnosis: Diagnosis, marks: pd.Series) -> dict[str, Any]:
    """What `report` says of one class, whose column of usable recordings is `marks`."""
    return {
        "code": diagnosis.code,
        "name": diagnosis.name,
        "codes": list(diagnosis.codes),
        "positives": int((marks == 1).sum()),
        "annotated": int(marks.notna().sum()),
    }


def _of_source(table: pd.DataFrame, descriptions: Sequence[Description]) -> dict[str, Any]:
    """What `report` counts of one source's recordings."""
    good = table[table["fault"] == ""]
    usable = set(good["record"])
    flags: Counter[str] = Counter()
    for description in descriptions:
        if description.record in usable:
            flags.update(description.flags)
    return {
        "recordings": len(table),
        "usable": len(good),
        "age_unknown": int(good["age"].isna().sum()),
        "sex_unknown": int((good["gender"] == "").sum()),
        "patient_unknown": int((good["patient"] == "").sum()),
        "left_out": _left_out(table),
        "flags": dict(flags),
    }


def _of_labels(
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
    that nobody understands. `did_you_mean` has for such labels the entry of the vocabulary that
    may be meant (`suggestions`).
    """
    meanings = meanings_of(descriptions, source, vocabulary, classes)
    without, partly = _count_recordings(descriptions, meanings, vocabulary, classes)
    return {
        **_count_labels(descriptions, source, meanings, classes),
        "did_you_mean": _suggestions(meanings, vocabulary),
        "without_a_class": without,
        "partly_unknown": partly,
    }


def _count_labels(
    descriptions: Sequence[Description],
    source: Source,
    meanings: Mapping[str, Meaning],
    classes: Sequence[Diagnosis],
) -> dict[str, dict[str, int]]:
    """`unknown`, `outside_vocabulary` and `unscored` of `_of_labels`."""
    scored = {code for diagnosis in classes for code in diagnosis.codes}
    counts: dict[str, Counter[str]] = {
        "unknown": Counter(),
        "outside_vocabulary": Counter(),
        "unscored": Counter(),
    }
    written: Counter[str] = Counter()
    for description in descriptions:
        written.update(description.labels)
    for label, times in written.items():
        in_class = not scored.isdisjoint(meanings[label].codes)
        if not meanings[label].known:
            kind = "outside_vocabulary" if in_class else "unknown"
            counts[kind][_named(label, source)] += times
        elif not in_class:
            counts["unscored"][_named(label, source)] += times
    return {kind: _most_frequent_first(labels) for kind, labels in counts.items()}


def _suggestions(meanings: Mapping[str, Meaning], vocabulary: Vocabulary) -> dict[str, str]:
    """Unknown label -> the entry of the vocabulary that may be meant, where there is one."""
    unknown = [label for label in meanings if not meanings[label].genuine]
    meant = {label: suggestion(label, vocabulary) for label in sorted(unknown)}
    return {label: entry for label, entry in meant.items() if entry}


def _count_recordings(
    descriptions: Sequence[Description],
    meanings: Mapping[str, Meaning],
    vocabulary: Vocabulary,
    classes: Sequence[Diagnosis],
) -> tuple[int, int]:
    """(`without_a_class`, `partly_unknown`) of `_of_labels`."""
    annotated: set[str] = set()
    for diagnosis, is_one in zip(classes, is_annotated(vocabulary, classes), strict=True):
        annotated.update(diagnosis.codes if is_one else ())
    without = partly = 0
    for description in descriptions:
        labels = description.labels
        diagnoses = [meanings[label] for label in labels if meanings[label].genuine]
        if diagnoses and all(annotated.isdisjoint(meaning.codes) for meaning in diagnoses):
            without += 1
        if 0 < len(diagnoses) < len(labels):
            partly += 1
    return without, partly


def _most_frequent_first(counts: Mapping[str, int]) -> dict[str, int]:
    """The same counts; those that are equal by name."""
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def _named(label: str, source: Source) -> str:
    """A code with its name, where it has one; other labels as they are."""
    name = name_of(label) if source.codes == "snomed" else label
    return label if name == label else f"{label} {name}"


def _positives(
    good: pd.DataFrame, vocabulary: Vocabulary, classes: Sequence[Diagnosis]
) -> list[int | None]:
    """[class]: positives of one source, None where the class is not annotated there."""
    positives = []
    for diagnosis, is_one in zip(classes, is_annotated(vocabulary, classes), strict=True):
        positives.append(int((good[diagnosis.code] == 1).sum()) if is_one else None)
    return positives


def _left_out(table: pd.DataFrame) -> dict[str, Any]:
    """Reason -> how many recordings of one source, and the first of them by name."""
    bad = table[table["fault"] != ""]
    reasons = bad["fault"].str.partition(":")[0] if len(bad) else bad["fault"]
    named = {reason: rows["record"].tolist() for reason, rows in bad.groupby(reasons)}
    return {
        reason: {"recordings": len(rows), "records": rows[:MOST_NAMED]}
        for reason, rows in named.items()
    }


def _recordings(source: Mapping[str, Any]) -> int:
    """The recordings of a source, each once: `recordings` counts every file that is left out."""
    files = source.get("files", {"left_out": {}, "unread": {}})
    left_out = sum(each["files"] for each in files["left_out"].values())
    return source["recordings"] - left_out + sum(files["unread"].values())


def log(report: Mapping[str, Any], sources: Mapping[str, Source]) -> None:
    """Tells of each source how many recordings are usable, and what was not understood; of one that
    names patients, how many are unknown."""
    for name, source in report["sources"].items():
        left_out = {reason: each["recordings"] for reason, each in source["left_out"].items()}
        _LOG.info(
            "%s: %d of %d usable; left out: %s; unknown labels: %s (metrics/labels.json)",
            name,
            source["usable"],
            _recordings(source),
            left_out or "none",
            source["unknown"] or "none",
        )
        if sources[name].names_patients() and source["patient_unknown"]:
            _LOG.warning(
                "%s: the patient is unknown in %d of %d usable recordings: %s",
                name,
                source["patient_unknown"],
                source["usable"],
                patients.EACH_ALONE,
            )
        for label, entry in source["did_you_mean"].items():
            _LOG.warning("%s: unknown label '%s': did you mean '%s'?", name, label, entry)
        for flag, meaning in _OF_PATIENTS.items():
            if flag in source["flags"]:
                _LOG.warning("%s: %d recordings: %s", name, source["flags"][flag], meaning)

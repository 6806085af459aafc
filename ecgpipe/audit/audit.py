"""The audit of labels: what `python -m ecgpipe audit` finds wrong, or odd, in the labels of a
project.

It reads what the pipeline wrote (data/labels/labels.csv, metrics/labels.json and split.json,
data/folds/folds.csv, out-of-fold predictions) and the raw recordings of those that it draws; it
changes none of it. Without predictions all but the part on single recordings is there. One folder
is written whole: README.md, cells.csv, unscored.csv, contradictions.csv, suspects.csv, plots.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ecgpipe.audit import contradictions, page, prevalence, suspects, unmapped_labels
from ecgpipe.diagnoses.classes import Diagnosis
from ecgpipe.labels import mapping, meanings
from ecgpipe.labels.meanings import Vocabulary
from ecgpipe.project import atomic, json_objects, params, paths, tables
from ecgpipe.project.errors import UserError
from ecgpipe.project.remedies import again
from ecgpipe.recordings.demographics import SNOMED_CT
from ecgpipe.recordings.sources import DataParams, Source, select

_AGAIN = "run `dvc repro label-map`"


@dataclass(frozen=True)
class Project:
    """What the pipeline wrote of labels: the table, its report, and how each source is read and
    speaks."""

    table: pd.DataFrame
    report: Mapping[str, Any]
    classes: Sequence[Diagnosis]
    data: DataParams
    sources: Mapping[str, Source]
    vocabularies: Mapping[str, Vocabulary]

    @property
    def sound(self) -> pd.DataFrame:
        """The rows without a fault."""
        return self.table[self.table["fault"] == ""]


def read(values: Mapping[str, Any]) -> Project:
    """The project in the working directory; `values` are the whole params file's.

    UserError where label-map has not run, or where params.yaml names other sources than it ran
    with.
    """
    for path in (paths.LABELS, paths.LABELS_REPORT):
        if not path.is_file():
            raise UserError(
                f"{path}: the audit reads what the stage label-map writes, found no such file; "
                f"{_AGAIN}"
            )
    report = _report()
    table = tables.read(paths.LABELS)
    data = params.section(DataParams, values, "data")
    sources = select(data.sources)
    if set(sources) != set(report["sources"]):
        raise UserError(
            f"data.sources in the params: they are those of {paths.LABELS_REPORT}, "
            f"found {', '.join(sources)} and {', '.join(report['sources'])}; {_AGAIN}"
        )
    classes = _classes(report)
    codes = [diagnosis.code for diagnosis in classes]
    if tables.class_codes(table) != codes or len(table) != report["recordings"]:
        raise UserError(
            f"{paths.LABELS_REPORT}: it counts the recordings and classes of {paths.LABELS}, "
            f"found others; {_AGAIN}"
        )
    vocabularies = {
        name: mapping.vocabulary(source, data.folder(name)) for name, source in sources.items()
    }
    return Project(table, report, classes, data, sources, vocabularies)


def _report() -> dict[str, Any]:
    """metrics/labels.json, which Git tracks and no digest guards. UserError where it is no report
    of label-map."""
    path = paths.LABELS_REPORT
    report = json_objects.parse(path.read_bytes(), path, _AGAIN)
    try:
        kinds = {"sources": dict, "classes": dict, "recordings": int}
        wrong = [key for key, kind in kinds.items() if not isinstance(report[key], kind)]
    except KeyError as error:
        raise _no_report(repr(error)) from error
    if wrong:
        raise _no_report(", ".join(wrong))
    return report


def _classes(report: Mapping[str, Any]) -> list[Diagnosis]:
    """The classes that a report of label-map names; severities, which it has not, are None."""
    try:
        return [
            Diagnosis(tuple(about["codes"]), abbreviation, about["name"], None)
            for abbreviation, about in report["classes"].items()
        ]
    except (KeyError, TypeError) as error:
        raise _no_report(repr(error)) from error


def _no_report(what: str) -> UserError:
    rule = f"not what the stage label-map writes ({what})"
    return UserError(f"{paths.LABELS_REPORT}: {rule}; {_AGAIN}")


def write(
    folder: Path, values: Mapping[str, Any], most: int, plots: int, progress: Callable
) -> list[str]:
    """Audits the project in the working directory into `folder`; what was found, a sentence a line.

    most: suspects named per class and direction; plots: recordings plotted, the most suspicious;
    progress: wraps what is plotted. The folder is replaced whole; whether it may be is the caller's
    to check. UserError for negative numbers, and the faults of `read`.
    """
    for name, value in (("--most", most), ("--plots", plots)):
        if value < 0:
            raise UserError(f"{name}: it is 0 or more, found {value}; give another number")
    project = read(values)
    doubted = suspects.find(project.classes)
    with atomic.atomic(folder) as temporary:
        temporary.mkdir()
        plotted, unplotted = suspects.plot(
            doubted.table, plots, temporary, project.data, project.sources, progress
        )
        audit = page.Audit(
            classes=project.classes,
            entries=_entries(project),
            unscored=_unscored(project),
            contradictions=contradictions.find(project.sound, project.classes),
            suspects=plotted,
            unjudged=doubted.unjudged,
            without=doubted.without,
            unplotted=unplotted,
            most=most,
            disagreeing=_disagreeing(),
        )
        tables.write(audit.entries, temporary / "cells.csv", for_people=True)
        for name in ("unscored", "contradictions", "suspects"):
            tables.write(getattr(audit, name), temporary / f"{name}.csv", for_people=True)
        (temporary / "README.md").write_text(page.page(audit), encoding="utf-8")
    return page.gist(audit)


def _disagreeing() -> list[dict[str, Any]]:
    """Exact duplicates that disagree, as the stage split found them; none where it has not run."""
    if not paths.SPLIT_REPORT.is_file():
        return []
    path = paths.SPLIT_REPORT
    report = json_objects.parse(path.read_bytes(), path, again(path, "split"))
    return list(report["disagreeing"].values())


def _entries(project: Project) -> pd.DataFrame:
    """All entries, judged; the suspicious ones with an explanation, and those of which a fault is
    known."""
    entries = prevalence.judge(prevalence.count(project.table, project.classes))
    entries["explanation"] = ""
    codes = {diagnosis.code: set(diagnosis.codes) for diagnosis in project.classes}
    for place, entry in prevalence.suspicious(entries).iterrows():
        vocabulary = project.vocabularies[entry["source"]].items()
        of_class = codes[entry["code"]]
        labels = [label for label, meant in vocabulary if not of_class.isdisjoint(meant)]
        name = project.sources[entry["source"]].vocabulary
        neighbours = prevalence.neighbours_of(entry, entries)
        entries.loc[place, "explanation"] = prevalence.explain(entry, name, labels, neighbours)
    for place, entry in entries[entries["positives"].notna()].iterrows():
        name = project.sources[entry["source"]].vocabulary
        if not entry["explanation"]:
            entries.loc[place, "explanation"] = prevalence.KNOWN.get((name, entry["code"]), "")
    return entries


def _unscored(project: Project) -> pd.DataFrame:
    """The labels that no class counts, with what their codes are near to."""
    codes_of: dict[str, dict[str, frozenset[str]]] = {}
    for name, source in project.sources.items():
        counts = project.report["sources"][name]
        vocabulary = project.vocabularies[name]
        codes_of[name] = {}
        for kind in unmapped_labels.KINDS:
            for label in counts.get(kind, {}):
                codes_of[name][label] = label_codes(label, source, vocabulary)
    return unmapped_labels.listed(project.report, codes_of, project.classes)


def label_codes(label: str, source: Source, vocabulary: Vocabulary) -> frozenset[str]:
    """The codes of a label as metrics/labels.json writes it: a SNOMED CT code with its name, else
    as it is."""
    code = label.split(" ")[0]
    if source.codes == "snomed" and SNOMED_CT.fullmatch(code):
        return frozenset({code})
    return meanings.snomed(label, source.codes, vocabulary) or frozenset()

"""The audit of labels: what `python -m ecgpipe audit` finds wrong, or odd, in the labels of a
project.

It reads what the pipeline wrote (data/labels.csv, metrics/labels.json and split.json,
data/folds.csv, out-of-fold predictions) and the raw recordings of those that it draws; it changes
none of it. Without predictions all but the part on single recordings is there. One folder is
written whole: README.md, cells.csv, unscored.csv, contradictions.csv, suspects.csv, plots.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ecgpipe.audit import contradictions, label_errors, prevalence, unmapped_labels
from ecgpipe.audit import page as audit_page
from ecgpipe.diagnoses.classes import Diagnosis
from ecgpipe.drawing import ecg_paper
from ecgpipe.evaluation import predictions
from ecgpipe.labels import mapping
from ecgpipe.labels.mapping import Vocabulary
from ecgpipe.project import atomic, params, paths, tables
from ecgpipe.project.errors import UserError
from ecgpipe.recordings import demographics, refusals
from ecgpipe.recordings import recording as recordings_recording
from ecgpipe.recordings import sources as recordings_sources
from ecgpipe.recordings.sources import DataParams, Source
from ecgpipe.report import style

REPORT = paths.METRICS / "labels.json"
SPLIT = paths.METRICS / "split.json"
SUSPECTS = ["source", "record", "class", "label", "probability", "score", "fold", "others", "plot"]


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


def read(values: Mapping[str, Any]) -> Project:
    """The project in the working directory; `values` are the whole params file's.

    UserError where label-map has not run, or where params.yaml names other sources than it ran
    with.
    """
    again = "run `dvc repro label-map`"
    for path in (paths.LABELS, REPORT):
        if not path.is_file():
            raise UserError(
                f"{path}: the audit reads what the stage label-map writes, found no such file; {again}"
            )
    report = _report(again)
    table = tables.read(paths.LABELS)
    data = params.section(DataParams, values, "data")
    sources = recordings_sources.select(data.sources)
    if set(sources) != set(report["sources"]):
        found = f"found {', '.join(sources)} and {', '.join(report['sources'])}"
        raise UserError(f"data.sources in the params: they are those of {REPORT}, {found}; {again}")
    if tables.class_codes(table) != list(report["classes"]) or len(table) != report["recordings"]:
        raise UserError(
            f"{REPORT}: it counts the recordings and classes of {paths.LABELS}, found others; {again}"
        )
    try:
        told = [
            (tuple(one["codes"]), one["abbreviation"], one["name"])
            for one in report["classes"].values()
        ]
    except (KeyError, TypeError) as error:
        raise UserError(
            f"{REPORT}: not what the stage label-map writes ({error!r}); {again}"
        ) from error
    classes = [Diagnosis(*one, None) for one in told]
    vocabularies = {
        name: mapping.vocabulary(source, data.folder(name)) for name, source in sources.items()
    }
    return Project(table, report, classes, data, sources, vocabularies)


def _report(again: str) -> dict[str, Any]:
    """metrics/labels.json, which Git tracks and no digest guards. UserError where it is no report
    of label-map."""
    try:
        report = json.loads(REPORT.read_text(encoding="utf-8"))
        kinds = {"sources": dict, "classes": dict, "recordings": int}
        wrong = [key for key, kind in kinds.items() if not isinstance(report[key], kind)]
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{REPORT}: not what the stage label-map writes ({error!r}); {again}"
        ) from error
    if wrong:
        raise UserError(
            f"{REPORT}: not what the stage label-map writes ({', '.join(wrong)}); {again}"
        )
    return report


def write(
    folder: Path, values: Mapping[str, Any], most: int, draw: int, progress: Callable
) -> list[str]:
    """Audits the project in the working directory into `folder`; what was found, a sentence a line.

    most: suspects named per class and direction; draw: recordings drawn, the most suspicious;
    progress: wraps what is drawn. UserError for negative numbers, a folder that holds other
    things, and the faults of `read`.
    """
    for name, value in (("--most", most), ("--plots", draw)):
        if value < 0:
            raise UserError(f"{name}: it is 0 or more, found {value}; give another number")
    folder = _free(folder)
    project = read(values)
    found, without, unjudged = _suspects(project)
    with atomic.atomic(folder) as temporary:
        temporary.mkdir()
        found, undrawn = _drawn(project, found, draw, temporary, progress)
        audit = audit_page.Audit(
            project.classes, _cells(project), _unscored(project), contradictions.find(_good(project), project.classes),
            found, unjudged, without, undrawn, most, _disagreeing(),
        )  # fmt: skip
        for name in ("cells", "unscored", "contradictions", "suspects"):
            tables.write(getattr(audit, name), temporary / f"{name}.csv")
        (temporary / "README.md").write_text(audit_page.page(audit), encoding="utf-8")
    return audit_page.gist(audit)


def _disagreeing() -> list[dict[str, Any]]:
    """Exact duplicates that disagree, as the stage split found them; none where it has not run."""
    return json.loads(SPLIT.read_text(encoding="utf-8"))["disagreeing"] if SPLIT.is_file() else []


def _free(folder: Path) -> Path:
    """The folder, which an audit may replace whole: absent, empty, or an earlier audit. UserError
    otherwise."""
    folder = Path(folder).absolute()
    held = sorted(folder.iterdir()) if folder.is_dir() else [folder] if folder.exists() else []
    page = folder / "README.md"
    ours = page.is_file() and page.read_text(encoding="utf-8", errors="replace").startswith(
        audit_page.TITLE
    )
    other = [path.name for path in held if not ours or path.suffix not in (".csv", ".md", ".png")]
    if other:
        raise UserError(
            f"{folder}: --out is replaced whole, found {other[0]} there; name a folder that is not there"
        )
    return folder


def _good(project: Project) -> pd.DataFrame:
    return project.table[project.table["fault"] == ""]


def _cells(project: Project) -> pd.DataFrame:
    """All cells, judged; the suspicious ones with an explanation, and those of which a fault is
    known."""
    judged = prevalence.judge(prevalence.count(project.table, project.classes))
    judged["explanation"] = ""
    codes = {one.code: set(one.codes) for one in project.classes}
    for place, cell in prevalence.suspicious(judged).iterrows():
        spoken = project.vocabularies[cell["source"]].items()
        says = [label for label, said in spoken if not codes[cell["code"]].isdisjoint(said)]
        name = project.sources[cell["source"]].vocabulary
        judged.loc[place, "explanation"] = prevalence.explain(
            cell, name, says, prevalence.neighbours_of(cell, judged)
        )
    for place, cell in judged[judged["positives"].notna()].iterrows():
        known = prevalence.KNOWN.get((project.sources[cell["source"]].vocabulary, cell["code"]), "")
        judged.loc[place, "explanation"] = judged.loc[place, "explanation"] or known
    return judged


def _unscored(project: Project) -> pd.DataFrame:
    """The labels that no class counts, with what their codes are near to."""
    meanings: dict[str, dict[str, frozenset[str]]] = {}
    for name, source in project.sources.items():
        told = project.report["sources"][name]
        labels = [label for kind in unmapped_labels.KINDS for label in told.get(kind, {})]
        meanings[name] = {
            label: _codes(label, source, project.vocabularies[name]) for label in labels
        }
    return unmapped_labels.listed(project.report, meanings, project.classes)


def _codes(label: str, source: Source, vocabulary: Vocabulary) -> frozenset[str]:
    """The codes of a label as metrics/labels.json writes it: a SNOMED CT code with its name, else
    as it is."""
    code = label.split(" ")[0]
    if source.codes == "snomed" and demographics.SNOMED_CT.fullmatch(code):
        return frozenset({code})
    return mapping.snomed(label, source.codes, vocabulary) or frozenset()


def _suspects(project: Project) -> tuple[pd.DataFrame, str, dict[str, str]]:
    """Suspects, or why there are none at all, and the classes not judged with the reason."""
    nobody = pd.DataFrame(columns=SUSPECTS)
    step = "single recordings are judged from out-of-fold predictions; run `dvc repro`"
    for path in (paths.FOLDS, paths.FOLDS_INFO):
        if not path.is_file():
            return nobody, f"No {path}: {step}.", {}
    table = tables.read(paths.FOLDS)
    if tables.class_codes(table) != [one.code for one in project.classes]:
        raise UserError(
            f"{paths.FOLDS}: its classes are those of {paths.LABELS}, found others; run `dvc repro`"
        )
    parts, values = [], []
    for fold in predictions.fold_names(table):
        path = paths.predictions(fold) / "val.csv"
        if not path.is_file():
            return nobody, f"No {path}: {step}.", {}
        parts.append(table[table["fold"] == fold])
        values.append(predictions.read_probabilities(path, parts[-1]))
    rows = pd.concat(parts, ignore_index=True)
    codes = [one.code for one in project.classes]
    found = label_errors.find(rows[codes].to_numpy(np.float64), np.concatenate(values))
    names = [one.abbreviation for one in project.classes]
    return (
        _named(found.suspects, rows, project.classes),
        "",
        {names[at]: why for at, why in found.unjudged.items()},
    )


def _named(found: pd.DataFrame, rows: pd.DataFrame, classes: Sequence[Diagnosis]) -> pd.DataFrame:
    """Suspects with the recording's name, fold and other labels; and its path, age and sex, for the
    plot."""
    own = rows.loc[found["row"].to_numpy(np.int64)].reset_index(drop=True)
    named = own[["source", "record", "fold", "path", "age", "gender"]].copy()
    named["class"] = [classes[column].abbreviation for column in found["column"]]
    named["label"] = found["label"].to_numpy(np.int64)
    named["probability"], named["score"] = (
        found["probability"].to_numpy(),
        found["score"].to_numpy(),
    )
    carried = {
        at: contradictions.carried(rows.loc[at], classes).split(" ") for at in found["row"].unique()
    }
    pairs = zip(found["row"], named["class"], strict=True)
    named["others"] = [" ".join(name for name in carried[at] if name != this) for at, this in pairs]
    return named.assign(plot="")


def _drawn(
    project: Project, found: pd.DataFrame, draw: int, folder: Path, progress: Callable
) -> tuple[pd.DataFrame, dict[str, str]]:
    """The most suspicious recordings drawn into `folder`: suspects with the plots' names; recording
    -> why not."""
    groups = list(islice(found.groupby(["source", "record"], sort=False), draw))
    undrawn = {}
    for rank, ((source, record), own) in enumerate(progress(groups), start=1):
        first, file = own.iloc[0], project.data.folder(source) / own.iloc[0]["path"]
        try:
            recording = recordings_recording.read(file, project.sources[source])
        except refusals.Refused as refusal:
            undrawn[f"{source} {record}"] = str(refusal)
            continue
        name = re.sub(r"[^A-Za-z0-9._-]", "_", f"{rank:03d}-{source}-{record}.png")
        sheet = ecg_paper.twelve_leads(
            recording.signal_mv, recording.rate_hz, _title(first), _note(own)
        )
        style.save(sheet, folder / name, dpi=ecg_paper.DPI)
        found.loc[own.index, "plot"] = name
    return found[SUSPECTS], undrawn


def _title(row: pd.Series) -> str:
    """Whose recording it is."""
    age = "" if np.isnan(row["age"]) else f"{row['age']:g} years"
    return ", ".join(
        text
        for text in (f"{row['source']} {row['record']}", row["gender"], age, "as recorded")
        if text
    )


def _note(own: pd.DataFrame) -> str:
    """The labels of a recording, and what is doubted of them."""
    doubts = "; ".join(audit_page.doubt(row) for _, row in own.head(2).iterrows())
    return f"Labels: {audit_page.labels_of(own.iloc[0])}\n{doubts}"

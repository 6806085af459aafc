"""Is the difference between two runs real? A paired bootstrap on the recordings that both predicted.

Both runs are scored on the same recordings, classes and annotated cells, and on the same resamples (by the groups of
both): what is common to them cancels. A difference is B less A. A headline metric differs where its 95 % percentile
interval leaves out 0. Of many classes or sources some interval will, by chance; there a difference counts only beyond
the simultaneous 95 % band, the largest studentised deviation of all in each resample (Romano and Wolf 2005,
doi:10.1111/j.1468-0262.2005.00615.x). As all intervals here they hold the models as they are: what another seed of the
training would have given is not in them.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ecgpipe import calibrating, intervals, layout, measures, operating, params, resampling, settings, tables
from ecgpipe.answers import Answers, fold_names
from ecgpipe.measures import FEW, Panel

KEY = ["source", "record"]
HEADLINE = ("auroc_macro", "auroc_macro_frequent", "ap_macro", "f1_macro", "auroc_micro", "ap_micro", "brier_macro")
LOWER_IS_BETTER = ("brier", "brier_macro")
BETTER, WORSE, NOISE, UNDEFINED = "better", "worse", "within noise", "undefined"
_FOOT = (
    "Paired bootstrap by patient. Of many classes or sources some interval leaves out 0 by chance, so there a verdict "
    "needs a difference beyond the 95 % band of all together. Another seed of the training is in none of this. "
    "frequent: over the classes with 10 or more positives; few: fewer than 10."
)
COLUMNS = ["kind", "name", "metric", "a", "b", "difference", "low", "high", "verdict", "recordings", "positives"]


@dataclasses.dataclass(frozen=True)
class Run:
    """A run's split table, its classes, its settings and what folds.json says of its split."""

    table: pd.DataFrame
    classes: Panel
    found: settings.Settings
    about: Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Pair:
    """Two runs' answers to the same recordings in the same order, with the same labels: a cell that one of them does
    not annotate, or labels otherwise (`unlike` counts these), is blank in both."""

    a: Answers
    b: Answers
    classes: Panel
    groups: NDArray[np.object_]
    sources: NDArray[np.object_]
    unlike: int


@dataclasses.dataclass(frozen=True)
class Comparison:
    """The rows of `compare` in one setting, and what must be said with them."""

    setting: str
    table: pd.DataFrame
    remarks: list[str]


def load(root: Path, fallback: Mapping[str, Any]) -> Run:
    """The run in the project tree `root`; its operating points as its own section `evaluate` says, or, where it has
    none, as that of the params `fallback` does."""
    own = params.load(root / params.PARAMS) if (root / params.PARAMS).is_file() else {}
    chosen = params.section(operating.Params, own if "evaluate" in own else fallback, "evaluate")
    table = tables.read(root / layout.FOLDS)
    folds = fold_names(table, root / layout.FOLDS_INFO)
    classes = measures.panel(tables.class_codes(table))
    found = settings.read(table, folds, classes, chosen, root / layout.PREDICTIONS)
    return Run(table, classes, found, layout.folds_info(root / layout.FOLDS_INFO))


def pair(a: Run, b: Run, setting: str) -> Pair:
    """The recordings that both runs predicted in `setting`. ValueError where there are none, or no common class."""
    codes = [code for code in a.classes.codes if code in b.classes.codes]
    both = [run.table.iloc[run.found.whole[setting].rows] for run in (a, b) if setting in run.found.whole]
    keys = [pd.MultiIndex.from_frame(rows[KEY]) for rows in both]
    common = keys[0].intersection(keys[1], sort=None) if len(keys) == 2 else []
    if not codes or not len(common):
        raise ValueError(
            f"{setting}: the two runs have {len(common)} recordings and {len(codes)} classes in common there; compare "
            "runs on the same data, or another --setting"
        )
    sides = []
    for run, key in zip((a, b), keys, strict=True):
        places = key.get_indexer(common)
        sides.append(_columns(run.found.whole[setting].take(places), [run.classes.codes.index(code) for code in codes]))
    labels = np.where(sides[0].labels == sides[1].labels, sides[0].labels, np.nan)
    unlike = int((sides[0].annotated & sides[1].annotated & np.isnan(labels)).sum())
    groups = [rows["group"].to_numpy()[key.get_indexer(common)] for rows, key in zip(both, keys, strict=True)]
    same = [dataclasses.replace(side, labels=labels) for side in sides]
    sources = common.get_level_values("source").to_numpy(object)
    return Pair(*same, a.classes.of(codes), _united(*groups), sources, unlike)


def _columns(answers: Answers, columns: Sequence[int]) -> Answers:
    """The answers for some classes alone."""
    fields = ("labels", "probabilities", "thresholds", "raw")
    return dataclasses.replace(answers, **{name: getattr(answers, name)[:, columns] for name in fields})


def _united(one: NDArray, other: NDArray) -> NDArray[np.object_]:
    """The groups of two splits together: what either keeps together is one group."""
    (first, _), (second, _) = pd.factorize(one), pd.factorize(other)
    size = first.max() + second.max() + 2
    edges = coo_array((np.ones(len(first), bool), (first, first.max() + 1 + second)), shape=(size, size))
    return connected_components(edges, directed=False)[1][first].astype(object)


def compare(given: Pair, resamples: int, seed: int) -> pd.DataFrame:
    """One row per metric: `COLUMNS`; kind is headline, class or source, the difference is b less a."""
    weights = resampling.counts(given.groups, resamples, seed)
    drawn = [intervals.draws(side, given.classes, weights) for side in (given.a, given.b)]
    values = [_values(side, given.classes) for side in (given.a, given.b)]
    positives = (given.a.labels == 1).sum(axis=0)
    rows = []
    for metric in (*HEADLINE, given.classes.challenge):
        found = [each[metric] for each in values]
        row = _row("headline", "all", metric, *found, drawn[1][metric] - drawn[0][metric])
        rows.append(row | {"recordings": len(given.groups), "positives": int(positives.sum())})
    for metric in ("auroc", "ap"):
        count = {"recordings": given.a.annotated.sum(axis=0), "positives": positives}
        rows += _several("class", given.classes.names, metric, *values, *drawn, count)
    return pd.DataFrame([*rows, *_by_source(given, weights)], columns=COLUMNS)


def _values(answers: Answers, classes: Panel) -> dict[str, Any]:
    """The numbers themselves, as scikit-learn has them; those of `intervals.draws` by their names there."""
    labels, cells = answers.labels, (answers.labels.reshape(-1, 1), answers.raw.reshape(-1, 1))
    has = (labels == 1).any(axis=0)
    each = {
        "auroc": measures.auroc(labels, answers.raw),
        "ap": measures.average_precision(labels, answers.raw),
        "f1": np.where(has, measures.f1(labels, answers.binary), np.nan),
        "brier": calibrating.brier(labels, answers.probabilities),
    }
    scored = classes.weights is not None
    score = measures.challenge(labels, answers.binary, classes.weights, classes.sinus) if scored else np.nan
    micro = {"auroc_micro": measures.auroc(*cells)[0], "ap_micro": measures.average_precision(*cells)[0]}
    micro["auroc_macro_frequent"] = measures.macro(each["auroc"][measures.frequent(labels)])
    return each | micro | {f"{key}_macro": measures.macro(of) for key, of in each.items()} | {classes.challenge: score}


def _row(kind: str, name: str, metric: str, a: float, b: float, draws: NDArray) -> dict[str, Any]:
    """One comparison with the percentile interval of its difference; a verdict by that interval."""
    low, high = resampling.percentiles(draws)
    sign = -1 if metric in LOWER_IS_BETTER else 1
    verdict = UNDEFINED if np.isnan([a, b, low, high]).any() else NOISE
    if verdict == NOISE and (low > 0 or high < 0):
        verdict = BETTER if sign * (b - a) > 0 else WORSE
    found = {"kind": kind, "name": name, "metric": metric, "a": a, "b": b, "difference": b - a}
    return found | {"low": low, "high": high, "verdict": verdict}


def _several(
    kind: str, names: Sequence[str], metric: str, values_a: Mapping, values_b: Mapping, draws_a: Mapping,
    draws_b: Mapping, counts: Mapping[str, NDArray],
) -> list[dict[str, Any]]:  # fmt: skip
    """Comparisons side by side, their verdicts by the simultaneous band."""
    draws = draws_b[metric] - draws_a[metric]  # [name, resample]
    different = beyond(values_b[metric] - values_a[metric], draws)
    rows = []
    for index, name in enumerate(names):
        row = _row(kind, name, metric, values_a[metric][index], values_b[metric][index], draws[index])
        if row["verdict"] in (BETTER, WORSE) and not different[index]:
            row["verdict"] = NOISE
        rows.append(row | {key: int(count[index]) for key, count in counts.items()})
    return rows


def beyond(differences: NDArray, draws: NDArray, level: float = 0.95) -> NDArray[np.bool_]:
    """[name]: whether a difference lies beyond the simultaneous band of all of them.

    `differences` [name], `draws` [name, resample] of them. Each is divided by the deviation of its draws; the band is
    the `level` quantile over resamples of the largest |draw - difference| / deviation.
    """
    kept = np.isfinite(differences) & (np.isfinite(draws).mean(axis=1) >= level)
    found = np.zeros(len(differences), bool)
    if kept.any():
        spread = np.nanstd(draws[kept], axis=1, ddof=1)
        spread = np.where(spread > 0, spread, np.inf)  # equal in every resample: no difference to speak of
        away = np.abs(draws[kept] - differences[kept, None]) / spread[:, None]
        band = np.quantile(np.nanmax(away, axis=0), level)
        found[kept] = np.abs(differences[kept]) / spread > band
    return found


def _by_source(given: Pair, weights: NDArray) -> list[dict[str, Any]]:
    """Macro AUROC and average precision on the recordings of each source."""
    names = sorted(set(given.sources))
    values: list[list[dict[str, Any]]] = [[], []]
    drawn: list[list[dict[str, Any]]] = [[], []]
    counts: dict[str, list[int]] = {"recordings": [], "positives": []}
    for name in names:
        places = np.flatnonzero(given.sources == name)
        sides = [side.take(places) for side in (given.a, given.b)]
        for side, own, draws in zip(sides, values, drawn, strict=True):
            own.append(_values(side, given.classes))
            draws.append(intervals.draws(side, given.classes, weights[places]))
        counts["recordings"].append(len(places))
        counts["positives"].append(int((sides[0].labels == 1).sum()))
    rows = []
    for metric in ("auroc_macro", "ap_macro"):
        stacked = [{metric: np.stack([one[metric] for one in each])} for each in (*values, *drawn)]
        rows += _several("source", names, metric, *stacked, {key: np.array(of) for key, of in counts.items()})
    return rows


def every(a: Run, b: Run, setting: str | None, resamples: int, seed: int) -> list[Comparison]:
    """The comparisons in `setting`, or in every setting that both runs have. ValueError where there is none."""
    chosen = [setting] if setting else [name for name in a.found.whole if name in b.found.whole]
    found = []
    for name in chosen:
        given = pair(a, b, name)
        found.append(Comparison(name, compare(given, resamples, seed), _remarks(a, b, name, given)))
    return found


def _remarks(a: Run, b: Run, setting: str, given: Pair) -> list[str]:
    """What a reader must know of the two runs to read the table right."""
    counts = [len(run.found.whole[setting].rows) for run in (a, b)]
    said = [f"{len(given.groups):,} recordings that both predicted ({counts[0]:,} in A, {counts[1]:,} in B)."]
    if given.unlike:
        said.append(f"{given.unlike:,} cells are left out: the two runs label them differently.")
    dropped = sorted(set(a.classes.names) ^ set(b.classes.names))
    if dropped:
        said.append(f"Left out, since one run alone has them: {', '.join(dropped)}.")
    trained = [round(_trained(run)) for run in (a, b)]
    if max(trained) > 1.05 * min(trained):
        said.append(
            f"A model of A trained on {trained[0]:,} recordings, one of B on {trained[1]:,}: part of the difference "
            "may be that. For like with like give both runs the same split.test_fraction and as many folds."
        )
    protocols = [run.about.get("protocol") for run in (a, b)]
    if set(protocols) == {"stratified", "source"}:
        said.append(
            f"A was split by protocol {protocols[0]}, B by {protocols[1]}: the difference is the optimism gap, what "
            "knowing the hospital adds to a score."
        )
    return said


def _trained(run: Run) -> float:
    """How many recordings a fold's model was trained on, on average."""
    sizes = run.table["fold"].value_counts().drop(tables.TEST, errors="ignore")
    return float(sizes.sum() - sizes.mean())


def markdown(found: Comparison, a: str, b: str) -> str:
    """The comparison for people: what differs in a sentence, then a table each for headline, classes and sources."""
    table = found.table
    differ = table[table["verdict"].isin([BETTER, WORSE])]
    said = [f"{_label(row)} {row.verdict} ({row.difference:+.3f})" for row in differ.itertuples()]
    gist = "B is " + ", ".join(said) + "." if said else "No difference is beyond noise."
    text = [f"### {found.setting}: {b} (B) against {a} (A)", "", gist, *(f"\n{remark}" for remark in found.remarks)]
    for kind, rows in table.groupby("kind", sort=False):
        title = {"headline": "All", "class": "Classes", "source": "Sources"}[kind]
        text += ["", f"**{title}**", "", "| | metric | A | B | B - A | 95 % interval | | recordings | positives |"]
        text.append("|---|---|---:|---:|---:|---|---|---:|---:|")
        for row in rows.itertuples():
            few = " (few)" if row.positives < FEW else ""
            cells = [row.name, row.metric, _number(row.a), _number(row.b), _number(row.difference, "+")]
            cells += [f"{_number(row.low, '+')} to {_number(row.high, '+')}", row.verdict, f"{row.recordings:,}"]
            text.append("| " + " | ".join([*cells, f"{row.positives:,}{few}"]) + " |")
    text += ["", _FOOT]
    return "\n".join(text) + "\n"


def _label(row: Any) -> str:
    return row.metric if row.kind == "headline" else f"{row.metric} of {row.name}"


def _number(value: float, sign: str = "") -> str:
    return f"{value:{sign}.3f}" if np.isfinite(value) else "-"

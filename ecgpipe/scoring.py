"""How good the folds' models are, in three settings that name what they are.

- test: each fold's model on the test set; thresholds from that fold's own validation rows; mean and sd over folds.
- test_ensemble: the mean probability of the folds' models on the test set; thresholds are the mean of the folds'.
- out_of_fold: every recording scored by the model that did not train on it (all folds' validation rows pooled);
  thresholds of fold k's rows come from the other folds' validation rows.

Not annotated cells (blank labels) count in no metric. AUROC and average precision need positives and negatives, F1
needs positives; what is undefined is null and named, and left out of macro means. AUROC and average precision per
class are scikit-learn's. The challenge score is that of the PhysioNet/CinC Challenge 2021 (physionetchallenges/
evaluation-2021): `challenge` over its 26 classes, `challenge_subset` over others; before it, not annotated cells are
removed from labels and answers alike. A local score is no score on the challenge's hidden data.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from ecgpipe import diagnoses, layout, tables, thresholds
from ecgpipe.answers import Answers, read_probabilities, write_json

SINUS_RHYTHM = "426783006"
MEASURES = ("auroc", "ap", "f1")
NO_GAIN, NO_SEVERITY = "nothing to gain over sinus rhythm", "a class has no severity"
SETTINGS = ("out_of_fold", "test", "test_ensemble")
Tree = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Panel:
    """The classes scored: names for people, and the challenge's weights (None where a class has no severity)."""

    codes: list[str]
    names: list[str]
    weights: NDArray[np.float64] | None
    sinus: int | None
    challenge: str  # the score's name


def panel(codes: Sequence[str]) -> Panel:
    """The panel of a table's class columns; a code that no class list holds keeps its code as its name."""
    found = diagnoses.of_columns(codes)
    names = [one.abbreviation for one in found]
    same = list(codes) == [one.code for one in diagnoses.classes("official")]
    weighted = all(one.severity is not None for one in found)
    weights = diagnoses.score_weights(found) if weighted else None
    sinus = list(codes).index(SINUS_RHYTHM) if SINUS_RHYTHM in codes else None
    return Panel(list(codes), names, weights, sinus, "challenge" if same else "challenge_subset")


def auroc(labels: NDArray, probabilities: NDArray) -> NDArray[np.float64]:
    """[class]: area under the ROC curve of the annotated cells of [row, class]; NaN where undefined."""
    return _each(roc_auc_score, labels, probabilities)


def average_precision(labels: NDArray, probabilities: NDArray) -> NDArray[np.float64]:
    """[class]: step-wise area under the precision-recall curve of the annotated cells; NaN where undefined."""
    return _each(average_precision_score, labels, probabilities)


def _each(measure: Callable, labels: NDArray, probabilities: NDArray) -> NDArray[np.float64]:
    values = np.full(labels.shape[1], np.nan)
    for index in range(labels.shape[1]):
        known = ~np.isnan(labels[:, index])
        truth = labels[known, index]
        if 0 < truth.sum() < len(truth):
            values[index] = measure(truth, probabilities[known, index])
    return values


def f1(labels: NDArray, binary: NDArray) -> NDArray[np.float64]:
    """[class]: 2 TP / (2 TP + FP + FN) over annotated cells; NaN where neither label nor answer is positive."""
    hits = ((labels == 1) & binary).sum(axis=0)
    total = (labels == 1).sum(axis=0) + (~np.isnan(labels) & binary).sum(axis=0)
    return np.divide(2.0 * hits, total, out=np.full(len(hits), np.nan), where=total > 0)


def challenge(labels: NDArray, binary: NDArray, weights: NDArray, sinus: int | None) -> float:
    """The challenge score of answers [row, class], by one product per set of answers; NaN where undefined.

    1 is the score of the labels themselves and 0 that of answering `sinus` (its column) alone, everywhere; without
    such a class, that of answering nothing. Undefined where these two gain the same.
    """
    known, truth = ~np.isnan(labels), labels == 1
    inactive = np.zeros_like(truth)
    if sinus is not None:
        inactive[:, sinus] = known[:, sinus]

    def gain(answers: NDArray) -> float:
        shared = np.maximum(1, (truth | answers).sum(axis=1, keepdims=True))
        return float(np.sum(weights * ((truth / shared).T @ answers.astype(np.float64))))

    nothing, everything = gain(inactive), gain(truth)
    return (gain(binary & known) - nothing) / (everything - nothing) if everything != nothing else np.nan


def macro(values: NDArray) -> float:
    """The mean over the classes where a metric is defined; NaN where it is defined nowhere."""
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else np.nan


def official_scores(labels: ArrayLike, binary: ArrayLike, scalar: ArrayLike) -> dict[str, float | None]:
    """What the official scorer of the challenge returns, for arrays [recording, 26] in the official order.

    None where undefined; the challenge score is 0.0 there, and a class without positives but with positive answers
    has an F of 0, as in the official scorer.
    """
    truth, answered = np.asarray(labels, np.float64), np.asarray(binary) == 1
    probabilities = np.asarray(scalar, np.float64)
    official = panel([one.code for one in diagnoses.classes("official")])
    score = challenge(truth, answered, official.weights, official.sinus)
    values = {
        "auroc_macro": macro(auroc(truth, probabilities)),
        "auprc_macro": macro(average_precision(truth, probabilities)),
        "accuracy": float(((truth == 1) == answered).all(axis=1).mean()) if len(truth) else np.nan,
        "f_macro": macro(f1(truth, answered)),
        "challenge": 0.0 if np.isnan(score) else score,
    }
    return {name: None if np.isnan(value) else value for name, value in values.items()}


def read_answers(table: pd.DataFrame, folds: Sequence[str]) -> Tree:
    """The folds' predictions as `settings` gives them, checked against the table."""
    part = {name: table[table["fold"] == name] for name in (*folds, tables.TEST)}
    where = {k: layout.predictions(k) for k in folds}
    validation = {k: read_probabilities(where[k] / "val.csv", part[k]) for k in folds}
    held_out = folds if len(part[tables.TEST]) else []
    test = {k: read_probabilities(where[k] / "test.csv", part[tables.TEST]) for k in held_out}
    labels = table[tables.class_codes(table)].to_numpy(np.float64)
    return settings(labels, table["fold"].to_numpy(), table["source"].to_numpy(), validation, test)


def settings(
    labels: NDArray, fold: NDArray, sources: NDArray, validation: Mapping[str, NDArray], test: Mapping[str, NDArray]
) -> Tree:
    """`out_of_fold` and `test_ensemble` (Answers), `test` and `validation` (fold -> Answers), `thresholds` (by fold).

    `labels` [row, class], `fold` [row] and `sources` [row] are those of folds.csv; `validation` and `test` map a fold
    to probabilities [row, class] of that fold's rows and of the test rows, in the table's order. Without a test part
    `test` is empty and `test_ensemble` is absent.
    """
    truth = {name: labels[fold == name] for name in (*validation, tables.TEST)}
    origin = {name: sources[fold == name] for name in truth}

    def answers(part: str, probabilities: NDArray, cut: NDArray) -> Answers:
        return Answers(truth[part], probabilities, np.broadcast_to(cut, probabilities.shape), origin[part])

    def best(folds: list[str]) -> NDArray:
        both = ([one[k] for k in folds] for one in (truth, validation))
        return thresholds.maximal_f1(*(np.concatenate([labels[:0], *parts]) for parts in both))

    own = {k: best([k]) for k in validation}
    crossed = {k: answers(k, validation[k], best([j for j in validation if j != k])) for k in validation}
    fields = [field.name for field in dataclasses.fields(Answers)]
    found = {
        "validation": crossed,
        "test": {k: answers(tables.TEST, test[k], own[k]) for k in test},
        "out_of_fold": Answers(*(np.concatenate([getattr(one, name) for one in crossed.values()]) for name in fields)),
        "thresholds": own,
    }
    if test:
        mean, cut = np.mean(list(test.values()), axis=0), np.mean(list(own.values()), axis=0)
        found["test_ensemble"] = answers(tables.TEST, mean, cut)
    return found


def report(answers: Answers, classes: Panel) -> Tree:
    """`recordings`, the metrics, `undefined` (class -> why) and `classes` (name -> counts, metrics, mean threshold)."""
    labels, probabilities, binary = answers.labels, answers.probabilities, answers.binary
    positives, annotated = (labels == 1).sum(axis=0), answers.annotated.sum(axis=0)
    columns = {
        "auroc": auroc(labels, probabilities),
        "ap": average_precision(labels, probabilities),
        "f1": np.where(positives > 0, f1(labels, binary), np.nan),
        "threshold": answers.thresholds.mean(axis=0),
        "annotated": annotated,
        "positives": positives,
    }
    cells = labels.reshape(-1, 1), probabilities.reshape(-1, 1)
    score = np.nan if classes.weights is None else challenge(labels, binary, classes.weights, classes.sinus)
    cases = {"not annotated": annotated == 0, "no positives": positives == 0, "no negatives": positives == annotated}
    why = np.select(list(cases.values()), list(cases), "")
    undefined = {name: str(reason) for name, reason in zip(classes.names, why, strict=True) if reason}
    if np.isnan(score):
        undefined[classes.challenge] = NO_GAIN if classes.weights is not None else NO_SEVERITY
    return {
        "recordings": len(labels),
        **{f"{key}_macro": macro(columns[key]) for key in MEASURES},
        "auroc_micro": auroc(*cells)[0],
        "ap_micro": average_precision(*cells)[0],
        classes.challenge: score,
        "undefined": undefined,
        "classes": {name: {key: of[i] for key, of in columns.items()} for i, name in enumerate(classes.names)},
    }


def reports(found: Tree, classes: Panel) -> Tree:
    """Setting -> report; `test` is the mean of its folds' reports, `test_sd` their standard deviation (n - 1)."""
    told = {name: report(found[name], classes) for name in ("out_of_fold", "test_ensemble") if name in found}
    if found["test"]:
        each = [report(answers, classes) for answers in found["test"].values()]
        told |= {"test": _merged(each, np.mean)}
        told |= {"test_sd": _merged(each, lambda values: np.std(values, ddof=1) if len(values) > 1 else np.nan)}
    return told


def _merged(trees: Sequence[Any], statistic: Callable) -> Any:
    """Equal trees with `statistic` of their floats; what is no float is the first tree's."""
    if isinstance(trees[0], dict):
        return {key: _merged([tree[key] for tree in trees], statistic) for key in trees[0]}
    return statistic(trees) if isinstance(trees[0], float) else trees[0]


def summary(told: Tree, found: Tree, classes: Panel) -> Tree:
    """At most 30 numbers: counts, and six metrics a setting; `undefined` says in words what is null or left out."""
    metrics = [f"{key}_macro" for key in MEASURES] + ["auroc_micro", "ap_micro", classes.challenge]
    table: Tree = {name: {key: told[name][key] if name in told else None for key in metrics} for name in SETTINGS}
    spread = told["test_sd"] if "test" in told else dict.fromkeys(metrics)
    table["test"] = {key: {"mean": value, "sd": spread[key]} for key, value in table["test"].items()}
    missing = {"undefined": {"": "no recording is in the test part"}}
    words = {
        name: "; ".join(f"{one}: {why}".removeprefix(": ") for one, why in told.get(name, missing)["undefined"].items())
        for name in SETTINGS
    }
    table["undefined"] = {name: text for name, text in words.items() if text}
    table["counts"] = {
        "classes": len(classes.names),
        "folds": len(found["validation"]),
        "recordings": told["out_of_fold"]["recordings"],
        "test_recordings": told["test"]["recordings"] if "test" in told else 0,
    }
    return table


def write_metrics(found: Tree, classes: Panel, folder: Path = layout.METRICS) -> Tree:
    """Writes summary.json, classes.json, sources.json and folds/K.json; the settings' reports."""
    told = reports(found, classes)
    write_json(summary(told, found, classes), folder / "summary.json")
    write_json(by_class(told, classes), folder / "classes.json")
    write_json(by_source(found, classes), folder / "sources.json")
    with layout.atomic(folder / "folds") as temporary:
        temporary.mkdir()
        for k in found["validation"]:
            write_json(of_fold(found, k, classes), temporary / f"{k}.json")
    return told


def by_class(told: Tree, classes: Panel) -> Tree:
    """Class -> code and, by setting, counts, metrics and mean threshold; `undefined` says why a metric is null."""
    table: Tree = {}
    for code, name in zip(classes.codes, classes.names, strict=True):
        table[name] = {"code": code}
        for setting, one in told.items():
            why = {"undefined": one["undefined"][name]} if name in one["undefined"] else {}
            table[name][setting] = one["classes"][name] | why
        if "test_sd" in told:
            spread = table[name].pop("test_sd")
            table[name]["test"] |= {f"{key}_sd": spread[key] for key in MEASURES}
    return table


def by_source(found: Tree, classes: Panel) -> Tree:
    """Source -> setting -> report; a setting without recordings of the source is absent."""
    table: Tree = {}
    for source in sorted(set(found["out_of_fold"].sources) | {s for a in found["test"].values() for s in a.sources}):
        whole = [name for name in ("out_of_fold", "test_ensemble") if name in found and source in found[name].sources]
        here: Tree = {name: found[name].of(source) for name in whole}
        here["test"] = {k: answers.of(source) for k, answers in found["test"].items() if source in answers.sources}
        table[source] = reports(here, classes)
    return table


def of_fold(found: Tree, k: str, classes: Panel) -> Tree:
    """The reports of one fold: `validation` (thresholds of the other folds), `test` (its own `thresholds`).

    `undecided` names the classes without a positive to choose a threshold by.
    """

    def undecided(folds: list[str]) -> list[str]:
        labels = np.concatenate([found["out_of_fold"].labels[:0], *(found["validation"][j].labels for j in folds)])
        return [name for name, no in zip(classes.names, thresholds.without_positives(labels), strict=True) if no]

    return {
        "fold": k,
        "validation": report(found["validation"][k], classes),
        "test": report(found["test"][k], classes) if k in found["test"] else None,
        "thresholds": dict(zip(classes.names, found["thresholds"][k], strict=True)),
        "undecided": {"test": undecided([k]), "validation": undecided([j for j in found["validation"] if j != k])},
    }

"""python -m tests.benchmarks.realism [--count 1400] [--seed 1] [--jobs 2] [--network] [--work DIR]

How far simulated recordings are from real ones. The environment names the real ones
(`real_recordings`); each of them stands beside one simulated recording with the same classes, as
nearly as can be, so that what differs is no matter of who has what. Writes realism.json and the
page realism.md beside this file.

For all together and for each class that has `LEAST` recordings on both sides: quantiles of every
feature, and two distances of it, Kolmogorov and Smirnov's (0 alike, 1 apart) and Wasserstein's over
the common deviation. Then how well the two are told apart, as the area under the ROC curve
(0.5: not at all), out of fold, by features and, with --network, by a small network.
"""

import argparse
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import scipy.stats
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ecgpipe.diagnoses import classes
from ecgpipe.features import atria, rhythm, variation, waves
from ecgpipe.features import measure as features
from ecgpipe.preprocessing.bandpass import condition, filter_arguments
from ecgpipe.preprocessing.params import PreprocessParams
from ecgpipe.preprocessing.r_peaks import r_peaks
from ecgpipe.preprocessing.store_writer import to_microvolts
from ecgpipe.pretraining import stream
from ecgpipe.project import tables
from ecgpipe.recordings import recording
from ecgpipe.recordings.sources import Source
from ecgpipe.simulation.populations import POPULATIONS
from ecgpipe.simulation.recording import simulate_recording
from tests.benchmarks import real_recordings, realism_page, separating, signal_features

HERE = Path(__file__).parent
SECONDS = 10.0  # of every recording, from its start
RATE_HZ = 500.0
LEAST = 15  # recordings of a class, real and simulated, for a table of its own
FOLDS = 4
CHUNK = 32
QUANTILES = (10, 50, 90)
# Features by what they are of; the first that names one has it.
GROUPS = {
    "rhythm": rhythm.UNITS,
    "waves": waves.UNITS,
    "atria": atria.UNITS,
    "variation": variation.UNITS,
}


class Measured(NamedTuple):
    """One recording: its features by name, and int16 [time, 12] as a store holds it."""

    features: dict[str, float]
    signal_uv: NDArray[np.int16]


def measure(signal_mv: NDArray, rate_hz: float, preprocess: PreprocessParams) -> Measured:
    """What a recording [time, 12] shows in its first `SECONDS`."""
    kept_mv = signal_mv[: round(SECONDS * rate_hz)]
    conditioned_mv = condition(kept_mv, rate_hz, **filter_arguments(preprocess))
    peaks = r_peaks(conditioned_mv, preprocess.rate_hz)
    named = features.measure(conditioned_mv, preprocess.rate_hz, peaks)
    values = signal_features.measure(kept_mv, rate_hz)
    values |= dict(zip(features.UNITS, named.tolist(), strict=True))
    return Measured(values, to_microvolts(conditioned_mv))


def of_files(
    paths: list[tuple[Path, Source, Path]], preprocess: PreprocessParams
) -> list[Measured]:
    """`measure` of recording files, each with its source and that source's folder."""
    read = (recording.read(*each) for each in paths)
    return [measure(one.signal_mv, one.rate_hz, preprocess) for one in read]


def of_simulated(
    indices: range, seed: int, preprocess: PreprocessParams, population: str
) -> list[tuple[Measured, NDArray[np.float32]]]:
    """`measure` of simulated recordings of a population, each keyed by (seed, index), and their
    labels [class]."""
    made = []
    for index in indices:
        rng = np.random.default_rng([seed, index])
        simulated = simulate_recording(rng, rate_hz=RATE_HZ, seconds=SECONDS, population=population)
        measured = measure(simulated.signal_mv, simulated.rate_hz, preprocess)
        made.append((measured, stream.labels(simulated)))
    return made


def in_chunks(function: Callable, items: Any, jobs: int, *arguments: Any) -> list:
    """function(chunk, *arguments) of all items, joined, on `jobs` processes."""
    parts = [items[first : first + CHUNK] for first in range(0, len(items), CHUNK)]
    done = Parallel(n_jobs=jobs)(delayed(function)(part, *arguments) for part in parts)
    return [one for part in done for one in part]


def matched(real: NDArray, simulated: NDArray, rng: np.random.Generator) -> NDArray[np.int64]:
    """For each real recording a simulated one of its own, by labels [recording, class] (NaN counts
    for neither side): the one that differs in fewest classes of those that are left, in a random
    order; -1 where none is left."""
    chosen = np.full(len(real), -1)
    free = np.ones(len(simulated), bool)
    for row in rng.permutation(len(real)):
        if not free.any():
            break
        differences = np.abs(simulated - real[row])
        distance = np.nansum(differences, axis=1) + rng.random(len(simulated)) * 0.5
        chosen[row] = np.where(free, distance, np.inf).argmin()
        free[chosen[row]] = False
    return chosen


def compared(real: pd.DataFrame, simulated: pd.DataFrame) -> list[dict[str, Any]]:
    """A row for each feature that both sides have, the farthest apart first."""
    rows = []
    for name in real.columns.intersection(simulated.columns):
        ours, theirs = simulated[name].dropna(), real[name].dropna()
        if min(len(ours), len(theirs)) < LEAST:
            continue
        deviation = float(np.sqrt((ours.var() + theirs.var()) / 2)) or 1.0
        rows.append(
            {
                "feature": name,
                "ks": float(scipy.stats.ks_2samp(theirs, ours).statistic),
                "wasserstein": float(scipy.stats.wasserstein_distance(theirs, ours)) / deviation,
                "real": np.percentile(theirs, QUANTILES).tolist(),
                "simulated": np.percentile(ours, QUANTILES).tolist(),
                "real_without": float(real[name].isna().mean()),
                "simulated_without": float(simulated[name].isna().mean()),
            }
        )
    return sorted(rows, key=lambda row: -row["ks"])


def told_apart(real: pd.DataFrame, simulated: pd.DataFrame, kind: str = "boosting") -> float:
    """The AUROC with which a classifier tells the rows apart, out of fold."""
    both = pd.concat([real, simulated], ignore_index=True)
    truth = np.repeat([1, 0], [len(real), len(simulated)])
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=1)
    answers = cross_val_predict(classifier(kind), both, truth, cv=folds, method="predict_proba")
    return float(roc_auc_score(truth, answers[:, 1]))


def classifier(kind: str) -> Any:
    """A classifier of features: 'boosting' or 'logistic'."""
    if kind == "boosting":
        return HistGradientBoostingClassifier(max_iter=60, learning_rate=0.15, random_state=1)
    imputer = SimpleImputer(strategy="median", keep_empty_features=True)
    return make_pipeline(imputer, StandardScaler(), LogisticRegression(C=0.1, max_iter=500))


def tellers(
    real: pd.DataFrame, simulated: pd.DataFrame, rounds: int = 12
) -> list[tuple[str, float, float]]:
    """The features that tell most, one after the other: in each round the one whose permutation
    costs a boosting the most AUROC, on rows that it did not see, is left out of the next. Of each
    its name, what all that were left reached, and what its permutation cost."""
    both = pd.concat([real, simulated], ignore_index=True)
    truth = np.repeat([1, 0], [len(real), len(simulated)])
    order = np.random.default_rng(1).permutation(len(both))
    seen, unseen = order[: len(order) // 2], order[len(order) // 2 :]
    found: list[tuple[str, float, float]] = []
    for _ in range(min(rounds, both.shape[1])):
        fitted = classifier("boosting").fit(both.iloc[seen], truth[seen])
        rest = both.iloc[unseen]
        reached = roc_auc_score(truth[unseen], fitted.predict_proba(rest)[:, 1])
        lost = permutation_importance(
            fitted, rest, truth[unseen], scoring="roc_auc", n_repeats=1, random_state=1
        ).importances_mean
        name = both.columns[int(lost.argmax())]
        found.append((name, float(reached), float(lost.max())))
        both = both.drop(columns=name)
    return found


def separation(real: pd.DataFrame, simulated: pd.DataFrame) -> dict[str, Any]:
    """How well the two are told apart: by all features, by those that conditioning leaves, by each
    group of them, and by which most."""
    of_file = [name for name in real if signal_features.is_of_file(name)]
    left = [name for name in real if name not in of_file]
    named = [name for group in GROUPS.values() for name in group]
    sets = {
        "all features": list(real),
        "features of the file": of_file,
        "features of the conditioned signal": left,
        **{f"of these, {group}": list(names) for group, names in GROUPS.items()},
        "of these, spectra, noise and shape of beats": [n for n in left if n not in named],
    }
    scores = {}
    for title, names in sets.items():
        known = [name for name in names if name in real]
        if known:
            scores[f"{title}, boosting"] = told_apart(real[known], simulated[known])
    title = "features of the conditioned signal, logistic regression"
    scores[title] = told_apart(real[left], simulated[left], "logistic")
    return {"auroc": scores, "tellers": tellers(real[left], simulated[left])}


def by_class(
    sides: tuple[pd.DataFrame, pd.DataFrame], labels: tuple[NDArray, NDArray], names: Iterable[str]
) -> dict[str, list[dict[str, Any]]]:
    """`compared` of each class with `LEAST` recordings, real and simulated: name -> rows; and of
    those whose only class is sinus rhythm, in whom nothing else differs."""
    names = list(names)
    rhythm = names.index("NSR")
    found = {}
    alone = [(side[:, rhythm] == 1) & (np.nansum(side, axis=1) == 1) for side in labels]
    masks = {"NSR alone": alone}
    for place, name in enumerate(names):
        masks[name] = [side[:, place] == 1 for side in labels]
    for name, (of_real, of_simulated_) in masks.items():
        if min(of_real.sum(), of_simulated_.sum()) >= LEAST:
            found[name] = compared(sides[0][of_real], sides[1][of_simulated_])
    return found


def real_files(collection: real_recordings.Collection) -> list[tuple[Path, Source, Path]]:
    """Each recording's file, its source and the source's folder."""
    files = []
    for row in collection.table.itertuples():
        folder = collection.raw / row.source
        files.append((folder / row.path, collection.catalogue[row.source], folder))
    return files


def contents(
    sides: tuple[pd.DataFrame, pd.DataFrame],
    labels: tuple[NDArray, NDArray],
    partner: NDArray[np.int64],
) -> dict[str, Any]:
    """What realism.json holds of features [recording, feature] and `labels` [recording, class] of
    both sides, and each real recording's `partner` (`matched`)."""
    paired = partner >= 0
    pairs = sides[0][paired], sides[1].iloc[partner[paired]]
    apart = np.abs(labels[0][paired] - labels[1][partner[paired]])
    names = [diagnosis.abbreviation for diagnosis in classes.select("official")]
    return {
        "recordings": {"real": len(sides[0]), "simulated": len(sides[1]), "pairs": len(pairs[0])},
        "alike_in_classes": float(1 - np.nanmean(apart)),
        "separation": separation(*pairs),
        "overall": compared(*pairs),
        "classes": by_class(sides, labels, names),
    }


def main() -> None:
    """Measures both sides and writes realism.json and realism.md."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.realism", description=__doc__)
    parser.add_argument("--count", type=int, default=1400, help="simulated recordings")
    parser.add_argument("--population", default="published", choices=POPULATIONS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--network", action="store_true", help="tell them apart by a network too")
    parser.add_argument("--work", type=Path, default=real_recordings.WORK)
    parser.add_argument("--out", type=Path, default=HERE, help="folder of realism.json and .md")
    chosen = parser.parse_args()
    preprocess = real_recordings.preprocess_params()
    collection = real_recordings.collect(chosen.work, *real_recordings.folders(), preprocess)
    real = in_chunks(of_files, real_files(collection), chosen.jobs, preprocess)
    indices = range(chosen.count)
    drawn = (chosen.seed, preprocess, chosen.population)
    made = in_chunks(of_simulated, indices, chosen.jobs, *drawn)
    codes = tables.class_codes(collection.table)
    labels = collection.table[codes].to_numpy(float), np.array([row for _, row in made], float)
    partner = matched(*labels, np.random.default_rng(chosen.seed))
    sides = (
        pd.DataFrame([one.features for one in real]),
        pd.DataFrame([one.features for one, _ in made]),
    )
    content = contents(sides, labels, partner) | {"population": chosen.population}
    if chosen.network:
        ours = [made[place][0].signal_uv for place in partner if place >= 0]
        theirs = [one.signal_uv for one, place in zip(real, partner, strict=True) if place >= 0]
        content["separation"]["auroc"]["a small network, conditioned signal"] = (
            separating.network_auroc(theirs, ours, preprocess.rate_hz)
        )
    (chosen.out / "realism.json").write_text(json.dumps(content, indent=1) + "\n", "utf-8")
    (chosen.out / "realism.md").write_text(realism_page.page(content), encoding="utf-8")


if __name__ == "__main__":
    main()

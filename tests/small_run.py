"""A small run of made predictions, scored as the stage evaluate scores it: what pictures and the report are drawn of.

Four classes: the second has few positives, the third is annotated at `<b>` alone, the fourth nowhere. Source `late` is
wholly in the test part and has no positive of the second class.
"""

import functools
from typing import Any

import numpy as np
import pandas as pd

from ecgpipe import measures, operating, scoring, settings, subgroups
from ecgpipe.settings import Settings

CODES = ["426783006", "164889003", "270492004", "59118001"]
PARAMS = operating.Params(calibration="platt", thresholds="f1", sensitivity=0.9, resamples=100, seed=1)


def table(rows: int = 420) -> pd.DataFrame:
    """A split table of folds 0 and 1 and a test part."""
    rng = np.random.default_rng(3)
    source = np.array(["a & co", "<b>", "late"], object)[rng.choice(3, rows, p=[0.5, 0.4, 0.1])]
    labels = (rng.random((rows, 4)) < [0.4, 0.02, 0.3, 0]).astype(float)
    labels[source == "late", 1] = 0
    labels[source != "<b>", 2] = np.nan
    labels[:, 3] = np.nan
    fold = np.array(["0", "1", "test"], object)[rng.choice(3, rows, p=[0.4, 0.4, 0.2])]
    about = {
        "source": source,
        "group": np.arange(rows).astype(str),
        "fold": np.where(source == "late", "test", fold),
        "age": np.where(rng.random(rows) < 0.1, np.nan, rng.integers(1, 95, rows)),
        "gender": rng.choice(["F", "M", ""], rows),
    }
    return pd.DataFrame(about | {code: labels[:, index] for index, code in enumerate(CODES)})


@functools.cache
def run(tested: bool = True) -> tuple[Settings, dict[str, Any], list[str]]:
    """The settings, the metrics (`scoring.trees`) and the names of the classes; with or without a test part."""
    rows = table()
    rows = rows if tested else rows[rows["fold"] != "test"].reset_index(drop=True)
    rng, labels, fold = np.random.default_rng(4), rows[CODES].to_numpy(), rows["fold"].to_numpy()

    def predicted(part: str) -> np.ndarray:
        logits = rng.normal(size=((fold == part).sum(), 4)) + 2 * np.nan_to_num(labels[fold == part])
        return 1 / (1 + np.exp(-logits))

    classes = measures.panel(CODES)
    validation, test = {k: predicted(k) for k in "01"}, {k: predicted("test") for k in "01" if tested}
    found = settings.build(labels, fold, validation, test, classes, PARAMS)
    told = scoring.with_intervals(scoring.reports(found, classes), found, classes, rows["group"].to_numpy(), 100, 1)
    flags = np.where(np.arange(len(rows)) % 9 == 0, "flat-lead", "").astype(object)
    return found, scoring.trees(told, found, classes, subgroups.masks(rows, flags)), classes.names


def history(folds: int = 2, epochs: int = 3) -> pd.DataFrame:
    """Training histories as `plotting.read_histories` gives them; the AUROC is undefined."""
    drawn = pd.DataFrame({"epoch": np.tile(np.arange(1, epochs + 1), folds)})
    fold = np.repeat([f"fold {k}" for k in range(folds)], epochs)
    return drawn.assign(train_loss=0.3, val_loss=0.4, val_auroc_macro=np.nan, fold=fold)

"""What all figures share: colours of the settings and of the folds, names that fit, PNG files.

Colours are those of Okabe and Ito (https://jfly.uni-koeln.de/color/), safe for colour-blind
readers. The same data give the same bytes.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ecgpipe.evaluation.held_out import OUT_OF_FOLD, TEST_ENSEMBLE
from ecgpipe.evaluation.subgroups import NO_FLAG
from ecgpipe.project import atomic

COLOURS = {OUT_OF_FOLD: "#0072B2", TEST_ENSEMBLE: "#D55E00"}
FOLDS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000")
GREY, LIGHT = "0.6", "0.85"
DPI = 200
MOST_LETTERS = 24


def save(figure: Figure, path: Path, dpi: int = DPI) -> None:
    """Writes a PNG atomically, without the name and version of the software that drew it."""
    FigureCanvasAgg(figure)
    with atomic.atomic(path) as temporary:
        figure.savefig(temporary, format="png", dpi=dpi, metadata={"Software": None})


def plain(axes: Axes, size: float) -> None:
    """Small ticks with labels of `size` points, no box."""
    axes.tick_params(labelsize=size, length=2, color="0.5")
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("0.5")


def shortened(name: str) -> str:
    """A name that fits beside an axis: of a longer one the middle is left out, and no sign in it
    means mathematics.

    >>> shortened("AF"), shortened("733534002/164909002/6374002")
    ('AF', '733534002/1…9002/6374002')
    """
    half = MOST_LETTERS // 2
    kept = name if len(name) <= MOST_LETTERS else f"{name[: half - 1]}…{name[-half:]}"
    return kept.replace("$", r"\$")


def subgroup(kind: str, value: str) -> str:
    """What people call a subgroup (`evaluation.subgroups`): `none` of the flags is 'no flag'.

    >>> subgroup("flag", "none"), subgroup("flag", "flat-lead"), subgroup("source", "none")
    ('no flag', 'flat-lead', 'none')
    """
    return "no flag" if (kind, value) == ("flag", NO_FLAG) else value


def why_unscored(of_class: Mapping[str, Any]) -> str:
    """Why a class of a report has no AUROC (`annotated`, `positives`, `auroc`); empty where it has
    one."""
    if np.isfinite(of_class["auroc"]):
        return ""
    if not of_class["annotated"]:
        return "not annotated"
    return "no negatives" if of_class["positives"] else "no positives"

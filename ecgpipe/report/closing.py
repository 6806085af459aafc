"""What the stage evaluate ends with: the run's main scores in a few lines, and where all of them
are."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ecgpipe.evaluation.held_out import OUT_OF_FOLD, SETTINGS, TEST, ordered
from ecgpipe.evaluation.metric_list import FREQUENT, MACRO, Score
from ecgpipe.evaluation.metric_tables import with_ends
from ecgpipe.project import paths
from ecgpipe.report.html_sentences import floor
from ecgpipe.report.html_tables import scores
from ecgpipe.report.templates import count, interval, number

_LOG = logging.getLogger(__name__)


def lines(metrics: Mapping[str, Any], page: Path) -> list[str]:
    """A line on what was scored, one for each score that the summary shows of every setting, one
    for means over frequent classes where rare ones move them, one on the floor, and one on the
    `page` and the file of numbers."""
    counts = metrics["summary"]["counts"]
    tested = counts["test_recordings"]
    parts = [f"{count(counts['recordings'])} recordings out of fold"]
    parts.append(f"{count(tested)} test recordings" if tested else "no test part")
    shown = []
    for score in scores(metrics):
        if score.in_summary(TEST) or _is_moved(metrics["settings"], score):
            shown.append(score)
    return [
        f"{counts['classes']} classes, {counts['folds']} folds, {', '.join(parts)}",
        *(_of_score(metrics["settings"], score) for score in shown),
        *_of_floor(metrics["settings"]),
        f"{page} shows all of it, {paths.METRICS / 'summary.json'} has the numbers",
    ]


def _is_moved(settings: Mapping[str, Any], score: Score) -> bool:
    """Whether a score over frequent classes is another number than that over all of them."""
    if score.over != FREQUENT:
        return False
    over_all = score.key.replace(FREQUENT, MACRO)
    return any(number(each[score.key]) != number(each[over_all]) for each in settings.values())


def _of_score(settings: Mapping[str, Any], score: Score) -> str:
    values = []
    for name in ordered(settings):
        told = with_ends(settings[name], score.key)
        ends = interval(told)
        values.append(f"{SETTINGS[name]} {number(told['value'])}" + (f" ({ends})" if ends else ""))
    return f"{score.words}: {', '.join(values)}"


def _of_floor(settings: Mapping[str, Any]) -> list[str]:
    """What simple features reach on the same folds; nothing where nobody computed it."""
    pooled = settings[OUT_OF_FOLD]
    return [f"out of fold, {floor(pooled)}"] if "floor_auroc_macro" in pooled else []


def tell(metrics: Mapping[str, Any], page: Path) -> None:
    """Logs the `lines`."""
    for line in lines(metrics, page):
        _LOG.info("evaluate: %s", line)

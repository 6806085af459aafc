"""plots/report.html: the scores of a run, its tables and its pictures on one page that needs no
other file, no script and no network.

The page is `report.html.j2` filled with words: all numbers are written here, as in all pages
(`templates`), all names are escaped there. The same metrics and pictures give the same bytes.
"""

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ecgpipe.evaluation.metric_list import RATES
from ecgpipe.evaluation.metrics import FEW
from ecgpipe.evaluation.subgroups import KINDS
from ecgpipe.project import atomic, paths
from ecgpipe.project.errors import UserError
from ecgpipe.report import html_sentences, html_tables, templates
from ecgpipe.report.html_tables import Row, title

TEMPLATE = Path(__file__).with_name("report.html.j2")
_PNG = b"\x89PNG\r\n\x1a\n"
_DOTS_PER_INCH, _CSS_PER_INCH = 200, 96


def write(
    metrics: Mapping[str, Any],
    pictures: Sequence[tuple[str, str, Path]],
    made: str,
    path: Path = paths.PLOTS / "report.html",
) -> None:
    """Writes the report of a run: `metrics` are `evaluation.metric_tables.trees`, `pictures` title,
    caption and PNG in the page's order, `made` says how the run was split and scored
    (`html_sentences.made`).

    UserError where a picture is no PNG.
    """
    page = templates.render(
        TEMPLATE, **_values(metrics), pictures=[picture(*each) for each in pictures], made=made
    )
    with atomic.atomic(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _values(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """What the template is filled with, of the metrics."""
    counts, shown = metrics["summary"]["counts"], html_tables.settings_by_class(metrics)
    subgroups = metrics["subgroups"].items()
    return {
        "counts": counts,
        "tested": bool(counts["test_recordings"]),
        "few": FEW,
        "folds": list(metrics["folds"]),
        "settings": [title(name) for name in shown],
        "cards": html_tables.cards(metrics),
        "summary": html_sentences.summary(metrics),
        "notes": html_sentences.notes(metrics),
        "headline": html_tables.headline(metrics),
        "class_columns": list(html_tables.class_columns(html_tables.has_floor(metrics)).values()),
        "classes": {title(name): html_tables.class_rows(metrics, name) for name in shown},
        "subgroup_columns": [metric.words for metric in html_tables.subgroup_metrics()],
        "subgroups": {
            KINDS[kind]: html_tables.subgroup_rows(kind, by_value) for kind, by_value in subgroups
        },
        "rates": [metric.words for metric in RATES],
        "points": html_tables.points(metrics),
    }


def picture(name: str, caption: str, path: Path) -> Row:
    """A PNG as base64 text, with its natural `width` and `height` in CSS pixels. UserError where
    it is no PNG.

    The size stands in the first chunk: https://www.w3.org/TR/png-3/#11IHDR.
    """
    data = Path(path).read_bytes()
    if not data.startswith(_PNG):
        raise UserError(
            f"{path}: a picture of the report is a PNG, found {data[:8]!r}; "
            "run `dvc repro evaluate` again"
        )
    dots = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    width, height = (round(each * _CSS_PER_INCH / _DOTS_PER_INCH) for each in dots)
    return {
        "name": Path(path).stem,
        "title": name,
        "caption": caption,
        "data": base64.b64encode(data).decode("ascii"),
        "width": width,
        "height": height,
    }

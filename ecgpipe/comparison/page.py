"""A comparison of two runs for people, in Markdown: what differs in a sentence, then a table each
for headline, classes and sources."""

from pathlib import Path

from ecgpipe.comparison.compare import BETTER, NO_INTERVAL, TOO_FEW, UNDEFINED, WORSE, Comparison
from ecgpipe.evaluation.metrics import FEW
from ecgpipe.report import templates

TEMPLATE = Path(__file__).with_name("comparison.md.j2")


def markdown(comparison: Comparison, a: str, b: str) -> str:
    """The text of a comparison; `a` and `b` are what the runs are called."""
    table = comparison.table
    differ = table[table["verdict"].isin([BETTER, WORSE])]
    by_kind = table.groupby("kind", sort=False)
    return templates.render(
        TEMPLATE,
        setting=comparison.setting,
        a=a,
        b=b,
        same=comparison.same,
        judged=(~table["verdict"].isin([UNDEFINED, NO_INTERVAL, TOO_FEW])).any(),
        differ=differ.to_dict("records"),
        remarks=comparison.remarks,
        kinds={kind: rows.to_dict("records") for kind, rows in by_kind},
        few=FEW,
    )

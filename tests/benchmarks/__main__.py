"""python -m tests.benchmarks [NAME...]: runs the benchmarks, each beside a named reference, and
writes the table tests/benchmarks/README.md. With names, runs those alone and prints their lines."""

import importlib
import json
import os
import sys
from importlib import metadata
from pathlib import Path

import torch

from ecgpipe.model.inference import bf16_helps
from tests.benchmarks.measuring import Row

HERE = Path(__file__).parent
NAMES = sorted(path.stem for path in HERE.glob("bench_*.py"))
_PAGE = """# Speed

Written by `python -m tests.benchmarks`, in one run on {machine}; torch {torch}, numpy {numpy}.
Every figure stands beside a reference measured in the same run, in turns with ours, and each counts by its best round:
another program makes a round longer, never shorter. The references are written in `bench_*.py` as plainly as they are
published. "of the limit" is our share of what the machine did when it did nothing but the work named there.

| step | reference | ecgpipe | ratio | aim | of the limit |
|---|---|---|---|---|---|
{lines}
{gpu}
{scale}"""
_NO_GPU = """
No GPU was at hand for this run: training on one was never measured. Where there is one, its rows stand above.
"""
_SCALE = """
## Cost against size

Written by `python -m tests.benchmarks.scale`: whole stages on made-up collections, in seconds and in memory. Anonymous
memory is what a stage holds; mapped file pages are the disk's cache, which the system takes back when it needs them.
Every stage has a fixed cost (Python's start, eight sources, figures) and a straight line after it: {slopes}.

![seconds of each stage](scale_seconds.png)

![memory of each stage](scale_memory.png)
"""


def slopes() -> str:
    """Each stage's milliseconds a recording between its two largest sizes, from scale.json."""
    told = json.loads((HERE / "scale.json").read_text(encoding="utf-8"))["rows"]
    found = []
    for stage in dict.fromkeys(row["stage"] for row in told):
        (few, fewer_s), (many, more_s) = [
            (row["recordings"], row["seconds"]) for row in told if row["stage"] == stage
        ][-2:]
        found.append(
            f"{stage.replace('_', '-')} {1000 * (more_s - fewer_s) / (many - few):.2f} ms a recording"
        )
    return ", ".join(found)


def line(row: Row) -> str:
    """A row of the Markdown table."""
    share = (
        f"{row.ours / row.limit:.0%} of {row.limit:,.0f} ({row.limited_by})"
        if row.limited_by
        else ""
    )
    return (
        f"| {row.step} | {row.reference_name}: {row.reference:,.4g} | {row.ours:,.4g} {row.unit} "
        f"| x{row.ours / row.reference:.3g} | {row.aim} | {share} |"
    )


def machine() -> str:
    """The processor, its cores, and whether it multiplies bfloat16."""
    told = (
        Path("/proc/cpuinfo").read_text(encoding="utf-8") if Path("/proc/cpuinfo").exists() else ""
    )
    name = next(
        (
            text.partition(":")[2].strip()
            for text in told.split("\n")
            if text.startswith("model name")
        ),
        "?",
    )
    bf16 = "with" if bf16_helps("auto", torch.device("cpu")) else "without"
    return f"{os.cpu_count()} cores ({name}, {bf16} bfloat16)"


if __name__ == "__main__":
    chosen, lines = sys.argv[1:] or NAMES, []
    for name in chosen:
        for row in importlib.import_module(f"tests.benchmarks.{name}").rows():
            lines.append(line(row))
            print(lines[-1], flush=True)
    if not sys.argv[1:]:
        scale = _SCALE.format(slopes=slopes()) if (HERE / "scale_seconds.png").exists() else ""
        gpu = "" if torch.cuda.is_available() else _NO_GPU
        versions = {name: metadata.version(name) for name in ("torch", "numpy")}
        page = _PAGE.format(
            machine=machine(), **versions, lines="\n".join(lines), gpu=gpu, scale=scale
        )
        (HERE / "README.md").write_text(page, encoding="utf-8")

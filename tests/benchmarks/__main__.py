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

Written by `python -m tests.benchmarks`, in one run on {machine};
torch {torch}, numpy {numpy}. Every figure stands beside a reference measured in the same run, in
turns with ours, and each counts by its best round: another program makes a round longer, never
shorter. The references are written in `bench_*.py` as plainly as they are published. "of the limit"
is our share of what the machine did when it did nothing but the work named there.

| step | reference | ecgpipe | ratio | aim | of the limit |
|---|---|---|---|---|---|
{lines}
{gpu}
## What measures what

| command | measures |
|---|---|
| `python -m tests.benchmarks` | every step beside its reference, the table above |
| `python -m tests.benchmarks NAME...` | the same of {names} alone, printed |
| `python -m tests.benchmarks.startup` | user seconds that commands and stages take to start |
| `python -m tests.benchmarks.scale` | seconds and memory of whole stages, to 100,000 recordings |
| `python -m tests.benchmarks.ablation` | [what each augmentation brings](ablation.md) to the demo |

`startup` and `ablation` need the demo that `dvc repro` makes; `scale` and `ablation` write what
they find beside this page.
{scale}"""
_NO_GPU = """
No GPU was at hand for this run: training on one was never measured. Where there is one, its rows
stand above.
"""
_SCALE = """
## Cost against size

Written by `python -m tests.benchmarks.scale`: whole stages on made-up collections, in seconds and
in memory. Anonymous memory is what a stage holds; mapped file pages are the disk's cache, which the
system takes back when it needs them. Every stage has a fixed cost (Python's start, eight sources,
figures) and a straight line after it:
{slopes}.

![seconds of each stage](scale_seconds.png)

![memory of each stage](scale_memory.png)
"""


def slopes() -> str:
    """Each stage's milliseconds a recording between its two largest sizes, from scale.json."""
    rows = json.loads((HERE / "scale.json").read_text(encoding="utf-8"))["rows"]
    seconds: dict[str, list[tuple[int, float]]] = {}
    for row in rows:
        seconds.setdefault(row["stage"], []).append((row["recordings"], row["seconds"]))
    texts = []
    for stage, measured in seconds.items():
        (few, fewer_s), (many, more_s) = measured[-2:]
        slope_ms = 1000 * (more_s - fewer_s) / (many - few)
        texts.append(f"{stage.replace('_', '-')} {slope_ms:.2f} ms")
    return ", ".join(texts) + " a recording"


def line(row: Row) -> str:
    """A row of the Markdown table."""
    share = ""
    if row.limited_by:
        share = f"{row.ours / row.limit:.0%} of {row.limit:,.0f} ({row.limited_by})"
    return (
        f"| {row.step} | {row.reference_name}: {row.reference:,.4g} | {row.ours:,.4g} {row.unit} "
        f"| x{row.ours / row.reference:.3g} | {row.aim} | {share} |"
    )


def machine() -> str:
    """The processor, its cores, and whether it multiplies bfloat16."""
    about, name = Path("/proc/cpuinfo"), "?"
    if about.exists():
        for text in about.read_text(encoding="utf-8").splitlines():
            if text.startswith("model name"):
                name = text.partition(":")[2].strip()
                break
    bf16 = "with" if bf16_helps("auto", torch.device("cpu")) else "without"
    return f"{os.cpu_count()} cores ({name}, {bf16} bfloat16)"


def page(lines: list[str]) -> str:
    """The page of these lines of the table, with what scale.json holds."""
    measured = (HERE / "scale_seconds.png").exists()
    return _PAGE.format(
        machine=machine(),
        torch=metadata.version("torch"),
        numpy=metadata.version("numpy"),
        lines="\n".join(lines),
        gpu="" if torch.cuda.is_available() else _NO_GPU,
        names=", ".join(f"`{name}`" for name in NAMES),
        scale=_SCALE.format(slopes=slopes()) if measured else "",
    )


def main(names: list[str]) -> None:
    """Runs the benchmarks of these names, or all."""
    lines = []
    for name in names or NAMES:
        for row in importlib.import_module(f"tests.benchmarks.{name}").rows():
            lines.append(line(row))
            print(lines[-1], flush=True)
    if not names:
        (HERE / "README.md").write_text(page(lines), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])

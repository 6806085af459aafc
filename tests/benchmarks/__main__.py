"""python -m tests.benchmarks [NAME...]: runs the benchmarks, each beside a named reference, and
writes the table tests/benchmarks/README.md. With names, runs those alone and prints their lines."""

import importlib
import json
import os
import platform
import sys
import time
from importlib import metadata
from pathlib import Path

import torch

from tests.benchmarks.measuring import LeftOut, Row

HERE = Path(__file__).parent
NAMES = sorted(path.stem for path in HERE.glob("bench_*.py"))
# Of a processor what decides how fast it multiplies.
CAPABILITIES = ("avx2", "avx512_f", "avx512_vnni", "avx512_bf16", "amx_bf16")
_PAGE = """# Speed

Written by `python -m tests.benchmarks` in one run of {seconds:.0f} s.

- Machine: {machine}.
- Versions: torch {torch}, numpy {numpy}.

Every figure stands beside a reference measured in the same run, in turns with ours, and each counts
by its best round: another program makes a round longer, never shorter. The references are written
in `bench_*.py` as plainly as they are published. "of the limit" is our share of what the machine
did when it did nothing but the work named there.

| step | reference | ecgpipe | ratio | aim | of the limit |
|---|---|---|---|---|---|
{lines}

{left_out}
## What measures what

| command | measures |
|---|---|
| `python -m tests.benchmarks` | every step beside its reference, the table above |
| `python -m tests.benchmarks NAME...` | the same of {names} alone, printed |
| `python -m tests.benchmarks.startup` | user seconds that commands and stages take to start |
| `python -m tests.benchmarks.scale` | seconds and memory of whole stages, to 100,000 recordings |
| `python -m tests.benchmarks.ablation` | [what each augmentation brings](ablation.md) to the demo |
| `python -m tests.benchmarks.realism` | how far simulated recordings are from real ones |
| `python -m tests.benchmarks.study` | learning curves and trials of a start from simulated hearts |

`startup` and `ablation` need the demo that `dvc repro` makes; all but `startup` write what they
find beside this page. `realism` and `study` find real recordings by the variables
`ECGPIPE_REAL_DATA` (sources as in the Challenge's release) and `ECGPIPE_PTBXL` (PTB-XL's original
form); a `study` that was stopped goes on, and `--help` says more.
{scale}"""
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
    """The processor, what it can do of `CAPABILITIES` and what not, its cores, and how busy it is
    with other work."""
    about, name = Path("/proc/cpuinfo"), platform.machine()
    if about.exists():
        for text in about.read_text(encoding="utf-8").splitlines():
            if text.startswith("model name"):
                name = text.partition(":")[2].strip()
                break
    can = torch.cpu.get_capabilities()
    has = [capability for capability in CAPABILITIES if can.get(capability)]
    lacks = [capability for capability in CAPABILITIES if capability not in has]
    return (
        f"{os.cpu_count()} cores of {name}, with {', '.join(has) or 'none'} of these, without "
        f"{', '.join(lacks) or 'none'}; a load of {os.getloadavg()[0]:.1f} before the run"
    )


def page(lines: list[str], left_out: list[str], about: str, seconds: float) -> str:
    """The page of these lines of the table, with what scale.json holds; `about` is the `machine`,
    and `seconds` what all took."""
    measured = (HERE / "scale_seconds.png").exists()
    return _PAGE.format(
        seconds=seconds,
        machine=about,
        torch=metadata.version("torch"),
        numpy=metadata.version("numpy"),
        lines="\n".join(lines),
        left_out="\n".join(left_out) or "No row was left out.",
        names=", ".join(f"`{name}`" for name in NAMES),
        scale=_SCALE.format(slopes=slopes()) if measured else "",
    )


def main(names: list[str]) -> None:
    """Runs the benchmarks of these names, or all."""
    lines, left_out, about, begun_s = [], [], machine(), time.perf_counter()
    print(about)
    for name in names or NAMES:
        for row in importlib.import_module(f"tests.benchmarks.{name}").rows():
            if isinstance(row, LeftOut):
                left_out.append(f"Left out: {row.step}; {row.reason}.")
                print(left_out[-1], flush=True)
            else:
                lines.append(line(row))
                print(lines[-1], flush=True)
    spent_s = time.perf_counter() - begun_s
    print(f"{spent_s:.0f} s")
    if not names:
        text = page(lines, left_out, about, spent_s)
        (HERE / "README.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])

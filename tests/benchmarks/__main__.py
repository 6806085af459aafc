"""python -m tests.benchmarks [NAME...]: runs the benchmarks, each beside a named reference, and writes the table
tests/benchmarks/README.md. With names, runs those alone and prints their lines."""

import importlib
import os
import platform
import sys
from pathlib import Path

from tests.benchmarks.measuring import Row

HERE = Path(__file__).parent
NAMES = sorted(path.stem for path in HERE.glob("bench_*.py"))


def line(row: Row) -> str:
    """A row of the Markdown table."""
    share = f"{row.ours / row.limit:.0%} of {row.limit:,.0f} ({row.limited_by})" if row.limit else ""
    return (
        f"| {row.step} | {row.reference_name}: {row.reference:,.4g} | {row.ours:,.4g} {row.unit} "
        f"| x{row.ours / row.reference:.3g} | {row.aim} | {share} |"
    )


if __name__ == "__main__":
    chosen = sys.argv[1:] or NAMES
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores: {', '.join(chosen)}")
    for name in chosen:
        for row in importlib.import_module(f"tests.benchmarks.{name}").rows():
            print(line(row), flush=True)

"""python -m tests.benchmarks.scale [--counts 1000 10000 100000] [--scratch DIR]: at least 1,000
recordings, so that the smallest source has one.

Cost against size: made-up collections (`collection`) go through label-map, preprocess, split and
evaluate as a user runs them, `python -m stages.<name>`, with made-up predictions of five folds in
place of training. Writes beside this file scale.json, scale_seconds.png and scale_memory.png.

Memory is the highest sum over the stage's process and its workers, looked at 20 times a second:
`anonymous` is what they hold (RssAnon of Linux), `file` what is mapped from files, which the system
takes back when it needs it and which counts once for every process that shares it. Preprocess is
the sum of its sources' seconds, and the most of their memory.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib import pyplot

from ecgpipe.project import digests, tables
from tests.benchmarks import collection

matplotlib.use("Agg")

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
STAGES = ("label_map", "preprocess", "split", "evaluate")
MIB = 2**20


def measure(command: list[str], project: Path, threads: int = 1) -> dict[str, float]:
    """Runs a command in `project`: seconds, and the peaks of memory of its process tree in MiB."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": str(threads)}
    start, anonymous, mapped = time.perf_counter(), 0.0, 0.0
    with (project / "log.txt").open("a") as log:
        process = subprocess.Popen(command, cwd=project, env=environment, stdout=log, stderr=log)
        while process.poll() is None:
            held = np.sum([memory(pid) for pid in tree(process.pid)], axis=0)
            anonymous, mapped = max(anonymous, held[0]), max(mapped, held[1])
            time.sleep(0.05)
    if process.returncode:
        raise RuntimeError(
            f"{' '.join(command)} failed: {(project / 'log.txt').read_text()[-2000:]}"
        )
    return {
        "seconds": time.perf_counter() - start,
        "anonymous": anonymous / MIB,
        "file": mapped / MIB,
    }


def tree(root: int) -> list[int]:
    """A process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:  # it has ended
                continue
            children.setdefault(parent, []).append(int(entry.name))
    pids = [root]
    for pid in pids:  # which grows on the way
        pids += children.get(pid, [])
    return pids


def memory(pid: int) -> tuple[int, int]:
    """(RssAnon, RssFile and RssShmem) of a process in bytes."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0, 0
    held = {}
    for line in lines:
        if line.startswith("Rss"):
            held[line.partition(":")[0]] = 1024 * int(line.split()[1])  # KiB -> bytes
    return held.get("RssAnon", 0), held.get("RssFile", 0) + held.get("RssShmem", 0)


def predict(project: Path) -> None:
    """Made-up predictions in the place of those that training writes: right a little more often
    than by chance."""
    table = tables.read(project / "data/folds/folds.csv")
    codes, rng = tables.class_codes(table), np.random.default_rng(1)
    for fold in sorted(set(table["fold"]) - {tables.TEST}):
        folder = project / f"data/predictions/fold-{fold}"
        for name, rows in (
            ("val", table[table["fold"] == fold]),
            ("test", table[table["fold"] == tables.TEST]),
        ):
            signal = np.nan_to_num(rows[codes].to_numpy()) * 0.3
            answered = pd.DataFrame(
                (signal + 0.7 * rng.random(signal.shape)).round(6), columns=codes
            )
            head = rows[["source", "record"]].reset_index(drop=True)
            tables.write(pd.concat([head, answered], axis=1), folder / f"{name}.csv")
        history = {"epoch": [1], "train_loss": [0.5], "val_loss": [0.5], "val_auroc_macro": [0.7]}
        pd.DataFrame(history).to_csv(folder / "history.csv", index=False)
        digests.write_digests(folder)


def run(count: int, scratch: Path) -> list[dict]:
    """One size through all stages: a row for each."""
    project = scratch / f"scale-{count}"
    try:
        collection.make(project / "data/raw", count)
        # JSON is YAML
        (project / "params.yaml").write_text(json.dumps(collection.settings(project)))
        (project / "configs").mkdir()
        shutil.copy(collection.CATALOGUE, project / "configs")
        rows = []
        for stage in STAGES:
            if stage == "evaluate":
                predict(project)
            names = [[name] for name in collection.SOURCES] if stage == "preprocess" else [[]]
            parts = [
                measure([sys.executable, "-m", f"stages.{stage}", *name], project) for name in names
            ]
            row = {
                "recordings": count,
                "stage": stage,
                "seconds": round(sum(part["seconds"] for part in parts), 2),
                "anonymous": round(max(part["anonymous"] for part in parts)),
                "file": round(max(part["file"] for part in parts)),
            }
            rows.append(row)
            print(json.dumps(row), flush=True)
        return rows
    finally:
        shutil.rmtree(project, ignore_errors=True)


def draw(rows: list[dict]) -> None:
    """Both plots: a line for each stage against the number of recordings."""
    pictures = {
        "seconds": ("wall-clock time", "seconds", {"seconds": "-"}),
        "memory": (
            "all processes of a stage: held (solid), mapped from files (dotted)",
            "MiB",
            {"anonymous": "-", "file": ":"},
        ),
    }
    for name, (title, unit, measures) in pictures.items():
        figure, axes = pyplot.subplots(figsize=(6, 4), layout="constrained")
        for number, stage in enumerate(STAGES):
            mine = [row for row in rows if row["stage"] == stage]
            for measured, style in measures.items():
                points = [row["recordings"] for row in mine], [row[measured] for row in mine]
                label = stage.replace("_", "-") if style == "-" else None
                axes.plot(*points, style, marker="o", color=f"C{number}", label=label)
        axes.set(xscale="log", yscale="log", xlabel="recordings of 10 s at 500 Hz", ylabel=unit)
        if name == "memory":
            axes.axhline(3000, color="grey", linestyle="--", label="3,000 MiB")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter("{x:,g}")
            axis.set_minor_formatter("")
        axes.set_title(title, fontsize=10)
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
        figure.savefig(HERE / f"scale_{name}.png", dpi=120, metadata={"Software": None})
        pyplot.close(figure)


def main() -> None:
    """Runs all sizes, the smallest first, and writes what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--counts", type=int, nargs="+", default=[1000, 10000, 100000])
    parser.add_argument("--scratch", type=Path, default=Path("/tmp"))
    arguments = parser.parse_args()
    rows = []
    for count in sorted(arguments.counts):
        rows += run(count, arguments.scratch.resolve())
    about = {"cores": os.cpu_count(), "unit_of_memory": "MiB", "rows": rows}
    (HERE / "scale.json").write_text(json.dumps(about, indent=1) + "\n")
    draw(rows)


if __name__ == "__main__":
    main()

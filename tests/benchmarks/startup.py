"""python -m tests.benchmarks.startup [--project FOLDER] [--runs N]: how long commands and stages
take before they do anything worth waiting for, in user seconds of the process and its children.

The demo must have run in the project (`dvc repro`): one of its recordings is checked and predicted.
The least of N runs counts: another program makes a run longer, never shorter. BLAS and torch get
one thread, since threads that wait for work count as work.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
AIMS_S = {
    "help": 0.4,
    "check of one file": 1.5,
    "predict of one recording": 3.0,
    "start of label-map": 1.5,
    "start of split": 1.5,
}
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def user_seconds(arguments: list[str], project: Path) -> float:
    """What one run of `python ARGUMENTS` in `project` takes of the processor, but in the kernel."""
    before_s = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    subprocess.run(
        [sys.executable, *arguments],
        cwd=project,
        env=os.environ | _ONE_THREAD,
        check=True,
        capture_output=True,
    )
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before_s


def commands(project: Path, scratch: Path) -> dict[str, list[str]]:
    """The arguments of each of `AIMS_S`."""
    recording = next(iter(sorted(project.glob("data/raw/*/**/*.hea"))), None)
    if recording is None or not (project / "data/models/fold-0/model.json").is_file():
        sys.exit(f"{project}: no recordings or models of the demo here; run `dvc repro` first")
    ecgpipe = ["-m", "ecgpipe"]
    table = str(scratch / "predictions.csv")
    return {
        "help": [*ecgpipe, "--help"],
        "check of one file": [*ecgpipe, "check", str(recording)],
        "predict of one recording": [*ecgpipe, "predict", str(recording), "--out", table],
        "start of label-map": ["-c", "import stages.label_map"],
        "start of split": ["-c", "import stages.split"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", type=Path, default=ROOT, help="where the demo ran")
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    print("| what | least, user s | median | aim |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as scratch:
        for name, command in commands(arguments.project.resolve(), Path(scratch)).items():
            user_seconds(command, arguments.project)  # once to warm up: bytecode, the disk's cache
            runs_s = [user_seconds(command, arguments.project) for _ in range(arguments.runs)]
            least_s, median_s = min(runs_s), statistics.median(runs_s)
            print(f"| {name} | {least_s:.2f} | {median_s:.2f} | {AIMS_S[name]} |", flush=True)


if __name__ == "__main__":
    main()

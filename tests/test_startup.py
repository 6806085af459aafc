"""Commands and stages start at once: which heavy libraries each imports, asserted on what a process
has loaded at its end. Seconds are measured by `python -m tests.benchmarks.startup`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ecgpipe.__main__ import COMMANDS
from tests.commands.conftest import models, raw  # noqa: F401 (fixtures)

ROOT = Path(__file__).parents[1]
HEAVY = {
    "dvc",
    "h5py",
    "jinja2",
    "joblib",
    "matplotlib",
    "numpy",
    "onnx",
    "pandas",
    "pydantic",
    "scipy",
    "scipy.optimize",
    "scipy.signal",
    "scipy.stats",
    "sklearn",
    "sleepecg",
    "torch",
    "torchmetrics",
    "wfdb",
}
READING = {"numpy", "pydantic"}
# What `python -m ecgpipe ...` imports of HEAVY at most, and its exit status; {raw} and {models} are
# small ones.
OF_COMMANDS = {
    "--help": (set(), 0),
    **{f"{command} --help": (READING, 0) for command in COMMANDS},
    "params {root}/params.yaml --catalogue {root}/configs/sources.yaml": (READING, 0),
    "check {raw}/A1.hea": (READING, 0),
    "check {raw}/A1.hea --csv {raw}/checked.csv": (READING | {"pandas"}, 0),
    "check {raw}/A1.hea --source none --catalogue {raw}/none.yaml": (READING, 2),
    "predict {raw}/none --model {models}": (READING, 2),
    "predict {raw}/A1.hea --model {models} --out {raw}/p.csv": (READING | {"torch", "scipy"}, 0),
}
# What a stage imports of HEAVY before it begins, at most.
TABLES = {"numpy", "pandas", "pydantic"}
OF_STAGES = {
    "simulate": READING | {"joblib", "scipy"},
    "label_map": TABLES,
    "preprocess": TABLES
    | {"joblib", "scipy", "scipy.optimize", "scipy.signal", "scipy.stats", "sleepecg"},
    "split": TABLES | {"scipy"},
    "train": TABLES | {"torch"},
    "evaluate": TABLES | {"scipy", "matplotlib", "jinja2"},
}


def loaded(code: str, *arguments: str) -> set[str]:
    """Which of HEAVY a process has loaded that ran `code`."""
    telling = f"print(*({HEAVY!r} & sys.modules.keys()))"
    run = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\n{telling}", *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(run.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("command", OF_COMMANDS)
def test_a_command_imports_what_it_uses_alone(command, raw, models):  # noqa: F811
    allowed, status = OF_COMMANDS[command]
    code = f"""
from ecgpipe import __main__
try:
    status = __main__.main()
except SystemExit as end:
    status = end.code
assert status == {status}, status
"""
    arguments = command.format(raw=raw, models=models, root=ROOT).split()
    assert loaded(code, *arguments) <= allowed


def test_the_schemas_of_all_sections_need_no_torch_and_no_tables():
    schemas = sorted((ROOT / "ecgpipe").glob("*/params.py"))
    assert len(schemas) > 8
    code = "\n".join(f"import ecgpipe.{path.parent.name}.params" for path in schemas)
    assert loaded(code) <= READING


def test_what_is_loaded_is_seen():
    assert loaded("import numpy") == {"numpy"}


@pytest.mark.parametrize("name", OF_STAGES)
def test_a_stage_imports_what_it_uses_alone(name):
    assert loaded(f"import stages.{name}") <= OF_STAGES[name]


def test_every_file_of_a_command_is_one():
    files = (ROOT / "ecgpipe/commands").glob("*.py")
    commands = {path.stem for path in files if "\ndef run(" in path.read_text(encoding="utf-8")}
    assert commands == set(COMMANDS)

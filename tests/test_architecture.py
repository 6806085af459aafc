"""The rules of the house, asserted on the source itself: imports, sizes, and what each stage depends on."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
MODULES = {path.stem: path for path in sorted((ROOT / "ecgpipe").glob("*.py"))}
STAGES = {path.stem: path for path in sorted((ROOT / "stages").glob("*.py")) if path.stem != "__init__"}

VOCABULARY = {"leads", "layout", "params"}
DEEDS = {
    "simulating",
    "mapping",
    "conditioning",
    "splitting",
    "augmenting",
    "training",
    "scoring",
    "plotting",
    "reporting",
    "predicting",
    "comparing",
    "auditing",
    "exporting",
}
ALLOWED_BETWEEN_DEEDS = {
    ("training", "augmenting"),
    ("predicting", "conditioning"),
    ("auditing", "mapping"),
    ("predicting", "mapping"),
}
TOP = {"__main__", "sections", "gallery", "__init__"}
OWNERS = {
    "matplotlib": {"plotting", "figures", "panels", "heatmaps", "dotplots", "paper"},
    "jinja2": {"reporting"},
    "wfdb": {"parsers", "writers"},
    "h5py": {"parsers", "writers"},
    "torch": {
        *("dataset", "model", "checkpoint", "state", "inference", "training", "peers", "ensembles", "predicting"),
        *("augmenting", "draws", "warps", "gains", "additions", "gallery", "exporting", "loss", "batches"),
    },
    "torchmetrics": {"training"},
    "safetensors": {"checkpoint"},
    "ruamel": {"params"},
    "sleepecg": {"conditioning"},
    "joblib": {"conditioning", "simulating"},
    "sklearn": {"measures"},
    "dvc": {"revisions"},
    "onnx": {"exporting"},
    "ecgdatakit": {"interchange"},
}
# Files of requirements that a plain installation does without, and the library that each is for.
OPTIONAL = {"requirements-export.txt": "onnx", "requirements-formats.txt": "ecgdatakit"}


def imports(path: Path) -> set[str]:
    """Dotted names of all that a file imports, wherever in the file; `from ecgpipe import a` gives `ecgpipe.a`."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            ours = node.module in ("ecgpipe", "stages")
            found |= {f"{node.module}.{alias.name}" for alias in node.names} if ours else {node.module}
    return found


def own(path: Path) -> set[str]:
    """Stems of the ecgpipe modules that a file imports."""
    return {name.split(".")[1] for name in imports(path) if name.startswith("ecgpipe.")}


def closure(path: Path) -> set[str]:
    """Stems of all ecgpipe modules that a file reaches."""
    reached, waiting = set(), own(path)
    while waiting:
        module = waiting.pop()
        if module not in reached:
            reached.add(module)
            waiting |= own(MODULES[module])
    return reached


def tables_of(modules: set[str]) -> set[str]:
    """Our files that are no modules: the CSV tables, which diagnoses alone reads, and the template of reporting."""
    readers = {"diagnoses": "*.csv", "reporting": "*.j2"}
    patterns = [pattern for module, pattern in readers.items() if module in modules]
    return {f"ecgpipe/{path.name}" for pattern in patterns for path in (ROOT / "ecgpipe").glob(pattern)}


def functions(path: Path) -> list[ast.FunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def public(path: Path) -> list[ast.FunctionDef]:
    """Public functions of a core module and methods of its classes; `forward` is named by torch."""
    if path.parent.name == "stages":
        return []
    body = ast.parse(path.read_text(encoding="utf-8")).body
    body += [node for cls in body if isinstance(cls, ast.ClassDef) for node in cls.body]
    return [n for n in body if isinstance(n, ast.FunctionDef) and not n.name.startswith("_") and n.name != "forward"]


def test_the_walk_finds_the_house():
    assert MODULES.keys() >= DEEDS | VOCABULARY
    assert set(STAGES) == {"simulate", "label_map", "preprocess", "split", "train", "evaluate"}


@pytest.mark.parametrize("module", sorted(MODULES))
def test_layers(module):
    used = own(MODULES[module])
    assert not {name for name in imports(MODULES[module]) if name.split(".")[0] in ("stages", "tests")}
    if module in VOCABULARY:
        assert not used
    if module in TOP:
        return
    assert not used & TOP
    deeds = {(module, deed) for deed in used & DEEDS} - ALLOWED_BETWEEN_DEEDS
    assert not deeds, f"a thing imports no deed, and a deed no other: {deeds}"


def test_no_cycles():
    for module in MODULES:
        assert module not in closure(MODULES[module]), module


@pytest.mark.parametrize("library", sorted(OWNERS))
def test_each_heavy_library_has_its_owners(library):
    users = {module for module, path in MODULES.items() if library in {name.split(".")[0] for name in imports(path)}}
    users |= {f"stages/{name}" for name, path in STAGES.items() if library in {n.split(".")[0] for n in imports(path)}}
    assert users <= OWNERS[library]
    assert users, f"nobody imports {library}"


def test_evaluate_reaches_no_torch():
    assert not closure(STAGES["evaluate"]) & OWNERS["torch"]


@pytest.mark.parametrize("path", [*MODULES.values(), *STAGES.values()], ids=lambda path: path.stem)
def test_sizes_and_docstrings(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= (40 if path.parent.name == "stages" else 300)
    assert ast.get_docstring(ast.parse("\n".join(lines)))
    for function in functions(path):
        assert function.end_lineno - function.lineno < 40, f"{path.name}: {function.name} is too long"
    for function in public(path):
        assert ast.get_docstring(function), f"{path.name}: {function.name} has no docstring"


@pytest.mark.parametrize("path", [*MODULES.values(), *STAGES.values()], ids=lambda path: path.stem)
def test_importing_does_nothing(path):
    allowed = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign, ast.If)
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        assert docstring or isinstance(node, allowed), f"{path.name}:{node.lineno}"
        if isinstance(node, ast.If):
            assert "__main__" in ast.unparse(node.test)


def test_no_pickle_and_no_utils():
    for path in MODULES.values():
        assert "pickle" not in {name.split(".")[0] for name in imports(path)}
        assert "allow_pickle" not in path.read_text(encoding="utf-8")
    assert not set(MODULES) & {"utils", "common", "helpers", "misc"}


def stage_deps() -> dict[str, tuple[str, set[str]]]:
    """Stage name in dvc.yaml -> script stem, and its dependencies among our files."""
    stages = YAML(typ="safe", pure=True).load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    found = {}
    for name, stage in stages.items():
        body = stage.get("do", stage)
        script = body["cmd"].split("-m stages.")[1].split()[0]
        found[name] = script, {dep for dep in body["deps"] if dep.startswith(("ecgpipe/", "stages/"))}
    return found


def test_each_stage_depends_on_exactly_what_its_script_imports():
    stages = stage_deps()
    assert {script for script, _ in stages.values()} == set(STAGES)
    for name, (script, deps) in stages.items():
        modules = closure(STAGES[script])
        expected = {f"ecgpipe/{module}.py" for module in modules} | {f"stages/{script}.py"} | tables_of(modules)
        assert deps == expected, f"{name}: missing {sorted(expected - deps)}, too many {sorted(deps - expected)}"


def test_tests_mirror_the_source():
    named = {path.stem.removeprefix("test_") for path in (ROOT / "tests").glob("test_*.py")}
    missing = (
        set(MODULES) - {"__init__"} - {name.replace("main", "__main__") if name == "main" else name for name in named}
    )
    assert not missing, f"no test file for {sorted(missing)}"
    staged = {path.stem.removeprefix("test_") for path in (ROOT / "tests/stages").glob("test_*.py")}
    assert set(STAGES) == staged


def test_every_import_is_pinned_with_a_reason():
    files = ("requirements.txt", *OPTIONAL)
    lines = [line for file in files for line in (ROOT / file).read_text(encoding="utf-8").splitlines()]
    pinned = {line.split("==")[0].lower() for line in lines if "==" in line}
    assert all("#" in line for line in lines if "==" in line), "each pin says why it is there"
    names = {"sklearn": "scikit-learn", "iterstrat": "iterative-stratification", "ruamel": "ruamel.yaml"}
    used = {name.split(".")[0] for path in [*MODULES.values(), *STAGES.values()] for name in imports(path)}
    outside = used - set(sys.stdlib_module_names) - {"ecgpipe", "stages"}
    assert {names.get(name, name) for name in outside} <= pinned


def test_what_is_optional_is_imported_where_it_is_used_and_tested_in_ci():
    dev = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8").splitlines()
    for file, library in OPTIONAL.items():
        assert f"-r {file}" in dev
        for path in MODULES.values():
            body = ast.parse(path.read_text(encoding="utf-8")).body
            top = [n for n in body if isinstance(n, ast.Import | ast.ImportFrom)]
            assert library not in {alias.name for node in top for alias in node.names}, path


def test_ci_runs_the_readmes_test_command_as_written():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    script = (ROOT / ".ci/run").read_text(encoding="utf-8")
    extract = re.search(r"awk '(.*?)' README", script).group(1)
    found = subprocess.run(["awk", extract, "README.md"], capture_output=True, text=True, cwd=ROOT, check=True).stdout
    assert found.strip() in readme
    assert found.startswith("python3 -m venv .venv")
    assert "requirements-dev.txt" in found
    assert found.rstrip().endswith("pytest")


def test_the_workflow_tests_runs_the_demo_and_compares_it_with_main():
    text = (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8")
    jobs = YAML(typ="safe", pure=True).load(text)["jobs"]
    commands = " ".join(step.get("run", "") for job in jobs.values() for step in job["steps"])
    assert "bash .ci/run" in commands
    assert commands.count("dvc repro") == 2, "main's demo and this one"
    assert "dvc metrics diff origin/main --targets metrics/summary.json" in commands
    assert "python -m ecgpipe compare ../main ." in commands


def test_the_readme_has_no_blank_left_to_fill():
    assert "@@" not in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_readme_names_only_files_and_overrides_that_exist():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    values = YAML(typ="safe", pure=True).load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    overrides = re.findall(r"-S '?([a-z_]+)\.([a-z_]+)=", readme)
    assert len(overrides) > 8
    assert [(section, key) for section, key in overrides if key not in values[section]] == []
    paths = re.findall(r"`((?:configs|ecgpipe|stages|metrics)/[\w./]+\.(?:py|yaml|json|csv))`", readme)
    assert len(paths) > 4
    assert [path for path in paths if not (ROOT / path).exists()] == []

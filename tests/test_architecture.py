"""The rules of the house, asserted on the source itself: imports, sizes, and what each stage
depends on."""

import ast
import functools
import re
import subprocess
import sys
from pathlib import Path

import pytest
from dvc.utils.serialize import load_yaml

ROOT = Path(__file__).parents[1]
# ecgpipe.<package>.<module> and its file; packages' own `__init__` too.
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts): path
    for path in sorted((ROOT / "ecgpipe").rglob("*.py"))
}
STAGES = {
    path.stem: path for path in sorted((ROOT / "stages").glob("*.py")) if path.stem != "__init__"
}

# Who may import whom: an import goes to the same package or to one of a line further up.
FLOORS = [
    {"project", "snomed"},
    {"diagnoses"},
    {"signals"},
    {"simulation", "recordings", "features"},
    {"labels", "preprocessing", "splitting"},
    {"dataset"},
    {"model", "augmentation"},
    {"training"},
    {"evaluation"},
    {"pretraining"},
    {"report"},
    {"prediction"},
    {"drawing"},
    {"comparison", "audit"},
    {"commands"},
    {"__main__", "__init__"},
]
# The packages that may import a heavy library.
OWNERS = {
    "matplotlib": {"report", "drawing"},
    "jinja2": {"report"},
    "markupsafe": {"report"},
    "wfdb": {"recordings", "simulation"},
    "h5py": {"recordings", "simulation"},
    "torch": {
        "dataset",
        "model",
        "augmentation",
        "training",
        "pretraining",
        "prediction",
        "drawing",
    },
    "safetensors": {"model"},
    "yaml": {"project"},
    "sleepecg": {"preprocessing"},
    "joblib": {"preprocessing", "pretraining", "simulation"},
    "sklearn": {"evaluation", "report"},
    "iterstrat": {"splitting"},
    "dvc": {"comparison"},
    "onnx": {"prediction"},
    "onnxscript": {"prediction"},
    "ecgdatakit": {"prediction"},
}
# The stage that no edit runs again (dvc.yaml says why).
ASKED_FOR = "pretrain"
# Files of requirements that a plain installation does without, and the library that each is for.
OPTIONAL = {"requirements-export.txt": "onnx", "requirements-formats.txt": "ecgdatakit"}


@functools.cache
def source(path: Path) -> str:
    """The text of a file."""
    return path.read_text(encoding="utf-8")


@functools.cache
def parsed(path: Path) -> ast.Module:
    """A file's syntax tree, which every rule looks at and none changes."""
    return ast.parse(source(path))


@functools.cache
def imports(path: Path) -> frozenset[str]:
    """Dotted names of all modules that a file imports, wherever in the file."""
    found = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            named = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {
                name if name in MODULES or node.module == "stages" else node.module
                for name in named
            }
    return frozenset(found)


def package(module: str) -> str:
    """The package of a module, `__main__` where it lies in none."""
    return module.split(".")[1]


def own(path: Path) -> set[str]:
    """The ecgpipe modules that a file imports."""
    named = {name for name in imports(path) if name.startswith("ecgpipe.")}
    assert named <= MODULES.keys(), f"{path}: {named - MODULES.keys()}"
    return named


def closure(path: Path) -> set[str]:
    """All ecgpipe modules that a file reaches."""
    reached, waiting = set(), own(path)
    while waiting:
        module = waiting.pop()
        if module not in reached:
            reached.add(module)
            waiting |= own(MODULES[module])
    return reached


def functions(path: Path) -> list[ast.FunctionDef]:
    tree = parsed(path)
    return [
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def public(path: Path) -> list[ast.FunctionDef]:
    """Public functions of a core module and methods of its classes; `forward` is named by torch."""
    if path.parent.name == "stages":
        return []
    body = parsed(path).body
    body = [*body, *(node for cls in body if isinstance(cls, ast.ClassDef) for node in cls.body)]
    return [
        n
        for n in body
        if isinstance(n, ast.FunctionDef) and not n.name.startswith("_") and n.name != "forward"
    ]


def test_the_walk_finds_the_house():
    assert {package(module) for module in MODULES if module != "ecgpipe.__init__"} == set().union(
        *FLOORS
    ) - {"__init__"}
    assert set(STAGES) == {
        "simulate",
        "label_map",
        "preprocess",
        "split",
        "pretrain",
        "train",
        "evaluate",
    }


def test_the_list_of_packages_names_each_of_them():
    listed = ast.get_docstring(parsed(ROOT / "ecgpipe/__init__.py"))
    named = set(re.findall(r"\w+", " ".join(re.findall(r"(?:^- |; )([\w, ]+):", listed, re.M))))
    assert set().union(*FLOORS) - {"__main__", "__init__"} <= named


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_only_go_down(module):
    floor = {name: number for number, names in enumerate(FLOORS) for name in names}
    assert not {
        name for name in imports(MODULES[module]) if name.split(".")[0] in ("stages", "tests")
    }
    here = package(module)
    up = {
        name
        for name in own(MODULES[module])
        if package(name) != here and floor[package(name)] >= floor[here]
    }
    assert not up


def test_no_cycles():
    for module, path in MODULES.items():
        assert module not in closure(path), module
    assert not [path for path in MODULES.values() if path.stem == "__init__" and imports(path)]


@pytest.mark.parametrize("library", sorted(OWNERS))
def test_each_heavy_library_has_its_owners(library):
    users = {
        package(module)
        for module, path in MODULES.items()
        if library in {n.split(".")[0] for n in imports(path)}
    }
    users |= {
        f"stages/{name}"
        for name, path in STAGES.items()
        if library in {n.split(".")[0] for n in imports(path)}
    }
    assert users <= OWNERS[library]
    assert users, f"nobody imports {library}"


def test_evaluate_reaches_no_torch():
    assert not [name for name in closure(STAGES["evaluate"]) if "torch" in imports(MODULES[name])]


@pytest.mark.parametrize(
    "path",
    [*MODULES.values(), *STAGES.values()],
    ids=lambda path: f"{path.parent.name}.{path.stem}",
)
def test_sizes_and_docstrings(path):
    lines = source(path).splitlines()
    assert len(lines) <= (40 if path.parent.name == "stages" else 300)
    assert ast.get_docstring(parsed(path))
    for function in functions(path):
        assert function.end_lineno - function.lineno < 40, (
            f"{path.name}: {function.name} is too long"
        )
    for function in public(path):
        assert ast.get_docstring(function), f"{path.name}: {function.name} has no docstring"


@pytest.mark.parametrize(
    "path",
    [*MODULES.values(), *STAGES.values()],
    ids=lambda path: f"{path.parent.name}.{path.stem}",
)
def test_importing_does_nothing(path):
    allowed = (
        ast.Import,
        ast.ImportFrom,
        ast.FunctionDef,
        ast.ClassDef,
        ast.Assign,
        ast.AnnAssign,
        ast.If,
    )
    for node in parsed(path).body:
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        assert docstring or isinstance(node, allowed), f"{path.name}:{node.lineno}"
        if isinstance(node, ast.If):
            assert ast.unparse(node.test) in ("__name__ == '__main__'", "TYPE_CHECKING")


def test_no_pickle_and_no_utils():
    for path in MODULES.values():
        assert "pickle" not in {name.split(".")[0] for name in imports(path)}
        assert "allow_pickle" not in source(path)
    assert not {path.stem for path in MODULES.values()} & {"utils", "common", "helpers", "misc"}


def bound_modules(tree: ast.Module) -> set[str]:
    """The names under which a file knows modules, its own and others'."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            ours = (node.module or "").startswith("ecgpipe")
            modules = [a for a in node.names if not ours or f"{node.module}.{a.name}" in MODULES]
            names |= {alias.asname or alias.name for alias in modules}
    return names


@pytest.mark.parametrize("path", [*MODULES.values(), *STAGES.values()], ids=lambda path: path.stem)
def test_nothing_private_of_another_module_is_used(path):
    tree = parsed(path)
    modules, private = bound_modules(tree), []
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.ImportFrom):
            names = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
        elif isinstance(node, ast.Attribute):
            whole = ast.unparse(node).split(".")
            names = whole[1:] if whole[0] in modules else []
        private += [name for name in names if name.startswith("_") and not name.endswith("__")]
    assert set(private) <= {"_exit"}, "os._exit is public for all its name"


def is_switched_by_multiplying(product: ast.BinOp) -> bool:
    """Whether a text or list is multiplied by a truth value; a text with values in it is
    never repeated, so whatever it is multiplied by is one."""
    sides = (product.left, product.right)
    if any(isinstance(side, ast.JoinedStr) for side in sides):
        return True
    is_sequence = [
        isinstance(side, ast.List | ast.Tuple) or isinstance(getattr(side, "value", None), str)
        for side in sides
    ]
    return any(is_sequence) and any(is_truth_value(side) for side in sides)


def is_truth_value(node: ast.expr) -> bool:
    """Whether an expression is a truth value by its form."""
    if isinstance(node, ast.Call):
        return ast.unparse(node.func) == "bool"
    is_negated = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
    return is_negated or isinstance(node, ast.Compare | ast.BoolOp)


@pytest.mark.parametrize("path", [*MODULES.values(), *STAGES.values()], ids=lambda path: path.stem)
def test_no_text_or_list_is_multiplied_by_a_truth_value(path):
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            assert not is_switched_by_multiplying(node), f"line {node.lineno}"


@pytest.mark.parametrize(
    ("code", "refused"),
    [
        ("'s' * (count > 1)", True),
        ("(here and there) * 's'", True),
        ("'s' * (not count)", True),
        ("[row] * bool(rows)", True),
        ("bool(rows) * 's'", True),
        ("f'{name}, ' * is_named", True),
        ("count * f'{name}'", True),
        ("'-' * width", False),
        ("[0.0] * len(rows)", False),
        ("value * (value > 0)", False),
    ],
)
def test_what_counts_as_switched_by_multiplying(code, refused):
    assert is_switched_by_multiplying(ast.parse(code, mode="eval").body) == refused


@functools.cache
def settings_of(section: str) -> set[str]:
    """The keys of a section of params.yaml; none of what is no section."""
    return set(load_yaml(ROOT / "params.yaml").get(section, {}))


@pytest.mark.parametrize("path", [*MODULES.values(), *STAGES.values()], ids=lambda path: path.stem)
def test_what_a_text_names_of_the_code_is_there(path):
    """`package.module`, `package.module.name` or `module.name` between backticks."""
    stems = {file.stem: file for file in MODULES.values()}
    packages = {package(module) for module in MODULES}
    files = ("json", "csv", "yaml", "md", "py", "html", "npy")
    lost = []
    for first, second, third in re.findall(r"`(\w+)\.(\w+)(?:\.(\w+))?", source(path)):
        if f"ecgpipe.{first}.{second}" in MODULES:
            file, name = MODULES[f"ecgpipe.{first}.{second}"], third
        elif first in stems and first not in ("params", "split", "model", "predict", "labels"):
            file, name = stems[first], second
        else:
            if first in packages and second not in files and second not in settings_of(first):
                lost.append(f"{first}.{second}")
            continue
        if name and name not in files and not re.search(rf"\b{name}\b", source(file)):
            lost.append(".".join(filter(None, (first, second, third))))
    assert lost == []


def stage_deps() -> dict[str, tuple[str, set[str]]]:
    """Stage name in dvc.yaml -> script stem, and its dependencies among our files and folders."""
    stages = load_yaml(ROOT / "dvc.yaml")
    deps = {}
    for name, stage in stages["stages"].items():
        body = stage.get("do", stage)
        script = body["cmd"].split("-m stages.")[1].split()[0]
        ours = {dep for dep in body.get("deps", []) if dep.startswith(("ecgpipe/", "stages/"))}
        deps[name] = script, ours
    return deps


def test_each_stage_depends_on_its_script_and_on_the_packages_that_it_reaches():
    stages = stage_deps()
    assert {script for script, _ in stages.values()} == set(STAGES)
    assert [name for name, (_, deps) in stages.items() if not deps] == [ASKED_FOR]
    for name, (script, deps) in stages.items():
        if name == ASKED_FOR:
            continue
        packages = {f"ecgpipe/{package(module)}" for module in closure(STAGES[script])}
        assert deps == packages | {f"stages/{script}.py"}, name


def test_a_stage_reaches_every_module_of_its_packages():
    for script, path in STAGES.items():
        if script == ASKED_FOR:
            continue
        reached = closure(path)
        packages = {package(module) for module in reached}
        inside = {name for name, file in MODULES.items() if file.stem != "__init__"}
        unreached = {name for name in inside - reached if package(name) in packages}
        assert not unreached, f"an edit of {unreached} re-runs {script} for nothing"


def test_what_is_no_code_re_runs_no_stage():
    ignored = (ROOT / ".dvcignore").read_text(encoding="utf-8").splitlines()
    assert {"__pycache__", "*.pyc", "/ecgpipe/**/*.md"} <= set(ignored)
    assert len((ROOT / "dvc.yaml").read_text(encoding="utf-8").splitlines()) < 120


def test_tests_mirror_the_source():
    missing = []
    for path in [*MODULES.values(), *STAGES.values()]:
        inside = (
            path.relative_to(ROOT / "ecgpipe")
            if path.is_relative_to(ROOT / "ecgpipe")
            else path.relative_to(ROOT)
        )
        test = ROOT / "tests" / inside.with_name(f"test_{path.stem.strip('_')}.py")
        if path.stem != "__init__" and not test.exists():
            missing.append(str(inside))
    assert not missing


TESTS = sorted((ROOT / "tests").rglob("test_*.py"))


@pytest.mark.parametrize("path", TESTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_test_imports_no_other_test(path):
    modules = {".".join(test.relative_to(ROOT).with_suffix("").parts) for test in TESTS}
    shared = {name for name in imported_by_test(path) if name in modules}
    assert not shared, "what several tests need belongs into tests/fixtures or a conftest.py"


def imported_by_test(path: Path) -> set[str]:
    """Dotted names of all that a test imports: modules, and what is taken from modules."""
    named = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            named |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return named


def test_every_import_is_pinned_with_a_reason():
    files = ("requirements.txt", *OPTIONAL)
    lines = [
        line for file in files for line in (ROOT / file).read_text(encoding="utf-8").splitlines()
    ]
    pinned = {line.split("==")[0].lower() for line in lines if "==" in line}
    assert all("#" in line for line in lines if "==" in line), "each pin says why it is there"
    names = {
        "sklearn": "scikit-learn",
        "iterstrat": "iterative-stratification",
        "yaml": "pyyaml",
    }
    used = {
        name.split(".")[0]
        for path in [*MODULES.values(), *STAGES.values()]
        for name in imports(path)
    }
    outside = used - set(sys.stdlib_module_names) - {"ecgpipe", "stages"}
    assert {names.get(name, name) for name in outside} <= pinned


def test_what_is_optional_is_imported_where_it_is_used_and_tested_in_ci():
    dev = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8").splitlines()
    for file, library in OPTIONAL.items():
        assert f"-r {file}" in dev
        for path in MODULES.values():
            body = parsed(path).body
            top = [n for n in body if isinstance(n, ast.Import | ast.ImportFrom)]
            assert library not in {alias.name for node in top for alias in node.names}, path


def test_ci_runs_the_readmes_test_command_as_written():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    script = (ROOT / ".ci/run").read_text(encoding="utf-8")
    extract = re.search(r"awk '(.*?)' README", script).group(1)
    found = subprocess.run(
        ["awk", extract, "README.md"], capture_output=True, text=True, cwd=ROOT, check=True
    ).stdout
    assert found.strip() in readme
    assert found.startswith("python3 -m venv .venv")
    assert "requirements-dev.txt" in found
    assert found.rstrip().endswith("pytest")


def test_the_workflow_tests_runs_the_demo_and_compares_it_with_main():
    jobs = load_yaml(ROOT / ".github/workflows/ci.yml")["jobs"]
    commands = " ".join(step.get("run", "") for job in jobs.values() for step in job["steps"])
    assert "bash .ci/run" in commands
    assert commands.count("dvc repro") == 2, "main's demo and this one"
    assert "dvc metrics diff origin/main --targets metrics/summary.json" in commands
    assert "python -m ecgpipe compare ../main ." in commands


PAGES = sorted(
    path
    for folder in (".", "stages", "configs", "ecgpipe", "tests", "plots")
    for path in (ROOT / folder).glob("*.md" if folder == "." else "**/*.md")
    if "audit" not in path.parts or "ecgpipe" in path.parts  # plots/audit shows a user's recordings
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_has_no_blank_left_to_fill_and_its_links_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    assert "@@" not in text
    links = re.findall(r"\]\(([^)#\s]+)\)", text)
    lost = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert lost == []


def test_the_readme_ends_after_five_minutes_and_names_every_page_beside_the_code():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(readme.encode()) <= 7000
    pages = [page for page in PAGES if page != ROOT / "README.md"]
    assert len(pages) > 9
    assert [page for page in pages if f"({page.relative_to(ROOT)})" not in readme] == []


def test_pages_name_only_files_and_overrides_that_exist():
    values = load_yaml(ROOT / "params.yaml")
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    overrides = re.findall(r"-S '?([a-z_]+)\.([a-z_]+)=", text)
    assert len(overrides) > 8
    assert [(section, key) for section, key in overrides if key not in values[section]] == []
    paths = re.findall(
        r"`((?:configs|ecgpipe|stages|metrics|tests)/[\w./]+\.(?:py|yaml|json|csv))`", text
    )
    assert len(paths) > 4
    assert [path for path in paths if not (ROOT / path).exists()] == []

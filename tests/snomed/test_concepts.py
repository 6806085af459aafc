"""Outside oracles: the Challenge's table and the sources' own words for each code."""

import ast
import csv
import re
from pathlib import Path

import pytest

from ecgpipe.diagnoses import vocabularies
from ecgpipe.snomed import concepts

ROOT = Path(__file__).parents[2]
CODES = {name: code for name, code in vars(concepts).items() if name.isupper()}
# Words that no Python name can be, or that run together.
SPELLED = {"1st": "first", "qwave": "q wave"}


def rows_of(table):
    with (ROOT / "ecgpipe/diagnoses" / table).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def names_in_tables():
    """Code -> what the tables beside the module call it, in small letters."""
    names = {}
    for row in [*rows_of("cinc2021_classes.csv"), *rows_of("study_classes.csv")]:
        for code, name in zip(row["codes"].split("|"), row["names"].split("|"), strict=False):
            names.setdefault(code, set()).add(name.lower())
    for row in rows_of("native_labels.csv"):
        names.setdefault(row["snomed_ct"], set()).add(row["native_label"].lower())
    return names


def test_there_are_constants_and_none_has_the_code_of_another():
    assert len(CODES) > 30
    assert len(set(CODES.values())) == len(CODES)


@pytest.mark.parametrize("name", CODES)
def test_a_name_is_what_a_table_calls_its_code(name):
    assert vocabularies.is_code(CODES[name])
    known = names_in_tables()[CODES[name]]
    for joined, apart in SPELLED.items():
        known = {re.sub(rf"\b{joined}\b", apart, text) for text in known}
    assert name.lower().replace("_", " ") in known


@pytest.mark.parametrize("name", CODES)
def test_every_constant_is_used(name):
    modules = [path for path in (ROOT / "ecgpipe").rglob("*.py") if path != Path(concepts.__file__)]
    assert any(re.search(rf"\b{name}\b", path.read_text(encoding="utf-8")) for path in modules)


def test_no_other_module_writes_a_code():
    modules = sorted((ROOT / "ecgpipe").rglob("*.py"))
    assert len(modules) > 50
    for path in modules:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
        written = [text for text in texts if isinstance(text, str) and vocabularies.is_code(text)]
        assert path == Path(concepts.__file__) or not written, path

import csv

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgpipe.project import digests, paths, tables
from tests.fixtures.sealed import write_sealed, write_sealed_text

pytestmark = pytest.mark.usefixtures("project")


@pytest.fixture
def table():
    return pd.DataFrame(
        {
            "source": ["cpsc", "NA"],
            "record": ["00017", "1e5"],
            "path": ["g1/00017.hea", ""],
            "age": [74.0, np.nan],
            "rate_hz": [500.0, 257.5],
            "426783006": [1.0, np.nan],
            "164889003": [0.0, 1.0],
        }
    )


def test_a_table_reads_as_it_was_written(tmp_path, table):
    tables.write(table, tmp_path / "labels.csv")
    back = tables.read(tmp_path / "labels.csv", sealed=False)
    assert list(back.columns) == list(table.columns)
    for column in table.columns:
        assert back[column].tolist() == pytest.approx(table[column].tolist(), nan_ok=True)
    assert back["record"].tolist() == ["00017", "1e5"]


def test_blanks_are_blank_and_whole_numbers_whole(tmp_path, table):
    tables.write(table, tmp_path / "labels.csv")
    assert (tmp_path / "labels.csv").read_bytes().decode() == (
        "source,record,path,age,rate_hz,426783006,164889003\n"
        "cpsc,00017,g1/00017.hea,74,500,1,0\nNA,1e5,,,257.5,,1\n"
    )  # fmt: skip


def test_the_class_columns_are_those_headed_by_a_code(table):
    assert tables.class_codes(table) == ["426783006", "164889003"]


def test_an_empty_table_keeps_its_columns(tmp_path, table):
    tables.write(table.iloc[:0], tmp_path / "labels.csv")
    assert list(tables.read(tmp_path / "labels.csv", sealed=False).columns) == list(table.columns)


@settings(deadline=None)
@given(
    st.lists(st.text(st.characters(codec="utf-8")), min_size=1, max_size=5),
)
def test_any_text_comes_back(tmp_path_factory, words):
    path = tmp_path_factory.mktemp("tables") / "words.csv"
    tables.write(pd.DataFrame({"record": words, "source": "a"}), path)
    assert tables.read(path, sealed=False)["record"].tolist() == words
    tables.write(pd.DataFrame({"record": words}), path)
    assert tables.read(path, sealed=False)["record"].tolist() == words


def test_a_carriage_return_ends_no_row_for_other_readers_either(tmp_path):
    table = pd.DataFrame({"record": ["A\r1", "B\r\n2", "C"], "path": ["x", "y", "\r"]})
    tables.write(table, tmp_path / "t.csv")
    assert tables.read(tmp_path / "t.csv", sealed=False).equals(table.astype(object))
    assert pd.read_csv(tmp_path / "t.csv").to_numpy().tolist() == table.to_numpy().tolist()
    with (tmp_path / "t.csv").open(newline="") as handle:
        assert list(csv.reader(handle))[1:] == table.to_numpy().tolist()


@pytest.mark.parametrize("damage", ["a,b\n1\n", 'a,b\n1,"2\n', "a,b\n1,2,3\n"])
def test_a_damaged_table_is_named(tmp_path, damage):
    (tmp_path / "t.csv").write_text(damage)
    with pytest.raises(ValueError, match=r"t\.csv: line 2: "):
        tables.read(tmp_path / "t.csv", sealed=False)


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=5))
def test_probabilities_keep_seven_digits(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("tables") / "val.csv"
    tables.write(pd.DataFrame({"record": "r", "164889003": values}), path)
    assert np.allclose(tables.read(path, sealed=False)["164889003"], values, rtol=1e-6, atol=0)


def test_a_table_of_the_pipeline_without_its_digest_is_refused(tmp_path, table):
    write_sealed(table, tmp_path / "labels.csv")
    assert len(tables.read(tmp_path / "labels.csv")) == 2
    (tmp_path / digests.SUMS).unlink()
    with pytest.raises(ValueError, match=r"labels\.csv: no digest beside it"):
        tables.read(tmp_path / "labels.csv")


def test_the_facts_of_the_split_are_read_and_a_missing_file_names_the_stage():
    with pytest.raises(ValueError, match=r"folds.json is missing; run `dvc repro split` first"):
        tables.folds_info()
    paths.FOLDS_INFO.parent.mkdir(parents=True)
    paths.FOLDS_INFO.write_text('{"folds": [0, 1], "unused": [2]}')
    with pytest.raises(ValueError, match=r"folds.json: no digest beside it"):
        tables.folds_info()
    digests.write_digests(paths.FOLDS_INFO.parent)
    assert tables.folds_info() == {"folds": [0, 1], "unused": [2]}
    write_sealed_text('{"folds": [0, 1]}', paths.FOLDS_INFO)
    assert tables.folds_info()["unused"] == []


def test_a_table_for_people_holds_no_formula_and_one_for_stages_every_text(tmp_path):
    rows = {
        "path": ["=a.hea", "b/c.hea", "@x"],
        "record": ["=HYPERLINK(1)", "-0.5", "'x"],
        "age": [-1.5, np.nan, 3.0],
    }
    table = pd.DataFrame(rows)
    tables.write(table, tmp_path / "people.csv", for_people=True)
    assert (tmp_path / "people.csv").read_text() == (
        "path,record,age\n./=a.hea,'=HYPERLINK(1),-1.5\nb/c.hea,-0.5,\n./@x,''x,3\n"
    )
    tables.write(table, tmp_path / "stages.csv")
    stored = tables.read(tmp_path / "stages.csv", sealed=False)
    assert stored["record"].tolist() == rows["record"]
    assert table["record"].tolist() == rows["record"], "the table given is left as it is"

"""Every case of the corpus of tables gets the verdict and the reason that it must get."""

import pytest

from tests.fixtures import table_corpus


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    return table_corpus.make(tmp_path_factory.mktemp("tables"))


def test_every_table_gets_its_verdict(cases):
    assert len(cases) >= 90 and len({case.name for case in cases}) == len(cases)
    assert all((case.verdict == "reads") == (case.reason == "") for case in cases)
    assert [told for told in map(table_corpus.wrong, cases) if told] == []


def test_what_stops_names_its_file_or_source_and_the_next_step(cases):
    stopping = [case for case in cases if case.verdict == "stops"]
    assert len(stopping) > 40
    for case in stopping:
        with pytest.raises(ValueError, match=r"^(/.*\.csv: |source 'a': )(.|\n)*[;)(]") as stop:
            table_corpus.mapped(case.folder, case.source)
        assert str(stop.value).isprintable(), case

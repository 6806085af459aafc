"""Vocabularies against the reference table of native labels, and the Verhoeff digit."""

import pytest

from ecgpipe.diagnoses import vocabularies


def test_a_label_may_have_several_codes_or_none():
    ningbo = vocabularies.vocabulary("Ningbo")
    assert ningbo["CLBBB"] == {"164909002", "733534002"}
    assert ningbo["ARH"] == {"106068003"}
    assert ningbo["AF"] == {"164890007"}


def test_a_vocabulary_of_ones_own(tmp_path):
    (tmp_path / "own.csv").write_text(
        "\ufeffnative_label,snomed_ct\nflimmern,164889003\nsonst,\n", encoding="utf-8"
    )
    assert vocabularies.vocabulary(tmp_path / "own.csv") == {
        "flimmern": {"164889003"},
        "sonst": frozenset(),
    }


def test_a_vocabulary_of_ones_own_is_read_anew_each_time(tmp_path):
    for code in ("164889003", "164890007"):
        (tmp_path / "own.csv").write_text(f"native_label,snomed_ct\na,{code}\nshort,\n")
        assert vocabularies.vocabulary(str(tmp_path / "own.csv")) == {
            "a": {code},
            "short": frozenset(),
        }


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "label,code\na,1\n",
            r"no column native_label, snomed_ct \(there: label, code\)",
        ),
        ("native_label,snomed_ct\na;164889003\n", "line 2: 1 cells"),
        ("native_label,snomed_ct\na\n", "line 2: 1 cells, .* as in 'artefact,'"),
        ("native_label,snomed_ct\na,1,64E+08\n", "line 2: 3 cells"),
        ("native_label,snomed_ct\n,164889003\n", "line 2: code 164889003 without a label"),
        (
            "native_label,snomed_ct\na,16488900\n",
            "label 'a': '16488900' is no SNOMED CT code ",
        ),
        ("native_label,snomed_ct\n", "one row at least"),
        ("native_label,snomed_ct\na,AF\n", "label 'a': 'AF' is no SNOMED CT code"),
    ],
)
def test_a_broken_vocabulary_is_named(tmp_path, text, says):
    (tmp_path / "own.csv").write_text(text)
    with pytest.raises(ValueError, match=f"own.csv: .*{says}"):
        vocabularies.vocabulary(tmp_path / "own.csv")


def test_a_vocabulary_that_is_no_utf_8_is_named(tmp_path):
    (tmp_path / "own.csv").write_bytes(
        "native_label,snomed_ct\nunregelmäßig,164889003\n".encode("latin-1")
    )
    with pytest.raises(
        ValueError, match=r"own\.csv: a table is UTF-8 text, found byte 0xe4 in line 2"
    ):
        vocabularies.vocabulary(tmp_path / "own.csv")


@pytest.mark.parametrize(
    "content",
    [
        "native_label;snomed_ct\nflimmern;164889003\nsonst;\n;\n".encode("utf-8-sig"),
        "native_label\tsnomed_ct\r\nflimmern\t164889003.0\r\nsonst\t\r\n".encode("utf-16"),
    ],
)
def test_a_vocabulary_may_come_from_a_spreadsheet(tmp_path, content):
    (tmp_path / "own.csv").write_bytes(content)
    words = {"flimmern": {"164889003"}, "sonst": frozenset()}
    assert vocabularies.vocabulary(tmp_path / "own.csv") == words


def test_the_codes_that_our_tables_know_are_those_of_the_challenge_and_of_our_sources():
    known = vocabularies.known_codes()
    assert {"164889003", "106068003", "251199005"} <= known
    assert "49436004" not in known, "a code of SNOMED CT that no source of ours uses"
    assert all(map(vocabularies.is_code, known | {"49436004"}))


def test_an_unknown_vocabulary_is_named_with_the_known_ones():
    with pytest.raises(
        ValueError, match="vocabulary 'MIMIC' is none of CPSC2018, CPSC2018-Extra, INCART"
    ):
        vocabularies.vocabulary("MIMIC")
    with pytest.raises(
        ValueError, match=r"none\.csv: no such vocabulary; put it there, into its source's folder"
    ):
        vocabularies.vocabulary("none.csv")


def with_a_wrong_digit(code):
    for place, digit in enumerate(code):
        for other in set("0123456789") - {digit}:
            yield code[:place] + other + code[place + 1 :]


def with_neighbours_exchanged(code):
    for place in range(len(code) - 1):
        first, second = code[place : place + 2]
        if first != second:
            yield code[:place] + second + first + code[place + 2 :]


def test_a_code_has_six_to_eighteen_digits_and_verhoeffs_check_digit():
    every = {
        code
        for name in vocabularies.vocabularies()
        for codes in vocabularies.vocabulary(name).values()
        for code in codes
    }
    assert len(every) > 100
    assert all(map(vocabularies.is_code, every)), "as SNOMED International gave them out"
    for code in sorted(every)[:20]:
        for wrong in [*with_a_wrong_digit(code), *with_neighbours_exchanged(code)]:
            assert not vocabularies.is_code(wrong), f"{wrong} for {code}"
    assert not any(
        map(vocabularies.is_code, ("", "1", "12345", "1" * 19, "\u0661\u0662", "1e5", "0164889003"))
    )

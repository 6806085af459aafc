"""The wfdb package reads the same headers: it is the outside oracle."""

import pytest
import wfdb
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgpipe.project.leads import LEADS
from ecgpipe.recordings import wfdb_header

RECORD = "A0001 12 500 5000 12-May-2020 12:33:59"
LINES = [f"A0001.mat 16+24 1000/mV 16 0 {n} {-n} 0 {lead}" for n, lead in enumerate(LEADS)]
COMMENTS = ["#Age: 74", "#Sex: Male", "#Dx: 59118001,426783006", "#Rx: Unknown"]


def text(record=RECORD, lines=LINES, comments=COMMENTS):
    return "\n".join([record, *lines, *comments]) + "\n"


def test_a_header_without_a_rate_takes_the_standards_and_says_so():
    assert wfdb_header.parse("A 0\n", "A.hea").rate_hz == 250
    assert wfdb_header.parse("A 0\n#Age: old\n", "A.hea").doubts == ("no-rate", "odd-age")
    assert wfdb_header.parse("A 0 250\n", "A.hea").doubts == ()


def test_a_challenge_header_reads_as_wfdb_reads_it(tmp_path):
    (tmp_path / "A0001.hea").write_text(text())
    header = wfdb_header.read(tmp_path / "A0001.hea")
    oracle = wfdb.rdheader(str(tmp_path / "A0001"))
    assert header.record == oracle.record_name
    assert header.rate_hz == oracle.fs
    assert header.samples == oracle.sig_len
    assert [s.name for s in header.signals] == oracle.sig_name
    assert [s.gain for s in header.signals] == oracle.adc_gain
    assert [s.initial for s in header.signals] == oracle.init_value
    assert [s.checksum for s in header.signals] == oracle.checksum
    assert [s.byte_offset for s in header.signals] == oracle.byte_offset
    assert list(header.comments) == oracle.comments
    assert (header.age, header.sex, header.labels) == (74.0, "M", ("59118001", "426783006"))


@pytest.mark.parametrize("end", ["\0", "\x1a", "\x1a\r\n", "\0\0\n"])
def test_what_editors_leave_at_the_ends_of_lines_is_ignored(end):
    plain = wfdb_header.parse(text(), "A.hea")
    assert wfdb_header.parse(text() + end, "A.hea") == plain
    assert wfdb_header.parse(text().replace("\n", f"{end}\n"), "A.hea").signals == plain.signals
    assert wfdb_header.parse(text().replace("#Age", "\ufeff#Age"), "A.hea") == plain


@pytest.mark.parametrize("stem", ["A0001 1", "A0001 12", "A0001 (1)", "A0001 12 500"])
def test_a_copied_header_names_the_files_that_it_names(stem):
    assert wfdb_header.parse(text(), "A.hea", stem) == wfdb_header.parse(text(), "A.hea")


@pytest.mark.parametrize("stem", ["A 1", " lead", "trail ", "a  b", "A 12 500", "x 12"])
def test_a_name_may_hold_blanks(stem):
    renamed = text().replace("A0001", stem)
    header = wfdb_header.parse(renamed, "A.hea", stem)
    assert header.record == stem and {signal.file for signal in header.signals} == {f"{stem}.mat"}
    assert header.samples == wfdb_header.parse(text(), "A.hea").samples


def test_a_rate_and_a_number_of_samples_may_be_absent():
    header = wfdb_header.parse(text("A 1", ["A.dat 16"]), "A.hea")
    assert (header.rate_hz, header.samples) == (250, None)


@pytest.mark.parametrize("field", ["500", "500/1000", "500/1000(3)", "500(3)", "5e2"])
def test_rates_with_counters(field):
    assert wfdb_header.parse(text(f"A 0 {field} 9", [], []), "A.hea").rate_hz == 500


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.encode(),
        lambda t: t.replace(" ", "\t").replace("#Age:\t", "#Age: ").encode(),
        lambda t: t.replace("\n", "\r\n").encode(),
        lambda t: ("\ufeff" + t).encode(),
        lambda t: ("# made by hand\n\n" + t).encode(),
        lambda t: (t + "# Klinik Z\u00fcrich\n").encode("latin-1"),
    ],
    ids=["plain", "tabs", "crlf", "bom", "leading comment", "latin-1"],
)
def test_the_same_header_in_other_clothes(tmp_path, change):
    (tmp_path / "A0001.hea").write_bytes(change(text()))
    header, plain = wfdb_header.read(tmp_path / "A0001.hea"), wfdb_header.parse(text(), "plain")
    assert (header.signals, header.rate_hz, header.samples) == (
        plain.signals,
        plain.rate_hz,
        plain.samples,
    )
    assert (header.age, header.sex, header.labels) == (plain.age, plain.sex, plain.labels)


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ("", "begins with a record line, found none"),
        ("#Age: 74\n", "begins with a record line, found none"),
        ("A0001\n", "the record line is `name signals rate samples`, found 'A0001'"),
        ("A0001/3 12 500 5000\n", "'A0001/3' has several segments"),
        ("A0001 twelve 500 5000\n", "the number of signals is a count, found 'twelve'"),
        ("A0001 -1 500 5000\n", "the number of signals is a count, found '-1'"),
        ("A0001 0 fast 5000\n", "the rate in Hz is a number, found 'fast'"),
        ("A0001 0 nan 5000\n", "the rate in Hz is a number, found 'nan'"),
        ("A0001 0 0 5000\n", "a rate is above 0 Hz, from 50 to 10000 Hz, found '0'"),
        ("A0001 0 500 5000.5\n", "the number of samples is a count, found '5000.5'"),
        (text(lines=LINES[:11]), "announces 12 signals, found 11 lines"),
        (text("A 1 500 9", ["A.mat"]), "a signal line is `file format gain ...`, found 'A.mat'"),
        (text("A 1 500 9", ["A.mat sixteen 200"]), "'sixteen' is no storage format"),
        (text("A 1 500 9", ["A.mat 16+x 200"]), r"'16\+x' is no storage format"),
        (text("A 1 500 9", ["A.mat 16+-4 200"]), r"'16\+-4' is no storage format"),
        (text("A 1 500 9", ["A.mat 16 200 16 1_0"]), "no whole numbers in signal line"),
        (text("A 1 500 9", ["A.mat 16 200 16 \uff11"]), "no whole numbers in signal line"),
        ("A 0 5_00 9\n", "the rate in Hz is a number, found '5_00'"),
        ("A 0 \uff15\uff10\uff10 9\n", "the rate in Hz is a number"),
        ("A 0 500 9 " + "x" * 4096 + "\n", "a line has 4096 characters at most, .* found 4106"),
        ("A 0 500 9\x0bB.dat 16\n", "no control character, found"),
        ("A 0 500\u2028 9\n", "no control character, found"),
        (text("A 1 500 9", ["A.mat 16 200 16 zero"]), "zero.* in signal line"),
    ],
)
def test_a_broken_header_is_named_with_its_rule(broken, says):
    with pytest.raises(ValueError, match=f"^data/A.hea: .*{says}"):
        wfdb_header.parse(broken, "data/A.hea")


@settings(deadline=None)
@given(st.text())
def test_any_text_reads_or_says_why_not(anything):
    try:
        wfdb_header.parse(anything, "any.hea")
    except ValueError as error:
        assert str(error).startswith("any.hea: ")


def test_every_real_header_reads_as_wfdb_reads_it(real_data):
    files = sorted(real_data.rglob("*.hea"))
    assert files
    for file in files:
        header, oracle = wfdb_header.read(file), wfdb.rdheader(str(file.with_suffix("")))
        assert (header.rate_hz, header.samples) == (oracle.fs, oracle.sig_len), file
        assert [s.gain for s in header.signals] == oracle.adc_gain, file
        assert [s.checksum for s in header.signals] == oracle.checksum, file
        assert [s.name for s in header.signals] == oracle.sig_name, file

"""Ids as spreadsheets leave them."""

from pathlib import Path

import pytest

from ecgpipe.recordings import spreadsheet_ids

PATH = Path("t.csv")
DATES = [
    "1-Mar",
    "01-Mar",
    "Mar-24",
    "1. Mrz",
    "01.03.2024",
    "1/3/2024",
    "3-Dez",
    "2024-03-01",
    "2024-03-01 00:00:00",
    "2024-03-01T00:00",
    "1-Mar-24",
    "Sep 2024",
]
OWN = ["12-34-56", "010185-1234", "1-3", "S00001", "20240301", "1-LAB", "MAR", "03.01.24", "A-Mar"]


def numbered(ids):
    return list(enumerate(ids, 2))


@pytest.mark.parametrize("text", DATES)
def test_a_date_of_a_spreadsheet_is_known(text):
    assert spreadsheet_ids.is_date(text)


@pytest.mark.parametrize("text", OWN)
def test_what_a_hospital_calls_its_own_is_no_date(text):
    assert not spreadsheet_ids.is_date(text)
    assert not spreadsheet_ids.is_rounded(text)
    spreadsheet_ids.check_patients(numbered([text, "P1", "7"]), PATH, "who")
    spreadsheet_ids.check_records(numbered([text, "A1"]), {"A1"}, PATH, "id")


@pytest.mark.parametrize("text", [*DATES, "1.23457E+14", "1,2E+15", "1E+15"])
def test_a_record_that_no_recording_has_is_refused_where_a_spreadsheet_made_it(text):
    says = rf"t\.csv: line 3: no recording is '{text}'.* column id; format the column as text"
    with pytest.raises(ValueError, match=says.replace("+", r"\+")):
        spreadsheet_ids.check_records(numbered(["A1", text]), {"A1"}, PATH, "id")
    spreadsheet_ids.check_records(numbered(["A1", text]), {"A1", text}, PATH, "id")


def test_a_hospital_whose_ids_are_dates_may_lack_a_recording():
    ids = numbered(["2024-03-01", "2024-03-02"])
    spreadsheet_ids.check_records(ids, {"2024-03-01"}, PATH, "id")
    spreadsheet_ids.check_patients(ids, PATH, "who")


def test_dates_among_other_patients_are_refused_and_rounded_numbers_always():
    with pytest.raises(
        ValueError, match=r"line 3: '1-Mar' may be .* where others look like '1-13'"
    ):
        spreadsheet_ids.check_patients(numbered(["1-13", "1-Mar"]), PATH, "who")
    with pytest.raises(ValueError, match=r"line 2: '1\.23457E\+14' may be"):
        spreadsheet_ids.check_patients(numbered(["1.23457E+14"] * 2), PATH, "who")

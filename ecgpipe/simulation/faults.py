"""What is wrong with the demo's files on purpose, as in every real collection."""

from pathlib import Path

FLAT_LEAD = "flat lead"
NEGATIVE_AGE = "age -1"
UNKNOWN_AGE = "age unknown"
GAIN_WITH_BASELINE = "gain 1000.0(0)/mV"
LAST_COMMA = "comma after the last code"
TRUNCATED = "truncated signal file"
NO_METADATA = "no metadata row"
COPY = "copy of sim-north 15"

# (source, number of the recording, counted from 0) -> its fault.
FAULTS = {
    ("sim-north", 3): NEGATIVE_AGE,
    ("sim-north", 5): FLAT_LEAD,
    ("sim-north", 7): GAIN_WITH_BASELINE,
    ("sim-north", 9): LAST_COMMA,
    ("sim-north", 11): TRUNCATED,
    ("sim-north", 13): UNKNOWN_AGE,
    ("sim-east", 4): UNKNOWN_AGE,
    ("sim-east", 6): FLAT_LEAD,
    ("sim-south", 2): UNKNOWN_AGE,
    ("sim-south", 8): FLAT_LEAD,
    ("sim-west", 3): UNKNOWN_AGE,
    ("sim-west", 5): FLAT_LEAD,
    ("sim-west", 7): NO_METADATA,
    ("sim-west", 9): COPY,
}
COPIED = ("sim-north", 15)  # what the fault COPY repeats


def written_age(fault: str | None, age: int) -> int | None:
    """The age that is written for a patient; None where it is left out."""
    if fault == UNKNOWN_AGE:
        return None
    return -1 if fault == NEGATIVE_AGE else age


def spoil(stem: Path, fault: str | None) -> None:
    """Makes a fault in the files `<stem>.hea` and `<stem>.mat`, which are already written."""
    # Not the reader's `suffixes`: what checks the reader shares nothing with it.
    header, signal = stem.with_suffix(".hea"), stem.with_suffix(".mat")
    text = header.read_text(encoding="utf-8")
    if fault == GAIN_WITH_BASELINE:
        text = text.replace(" 1000/mV ", " 1000.0(0)/mV ")
    elif fault == LAST_COMMA:
        lines = text.splitlines()
        ended = [f"{line}," if line.startswith("#Dx") else line for line in lines]
        text = "\n".join(ended) + "\n"
    elif fault == TRUNCATED:
        signal.write_bytes(signal.read_bytes()[: signal.stat().st_size * 3 // 5])
    header.write_text(text, encoding="utf-8", newline="\n")

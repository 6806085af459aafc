from pathlib import Path

import pytest

from ecgpipe.recordings import refusal_limit
from ecgpipe.recordings.descriptions import Description
from ecgpipe.recordings.source_files import Account


def test_a_run_fails_where_more_than_the_stated_share_is_refused_and_not_at_it():
    refusal_limit.check_refusal_limit({"gain": 3, "leads": 2}, 100, 0.05, "data/raw/a")
    with pytest.raises(
        ValueError,
        match=r"data/raw/a: 6 of 100 recordings are refused \(3 gain, 3 leads\), more than",
    ):
        refusal_limit.check_refusal_limit({"leads": 3, "gain": 3}, 100, 0.05, "data/raw/a")
    with pytest.raises(ValueError, match=r"`python -m ecgpipe check data/raw/a --source a` says"):
        refusal_limit.check_refusal_limit({"gain": 1}, 1, 0.05, "data/raw/a")
    refusal_limit.check_refusal_limit({}, 0, 0.0, "data/raw/a")


@pytest.mark.parametrize(
    ("reason", "says"), [("range", "likely microvolts taken"), ("flat", "likely volts taken")]
)
def test_the_likely_cause_of_most_refusals_is_named(reason, says):
    with pytest.raises(ValueError, match=rf"more than data\.max_refused 0\.05 \({says} for mV"):
        refusal_limit.check_refusal_limit({reason: 9, "leads": 1}, 10, 0.05, "a")


def described(*faults):
    """A description for each of these faults."""
    return [Description(str(number), "", fault=fault) for number, fault in enumerate(faults)]


def test_recordings_left_out_unread_count_like_refused_ones_and_links_do_not_loosen_the_limit():
    left_out = {f"B{number}.HEA": "suffix" for number in range(3)}
    left_out |= {"C.hea.gz": "archive", "all.zip": "archive", "D.h5": "form"}
    left_out |= {f"g{number}": "linked-folder" for number in range(90)}
    found = Account(Path("data/raw/a"), left_out=left_out)
    recordings = described("gain: a.hea: ...", "", *(f"{r}: {p}" for p, r in left_out.items()))
    assert refusal_limit.refused(recordings) == {"gain": 1}
    refusal_limit.check_descriptions(recordings, found, 5 / 6)
    told = r"a: 5 of 6 recordings are refused or left out unread \(1 archive, 1 gain, 3 suffix\), "
    with pytest.raises(ValueError, match=told + r"more than .* 0\.8 \(the names of .* rename it"):
        refusal_limit.check_descriptions(recordings, found, 0.8)


def test_a_command_can_be_copied():
    told = refusal_limit.command(Path("my raw/east"))
    assert told == "python -m ecgpipe check 'my raw/east' --source east"


def test_what_a_table_lacks_is_no_refusal():
    faults = ["", "gain: a.hea: ...", "gain: b.hea: ...", "no-metadata: c.h5: ...", "missing: ..."]
    assert refusal_limit.refused(described(*faults)) == {"gain": 2}


def test_described_recordings_are_counted_against_the_limit():
    descriptions = described("", "", "gain: a.hea: ...", "missing: ...")
    nothing_left = Account(Path("data/raw/a"))
    refusal_limit.check_descriptions(descriptions, nothing_left, 0.25)
    with pytest.raises(ValueError, match=r"data/raw/a: 1 of 4 recordings are refused \(1 gain\)"):
        refusal_limit.check_descriptions(descriptions, nothing_left, 0.2)

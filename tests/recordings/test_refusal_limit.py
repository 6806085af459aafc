import pytest

from ecgpipe.recordings import refusal_limit
from ecgpipe.recordings.descriptions import Description


def test_a_run_fails_where_more_than_the_stated_share_is_refused_and_not_at_it():
    refusal_limit.check_refusal_limit({"gain": 3, "leads": 2}, 100, 0.05, "data/raw/a")
    with pytest.raises(
        ValueError,
        match=r"data/raw/a: 6 of 100 recordings are refused \(3 gain, 3 leads\), more than",
    ):
        refusal_limit.check_refusal_limit({"leads": 3, "gain": 3}, 100, 0.05, "data/raw/a")
    with pytest.raises(ValueError, match=r"--source NAME` \(its entry in configs/sources\.yaml\)"):
        refusal_limit.check_refusal_limit({"gain": 1}, 1, 0.05, "data/raw/a")
    refusal_limit.check_refusal_limit({}, 0, 0.0, "data/raw/a")


@pytest.mark.parametrize(
    ("reason", "says"), [("range", "likely microvolts taken"), ("flat", "likely volts taken")]
)
def test_the_likely_cause_of_most_refusals_is_named(reason, says):
    with pytest.raises(ValueError, match=rf"more than data\.max_refused 0\.05 \({says} for mV"):
        refusal_limit.check_refusal_limit({reason: 9, "leads": 1}, 10, 0.05, "a")


def test_what_is_left_out_unread_is_no_refusal_and_does_not_loosen_the_limit():
    faults = ["gain: a.hea: ...", "", *["no-header: b.mat: ..."] * 8]
    described = [Description(str(number), "", fault=fault) for number, fault in enumerate(faults)]
    assert refusal_limit.refused(described) == {"gain": 1}
    with pytest.raises(ValueError, match="1 of 2 recordings are refused"):
        refusal_limit.check_descriptions(described, 0.2, "a")


def test_what_a_table_lacks_is_no_refusal():
    faults = ["", "gain: a.hea: ...", "gain: b.hea: ...", "no-metadata: c.h5: ...", "missing: ..."]
    described = [Description(str(number), "", fault=fault) for number, fault in enumerate(faults)]
    assert refusal_limit.refused(described) == {"gain": 2}


def test_described_recordings_are_counted_against_the_limit():
    faults = ["", "", "gain: a.hea: ...", "missing: ..."]
    descriptions = [
        Description(str(number), "", fault=fault) for number, fault in enumerate(faults)
    ]
    refusal_limit.check_descriptions(descriptions, 0.25, "data/raw/a")
    with pytest.raises(ValueError, match=r"data/raw/a: 1 of 4 recordings are refused \(1 gain\)"):
        refusal_limit.check_descriptions(descriptions, 0.2, "data/raw/a")

import pickle

from ecgpipe.recordings import refusals


def test_a_refusal_travels_between_processes():
    refusal = pickle.loads(pickle.dumps(refusals.Refused("short", "A.hea: too short")))
    assert (refusal.reason, str(refusal)) == ("short", "A.hea: too short")


def test_two_recordings_of_one_name_are_told_all_that_must_be_renamed():
    told = refusals.duplicate("7")
    assert "record name '7'; rename the header, its signal file, and both names in the head" in told
    assert "recordings of several years that are numbered alike need a prefix" in told

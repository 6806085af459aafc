import pickle

from ecgpipe.recordings import refusals


def test_a_refusal_travels_between_processes():
    refusal = pickle.loads(pickle.dumps(refusals.Refused("short", "A.hea: too short")))
    assert (refusal.reason, str(refusal)) == ("short", "A.hea: too short")

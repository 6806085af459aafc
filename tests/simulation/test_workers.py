import os
import signal
from pathlib import Path

import pytest
from joblib import Parallel, delayed

from ecgpipe.simulation import workers


def _work(notes, number):
    workers.note(notes, f"recording {number}")
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    workers.note(notes, "")
    return number


def test_work_that_goes_well_tells_nothing():
    with workers.watched("Lower compute.workers") as notes:
        assert Parallel(n_jobs=2)(delayed(_work)(notes, number) for number in range(3)) == [0, 1, 2]


def test_a_dead_worker_is_named_with_its_recording():
    said = r"a worker process died \(\{.*SIGKILL\(-9\).*\}\).*worked on: recording 3\. Lower compute.workers$"
    with pytest.raises(ValueError, match=said), workers.watched("Lower compute.workers") as notes:
        list(Parallel(n_jobs=2, return_as="generator")(delayed(_work)(notes, number) for number in (1, 3)))


def test_a_note_that_cannot_be_written_stops_nothing(tmp_path):
    workers.note(str(tmp_path / "absent"), "recording 1")


def test_the_recordings_at_which_a_worker_may_have_died_are_named_up_to_a_number(caplog):
    workers.warn([Path("x/a"), Path("x/b\n")])
    workers.warn([Path(str(number)) for number in range(1000)])
    assert caplog.messages[0].endswith("the 2 recordings that it may have been at are done again, one by one: a, b\\n")
    assert caplog.messages[1].endswith("198, 199, ...")

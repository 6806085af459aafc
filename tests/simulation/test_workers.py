import os
import signal

import pytest
from joblib import Parallel, delayed

from ecgpipe.project.errors import UserError
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
    message = (
        r"a worker process died \(\{.*SIGKILL\(-9\).*\}\).*worked on: recording 3\. "
        "Lower compute.workers$"
    )
    with pytest.raises(UserError, match=message), workers.watched("Lower compute.workers") as notes:
        jobs = [delayed(_work)(notes, number) for number in (1, 3)]
        list(Parallel(n_jobs=2, return_as="generator")(jobs))


def test_a_note_that_cannot_be_written_stops_nothing(tmp_path):
    workers.note(str(tmp_path / "absent"), "recording 1")

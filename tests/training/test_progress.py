import sys

import pytest

from ecgpipe.training import progress
from ecgpipe.training.progress import Progress, Work

WORK = Work(epochs=20, steps=10, batch=8)


@pytest.fixture(autouse=True)
def _heard(caplog):
    caplog.set_level("INFO")


class Training:
    """A training on a clock of its own, whose steps and validations take so many seconds."""

    def __init__(self, work=WORK, *, step_s=1.0, validation_s=0.0, **settings):
        self.now_s, self.work = 0.0, work
        self.step_s, self.validation_s = step_s, validation_s
        self.progress = Progress("fold", work, clock=lambda: self.now_s, **settings)

    def epochs(self, count):
        for epoch in range(1, count + 1):
            self.steps(self.work.steps)
            self.now_s += self.validation_s
            self.progress.epoch(val_loss=f"{1 / epoch:.2f}")

    def steps(self, count):
        for _ in range(count):
            self.now_s += self.step_s
            self.progress.step()


def test_after_a_second_of_steps_it_says_how_long_all_will_take(caplog):
    hours = Work(epochs=50, steps=2757, batch=32, validation=0.1 * 2757)
    training = Training(hours, step_s=0.85, after=4)
    training.steps(2)
    assert caplog.messages == []
    training.steps(1)
    # 50 epochs of 2,757 steps and a tenth of that, .85 s each: 35.8 h, and five times that.
    assert caplog.messages == [
        "fold: 0.85 s a step, about 36 h left, 179 h with the 4 folds after it"
    ]


def test_a_slow_first_step_is_not_measured(caplog):
    training = Training(step_s=60.0)
    training.steps(1)
    training.step_s = 0.5
    training.steps(2)
    assert caplog.messages == ["fold: 0.5 s a step, about 2 min left"]


def test_validations_count_once_they_were_measured(caplog):
    training = Training(step_s=1.0, validation_s=5.0, every_s=0.0)
    training.epochs(20)
    # All 20 epochs take 15 s each, of which 10 s are steps.
    left = {}
    for text in caplog.messages:
        place, _, about = text.removeprefix("fold: ").partition(", val_loss")
        left[place] = about.partition("about ")[2]
    assert left["epoch 1 of 20"] == "5 min left"
    assert left["epoch 10 of 20"] == "2 min left"
    assert left["epoch 16 of 20"] == "60 s left"


def test_a_line_is_logged_at_most_every_thirty_seconds_and_at_the_end(caplog):
    training = Training(step_s=1.0)
    training.epochs(20)
    training.progress.close()
    epochs = [int(text.split()[2]) for text in caplog.messages[1:]]
    assert epochs == [4, 7, 10, 13, 16, 19, 20]
    assert caplog.messages[-1] == "fold: epoch 20 of 20, val_loss 0.05, done"


def test_within_a_long_epoch_it_tells_of_steps(caplog):
    training = Training(Work(epochs=2, steps=100, batch=8), step_s=1.0, after=1)
    training.steps(100)
    assert caplog.messages[1:] == [
        "fold: epoch 1 of 2, step 32 of 100, about 3 min left, 6 min with the fold after it",
        "fold: epoch 1 of 2, step 62 of 100, about 2 min left, 6 min with the fold after it",
        "fold: epoch 1 of 2, step 92 of 100, about 2 min left, 5 min with the fold after it",
    ]


def test_an_end_by_patience_is_told(caplog):
    training = Training()
    training.epochs(7)
    training.progress.close()
    assert caplog.messages[-1] == "fold: ends after epoch 7 of 20, out of patience"


RECORDINGS = {"train": range(1382), "val": range(128), "test": range(0)}


def test_the_first_line_says_which_fold_of_how_many_recordings_epochs_and_steps(caplog):
    work = Work(epochs=32, steps=86, batch=16, may_end_early=True)
    progress.of_fold("5", [2, 3, 5, 7], RECORDINGS, rank=0)(work)
    progress.of_fold("5", [2, 3, 5, 7], RECORDINGS, rank=1)(work)
    assert caplog.messages == [
        "train fold 5 (3 of 4): recordings: train 1,382, val 128, test 0; "
        "at most 32 epochs of 86 steps on 16 recordings"
    ]


@pytest.mark.parametrize(
    ("done", "words"),
    [(20, "; goes on after epoch 2 of 20"), (27, "; goes on after epoch 2 of 20 at step 7 of 10")],
)
def test_a_training_that_goes_on_says_where(done, words):
    assert str(Work(epochs=20, steps=10, batch=8, done=done)).endswith(words)


def test_of_several_processes_one_tells(caplog):
    training = Training(mute=True)
    training.epochs(7)
    training.progress.close()
    assert caplog.messages == []


def test_a_terminal_gets_a_bar_of_steps_and_the_estimate_above_it(caplog, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(progress, "MEASURED_S", 0.0)
    begun = progress.of_fold("0", [0, 1], RECORDINGS, rank=0)(WORK)
    for _ in range(10):
        begun.step()
    begun.epoch(val_loss="0.41")
    begun.close()
    assert len(caplog.messages) == 3
    assert "s a step, about 0 s left, 0 s with the fold after it" in caplog.messages[1]
    assert "ends after epoch 1 of 20" in caplog.messages[2]
    shown = capsys.readouterr().err
    assert "train fold 0 (1 of 2)" in shown
    assert "10/200" in shown
    assert "val_loss=0.41" in shown


def test_validation_counts_a_third_of_the_steps_that_its_windows_would_take():
    # One window of each of the first two; those of the third begin at 0, 50 and 100.
    assert progress.validation_steps([60, 100, 200], window=100, batch=5) == pytest.approx(1 / 3)

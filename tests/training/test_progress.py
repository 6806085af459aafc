import sys

import pytest

from ecgpipe.training import progress


@pytest.fixture(autouse=True)
def _heard(caplog):
    caplog.set_level("INFO")


def test_a_line_is_logged_at_most_every_thirty_seconds_and_at_the_end(caplog):
    now = [0.0]
    lines = progress.Lines("train fold 0", "epoch", total=20, clock=lambda: now[0])
    for epoch in range(1, 21):
        now[0] = 10.0 * epoch
        lines.update()
        lines.set_postfix(val_loss=f"{1 / epoch:.2f}")
    lines.close()
    assert caplog.messages[0] == "train fold 0: epoch 1 of 20, val_loss 1.00, 3 min left"
    assert [text.split()[4] for text in caplog.messages] == [
        "1",
        "4",
        "7",
        "10",
        "13",
        "16",
        "19",
        "20",
    ]
    assert caplog.messages[-1] == "train fold 0: epoch 20 of 20, val_loss 0.05, 0 s left"


def test_a_job_says_whether_it_begins_or_goes_on(caplog):
    progress.bar("train fold 0", "epoch", total=8)
    progress.bar("train fold 0", "epoch", total=8, initial=3)
    progress.bar("train fold 0", "epoch", total=8, mute=True).update()
    assert caplog.messages == [
        "train fold 0: begins, 8 epochs",
        "train fold 0: goes on after epoch 3 of 8",
    ]


def test_a_terminal_gets_a_bar_and_no_lines(caplog, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    bar = progress.bar("train fold 0", "epoch", total=8)
    assert isinstance(bar, progress.tqdm)
    bar.close()
    assert caplog.messages == []

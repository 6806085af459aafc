"""A source's files to its store: what is refused, in which order, by which workers."""

from pathlib import Path

from ecgpipe.preprocessing import build_store


def test_the_recordings_at_which_a_worker_may_have_died_are_named_up_to_a_number(caplog):
    build_store.warn([Path("x/a"), Path("x/b\n")])
    build_store.warn([Path(str(number)) for number in range(1000)])
    assert caplog.messages[0].endswith(
        "the 2 recordings that it may have been at are done again, one by one: a, b\\n"
    )
    assert caplog.messages[1].endswith("198, 199, ...")

import io
import os
import sys

from ecgpipe.commands import console


def test_letters_that_a_terminal_lacks_are_spelled_out(monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    console.any_letters()
    console.write("\u5fc3 \udcff")
    assert raw.getvalue() == b"\\u5fc3 \\udcff\n"


def test_what_nobody_reads_is_not_said_and_costs_nothing(monkeypatch):
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as deaf:
        monkeypatch.setattr(sys, "stdout", deaf)
        console.write("one")
        console.write("two")
    monkeypatch.setattr(sys, "stdout", None)
    console.any_letters()
    console.write("three")

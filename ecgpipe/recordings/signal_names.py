"""Which signal files headers name, however broken they are: for the account of a folder
(`source_files`). What is read of them is another matter (`wfdb_header`)."""

import re
from collections.abc import Iterable
from pathlib import Path

from ecgpipe.recordings import safe_files
from ecgpipe.recordings.refusals import Refused

_AROUND = " \t\0\x1a\ufeff"


def of_headers(headers: Iterable[Path], root: Path) -> set[str]:
    """What `headers` below `root` name; of those that cannot be read, nothing."""
    named: set[str] = set()
    for path in headers:
        try:
            raw = safe_files.content(path, root, safe_files.MOST_TEXT, any_name=True)
        except Refused:
            continue
        named |= in_header(safe_files.text(raw), path.stem)
    return named


def in_header(text: str, stem: str) -> set[str]:
    r"""What may be the names of signal files in a header: the first field of each line that is no
    comment, and where that begins with the header's own `stem`, which may hold blanks, the field
    after it.

    >>> sorted(in_header("a b 1 500\na b.dat 16\n#c 9\n", "a b"))
    ['a', 'a b', 'a b.dat']
    """
    names = set()
    for line in re.split("[\r\n]", text):
        bare = line.strip(_AROUND)
        if bare and not bare.startswith("#"):
            names.add(bare.split(None, 1)[0])
            if " " in stem and line.startswith(stem):
                names.add(stem + re.match(r"\S*", line[len(stem) :])[0])
    return names

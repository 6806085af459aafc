"""How many recordings of a source may be refused before a run fails: `data.max_refused`. What is
left out unread counts as refused: headers in capitals, packed ones, signals without header."""

import shlex
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from ecgpipe.project.errors import UserError
from ecgpipe.recordings import source_files
from ecgpipe.recordings.descriptions import Description

# Faults of what lies in a folder or stands in a table, not of a recording that was read: files
# without a row, rows without a file, files that are left out (`Account.unread` counts these by
# recording).
_NOT_READ = ("no-metadata", "missing", *source_files.REASONS)


def refused(descriptions: Iterable[Description]) -> Counter[str]:
    """Reason -> how many of the recordings described the reader refuses; what a table lacks, and
    what is left out unread, is no refusal."""
    faults = (description.fault for description in descriptions if description.fault)
    reasons = (fault.partition(":")[0] for fault in faults)
    return Counter(reason for reason in reasons if reason not in _NOT_READ)


def check_descriptions(
    descriptions: Collection[Description], account: source_files.Account, most: float
) -> None:
    """`check_refusal_limit` of a source's recordings, as they were described, and its files."""
    files = sum(
        description.fault.partition(":")[0] in source_files.REASONS for description in descriptions
    )
    found = len(descriptions) - files
    check_refusal_limit(refused(descriptions), found, most, account.folder, account.unread())


def check_refusal_limit(
    refused: Mapping[str, int],
    found: int,
    most: float,
    where: Path | str,
    unread: Mapping[str, int] | None = None,
) -> None:
    """UserError where more than the share `most` of the recordings of a source's folder `where` was
    refused or left out: `refused` of the `found` ones that were read, and `unread` beside them;
    both count by reason."""
    counts = Counter(refused) + Counter(unread or {})
    total, found = counts.total(), found + sum((unread or {}).values())
    if total > most * found:
        reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(counts.items()))
        what = "refused or left out unread" if unread else "refused"
        raise UserError(
            f"{where}: {total} of {found} recordings are {what} ({reasons}), more than "
            f"data.max_refused {most:g}{_cause(counts)}; `{command(where)}` says why for each; "
            "mend them, or raise max_refused"
        )


def command(where: Path | str) -> str:
    """The command that says of each recording of a source's folder what is wrong with it; the
    folder has the source's name (`DataParams.folder`).

    >>> command(Path("data/my raw/east"))
    "python -m ecgpipe check 'data/my raw/east' --source east"
    """
    return f"python -m ecgpipe check {shlex.quote(str(where))} --source {Path(where).name}"


def _cause(counts: Mapping[str, int]) -> str:
    """What most of them likely come from, where their reason tells."""
    reason = max(counts, key=lambda reason: counts[reason])
    causes = {
        "range": "likely microvolts taken for mV, by a wrong unit or gain",
        "flat": "likely volts taken for mV, by a wrong unit or gain, or nothing recorded",
    }
    cause = causes.get(reason) or source_files.REASONS.get(reason)
    return f" ({cause})" if cause else ""

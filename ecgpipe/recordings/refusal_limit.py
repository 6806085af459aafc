"""How many recordings of a source may be refused before a run fails: `data.max_refused`."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from ecgpipe.project.errors import UserError
from ecgpipe.project.params import SOURCES
from ecgpipe.recordings import source_files
from ecgpipe.recordings.descriptions import Description

# Faults of what lies in a folder or stands in a table, not of a recording that was read: files
# without a row, rows without a file, files that are left out.
_NOT_READ = ("no-metadata", "missing", *source_files.REASONS)


def refused(descriptions: Iterable[Description]) -> Counter[str]:
    """Reason -> how many of the recordings described the reader refuses; what a table lacks, and
    what is left out unread, is no refusal."""
    faults = (description.fault for description in descriptions if description.fault)
    reasons = (fault.partition(":")[0] for fault in faults)
    return Counter(reason for reason in reasons if reason not in _NOT_READ)


def check_descriptions(descriptions: Collection[Description], most: float, where: object) -> None:
    """`check_refusal_limit` of the recordings of `where`, as they were described."""
    unread = sum(
        description.fault.partition(":")[0] in source_files.REASONS for description in descriptions
    )
    check_refusal_limit(refused(descriptions), len(descriptions) - unread, most, where)


def check_refusal_limit(refused: Mapping[str, int], found: int, most: float, where: object) -> None:
    """UserError where more than the share `most` of the `found` recordings of `where` was refused;
    `refused` counts them by reason."""
    total = sum(refused.values())
    if total > most * found:
        reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(refused.items()))
        raise UserError(
            f"{where}: {total} of {found} recordings are refused ({reasons}), more than "
            f"data.max_refused {most:g}{_cause(refused)}; `python -m ecgpipe check {where} "
            f"--source NAME` (its entry in {SOURCES}) says why for each; mend them, or raise "
            "max_refused"
        )


def _cause(refused: Mapping[str, int]) -> str:
    """What most of the refusals likely come from, where their reason tells."""
    reason = max(refused, key=lambda reason: refused[reason])
    causes = {
        "range": "microvolts taken for mV, by a wrong unit or gain",
        "flat": "volts taken for mV, by a wrong unit or gain, or nothing recorded",
    }
    return f" (likely {causes[reason]})" if reason in causes else ""

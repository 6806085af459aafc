"""What befalls a recording that cannot be trusted."""

from collections.abc import Sequence

from ecgpipe.project.errors import UserError

_FEW, _LETTERS = 6, 24  # names of signals that a message shows, and how much of each


def found(names: Sequence[str]) -> str:
    """Names of signals that are none of the leads asked for, a few of them and shortened: what
    stands before a next step; '' where there are none.

    >>> found(["Ableitung I"]), found([])
    ("found 'Ableitung I'; ", '')
    """
    few = ", ".join(f"'{name[:_LETTERS]}'" for name in names[:_FEW])
    more = f" and {len(names) - _FEW} more" if len(names) > _FEW else ""
    return f"found {few}{more}; " if names else ""


def duplicate(record: str) -> str:
    """What to say of a record name that stands twice in a source, and the next step."""
    return (
        f"another file of the source has the record name '{record}'; rename the header, its signal "
        "file, and both names in the header (recordings of several years that are numbered alike "
        "need a prefix, such as 2019-), or remove one"
    )


class Refused(UserError):  # noqa: N818 (it is what happened to a recording)
    """A recording that cannot be trusted: `reason` is a short code, the text names file, rule,
    value and next step."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason

    def __reduce__(self) -> tuple:
        """Lets it travel between processes."""
        return type(self), (self.reason, str(self))

"""Recordings in other hospitals' formats, through ecgdatakit (https://ecgdatakit.ummisco.fr), an
optional package.

DICOM, SCP-ECG, HL7 aECG, GE MUSE, Philips and Mortara XML, EDF, MFER and ISHNE, told apart by what
the file holds. Read for `predict` and `check` alone: the stages take the forms of
`recordings.recording`.

As strict as there: the twelve leads by name, each once, of one rate and length, in a unit of
voltage that the file states; else refused with the same reasons. Where leads I and II are there and
others of the limbs are not, as many carts leave them out, they are computed (`project.leads`), and
the recording is flagged `derived-leads`. What the library warns of is flagged `parser-warning`,
with its text, but a checksum of a lead that does not fit is refused, and so is a recording with
gaps.
"""

import functools
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np

from ecgpipe.prediction import vendor_worker
from ecgpipe.project.leads import LEADS, LIMBS
from ecgpipe.recordings import demographics, recording, safe_files
from ecgpipe.recordings.recording import Recording
from ecgpipe.recordings.refusals import Refused
from ecgpipe.recordings.sandbox import Sandbox

_MOST_LETTERS = 200  # of what the library warns of


def read(file: Path, root: Path | None = None) -> Recording:
    """One recording whose suffix is in `suffixes.VENDOR`; Refused where it cannot be trusted or
    the package is missing. Nothing outside `root`, the file's own folder where it is not given, is
    opened."""
    file = Path(file)
    signals_mv, about = _parse(file, file.parent if root is None else root)
    signals = dict(zip(about["leads"], signals_mv.astype(np.float64), strict=True))
    derived = [lead for lead in LEADS if lead not in signals]
    for lead in derived:
        of_i, of_ii = LIMBS[lead]
        signals[lead] = of_i * signals["I"] + of_ii * signals["II"]
    signal_mv = np.stack([signals[lead] for lead in LEADS], axis=1)  # [time, lead]
    signal_mv, faults = recording.usable_signal(
        np.asfortranarray(signal_mv, dtype=np.float32), about["rate_hz"], str(file)
    )
    if derived:
        faults += ("derived-leads",)
    if about["warned"]:
        faults += (f"parser-warning ({_short(about['warned'])})",)
    return Recording(
        signal_mv,
        about["rate_hz"],
        age=demographics.age(about["age"]),
        sex=demographics.sex(about["sex"]),
        patient=about["patient"] or None,
        labels=(),
        faults=faults,
    )


def _parse(file: Path, root: Path) -> tuple[np.ndarray, dict[str, Any]]:
    """`vendor_worker.handle_request`, in the process of its own."""
    if safe_files.size(file, root) > safe_files.MOST_BYTES:
        rule = f"a recording holds {safe_files.MOST_BYTES} bytes at most"
        raise Refused("oversized", f"{file}: {rule}; cut it")
    if importlib.util.find_spec("ecgdatakit") is None:
        rule = f"{file.suffix} is read with the package ecgdatakit"
        raise Refused("format", f"{file}: {rule}; {vendor_worker.STEP}")
    try:
        return _worker().call(str(file.absolute()))
    except Refused as refusal:
        raise _explained(file, refusal) from None


def _short(text: str) -> str:
    """A text to stand in a flag: bounded, of printable characters, and without the sign that
    separates flags."""
    text = safe_files.shown(text).replace("|", "/")
    return text if len(text) <= _MOST_LETTERS else f"{text[:_MOST_LETTERS]}..."


def _explained(file: Path, refusal: Refused) -> Refused:
    """What to say of a file that the library cannot read: better what it is, where its first bytes
    tell that."""
    known = safe_files.identify(file) if refusal.reason in ("format", "unreadable") else None
    if known and not (known.reason == "web-page" and b"<?xml" in file.read_bytes()[:64]):
        return known
    return Refused(refusal.reason, str(refusal).replace(str(file.absolute()), str(file)))


@functools.cache
def _worker() -> Sandbox:
    """The one process that runs ecgdatakit."""
    return Sandbox(vendor_worker, "other")

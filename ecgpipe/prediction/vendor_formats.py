"""Recordings in other hospitals' formats, through ecgdatakit (https://ecgdatakit.ummisco.fr), an
optional package.

DICOM, SCP-ECG, HL7 aECG, GE MUSE, Philips and Mortara XML, EDF, MFER and ISHNE, told apart by what
the file holds. Read for `predict` and `check` alone: the stages take the forms of `records`.

As strict as there: the twelve leads by name, each once, of one rate and length, in a unit of
voltage that the file states; else refused with the same reasons. Where leads I and II are there and
others of the limbs are not, as many carts leave them out, they are computed
(`ecgpipe.project.leads`), and the recording is flagged `derived-leads`. What the library warns of is
flagged `parser-warning`, with its text, but a checksum of a lead that does not fit is refused, and
so is a recording with gaps.
"""

import functools
import importlib.util
from pathlib import Path

import numpy as np

from ecgpipe.prediction import vendor_worker
from ecgpipe.project.leads import LEADS, LIMBS
from ecgpipe.recordings import demographics, recording, safe_files
from ecgpipe.recordings.recording import Recording
from ecgpipe.recordings.refusals import Refused
from ecgpipe.recordings.sandbox import Sandbox

_LETTERS = 200  # of what the library warns of


def read(file: Path, root: Path | None = None) -> Recording:
    """One recording whose suffix is in `recordings.suffixes.VENDOR`; Refused where it cannot be trusted or the
    package is missing. Nothing outside `root`, the file's own folder where it is not given, is
    opened."""
    file = Path(file)
    if safe_files.size(file, file.parent if root is None else root) > safe_files.MOST_BYTES:
        raise Refused(
            "oversized", f"{file}: a recording holds {safe_files.MOST_BYTES} bytes at most; cut it"
        )
    if importlib.util.find_spec("ecgdatakit") is None:
        raise Refused(
            "format",
            f"{file}: {file.suffix} is read with the package ecgdatakit; {vendor_worker.STEP}",
        )
    try:
        values, said = _other().call(str(file.absolute()))
    except Refused as refusal:
        raise _named(file, refusal) from None
    found = dict(zip(said["leads"], values.astype(np.float64), strict=True))
    derived = [lead for lead in LEADS if lead not in found]
    for lead in derived:
        of_i, of_ii = LIMBS[lead]
        found[lead] = of_i * found["I"] + of_ii * found["II"]
    signal_mv = np.asfortranarray(
        np.stack([found[lead] for lead in LEADS], axis=1), dtype=np.float32
    )
    signal_mv, faults = recording.usable_signal(signal_mv, said["rate_hz"], str(file))
    faults += ("derived-leads",) * bool(derived)
    if said["warned"]:
        faults += (f"parser-warning ({_short(said['warned'])})",)
    age, sex = demographics.age(said["age"]), demographics.sex(said["sex"])
    return Recording(signal_mv, said["rate_hz"], age, sex, said["patient"] or None, (), faults)


def _short(text: str) -> str:
    """A text to stand in a flag: bounded, of printable characters, and without the sign that parts
    flags."""
    text = safe_files.shown(text).replace("|", "/")
    return text if len(text) <= _LETTERS else f"{text[:_LETTERS]}..."


def _named(file: Path, refusal: Refused) -> Refused:
    """What to say of a file that the library cannot read: better what it is, where its first bytes
    tell that."""
    known = safe_files.identify(file) if refusal.reason in ("format", "unreadable") else None
    if known and not (known.reason == "web-page" and b"<?xml" in file.read_bytes()[:64]):
        return known
    return Refused(refusal.reason, str(refusal).replace(str(file.absolute()), str(file)))


@functools.cache
def _other() -> Sandbox:
    """The one process that runs ecgdatakit."""
    return Sandbox(vendor_worker, "other")

"""What ecgdatakit (https://ecgdatakit.ummisco.fr) reads of one file in a hospital's format; see
`formats`.

Its parsers are other people's, so they run in a process of their own (`sandbox`), started as
`python -m ecgpipe.interchange other`.
"""

import importlib
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from ecgpipe.project.leads import DERIVED, LEADS, canonical
from ecgpipe.recordings import sandbox, wfdb_header
from ecgpipe.recordings.refusals import Refused

STEP = "pip install -r requirements-formats.txt"
# The library's parsers by name: no others, since some open files beside the one named, and some are
# experimental.
_PARSERS = frozenset(
    f"{name}Parser"
    for name in (
        "DICOMWaveform",
        "SCPECG",
        "HL7aECG",
        "GEMuseXML",
        "SierraXML",
        "MortaraEL250",
        "EDF",
        "MFER",
        "ISHNEHolter",
    )
)
_MOST_DRIFT = (
    1e-3  # share by which a rate may miss samples / duration: the library rounds rates to whole Hz
)
# What the library says of files of which a part is missing, where it warns and joins what is left.
_INCOMPLETE = ("EDF file truncated", "gaps between data records")
_BEAT = "(median)"  # in what it says of MUSE's averaged beat, which is not read here
_TIMES = (
    30  # bytes of memory for each of a file: the library's samples are float64, in several copies
)


def handle_request(task: str, file: str) -> tuple[np.ndarray, dict[str, Any]]:
    """float32 [lead, time] in mV and `leads` (their names, in the standard order), `rate_hz`, `age`
    (text), `sex`, `patient` and `warned` (what the library warned of, or '') of the recording
    `file`; Refused where it cannot be trusted."""
    assert task == "other", task
    record, warned = _parsed(Path(file))
    rate_hz, found = _rate(record, file), _leads(record, file)
    names = [lead for lead in LEADS if lead in found]
    said = {"leads": names, "rate_hz": rate_hz, "warned": warned, "age": str(record.patient.age)}
    said |= {"sex": str(record.patient.sex), "patient": str(record.patient.patient_id or "")}
    return np.stack([found[lead] for lead in names]).astype(np.float32), said


def _parsed(file: Path) -> tuple[Any, str]:
    """(the library's ECGRecord in mV, what it warned of); Refused 'format', 'unreadable',
    'checksum', 'truncated' or 'gain'."""
    import ecgdatakit

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            kind = ecgdatakit.FileParser.detect_format(file)
            if kind is None or kind["parser"] not in _PARSERS:
                named = f"found {kind['name']}" if kind else "found none"
                raise Refused(
                    "format",
                    f"{file}: it holds no format that is read under {file.suffix}, {named}",
                )
            record = ecgdatakit.FileParser.parse(file, units="mV")
        except ImportError as error:
            raise Refused("format", f"{file}: a package is missing ({error}); {STEP}") from error
        except (Refused, MemoryError):
            raise
        except ecgdatakit.ChecksumError as error:
            raise Refused("checksum", f"{file}: {error}; fetch it anew") from error
        except Exception as error:  # parsers of nine formats raise whatever they meet
            if "MemoryError" in str(error):
                raise MemoryError from error
            said = " ".join(str(error).split())[:200]
            raise Refused(
                "unreadable", f"{file}: ecgdatakit cannot read it ({said}); fetch it anew"
            ) from error
    for one in warned:
        if issubclass(one.category, ecgdatakit.ChecksumWarning) and _BEAT not in str(one.message):
            raise Refused("checksum", f"{file}: {one.message}; fetch it anew")
        if any(words in str(one.message) for words in _INCOMPLETE):
            raise Refused(
                "truncated",
                f"{file}: a recording is in one piece ({one.message}); fetch it anew or cut it",
            )
    if record.file_format.version == "EDF+D" and "record_onsets" not in record.raw_metadata:
        raise Refused(
            "truncated",
            f"{file}: a discontinuous EDF+ that does not say when its parts begin; convert it",
        )
    if "scale_warning" in record.raw_metadata:
        raise Refused("gain", f"{file}: it does not state its gain; convert it to WFDB")
    return record, "; ".join(dict.fromkeys(" ".join(str(one.message).split()) for one in warned))


def _leads(record: Any, file: str) -> dict[str, np.ndarray]:
    """Standard lead -> its signal [time] in mV; Refused 'leads', 'units' or 'truncated'."""
    found: dict[str, Any] = {}
    for one in record.leads:
        name, _, number = one.label.rpartition(
            "_"
        )  # the library numbers a name that comes again: II, II_2
        lead = canonical(name if name and number.isdigit() else one.label)
        if lead in found:
            raise Refused(
                "leads", f"{file}: lead {lead} stands twice, each lead stands once; correct it"
            )
        if lead is not None:
            found[lead] = one
    absent = [lead for lead in LEADS if lead not in found]
    if set(absent) - DERIVED:
        rule = "leads I, II and V1 to V6 are needed (the other limb leads can be reckoned)"
        raise Refused("leads", f"{file}: {rule}, missing {', '.join(absent)}; leave it out")
    for lead, one in found.items():
        if one.is_raw or one.units != "mV":
            raise Refused(
                "units", f"{file}: lead {lead}: no unit of voltage, found '{one.units}'; convert it"
            )
    if len({len(one.samples) for one in found.values()}) > 1:
        raise Refused("truncated", f"{file}: its leads differ in length; fetch it anew")
    return {lead: np.asarray(one.samples, np.float64) for lead, one in found.items()}


def _rate(record: Any, file: str) -> float:
    """The rate in Hz that all leads share; Refused 'rate'."""
    rates = {float(one.sampling_rate) for one in record.leads if canonical(one.label)}
    slowest, fastest = wfdb_header.SLOWEST_HZ, wfdb_header.FASTEST_HZ
    if len(rates) > 1 or not all(slowest <= rate <= fastest for rate in rates):
        rule = f"its leads have one rate from {slowest:g} to {fastest:g} Hz, found {sorted(rates)}"
        raise Refused("rate", f"{file}: {rule}; convert it")
    rate_hz = rates.pop() if rates else 0.0  # without a lead, `_leads` refuses it
    duration = record.recording.duration
    if rate_hz and duration:
        exact = (
            max(len(one.samples) for one in record.leads if canonical(one.label))
            / duration.total_seconds()
        )
        if abs(exact - rate_hz) > _MOST_DRIFT * rate_hz:
            rule = f"{rate_hz:g} Hz do not fit its samples and duration, which make {exact:g} Hz"
            raise Refused("rate", f"{file}: {rule}; convert it to WFDB")
    return rate_hz


if __name__ == "__main__":
    importlib.import_module("ecgdatakit")  # before memory and time are limited
    sandbox.serve(handle_request, _TIMES)

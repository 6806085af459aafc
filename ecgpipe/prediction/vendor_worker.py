"""What ecgdatakit (https://ecgdatakit.ummisco.fr) reads of one file in a hospital's format; see
`vendor_formats`.

Its parsers are other people's, so they run in a process of their own (`recordings.sandbox`),
started as `python -m ecgpipe.prediction.vendor_worker other`.
"""

import importlib
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ecgpipe.project.leads import DERIVED, LEADS, canonical
from ecgpipe.recordings import sandbox, wfdb_header
from ecgpipe.recordings.refusals import Refused, found

STEP = "pip install -r requirements-formats.txt"
# The library's parsers by name: no others, since some open files beside the one named, and some are
# experimental.
_PARSERS = frozenset(
    (
        "DICOMWaveformParser",
        "SCPECGParser",
        "HL7aECGParser",
        "GEMuseXMLParser",
        "SierraXMLParser",
        "MortaraEL250Parser",
        "EDFParser",
        "MFERParser",
        "ISHNEHolterParser",
    )
)
# Share by which a rate may miss samples / duration: the library rounds rates to whole Hz.
_MOST_DRIFT = 1e-3
# What the library says of files of which a part is missing, where it warns and joins what is left.
_INCOMPLETE = ("EDF file truncated", "gaps between data records")
_BEAT = "(median)"  # in what it says of MUSE's averaged beat, which is not read here
# Bytes of memory for each of a file: the library's samples are float64, in several copies.
_TIMES = 30


def handle_request(task: str, file: str) -> tuple[np.ndarray, dict[str, Any]]:
    """float32 [lead, time] in mV and `leads` (their names, in the standard order), `rate_hz`, `age`
    (text), `sex`, `patient` and `warned` (what the library warned of, or '') of the recording
    `file`; Refused where it cannot be trusted."""
    assert task == "other", task
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        record = _parsed(Path(file))
    _refuse_by_warnings(caught, file)
    _refuse_incomplete(record, file)
    rate_hz = _rate(record, file)
    signals_mv = _leads(record, file)
    names = [lead for lead in LEADS if lead in signals_mv]
    about = {
        "leads": names,
        "rate_hz": rate_hz,
        "warned": "; ".join(dict.fromkeys(map(_one_line, caught))),
        "age": str(record.patient.age),
        "sex": str(record.patient.sex),
        "patient": str(record.patient.patient_id or ""),
    }
    return np.stack([signals_mv[lead] for lead in names]).astype(np.float32), about


def _parsed(file: Path) -> Any:
    """The library's ECGRecord in mV; Refused 'format', 'unreadable' or 'checksum'."""
    import ecgdatakit

    try:
        kind = ecgdatakit.FileParser.detect_format(file)
        if kind is None or kind["parser"] not in _PARSERS:
            rule = f"it holds no format that is read under {file.suffix}"
            held = kind["name"] if kind else "none"
            raise Refused("format", f"{file}: {rule}, found {held}")
        return ecgdatakit.FileParser.parse(file, units="mV")
    except ImportError as error:
        raise Refused("format", f"{file}: a package is missing ({error}); {STEP}") from error
    except (Refused, MemoryError):
        raise
    except ecgdatakit.ChecksumError as error:
        raise Refused("checksum", f"{file}: {error}; fetch it anew") from error
    except Exception as error:  # parsers of nine formats raise whatever they meet
        if "MemoryError" in str(error):
            raise MemoryError from error
        why = " ".join(str(error).split())[:200]
        rule = f"ecgdatakit cannot read it ({why})"
        raise Refused("unreadable", f"{file}: {rule}; fetch it anew") from error


def _refuse_by_warnings(caught: Sequence[warnings.WarningMessage], file: str) -> None:
    """Refused 'checksum' or 'truncated' where the library warns of what cannot be trusted."""
    import ecgdatakit

    for warning in caught:
        text = str(warning.message)
        if issubclass(warning.category, ecgdatakit.ChecksumWarning) and _BEAT not in text:
            raise Refused("checksum", f"{file}: {text}; fetch it anew")
        if any(words in text for words in _INCOMPLETE):
            rule = f"a recording is in one piece ({text})"
            raise Refused("truncated", f"{file}: {rule}; fetch it anew or cut it")


def _one_line(warning: warnings.WarningMessage) -> str:
    return " ".join(str(warning.message).split())


def _refuse_incomplete(record: Any, file: str) -> None:
    """Refused 'truncated' or 'gain' where a record does not say when it was, or in what unit."""
    if record.file_format.version == "EDF+D" and "record_onsets" not in record.raw_metadata:
        rule = "a discontinuous EDF+ that does not say when its parts begin"
        raise Refused("truncated", f"{file}: {rule}; convert it")
    if "scale_warning" in record.raw_metadata:
        raise Refused("gain", f"{file}: it does not state its gain; convert it to WFDB")


def _leads(record: Any, file: str) -> dict[str, np.ndarray]:
    """Standard lead -> its signal [time] in mV; Refused 'leads', 'units' or 'truncated'."""
    signals: dict[str, Any] = {}
    for signal in record.leads:
        # The library numbers a name that comes again: II, II_2.
        name, _, number = signal.label.rpartition("_")
        lead = canonical(name if name and number.isdigit() else signal.label)
        if lead in signals:
            rule = f"lead {lead} stands twice, each lead stands once"
            raise Refused("leads", f"{file}: {rule}; correct it")
        if lead is not None:
            signals[lead] = signal
    absent = [lead for lead in LEADS if lead not in signals]
    if set(absent) - DERIVED:
        rule = "leads I, II and V1 to V6 are needed (the other limb leads can be computed)"
        labels = (signal.label for signal in record.leads)
        others = found([label for label in labels if canonical(label) is None])
        step = f"{others}leave it out, or convert it with the leads' standard names"
        raise Refused("leads", f"{file}: {rule}, missing {', '.join(absent)}; {step}")
    for lead, signal in signals.items():
        if signal.is_raw or signal.units != "mV":
            rule = f"lead {lead}: no unit of voltage, found '{signal.units}'"
            raise Refused("units", f"{file}: {rule}; convert it")
    if len({len(signal.samples) for signal in signals.values()}) > 1:
        raise Refused("truncated", f"{file}: its leads differ in length; fetch it anew")
    return {lead: np.asarray(signal.samples, np.float64) for lead, signal in signals.items()}


def _rate(record: Any, file: str) -> float:
    """The rate in Hz that all leads share, 0 without a lead, which `_leads` refuses; Refused
    'rate'."""
    leads = [signal for signal in record.leads if canonical(signal.label)]
    rates = {float(signal.sampling_rate) for signal in leads}
    slowest, fastest = wfdb_header.SLOWEST_HZ, wfdb_header.FASTEST_HZ
    if len(rates) > 1 or not all(slowest <= rate <= fastest for rate in rates):
        rule = f"its leads have one rate from {slowest:g} to {fastest:g} Hz, found {sorted(rates)}"
        raise Refused("rate", f"{file}: {rule}; convert it")
    rate_hz = rates.pop() if rates else 0.0
    duration = record.recording.duration
    if rate_hz and duration:
        samples = max(len(signal.samples) for signal in leads)
        exact_hz = samples / duration.total_seconds()
        if abs(exact_hz - rate_hz) > _MOST_DRIFT * rate_hz:
            rule = f"{rate_hz:g} Hz do not fit its samples and duration, which make {exact_hz:g} Hz"
            raise Refused("rate", f"{file}: {rule}; convert it to WFDB")
    return rate_hz


if __name__ == "__main__":
    importlib.import_module("ecgdatakit")  # before memory and time are limited
    sandbox.serve(handle_request, _TIMES)

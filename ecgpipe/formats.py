"""Recordings in other hospitals' formats, through ecgdatakit (https://ecgdatakit.ummisco.fr), an optional package.

DICOM, SCP-ECG, HL7 aECG, GE MUSE, Philips and Mortara XML, EDF, MFER and ISHNE, told apart by what the file holds. Read
for `predict` and `check` alone: the stages take the forms of `records`.

As strict as there: the twelve leads by name, each once, of one rate and length, in a unit of voltage that the file
states; else refused with the same reasons. Where leads I and II are there and others of the limbs are not, as many
carts leave them out, they are reckoned (Einthoven 1913, Goldberger 1942): III = II - I, aVR = -(I + II) / 2,
aVL = I - II / 2, aVF = II - I / 2; the recording is flagged `derived-leads`. What the library warns of is flagged
`parser-warning`, but a checksum that does not fit is refused.
"""

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from ecgpipe import headers, records
from ecgpipe.leads import LEADS, canonical
from ecgpipe.records import Recording, Refused

SUFFIXES = frozenset((".dcm", ".dicom", ".scp", ".xml", ".edf", ".mwf", ".mfer", ".mfr", ".ecg"))
# The library's parsers by name: no others, since some open files beside the one named, and some are experimental.
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
_MOST_BYTES = 1 << 29
_RATES_HZ = (50.0, 10_000.0)
_MOST_DRIFT = 1e-3  # share by which a rate may miss samples / duration: the library rounds rates to whole Hz
_LIMBS = {"III": (-1.0, 1.0), "aVR": (-0.5, -0.5), "aVL": (1.0, -0.5), "aVF": (-0.5, 1.0)}  # of leads I and II
_STEP = "pip install -r requirements-formats.txt"


def read(file: Path) -> Recording:
    """One recording whose suffix is in `SUFFIXES`; Refused where it cannot be trusted or the package is missing."""
    file = Path(file)
    if not file.is_file():
        raise Refused("missing", f"{file}: no such file; give the path of a recording")
    if (size := file.stat().st_size) > _MOST_BYTES:
        raise Refused("oversized", f"{file}: a recording has {_MOST_BYTES} bytes or fewer, found {size}; cut it")
    record, warned = _parsed(file)
    rate_hz, found = _rate(record, file), _leads(record, file)
    derived = [lead for lead in LEADS if lead not in found]
    for lead in derived:
        of_i, of_ii = _LIMBS[lead]
        found[lead] = of_i * found["I"] + of_ii * found["II"]
    signal_mv = np.asfortranarray(np.stack([found[lead] for lead in LEADS], axis=1), dtype=np.float32)
    signal_mv, faults = records.checked(signal_mv, rate_hz, str(file))
    faults += ("derived-leads",) * bool(derived) + ("parser-warning",) * warned
    age, patient = headers.age(str(record.patient.age)), record.patient.patient_id or None
    return Recording(signal_mv, rate_hz, age, headers.sex(record.patient.sex), patient, (), faults)


def _parsed(file: Path) -> tuple[Any, bool]:
    """(the library's ECGRecord in mV, whether it warned); Refused 'format', 'checksum' or 'unreadable'."""
    try:
        import ecgdatakit
    except ImportError:
        step = f"{file}: {file.suffix} is read with the package ecgdatakit; {_STEP}"
        raise Refused("format", step) from None
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            kind = ecgdatakit.FileParser.detect_format(file)
            if kind is None or kind["parser"] not in _PARSERS:
                named = f"found {kind['name']}" if kind else "found none"
                raise Refused("format", f"{file}: it holds no format that is read under {file.suffix}, {named}")
            record = ecgdatakit.FileParser.parse(file, units="mV")
        except ImportError as error:
            raise Refused("format", f"{file}: a package is missing ({error}); {_STEP}") from error
        except Refused:
            raise
        except ecgdatakit.ChecksumError as error:
            raise Refused("checksum", f"{file}: {error}; fetch it anew") from error
        except Exception as error:  # parsers of nine formats raise whatever they meet
            raise Refused("unreadable", f"{file}: ecgdatakit cannot read it ({error}); fetch it anew") from error
    for one in warned:
        if issubclass(one.category, ecgdatakit.ChecksumWarning):
            raise Refused("checksum", f"{file}: {one.message}; fetch it anew")
    if "scale_warning" in record.raw_metadata:
        raise Refused("gain", f"{file}: it does not state its gain; convert it to WFDB")
    return record, bool(warned)


def _leads(record: Any, file: Path) -> dict[str, np.ndarray]:
    """Standard lead -> its signal [time] in mV; Refused 'leads', 'units' or 'truncated'."""
    found: dict[str, Any] = {}
    for one in record.leads:
        name, _, number = one.label.rpartition("_")  # the library numbers a name that comes again: II, II_2
        lead = canonical(name if name and number.isdigit() else one.label)
        if lead in found:
            raise Refused("leads", f"{file}: lead {lead} stands twice, each lead stands once; correct it")
        if lead is not None:
            found[lead] = one
    absent = [lead for lead in LEADS if lead not in found]
    if "I" not in found or "II" not in found or set(absent) - set(_LIMBS):
        rule = "leads I, II and V1 to V6 are needed (the other limb leads can be reckoned)"
        raise Refused("leads", f"{file}: {rule}, missing {', '.join(absent)}; leave it out")
    for lead, one in found.items():
        if one.is_raw or one.units != "mV":
            raise Refused("units", f"{file}: lead {lead}: no unit of voltage, found '{one.units}'; convert it")
    if len({len(one.samples) for one in found.values()}) > 1:
        raise Refused("truncated", f"{file}: its leads differ in length; fetch it anew")
    return {lead: np.asarray(one.samples, np.float64) for lead, one in found.items()}


def _rate(record: Any, file: Path) -> float:
    """The rate in Hz that all leads share; Refused 'rate'."""
    rates = {float(one.sampling_rate) for one in record.leads if canonical(one.label)}
    slowest, fastest = _RATES_HZ
    if len(rates) > 1 or not all(slowest <= rate <= fastest for rate in rates):
        rule = f"its leads have one rate from {slowest:g} to {fastest:g} Hz, found {sorted(rates)}"
        raise Refused("rate", f"{file}: {rule}; convert it")
    rate_hz = rates.pop() if rates else 0.0  # without a lead, `_leads` refuses it
    duration = record.recording.duration
    if rate_hz and duration:
        exact = max(len(one.samples) for one in record.leads if canonical(one.label)) / duration.total_seconds()
        if abs(exact - rate_hz) > _MOST_DRIFT * rate_hz:
            rule = f"{rate_hz:g} Hz do not fit its samples and duration, which make {exact:g} Hz"
            raise Refused("rate", f"{file}: {rule}; convert it to WFDB")
    return rate_hz

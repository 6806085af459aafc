"""A signal that is known at every moment, the whole way from file to store: whatever rate, unit,
gain and format a recording comes in, the store holds the values that theory gives.

Each lead is a sum of sines on an offset, some of them outside the band. A linear filter of zero
phase leaves a sine a sine, times the gain at its frequency; so what a store has to hold can be
written down for every moment, and no filter or resampler of ours is asked. The gain is that of an
analogue Butterworth filter run forth and back (scipy.signal), and a sine beyond half the rate of
the store is gone.

What may differ:

- half a microvolt, as the store holds whole ones;
- what the steps of the file took from the signal, behind the filter (`of_steps_uv`);
- near the ends, where a recording is continued by its mirror, which is another signal than the
  sines: tenths of a mV at the very end, 13 microvolts a second from it, 2 microvolts two seconds
  from it, 0.3 three seconds from it;
- the error of interpolation (`of_interpolation_uv`): between two samples nothing is lost, but the
  spectrum ends at half the lower rate, and where the filter still lets something through there
  (100 Hz: 0.29), a kink at an end rings with that frequency, the less the farther it is.
"""

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io
import scipy.signal
import wfdb

from ecgpipe.preprocessing import build_store
from ecgpipe.preprocessing.params import PreprocessParams
from ecgpipe.project.leads import INDEPENDENT, LEADS, of_independent
from ecgpipe.recordings.sources import Columns, Source
from ecgpipe.signals import store

RATES_HZ = (100, 128, 257, 360, 400, 500, 1000)
STORE_RATES_HZ = (100, 250)
LOW_HZ, HIGH_HZ, ORDER = 0.5, 40.0, 2
DURATION_S, SETTLED_S = 18, 6
# Below the band, in it, and above; the last two lie beyond half of some rates.
FREQUENCIES_HZ = np.array([0.11, 1.3, 7.1, 12.7, 17.9, 31.3, 47.3, 61.7, 120.3])
AMPLITUDES_MV = np.array([0.5, 0.4, 0.3, 0.2, 0.15, 0.1, 0.05, 0.05, 0.05])


@dataclass(frozen=True)
class Wfdb:
    """A WFDB file: so many steps a unit, the step that is 0 of it, the storage format."""

    unit: str
    gain: float
    baseline: int
    form: str

    def steps_uv(self, signal_mv: np.ndarray) -> np.ndarray:
        """The step at each value."""
        return np.full_like(signal_mv, {"mV": 1e3, "uV": 1.0, "V": 1e6}[self.unit] / self.gain)

    def write(self, file: Path, signal_mv: np.ndarray, rate_hz: int) -> None:
        steps = np.rint(signal_mv * 1e3 / self.steps_uv(signal_mv)).astype(np.int64)
        wfdb.wrsamp(
            file.name,
            fs=rate_hz,
            units=[self.unit] * len(LEADS),
            sig_name=list(LEADS),
            d_signal=steps + self.baseline,
            fmt=[self.form] * len(LEADS),
            adc_gain=[self.gain] * len(LEADS),
            baseline=[self.baseline] * len(LEADS),
            write_dir=str(file.parent),
        )


@dataclass(frozen=True)
class Matlab:
    """The Challenge's form: a header, and a MATLAB matrix of int16 at 1000 steps a mV."""

    level: str

    def steps_uv(self, signal_mv: np.ndarray) -> np.ndarray:
        """The step at each value."""
        return np.ones_like(signal_mv)

    def write(self, file: Path, signal_mv: np.ndarray, rate_hz: int) -> None:
        steps = np.rint(signal_mv * 1e3).astype(np.int16)
        scipy.io.savemat(f"{file}.mat", {"val": steps.T}, format=self.level)
        sums = steps.sum(axis=0, dtype=np.int16)
        lines = [f"{file.name} {len(LEADS)} {rate_hz} {len(steps)}"]
        for lead, first, total in zip(LEADS, steps[0], sums, strict=True):
            lines.append(f"{file.name}.mat 16+24 1000/mV 16 0 {first} {total} 0 {lead}")
        Path(f"{file}.hea").write_text("\n".join(lines) + "\n")


@dataclass(frozen=True)
class Hdf5:
    """An .h5 file of floats in mV."""

    form: str

    def steps_uv(self, signal_mv: np.ndarray) -> np.ndarray:
        """The step at each value."""
        return 1e3 * np.spacing(np.abs(signal_mv).astype(self.form)).astype(np.float64)

    def write(self, file: Path, signal_mv: np.ndarray, rate_hz: int) -> None:
        with h5py.File(f"{file}.h5", "w") as opened:
            opened["ecg"] = signal_mv.T.astype(self.form)
            opened.attrs["rate_hz"] = float(rate_hz)


STORAGES = {
    "matlab-4": Matlab("4"),
    "matlab-5": Matlab("5"),
    "212-mV": Wfdb("mV", 200.0, -10, "212"),
    "16-mV": Wfdb("mV", 1000.0, 0, "16"),
    "16-mV-coarse": Wfdb("mV", 200.0, 1024, "16"),
    "16-mV-fine": Wfdb("mV", 4880.0, -977, "16"),
    "16-uV": Wfdb("uV", 1.0, 0, "16"),
    "16-uV-odd": Wfdb("uV", 0.2048, 37, "16"),
    "16-V": Wfdb("V", 1e6, -5, "16"),
    "24-mV": Wfdb("mV", 1e5, 123_456, "24"),
    "24-uV": Wfdb("uV", 200.0, -1, "24"),
    "24-V": Wfdb("V", 2e8, 0, "24"),
    "32-mV": Wfdb("mV", 1e7, 987_654_321, "32"),
    "32-uV": Wfdb("uV", 1e4, 0, "32"),
    "32-V": Wfdb("V", 1e9, -1_000_000, "32"),
    "float16": Hdf5("f2"),
    "float32": Hdf5("f4"),
    "float64": Hdf5("f8"),
}
LIMBS_AND_CHEST = np.array([of_independent(lead) for lead in LEADS])  # [lead, independent lead]


def sines_mv(time_s: np.ndarray, amplitudes_mv: np.ndarray) -> np.ndarray:
    """[time, lead] of sines of such amplitudes. Each independent lead has its own phases and
    strength, and the others follow from I and II as they do in a heart's."""
    independent = np.zeros((len(time_s), len(INDEPENDENT)))
    for lead in range(len(INDEPENDENT)):
        for number, (hz, mv) in enumerate(zip(FREQUENCIES_HZ, amplitudes_mv, strict=True)):
            phase = 0.7 * lead + 1.9 * number
            independent[:, lead] += mv * (1 - 0.08 * lead) * np.sin(2 * np.pi * hz * time_s + phase)
    return independent @ LIMBS_AND_CHEST.T


def recorded_mv(rate_hz: float) -> np.ndarray:
    """What a converter sees: the sines that its rate can hold, on an offset of each lead."""
    time_s = np.arange(DURATION_S * rate_hz) / rate_hz
    heard = np.where(rate_hz / 2 > FREQUENCIES_HZ, AMPLITUDES_MV, 0)
    return sines_mv(time_s, heard) + np.linspace(-0.6, 0.9, len(INDEPENDENT)) @ LIMBS_AND_CHEST.T


def gains(frequencies_hz: np.ndarray) -> np.ndarray:
    """Of the band's two filters, each run forth and back: the squares of their magnitudes."""
    gain = np.ones(len(frequencies_hz))
    for corner_hz, kind in ((LOW_HZ, "highpass"), (HIGH_HZ, "lowpass")):
        analogue = scipy.signal.butter(ORDER, 2 * np.pi * corner_hz, kind, analog=True)
        gain *= np.abs(scipy.signal.freqs(*analogue, worN=2 * np.pi * frequencies_hz)[1]) ** 2
    return gain


def known_mv(time_s: np.ndarray, rate_hz: float, store_rate_hz: float) -> np.ndarray:
    """What a store has to hold at such moments."""
    heard = min(rate_hz, store_rate_hz) / 2 > FREQUENCIES_HZ
    return sines_mv(time_s, np.where(heard, AMPLITUDES_MV * gains(FREQUENCIES_HZ), 0))


def of_steps_uv(steps_uv: np.ndarray, rate_hz: float, store_rate_hz: float) -> tuple[float, float]:
    """(the largest error that rounding to steps can leave behind the filter, its root mean square
    where it takes all values up to half a step alike)."""
    samples = DURATION_S * rate_hz
    frequencies_hz = np.fft.rfftfreq(samples, 1 / rate_hz)
    response = gains(frequencies_hz) * (frequencies_hz <= store_rate_hz / 2)
    largest = np.abs(np.fft.irfft(response, samples)).sum() * steps_uv.max() / 2
    return largest, float(np.sqrt((steps_uv**2).mean() / 12 * (response**2).mean()))


def of_interpolation_uv(rate_hz: float, store_rate_hz: float, distance_s: float) -> float:
    """The largest error that the end of the spectrum leaves so far from the ends of the signal,
    which falls with the distance; these sines' ends ring with 2 to 3.3 microvolts x s at most."""
    return 4 * gains(np.array([min(rate_hz, store_rate_hz) / 2])).item() / distance_s


@pytest.fixture(scope="module")
def stores(tmp_path_factory) -> dict:
    """(rate, rate of the store) -> record -> microvolts [time, lead], a record a storage."""
    folder, made = tmp_path_factory.mktemp("known"), {}
    for rate_hz in RATES_HZ:
        for name, storage in STORAGES.items():
            raw = folder / f"{form_of(storage)}-{rate_hz}"
            raw.mkdir(exist_ok=True)
            storage.write(raw / name, recorded_mv(rate_hz), rate_hz)
        for store_rate_hz in STORE_RATES_HZ:
            made[rate_hz, store_rate_hz] = {}
            for form in ("wfdb", "h5"):
                raw, source = folder / f"{form}-{rate_hz}", source_of(form, rate_hz)
                made[rate_hz, store_rate_hz] |= stored(raw, source, store_rate_hz)
    return made


def form_of(storage: Wfdb | Matlab | Hdf5) -> str:
    return "h5" if isinstance(storage, Hdf5) else "wfdb"


def source_of(form: str, rate_hz: int) -> Source:
    """A source of such files."""
    if form == "wfdb":
        return Source(form="wfdb", vocabulary="PTB-XL", codes="snomed")
    columns = Columns(record="record", labels="labels")
    return Source(
        form="h5",
        vocabulary="SPH",
        codes="aha",
        rate_hz=rate_hz,
        table="metadata.csv",
        columns=columns,
    )


def stored(raw: Path, source: Source, store_rate_hz: int) -> dict[str, np.ndarray]:
    """Record -> int16 microvolts [time, lead] that the store of a folder holds of it."""
    folder = raw.with_name(f"{raw.name}-at-{store_rate_hz}")
    report = build_store.build_store(
        folder,
        raw,
        source,
        PreprocessParams(
            rate_hz=store_rate_hz, low_hz=LOW_HZ, high_hz=HIGH_HZ, order=ORDER, min_duration_s=2
        ),
        max_refused=0,
        workers=1,
        backend="loky",
        progress=lambda items, total: items,
    )
    assert report["flags"] == {}
    opened = store.open_store(folder)
    records = {}
    for row in opened.index.itertuples():
        records[row.record] = opened.signals_uv[row.first : row.first + row.samples]
    return records


def errors_uv(stored_uv: np.ndarray, rate_hz: int, store_rate_hz: int, from_ends_s: float):
    """Stored less known, [time, lead], of the moments so far from both ends or farther."""
    assert stored_uv.shape == (DURATION_S * store_rate_hz, len(LEADS))
    time_s = np.arange(len(stored_uv)) / store_rate_hz
    inner = (time_s >= from_ends_s) & (time_s <= DURATION_S - from_ends_s)
    return (stored_uv - 1e3 * known_mv(time_s, rate_hz, store_rate_hz))[inner]


@pytest.mark.parametrize("name", STORAGES)
@pytest.mark.parametrize("store_rate_hz", STORE_RATES_HZ)
@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_the_store_holds_the_known_signal(stores, rate_hz, store_rate_hz, name):
    error_uv = errors_uv(stores[rate_hz, store_rate_hz][name], rate_hz, store_rate_hz, SETTLED_S)
    steps_uv = STORAGES[name].steps_uv(recorded_mv(rate_hz))
    most_uv, rms_uv = of_steps_uv(steps_uv, rate_hz, store_rate_hz)
    interpolation_uv = of_interpolation_uv(rate_hz, store_rate_hz, SETTLED_S)
    assert np.abs(error_uv).max() <= 0.5 + most_uv + interpolation_uv
    # Rounding to whole microvolts adds the root of a twelfth.
    expected_rms_uv = np.hypot(rms_uv, 12**-0.5)
    assert np.sqrt((error_uv**2).mean()) == pytest.approx(expected_rms_uv, rel=0.05)


@pytest.mark.parametrize(("from_ends_s", "most_uv"), [(1, 13), (2, 2), (3, 0.3)])
@pytest.mark.parametrize("store_rate_hz", STORE_RATES_HZ)
@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_the_filter_forgets_the_ends(stores, rate_hz, store_rate_hz, from_ends_s, most_uv):
    stored_uv = stores[rate_hz, store_rate_hz]["float64"]
    error_uv = errors_uv(stored_uv, rate_hz, store_rate_hz, from_ends_s)
    interpolation_uv = of_interpolation_uv(rate_hz, store_rate_hz, from_ends_s)
    assert np.abs(error_uv).max() <= 0.5 + most_uv + interpolation_uv

"""What records the leads: the filters, the gain and the converter of an ECG cart, drawn as they
differ from hospital to hospital.

The filters are those of Kligfield et al. 2007 (doi:10.1161/CIRCULATIONAHA.106.180200): a high-pass
from 0.05 Hz (diagnostic) to 0.5 or 1 Hz (monitoring), either one resistor and capacitor, whose
phase shifts the ST segment, or in both directions without phase; a notch at the mains' frequency;
a low-pass from 25 Hz ("muscle filter") to 150 Hz. The shares of each are ours, set so that the
spectra of simulated recordings lie where those of real ones do.
"""

from dataclasses import dataclass

import numpy as np

# Shares of carts.
HIGH_PASS_HZ = {0.05: 0.6, 0.15: 0.08, 0.3: 0.05, 0.5: 0.2, 0.67: 0.04, 1.0: 0.03}
LOW_PASS_HZ = {25.0: 0.02, 35.0: 0.04, 40.0: 0.08, 75.0: 0.08, 100.0: 0.23, 150.0: 0.55}
# Steps of converters in mV, from 16 bits over 40 mV to 8 bits over 2.5 mV.
QUANTA_MV = {0.0006: 0.05, 0.001: 0.5, 0.0025: 0.15, 0.004: 0.1, 0.00488: 0.15, 0.01: 0.05}
CLIPS_MV = {3.0: 0.05, 5.0: 0.3, 10.0: 0.4, 16.0: 0.25}


@dataclass(frozen=True)
class Device:
    """One cart: edges in Hz (`notch_hz` 0: no notch), whether its high-pass has no phase, the order
    of its low-pass, by how much each of its eight channels differs from the others in gain [8] and
    in its lower edge [8] (a share), the step of its converter, where it clips, and whether it
    computes the other four limb leads from steps of I and II."""

    high_pass_hz: float
    zero_phase: bool
    low_pass_hz: float
    low_pass_order: int
    notch_hz: float
    notch_quality: float
    gain: np.ndarray
    edge: np.ndarray
    quantum_mv: float
    clip_mv: float
    derives: bool


def draw_device(rng: np.random.Generator, mains_hz: float) -> Device:
    """One recording's cart, in a country whose mains have that frequency."""
    gain = np.exp(rng.normal(0, 0.015) + rng.normal(0, 0.006, 8))
    mismatch = 0.08 if rng.random() < 0.15 else 0.0
    return Device(
        high_pass_hz=_one_of(rng, HIGH_PASS_HZ),
        zero_phase=rng.random() < 0.5,
        low_pass_hz=_one_of(rng, LOW_PASS_HZ) * np.exp(rng.normal(0, 0.05)),
        low_pass_order=int(rng.integers(2, 5)),
        notch_hz=mains_hz if rng.random() < 0.5 else 0.0,
        notch_quality=rng.uniform(5, 40),
        gain=gain,
        edge=np.exp(mismatch * rng.standard_normal(8)),
        quantum_mv=_one_of(rng, QUANTA_MV),
        clip_mv=_one_of(rng, CLIPS_MV),
        derives=rng.random() < 0.4,
    )


def _one_of(rng: np.random.Generator, shares: dict[float, float]) -> float:
    """One value, by its share."""
    return list(shares)[int(np.searchsorted(np.cumsum(list(shares.values()))[:-1], rng.random()))]


def response(device: Device, hz: np.ndarray) -> np.ndarray:
    """By how much, and with which phase, each frequency passes: [frequency], or where the channels
    differ [channel, frequency]."""
    # Butterworth's magnitude above, without phase.
    passed = 1 / np.sqrt(1 + (hz / device.low_pass_hz) ** (2 * device.low_pass_order))
    ratio = hz / device.high_pass_hz
    if np.ptp(device.edge):
        ratio = ratio / device.edge[:, None]  # [channel, frequency]
    square = ratio * ratio
    if device.zero_phase:
        passed = passed * (square / (1 + square))
    else:  # jr / (1 + jr) is (r^2 + jr) / (1 + r^2)
        passed = passed / (1 + square) * (square + 1j * ratio)
    if device.notch_hz:
        # j d / (1 + j d) with d = Q (f / f0 - f0 / f), multiplied by f to be finite at 0 Hz
        away = device.notch_quality * (hz / device.notch_hz - device.notch_hz / (hz + 1e-9))
        passed = passed * (away / (away - 1j))
    return passed


def digitised(device: Device, leads_mv: np.ndarray, to_twelve: np.ndarray) -> np.ndarray:
    """[8, time] -> [12, time] in steps of the converter; `to_twelve` [12, 8].

    Where each lead is rounded by itself, III is II - I within a step and a half alone.
    """
    leads_mv = leads_mv * device.gain[:, None]
    if device.derives:
        return _steps(to_twelve @ _steps(leads_mv, device), device)
    return _steps(to_twelve @ leads_mv, device)


def _steps(leads_mv: np.ndarray, device: Device) -> np.ndarray:
    """Rounded, in place, to steps, and no further than the converter reaches."""
    most = np.floor(device.clip_mv / device.quantum_mv)
    leads_mv *= 1 / device.quantum_mv
    np.clip(np.rint(leads_mv, out=leads_mv), -most, most, out=leads_mv)
    leads_mv *= device.quantum_mv
    return leads_mv

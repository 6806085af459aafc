"""How a recording is taken: electrodes disturb what the leads see of a heart, a cart filters and
digitises it. Noise and filters meet in one spectrum, so that one Fourier transform and back serves
both."""

from dataclasses import dataclass

import numpy as np
import scipy.fft

from ecgpipe.simulation import devices, dipole, electrodes, noise

BRIDGE_S = 0.2  # at least so long is the line from a recording's end to its begin
MAINS_HZ = (50.0, 60.0)


@dataclass(frozen=True)
class Surroundings:
    """Where recordings are taken: the mains' frequency (drawn where None), by how much noise is
    larger than elsewhere, and whether cables are exchanged and leads drop out now and then."""

    mains_hz: float | None = None
    noise_factor: float = 1.0
    faulty: bool = True


def acquired(
    rng: np.random.Generator,
    leads_mv: np.ndarray,
    rate_hz: float,
    kept: slice,
    surroundings: Surroundings,
) -> tuple[np.ndarray, electrodes.Faults]:
    """[8, time] of a heart -> [12, kept] in mV as a cart keeps it, and what was wrong with it.

    What is drawn beyond `kept` takes the ends of the filters, for which a recording has neither
    begin nor end. Changes `leads_mv`.
    """
    mains_hz = surroundings.mains_hz or MAINS_HZ[int(rng.integers(len(MAINS_HZ)))]
    disturbance = noise.draw_disturbance(rng, mains_hz, surroundings.noise_factor)
    faults = electrodes.draw_faults(rng) if surroundings.faulty else electrodes.Faults()
    device = devices.draw_device(rng, mains_hz)
    noise.add_events(rng, disturbance, leads_mv, rate_hz)
    if faults.loose is not None:
        where = (faults.loose, faults.loose_from, faults.loose_to)
        leads_mv += noise.loosened(rng, *where, leads_mv.shape[1])
    bridged_mv = _bridged(leads_mv, round(BRIDGE_S * rate_hz))
    length = bridged_mv.shape[1]
    spectrum = scipy.fft.rfft(bridged_mv, overwrite_x=True)  # [8, frequency]
    spectrum += noise.steady(rng, disturbance, rate_hz, length)
    spectrum *= devices.response(device, scipy.fft.rfftfreq(length, 1 / rate_hz))
    leads_mv = scipy.fft.irfft(spectrum, length, overwrite_x=True)[:, kept]
    if faults.exchange is not None:
        leads_mv = faults.exchange @ leads_mv
    twelve_mv = devices.digitised(device, leads_mv, dipole.TO_TWELVE.T)
    if faults.flat:
        twelve_mv = electrodes.dropped(faults, twelve_mv)
    return twelve_mv, faults


def _bridged(leads_mv: np.ndarray, least: int) -> np.ndarray:
    """[8, time] with a line of at least so many samples from its end to its begin, as the Fourier
    transform takes a signal for periodic."""
    samples = leads_mv.shape[1]
    length = scipy.fft.next_fast_len(samples + least, real=True)
    bridged_mv = np.empty((len(leads_mv), length))
    bridged_mv[:, :samples] = leads_mv
    share = np.linspace(0, 1, length - samples + 2)[1:-1]
    end_mv, begin_mv = leads_mv[:, -1:], leads_mv[:, :1]
    bridged_mv[:, samples:] = end_mv + (begin_mv - end_mv) * share
    return bridged_mv

"""The electrical heart: waves of a moving dipole, and what the twelve leads see of it.

Every wave is a Gaussian in time (its two halves may differ in width) times a fixed vector of a
dipole in the torso: x to the patient's left, y to the feet, z to the back, in mV (McSharry et al.
2003, doi:10.1109/TBME.2003.808805; Sameni et al. 2007, doi:10.1155/2007/43407). The eight
independent leads are the dipole times the lead field of Dower et al. 1980 (J. Electrocardiol.
13:91, doi:10.1016/S0022-0736(80)80047-0), from which the limb leads follow exactly
(`ecgpipe.project.leads`).

Axis, duration and voltage are measured on the waves themselves, so that a label can be read off
what was drawn.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from ecgpipe.project import leads

# Rows are the independent leads, columns x, y, z.
DOWER = np.array(
    [
        [0.632, -0.235, 0.059],
        [0.235, 1.066, -0.132],
        [-0.515, 0.157, -0.917],
        [0.044, 0.164, -1.387],
        [0.882, 0.098, -1.277],
        [1.213, 0.127, -0.601],
        [1.125, 0.127, -0.086],
        [0.831, 0.076, 0.230],
    ]
)
# [8, 12]: from the independent leads to the standard twelve.
TO_TWELVE = np.stack([leads.of_independent(lead) for lead in leads.LEADS], axis=1)

Z = np.array([0.0, 0.0, 1.0])  # to the back: turning about it changes the frontal axis alone
REACH = 4.0  # a Gaussian is drawn to this many widths on either side
EDGE = 0.012  # a QRS begins and ends where the dipole reaches this share of its largest magnitude


@dataclass(frozen=True)
class Waves:
    """Some Gaussians: centre and the widths before and after it in seconds [wave], vectors in mV
    [wave, 3]."""

    centre_s: np.ndarray
    before_s: np.ndarray
    after_s: np.ndarray
    vector_mv: np.ndarray

    def stretched(self, factor: float) -> "Waves":
        """The same waves, slower by `factor`."""
        return Waves(
            self.centre_s * factor, self.before_s * factor, self.after_s * factor, self.vector_mv
        )

    def turned(self, matrix: np.ndarray) -> "Waves":
        """The same waves with every vector multiplied by a 3 x 3 matrix."""
        return replace(self, vector_mv=self.vector_mv @ np.asarray(matrix).T)

    def taken(self, part: slice) -> "Waves":
        """Some of the waves."""
        return Waves(
            self.centre_s[part], self.before_s[part], self.after_s[part], self.vector_mv[part]
        )

    def joined(self, other: "Waves") -> "Waves":
        """These waves and the others."""
        return Waves(
            np.concatenate([self.centre_s, other.centre_s]),
            np.concatenate([self.before_s, other.before_s]),
            np.concatenate([self.after_s, other.after_s]),
            np.concatenate([self.vector_mv, other.vector_mv]),
        )


# Waves, and the time in seconds, stretch and gain [event] of each time that they are drawn.
Events = tuple[Waves, np.ndarray, np.ndarray, np.ndarray]


def waves_of_ms(*rows: tuple[float, float, float, tuple[float, float, float]]) -> Waves:
    """Waves from rows of (centre, width before, width after in milliseconds, (x, y, z) in mV)."""
    centre_ms, before_ms, after_ms, vector_mv = zip(*rows, strict=True)
    return Waves(
        np.array(centre_ms, float) / 1000,
        np.array(before_ms, float) / 1000,
        np.array(after_ms, float) / 1000,
        np.array(vector_mv, float),
    )


def rotation(axis: np.ndarray, angle_rad: float) -> np.ndarray:
    """The 3 x 3 rotation about an axis of any length (Rodrigues' formula)."""
    x, y, z = (float(part) for part in axis)
    length = math.sqrt(x * x + y * y + z * z)
    x, y, z = x / length, y / length, z / length
    cos, sin = math.cos(angle_rad), math.sin(angle_rad)
    rest = 1 - cos
    return np.array(
        [
            [cos + rest * x * x, rest * x * y - sin * z, rest * x * z + sin * y],
            [rest * y * x + sin * z, cos + rest * y * y, rest * y * z - sin * x],
            [rest * z * x - sin * y, rest * z * y + sin * x, cos + rest * z * z],
        ]
    )


def random_tilt(rng: np.random.Generator, degrees: float) -> np.ndarray:
    """A rotation about a random axis by a random angle of the given standard deviation."""
    return rotation(rng.standard_normal(3), np.radians(rng.normal(0, degrees)))


def varied(rng: np.random.Generator, waves: Waves, size: float, width: float) -> Waves:
    """Each wave a little larger, broader, elsewhere and otherwise directed; `size` and `width` are
    standard deviations of the logarithms."""
    count = len(waves.centre_s)
    vector_mv = waves.vector_mv * np.exp(rng.normal(0, size, (count, 1)))
    magnitude_mv = np.linalg.norm(vector_mv, axis=1, keepdims=True)
    vector_mv = vector_mv + 0.3 * size * magnitude_mv * rng.standard_normal((count, 3))
    broader = np.exp(rng.normal(0, width, (2, count)))
    lasts_s = waves.before_s + waves.after_s
    return Waves(
        waves.centre_s + 0.25 * width * lasts_s * rng.standard_normal(count),
        waves.before_s * broader[0],
        waves.after_s * broader[1],
        vector_mv,
    )


def to_twelve(leads_mv: np.ndarray) -> np.ndarray:
    """[..., 8] independent leads -> [..., 12] leads in the standard order."""
    return leads_mv @ TO_TWELVE


def moving_dipole(events: Iterable[Events], rate_hz: float, samples: int) -> np.ndarray:
    """[xyz, time] in mV (or as many rows as the vectors of its waves are long): the sum of all that
    beats, each time with its own stretch and gain.

    A wave is drawn at event + stretch x centre, stretch times as wide, times gain, as far as it
    REACHes. Time 0 is sample 0; what falls outside is left out.
    """
    centre, before, after, vector_mv = _each_gaussian(events, rate_hz)  # [Gaussian] in samples
    first = np.maximum(np.ceil(centre - REACH * before), 0).astype(np.int64)
    end = np.minimum(np.floor(centre + REACH * after) + 1, samples).astype(np.int64)
    count = np.maximum(end - first, 0)
    # All samples of all Gaussians stand in one row: one exponential for them all.
    index = np.arange(count.sum()) + np.repeat(first - np.cumsum(count) + count, count)
    away = index - np.repeat(centre, count)
    away /= np.where(away < 0, np.repeat(before, count), np.repeat(after, count))
    value = np.exp(-0.5 * away * away)
    return np.stack(
        [np.bincount(index, value * np.repeat(of, count), samples) for of in vector_mv.T]
    )


def _each_gaussian(
    events: Iterable[Events], rate_hz: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Centre and the widths before and after it in samples [Gaussian], and the vector in mV
    [Gaussian, xyz], of every wave of every event."""
    centre, before, after, vector_mv = [], [], [], []
    for waves, event_s, stretch, gain in events:
        slower = rate_hz * stretch[:, None]  # [event, 1] times [wave]
        centre.append((rate_hz * event_s[:, None] + slower * waves.centre_s).ravel())
        before.append((slower * waves.before_s).ravel())
        after.append((slower * waves.after_s).ravel())
        size_mv = gain[:, None, None] * waves.vector_mv  # [event, wave, xyz]
        vector_mv.append(size_mv.reshape(-1, size_mv.shape[2]))
    return tuple(np.concatenate(parts) for parts in (centre, before, after, vector_mv))


def single_beat(waves: Waves, at_s: np.ndarray) -> np.ndarray:
    """The dipole of a single beat's waves at the given times, [time, 3] in mV."""
    away_s = np.asarray(at_s)[:, None] - waves.centre_s  # [time, wave]
    width_s = np.where(away_s < 0, waves.before_s, waves.after_s)
    return np.exp(-0.5 * (away_s / width_s) ** 2) @ waves.vector_mv


def lead_areas(waves: Waves, field: np.ndarray) -> np.ndarray:
    """Net area under the waves in each of the twelve leads, mV s [12].

    Closed form: half a Gaussian of width w has the area w sqrt(pi / 2).
    """
    weight_s = np.sqrt(np.pi / 2) * (waves.before_s + waves.after_s)
    return to_twelve(weight_s @ waves.vector_mv @ field.T)


def frontal_axis(waves: Waves, field: np.ndarray) -> float:
    """The frontal axis in degrees, -180 to 180, from net areas in I and aVF (0 left, 90 to the
    feet).

    An augmented lead is smaller than a bipolar one by sqrt(3) / 2, which is made good.
    """
    area = lead_areas(waves, field)
    area_i, area_avf = area[leads.LEADS.index("I")], area[leads.LEADS.index("aVF")]
    return float(np.degrees(np.arctan2(area_avf * 2 / np.sqrt(3), area_i)))


def with_axis(waves: Waves, field: np.ndarray, degrees: float) -> Waves:
    """The waves turned about the z axis so that their frontal axis is `degrees`, or as near as
    turning can bring it.

    The net force v, turned by theta, lies on the axis phi where n . R(theta) v = 0, n = aVF' cos
    phi - I sin phi: a cos theta + b sin theta + c = 0, of whose two answers one points along the
    axis and one against it.
    """
    force = (waves.before_s + waves.after_s) @ waves.vector_mv
    of_i, of_ii = leads.LIMBS["aVF"]
    lead_i, lead_avf = field[0], (of_ii * field[1] + of_i * field[0]) * 2 / np.sqrt(3)
    phi = np.radians(degrees)
    normal = lead_avf * np.cos(phi) - lead_i * np.sin(phi)
    along = normal[:2] @ force[:2]
    across = normal[1] * force[0] - normal[0] * force[1]
    middle = np.arctan2(across, along)
    spread = np.arccos(np.clip(-normal[2] * force[2] / np.hypot(along, across), -1, 1))
    answers = [waves.turned(rotation(Z, theta)) for theta in (middle - spread, middle + spread)]

    def error(turned: Waves) -> float:
        """Degrees between the axis reached and the one aimed at."""
        return abs((frontal_axis(turned, field) - degrees + 180) % 360 - 180)

    return min(answers, key=error)


def bounds_s(waves: Waves) -> tuple[float, float]:
    """Where the waves begin and end: the dipole's magnitude passes EDGE of its largest value."""
    begin_s = float(np.min(waves.centre_s - REACH * waves.before_s))
    end_s = float(np.max(waves.centre_s + REACH * waves.after_s))
    at_s = np.arange(begin_s, end_s, 0.001)
    dipole_mv = single_beat(waves, at_s)
    magnitude_mv = np.sqrt((dipole_mv * dipole_mv).sum(axis=1))
    edge_mv = EDGE * magnitude_mv.max()
    above = np.flatnonzero(magnitude_mv > edge_mv)
    first, last = int(above[0]), int(above[-1])
    return (
        _crossing_s(at_s, magnitude_mv, edge_mv, first - 1, first),
        _crossing_s(at_s, magnitude_mv, edge_mv, last, last + 1),
    )


def _crossing_s(
    at_s: np.ndarray, magnitude_mv: np.ndarray, edge_mv: float, one: int, next_one: int
) -> float:
    """When a straight line between two neighbouring samples crosses the edge; at the only sample
    there is where the other lies beyond the ends."""
    if one < 0:
        return float(at_s[next_one])
    if next_one >= len(at_s):
        return float(at_s[one])
    share = (edge_mv - magnitude_mv[one]) / (magnitude_mv[next_one] - magnitude_mv[one])
    return float(at_s[one] + share * (at_s[next_one] - at_s[one]))


def with_duration(waves: Waves, duration_s: float) -> Waves:
    """The waves stretched in time so that they last `duration_s` from begin to end."""
    begin_s, end_s = bounds_s(waves)
    return waves.stretched(duration_s / (end_s - begin_s))


def extremes(
    waves: Waves, field: np.ndarray, begin_s: float, end_s: float
) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest value of one beat in each of the twelve leads between two times, mV [12]
    each."""
    at_s = np.arange(begin_s, end_s, 0.002)
    beat_mv = to_twelve(single_beat(waves, at_s) @ field.T)  # [time, 3] -> [time, 12]
    return beat_mv.min(axis=0), beat_mv.max(axis=0)

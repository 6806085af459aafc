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

REACH = 4.0  # a Gaussian is drawn to this many widths on either side
EDGE = 0.04  # a QRS begins and ends where the dipole reaches this share of its largest magnitude


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
        names = ("centre_s", "before_s", "after_s", "vector_mv")
        return Waves(
            *(np.concatenate([getattr(self, name), getattr(other, name)]) for name in names)
        )


def waves(*rows: tuple[float, float, float, tuple[float, float, float]]) -> Waves:
    """Waves from rows of (centre, width before, width after in milliseconds, (x, y, z) in mV)."""
    centre, before, after, vector = zip(*rows, strict=True)
    return Waves(
        *(np.array(times, float) / 1000 for times in (centre, before, after)),
        np.array(vector, float),
    )


def rotation(axis: np.ndarray, angle_rad: float) -> np.ndarray:
    """The 3 x 3 rotation about an axis of any length (Rodrigues' formula)."""
    x, y, z = np.asarray(axis, float) / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle_rad) * cross + (1 - np.cos(angle_rad)) * (cross @ cross)


def to_twelve(leads_mv: np.ndarray) -> np.ndarray:
    """[..., 8] independent leads -> [..., 12] leads in the standard order."""
    return leads_mv @ TO_TWELVE


def activation(
    kind: Waves,
    at_s: np.ndarray,
    stretch: np.ndarray,
    gain: np.ndarray,
    rate_hz: float,
    samples: int,
):
    """[wave, time]: each wave drawn once per event, at event + stretch x centre, stretch times as
    wide, times gain.

    Time 0 is sample 0; what falls outside is left out.
    """
    drawn = np.zeros((len(kind.centre_s), samples))
    slowest = float(np.max(stretch, initial=0.0))
    for wave, (centre, before, after) in enumerate(
        zip(kind.centre_s, kind.before_s, kind.after_s, strict=True)
    ):
        middle = (at_s + stretch * centre)[:, None] * rate_hz
        reach = np.array([-before, after]) * (REACH * slowest * rate_hz)
        index = np.round(middle).astype(np.int64) + np.arange(int(reach[0]) - 1, int(reach[1]) + 2)
        away = index - middle
        width = np.where(away < 0, before, after) * (stretch[:, None] * rate_hz)
        value = gain[:, None] * np.exp(-0.5 * (away / width) ** 2)
        inside = (index >= 0) & (index < samples)
        drawn[wave] = np.bincount(index[inside], value[inside], minlength=samples)
    return drawn


def once(kind: Waves, at_s: np.ndarray) -> np.ndarray:
    """The dipole of a single beat's waves at the given times, [time, 3] in mV."""
    away = np.asarray(at_s)[:, None] - kind.centre_s
    width = np.where(away < 0, kind.before_s, kind.after_s)
    return np.exp(-0.5 * (away / width) ** 2) @ kind.vector_mv


def areas(kind: Waves, field: np.ndarray) -> np.ndarray:
    """Net area under the waves in each of the twelve leads, mV s [12] (closed form)."""
    weight = np.sqrt(np.pi / 2) * (kind.before_s + kind.after_s)
    return to_twelve(weight @ kind.vector_mv @ field.T)


def frontal_axis(kind: Waves, field: np.ndarray) -> float:
    """The frontal axis in degrees, -180 to 180, from net areas in I and aVF (0 left, 90 to the
    feet).

    An augmented lead is smaller than a bipolar one by sqrt(3) / 2, which is made good.
    """
    area = areas(kind, field)
    return float(np.degrees(np.arctan2(area[5] * 2 / np.sqrt(3), area[0])))


def with_axis(kind: Waves, field: np.ndarray, degrees: float) -> Waves:
    """The waves turned about the z axis so that their frontal axis is `degrees`, or as near as
    turning can bring it.

    The net force v, turned by theta, lies on the axis phi where n . R(theta) v = 0, n = aVF' cos
    phi - I sin phi: a cos theta + b sin theta + c = 0, of whose two answers one points along the
    axis and one against it.
    """
    force = (kind.before_s + kind.after_s) @ kind.vector_mv
    of_i, of_ii = leads.LIMBS["aVF"]
    lead_i, lead_avf = field[0], (of_ii * field[1] + of_i * field[0]) * 2 / np.sqrt(3)
    phi = np.radians(degrees)
    normal = lead_avf * np.cos(phi) - lead_i * np.sin(phi)
    along = normal[:2] @ force[:2]
    across = normal[1] * force[0] - normal[0] * force[1]
    middle = np.arctan2(across, along)
    spread = np.arccos(np.clip(-normal[2] * force[2] / np.hypot(along, across), -1, 1))
    z = np.array([0.0, 0.0, 1.0])
    turned = [kind.turned(rotation(z, theta)) for theta in (middle - spread, middle + spread)]
    return min(turned, key=lambda one: abs((frontal_axis(one, field) - degrees + 180) % 360 - 180))


def bounds_s(kind: Waves) -> tuple[float, float]:
    """Where the waves begin and end: the dipole's magnitude passes EDGE of its largest value."""
    at = np.arange(-0.25, 0.25, 0.0005)
    size = np.linalg.norm(once(kind, at), axis=1)
    above = np.flatnonzero(size > EDGE * size.max())
    return float(at[above[0]]), float(at[above[-1]])


def with_duration(kind: Waves, duration_s: float) -> Waves:
    """The waves stretched in time so that they last `duration_s` from begin to end."""
    begin, end = bounds_s(kind)
    return kind.stretched(duration_s / (end - begin))


def extremes(
    kind: Waves, field: np.ndarray, begin_s: float, end_s: float
) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest value of one beat in each of the twelve leads between two times, mV [12]
    each."""
    beat_mv = to_twelve(once(kind, np.arange(begin_s, end_s, 0.002)) @ field.T)
    return beat_mv.min(axis=0), beat_mv.max(axis=0)

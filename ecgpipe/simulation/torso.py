"""What the leads of one chest see of the heart: Dower's lead field, in a chest of another build,
with electrodes off their places."""

import numpy as np

from ecgpipe.simulation import dipole

# By how much the chest leads V1 to V6 see less of the atria, which lie behind the ventricles, than
# Dower's field for a dipole in the middle of the heart says: set so that the median P wave of every
# lead is that of real recordings of sinus rhythm.
ATRIAL = np.array([1, 1, 0.85, 0.45, 0.36, 0.32, 0.33, 0.38])
# How much more or less than in Dower's field the chest leads see of the ventricles, measured so as
# well on the QRS.
CHEST = np.array([0.75, 0.88, 0.9, 0.97, 0.98, 1.03])
# The same of ST and T, beside what the leads see of the QRS: set so that the median T of every lead
# is that of real recordings of sinus rhythm with a narrow QRS.
RECOVERY = np.array([1.36, 0.98, 1.0, 1.37, 0.92, 0.71, 0.77, 1.05])
# One rib higher, an electrode of the chest (about 3 cm of 8 from the middle of the heart) sees the
# heart from about 20 degrees further up.
RIB_DEG = 20.0
# How much of a lead's size a source adds that lies away from the middle of the heart, by its usual
# displacement: set so that three components leave as much of a median QRS as in real recordings
# (-34 to -27 dB of its power; a single dipole alone leaves -45 to -38).
NEAR = 0.14


def lead_field(rng: np.random.Generator) -> np.ndarray:
    """Dower's matrix in another chest, [8, 3]: the heart turned a little, electrodes off their
    place, and fewer or more millivolts through a chest of another build."""
    field = dipole.DOWER @ dipole.random_tilt(rng, 9)
    chest = _lifted(rng, _shifted(rng, field[2:]))  # [6, 3]
    size = np.linalg.norm(chest, axis=1, keepdims=True)
    chest = chest + 0.08 * size * rng.standard_normal((6, 3))
    chest = chest * np.exp(rng.normal(0, 0.12) + rng.normal(0, 0.1, (6, 1)))
    # Fat and breasts lie over the left leads.
    chest[2:] *= np.exp(-abs(rng.normal(0, 0.12)))
    chest *= CHEST[:, None]
    limb = field[:2] + 0.05 * rng.standard_normal((2, 3))
    return np.concatenate([limb, chest])


def near_field(rng: np.random.Generator, field: np.ndarray) -> np.ndarray:
    """What the leads [8, 3] of a `field` see besides of a source away from the middle of the heart:
    nearer to some electrodes and farther from others, which a dipole that only turns is not."""
    size = np.linalg.norm(field, axis=1, keepdims=True)
    near = NEAR * np.exp(rng.normal(0, 0.35)) * size * rng.standard_normal(field.shape)
    near[:2] = 0  # the limbs are far from all of the heart, and the axis is read off their leads
    return near


def recovery_field(rng: np.random.Generator, field: np.ndarray) -> np.ndarray:
    """What the leads of a chest, [8, 3], see of its recovery: not quite from where it was excited,
    most of all right over the heart."""
    size = np.linalg.norm(field, axis=1, keepdims=True)
    own = np.array([0.05, 0.03, 0.18, 0.12, 0.07, 0.06, 0.05, 0.05])[:, None]
    return RECOVERY[:, None] * (field + own * size * rng.standard_normal((8, 3)))


def _shifted(rng: np.random.Generator, chest: np.ndarray) -> np.ndarray:
    """[6, 3]: electrodes moved towards the next one, all together and each by itself."""
    shift = np.clip(rng.normal(-0.12, 0.22) + rng.normal(0, 0.15, (6, 1)), -0.7, 0.7)  # of the way
    towards = np.where(shift > 0, np.roll(chest, -1, axis=0), np.roll(chest, 1, axis=0))
    towards[[0, -1]] = chest[[0, -1]]
    return (1 - np.abs(shift)) * chest + np.abs(shift) * towards


def _lifted(rng: np.random.Generator, chest: np.ndarray) -> np.ndarray:
    """[6, 3]: electrodes on a rib too high or too low. V1 and V2 lie too high in many recordings,
    the others too low or too high (Wenger and Kligfield 1996, doi:10.1016/S0022-0736(96)80080-X);
    how often is our choice."""
    ribs = rng.normal(0, 0.25, 6)
    ribs[:2] += (rng.random() < 0.25) + (rng.random() < 0.1)
    ribs[2:] += int(rng.random() < 0.1) - int(rng.random() < 0.12)
    return lifted(chest, ribs)


def lifted(chest: np.ndarray, ribs: np.ndarray) -> np.ndarray:
    """Lead vectors [6, 3] of electrodes of the chest, so many ribs [6] further up."""
    level = np.hypot(chest[:, 0], chest[:, 2])
    size = np.hypot(level, chest[:, 1])
    angle = np.arctan2(chest[:, 1], level) - np.radians(RIB_DEG) * ribs  # y points to the feet
    along = size * np.cos(angle) / level
    return np.stack([chest[:, 0] * along, size * np.sin(angle), chest[:, 2] * along], axis=1)

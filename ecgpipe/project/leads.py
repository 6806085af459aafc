"""The twelve standard leads: their names, the one order that ecgpipe keeps them in, and how they
follow from each other and from the electrodes.

Order and names follow the AHA/ACCF/HRS recommendation (Kligfield et al. 2007,
doi:10.1161/CIRCULATIONAHA.106.180200) and the headers of the PhysioNet/CinC Challenge 2021. The
algebra is that of its table 2: I = LA - RA, II = LL - RA and III = II - I (W. Einthoven 1913), each
augmented lead is one limb's electrode against the mean of the other two (E. Goldberger 1942), and
each chest lead is its electrode against the mean of all three limbs' (F. N. Wilson 1934).
"""

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
# The leads from which all twelve follow.
INDEPENDENT = ("I", "II", *LEADS[6:])
# Right arm, left arm, left leg, and the chest's, which are named as their leads.
ELECTRODES = ("RA", "LA", "LL", *LEADS[6:])

# Each limb lead as (times lead I, times lead II).
LIMBS = {
    "I": (1.0, 0.0),
    "II": (0.0, 1.0),
    "III": (-1.0, 1.0),
    "aVR": (-0.5, -0.5),
    "aVL": (1.0, -0.5),
    "aVF": (-0.5, 1.0),
}
# What can be computed where a recording lacks it, and how.
DERIVED = frozenset(LIMBS) - frozenset(INDEPENDENT)
LAWS = "III = II - I, aVR = -(I + II) / 2, aVL = I - II / 2, aVF = II - I / 2"

_CANONICAL = {name.lower(): name for name in LEADS}


def canonical(name: str) -> str | None:
    """The standard spelling of a lead name written in any case, or None where it is no standard
    lead.

    >>> canonical("AVR"), canonical("v6"), canonical("V7")
    ('aVR', 'V6', None)
    """
    return _CANONICAL.get(name.strip().lower())


def of_electrodes(lead: str) -> tuple[float, ...]:
    """[electrode] -> by how much each electrode's potential counts in a lead.

    >>> dict(zip(ELECTRODES, of_electrodes("aVR")))["RA"], sum(of_electrodes("V1"))
    (1.0, 0.0)
    """
    if lead in LIMBS:
        of_i, of_ii = LIMBS[lead]
        limbs = (0.0 - of_i - of_ii, of_i, of_ii)  # 0.0 - 0.0 is not the -0.0 that -(0.0) is
    else:
        limbs = (-1 / 3, -1 / 3, -1 / 3)
    return (*limbs, *(float(lead == electrode) for electrode in ELECTRODES[3:]))


def of_independent(lead: str) -> tuple[float, ...]:
    """[independent lead] -> by how much each of them counts in a lead.

    >>> of_independent("aVF")[:2]
    (-0.5, 1.0)
    """
    limbs = LIMBS.get(lead, (0.0, 0.0))
    return (*limbs, *(float(lead == chest) for chest in INDEPENDENT[2:]))

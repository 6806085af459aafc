"""The twelve standard leads: their names and the one order that ecgpipe keeps them in.

Order and names follow the AHA/ACCF/HRS recommendation (Kligfield et al. 2007,
doi:10.1161/CIRCULATIONAHA.106.180200) and the headers of the PhysioNet/CinC Challenge 2021.
"""

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")

_CANONICAL = {name.lower(): name for name in LEADS}


def canonical(name: str) -> str | None:
    """The standard spelling of a lead name written in any case, or None where it is no standard
    lead.

    >>> canonical("AVR"), canonical("v6"), canonical("V7")
    ('aVR', 'V6', None)
    """
    return _CANONICAL.get(name.strip().lower())

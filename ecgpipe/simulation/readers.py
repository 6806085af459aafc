"""Who reads a simulated recording: where a reader draws the line, and in which words.

Archives were labelled by many people and programs, whose limits and conventions differ. Each of
them decides, and so is every label of a recording decided by one reader: recordings between two
limits teach their order by how many readers name them.

Ranges are of published conventions where there are any: left axis deviation from -30 degrees
(Surawicz et al. 2009, doi:10.1161/CIRCULATIONAHA.108.191095) or, in the LUDB, from +29 down
(Kalyakulina et al. 2020, doi:10.1109/ACCESS.2020.3029211, measured by us on its recordings); normal
sinus rhythm from 60 a minute or from 50 (PTB-XL: Wagner et al. 2020,
doi:10.1038/s41597-020-0495-6, so measured), beside other findings (LUDB, PTB-XL) or only where
there is none (CPSC 2018 and others, counted). How often each is drawn is our choice.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Reader:
    """Limits and words of one reader; as given, those of the guidelines and textbooks that
    `shape_criteria` and `rhythm_criteria` name."""

    # Rhythm
    slow_bpm: float = 60.0  # sinus bradycardia below
    long_pr_s: float = 0.2
    arrhythmia_s: float = 0.14  # longest less shortest sinus interval
    normal_alone: bool = False  # a normal rhythm is named only where nothing else is found
    normal_swings: bool = False  # and beside sinus arrhythmia
    aberrant_is_ventricular: bool = False
    # Conduction and axis
    broad_s: float = 0.12  # a complete block
    slow_s: float = 0.11  # a disorder of conduction where there is no block
    late_r_mv: float = 0.07  # r' in V1 or V2: an incomplete right bundle branch block
    late_r_s: float = 0.09  # and the shortest QRS that it is named in
    incomplete_is_block: bool = False  # the general word beside narrower ones of incomplete blocks
    fascicular_deg: float = -45.0  # LAnFB from here on
    left_is_fascicular: bool = False  # whatever the shape
    left_deg: float = -30.0
    right_deg: float = 90.0
    # Shape
    low: float = 1.0  # times the limits of low voltage
    q: float = 1.0  # times the width and depth of an abnormal Q
    q_of_poor_r: bool = False  # no R in V2 and V3 is an abnormal Q, whatever the cause
    poor_r_mv: float = 0.3  # R in V3
    inverted: float = 1.0  # times the depth of an inverted T
    flat: float = 1.3  # times the height of a flat T
    inverted_is_abnormal: bool = False  # TAb is said beside TInv
    later_qtc_s: float = 0.0  # more than the limit of LQT
    by_bazett: bool = False  # QTc is Bazett's alone; else Fridericia's has to agree


STANDARD = Reader()


def draw_reader(rng: np.random.Generator) -> Reader:
    """One of the readers that archives have."""
    usual_axis, usual_rate = rng.random(2) < (0.66, 0.5)
    alone, swings, aberrant, incomplete = rng.random(4) < (0.5, 0.2, 0.5, 0.3)
    fascicular, no_r, abnormal, bazett = rng.random(4) < (0.45, 0.25, 0.4, 0.25)
    return Reader(
        slow_bpm=60.0 if usual_rate else rng.uniform(50, 60),
        long_pr_s=rng.uniform(0.19, 0.215),
        arrhythmia_s=rng.uniform(0.115, 0.15),
        normal_alone=bool(alone),
        normal_swings=bool(swings and not alone),
        aberrant_is_ventricular=bool(aberrant),
        broad_s=rng.uniform(0.115, 0.125),
        slow_s=rng.uniform(0.098, 0.118),
        late_r_mv=float(np.exp(rng.uniform(np.log(0.03), np.log(0.13)))),
        late_r_s=rng.uniform(0.075, 0.1),
        incomplete_is_block=bool(incomplete),
        fascicular_deg=-45.0 if rng.random() < 0.5 else rng.uniform(-45, -30),
        left_is_fascicular=bool(fascicular),
        left_deg=rng.normal(-30, 6) if usual_axis else rng.uniform(-30, 28),
        right_deg=max(90.0, rng.normal(94, 7)),
        low=rng.uniform(0.85, 1.15),
        q=rng.uniform(0.8, 1.3),
        q_of_poor_r=bool(no_r),
        poor_r_mv=rng.uniform(0.2, 0.42),
        inverted=float(np.exp(rng.uniform(np.log(0.6), np.log(1.6)))),
        flat=float(np.exp(rng.uniform(np.log(0.75), np.log(1.9)))),
        inverted_is_abnormal=bool(abnormal),
        later_qtc_s=rng.uniform(-0.012, 0.012),
        by_bazett=bool(bazett),
    )

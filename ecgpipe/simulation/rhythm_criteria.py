"""The definitions of rhythms and of premature beats, applied to when a simulated heart beats.

Rates and intervals: sinus rhythm 60 to 100 a minute, PR longer than 0.2 s (Kusumoto et al. 2019,
doi:10.1161/CIR.0000000000000628); sinus arrhythmia: sinus intervals that differ by more than
0.12 to 0.16 s by author (0.16 s: Surawicz and Knilans, Chou's Electrocardiography, 6th edition).
Where a reader draws these lines stands in `simulation.readers`.
"""

import numpy as np

from ecgpipe.simulation.findings import BLOCKED, Findings
from ecgpipe.simulation.readers import STANDARD, Reader
from ecgpipe.simulation.rhythm import ABERRANT, ECTOPIC, VENTRICULAR_RHYTHM, Beats
from ecgpipe.simulation.rhythm import VENTRICULAR as FIRST_SHAPE
from ecgpipe.simulation.rhythm import VENTRICULAR_2 as SECOND_SHAPE

FAST_BPM = 100.0
OF_SINUS = {"NSR", "SB", "STach", "SA"}


def mean_rr_s(beats: Beats, begin_s: float, end_s: float) -> float:
    """The mean interval of the beats from `begin_s` to `end_s`, or of all where fewer than two are
    seen."""
    seen_s = beats.qrs_s[(beats.qrs_s > begin_s) & (beats.qrs_s < end_s)]
    times_s = seen_s if len(seen_s) > 1 else beats.qrs_s
    return float((times_s[-1] - times_s[0]) / (len(times_s) - 1))


def is_conducted(beats: Beats, begin_s: float, end_s: float) -> np.ndarray:
    """Whether each beat seen is none of the ventricles' or a pacemaker's own rhythm [beat]."""
    seen = (beats.qrs_s > begin_s) & (beats.qrs_s < end_s)
    return beats.conducted[seen] != VENTRICULAR_RHYTHM


def decide(
    findings: Findings, beats: Beats, begin_s: float, end_s: float, reader: Reader = STANDARD
) -> tuple[set[str], set[str]]:
    """Labels of rhythm and of premature beats that are present by a reader, and those
    undecided."""
    bpm = 60 / mean_rr_s(beats, begin_s, end_s)
    present, open_ = _rhythm(findings, beats, begin_s, end_s, reader)
    if bpm < reader.slow_bpm:
        (open_ if findings.pacing else present).add("Brady")
    kinds = beats.conducted[(beats.qrs_s > begin_s + 0.1) & (beats.qrs_s < end_s - 0.1)]
    if np.isin(kinds, (FIRST_SHAPE, SECOND_SHAPE)).any():
        present.add("PVC")
    elif (kinds == ABERRANT).any():
        if reader.aberrant_is_ventricular:
            present.add("PVC")
    elif findings.rhythm == "idioventricular" and (kinds != 0).any():
        open_.add("PVC")
    return present, open_


def _rhythm(
    findings: Findings, beats: Beats, begin_s: float, end_s: float, reader: Reader
) -> tuple[set[str], set[str]]:
    """Labels of the rhythm that are present, and those undecided."""
    rhythm = findings.rhythm
    if rhythm in ("AF", "AFL"):
        return {rhythm}, set()
    if rhythm == "paced":
        return {"PR"}, OF_SINUS | {"IAVB", "LPR"} | (set() if len(beats.p_s) else {"AF"})
    if rhythm in BLOCKED:  # the sinus node beats, but archives differ in whether they say so
        return set(), OF_SINUS | (set() if rhythm == "complete" else {"IAVB", "LPR"})
    if rhythm == "AT":
        return set(), {"STach", "PAC"}
    if rhythm == "SVT":
        return set(), {"STach"}
    if rhythm in ("junctional", "idioventricular"):
        return set(), set()
    return _sinus(findings, beats, begin_s, end_s, reader)


def _sinus(
    findings: Findings, beats: Beats, begin_s: float, end_s: float, reader: Reader
) -> tuple[set[str], set[str]]:
    """Labels of sinus rhythm. Sinus arrhythmia stands beside bradycardia; whether also beside
    normal sinus rhythm is the reader's choice."""
    seen = (beats.p_s > begin_s) & (beats.p_s < end_s - 0.3)
    p_s, ectopic = beats.p_s[seen], beats.origin[seen] == ECTOPIC
    present = {"IAVB", "LPR"} if findings.pr_s > reader.long_pr_s else set()
    if ectopic.any():
        present.add("PAC")
    sinus_s = np.diff(p_s)[~ectopic[:-1] & ~ectopic[1:]]
    # A ventricular beat leaves a pause of two intervals, which is no arrhythmia of the sinus node.
    single_s = sinus_s[sinus_s < 1.6 * 60 / findings.rate_bpm]
    differ_s = np.ptp(single_s) if len(single_s) > 2 else 0.0
    if differ_s > reader.arrhythmia_s:
        present.add("SA")
    if findings.rate_bpm < reader.slow_bpm:
        present.add("SB")
    elif findings.rate_bpm > FAST_BPM:
        present.add("STach")
    elif "SA" not in present or reader.normal_swings:
        present.add("NSR")
    return present, set()

"""When a pacemaker beats, by its mode (NASPE/BPEG code, Bernstein et al. 2002,
doi:10.1046/j.1460-9592.2002.00260.x).

- AAI: the atrium is paced, the ventricles follow by themselves
- VVI: the ventricle is paced unless it beats before; the atria go their own way or fibrillate
  (VVI AF)
- VAT: each sinus P is followed by a paced ventricle; CRT: by both ventricles
- DDD: atrium and ventricle are paced one after the other
"""

import numpy as np

from ecgpipe.simulation.findings import Findings
from ecgpipe.simulation.rhythm import (
    ECTOPIC,
    NORMAL,
    SHORTEST_RR_S,
    SINUS,
    VENTRICULAR_RHYTHM,
    Beats,
    sinus_intervals,
)


def paced(rng: np.random.Generator, findings: Findings, seconds: float) -> Beats:
    """The beats of a paced rhythm."""
    if findings.pacing in ("VVI", "VVI AF"):
        return _on_demand(rng, findings, seconds)
    if findings.pacing in ("VAT", "CRT"):
        intervals_s = sinus_intervals(rng, findings.rate_bpm, seconds, findings.swing_s, 0.01)
    else:
        count = int(seconds * findings.rate_bpm / 60) + 4
        intervals_s = np.full(count, 60 / findings.rate_bpm)
    p_s = np.cumsum(intervals_s) - intervals_s[0] * (1 + rng.random())
    atrial = findings.pacing in ("AAI", "DDD")
    if findings.pacing == "AAI":
        qrs_s = p_s + findings.pr_s + 0.003 * rng.standard_normal(len(p_s))
        kind = NORMAL
    else:
        qrs_s = p_s + rng.uniform(0.12, 0.20)
        kind = VENTRICULAR_RHYTHM
    return Beats(
        qrs_s,
        np.full(len(qrs_s), kind),
        p_s,
        np.full(len(p_s), ECTOPIC if atrial else SINUS),
        spike_s=p_s - 0.005 if atrial else np.zeros(0),
    )


def _on_demand(rng: np.random.Generator, findings: Findings, seconds: float) -> Beats:
    """VVI: the pacemaker waits its interval and beats where the heart did not."""
    interval_s = 60 / findings.rate_bpm
    count = int(seconds / interval_s * 2) + 6
    if findings.pacing == "VVI AF":
        mean_s = interval_s * rng.uniform(1.0, 2.2)
        own_s = np.maximum(mean_s * rng.gamma(16, 1 / 16, count), SHORTEST_RR_S)
        p_s = np.zeros(0)
    else:
        # The heart's own beats come in a stretch, if at all.
        own_s = np.full(count, 2 * interval_s)
        if rng.random() < 0.25:
            begin = int(rng.integers(0, count // 2))
            own_s[begin : begin + int(rng.integers(2, 7))] = interval_s * rng.uniform(0.8, 0.97)
        sinus_s = sinus_intervals(
            rng, findings.rate_bpm * rng.uniform(0.6, 1.3), seconds, 0.05, 0.01
        )
        p_s = np.cumsum(sinus_s) - rng.uniform(1, 2) * sinus_s[0]
    is_own = own_s < interval_s
    qrs_s = np.cumsum(np.minimum(own_s, interval_s)) - interval_s * rng.uniform(1, 2)
    kind = np.where(is_own, NORMAL, VENTRICULAR_RHYTHM)
    if len(p_s):  # what the heart beats by itself follows a P wave, and no other P is near it
        own_at_s = qrs_s[is_own] - findings.pr_s
        near = np.abs(p_s[:, None] - own_at_s).min(axis=1, initial=np.inf) < 0.4
        p_s = np.sort(np.concatenate([p_s[~near], own_at_s]))
    return Beats(qrs_s, kind, p_s, np.full(len(p_s), SINUS))

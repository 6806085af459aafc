"""Labels against the clean signal, measured afresh."""

import numpy as np
import pytest

from ecgpipe.diagnoses import classes
from ecgpipe.project.leads import LEADS
from ecgpipe.simulation import label_criteria
from ecgpipe.simulation.findings import draw_findings
from ecgpipe.simulation.readers import STANDARD, Reader
from ecgpipe.simulation.recording import simulate_recording


def clean(seed, rhythm="NSR", reader=STANDARD, **wanted):
    rng = np.random.default_rng(seed)
    calm = {
        "premature": 0,
        "ventricular": 0,
        "conduction": "normal",
        "repolarisation": "normal",
        "extra": "none",
        "infarct": "",
        "dextrocardia": False,
        "low_voltage": "",
        "swing_s": 0.0,
        "pr_s": 0.15,
        "axis": 40.0,
    }
    findings = draw_findings(rng, rhythm, **(calm | wanted))
    return simulate_recording(rng, findings=findings, clean=True, reader=reader)


def beat(recording, before_s=0.06, after_s=0.09):
    """The median beat around the R-peaks, less its first sample, [time, 12]."""
    around = np.arange(-round(before_s * 500), round(after_s * 500))
    at = [round(peak * 500) + around for peak in recording.peaks_s if before_s + 0.1 < peak < 9.5]
    middle = np.median([recording.signal_mv[index] for index in at], axis=0)
    return middle - middle[0]


@pytest.mark.parametrize(
    "rate, label",
    [(45, "SB"), (59, "SB"), (61, "NSR"), (99, "NSR"), (101, "STach"), (140, "STach")],
)
def test_the_rate_decides_the_sinus_rhythm(rate, label):
    recording = clean(3, rhythm=label, rate_bpm=float(rate))
    assert label in recording.labels
    assert 60 / np.diff(recording.peaks_s).mean() == pytest.approx(rate, rel=0.03)


@pytest.mark.parametrize(
    "degrees, label",
    [(-75, "LAD"), (-35, "LAD"), (-20, None), (40, None), (85, None), (95, "RAD"), (150, "RAD")],
)
def test_the_axis_label_agrees_with_net_qrs_areas_of_the_signal(degrees, label):
    for seed in range(4):
        recording = clean(seed, axis=float(degrees), pr_s=0.19)
        qrs = beat(recording, 0.06, 0.07)
        area = (qrs - np.linspace(0, 1, len(qrs))[:, None] * qrs[-1]).sum(
            axis=0
        )  # ST begins where QRS ends
        shown = np.degrees(np.arctan2(area[5] * 2 / np.sqrt(3), area[0]))
        assert abs((shown - degrees + 180) % 360 - 180) < 12
        assert {label} - {None} == {"LAD", "RAD"} & set(recording.labels)


def test_low_voltage_is_low_in_the_signal_and_else_is_not():
    for seed in range(10):
        span = np.ptp(beat(clean(seed, low_voltage="limb")), axis=0)
        assert span[:6].max() < 0.52
        assert "LQRSV" in clean(seed, low_voltage="limb").labels
        assert "LQRSV" not in clean(seed).labels
        assert "LQRSV" in clean(seed, low_voltage="chest").labels
        assert np.ptp(beat(clean(seed)), axis=0)[:6].max() > 0.5


def test_bundle_branch_blocks_are_broad_and_point_where_they_should():
    for seed in range(10):
        right, left = clean(seed, conduction="RBBB"), clean(seed, conduction="LBBB")
        assert "RBBB" in right.labels and "LBBB" in left.labels
        late = beat(right)[round(0.10 * 500) : round(0.13 * 500)].mean(axis=0)
        assert late[LEADS.index("V1")] > 0.05 > late[LEADS.index("V6")]
        net = beat(left).sum(axis=0)
        assert net[LEADS.index("V1")] < 0 < net[LEADS.index("V6")]


def test_fascicular_block_brings_left_axis_and_upright_avl():
    for seed in range(8):
        recording = clean(seed, conduction="LAnFB", axis=-60.0)
        assert {"LAnFB", "LAD"} <= set(recording.labels)
        net = beat(recording).sum(axis=0)
        assert net[LEADS.index("aVL")] > 0 > net[LEADS.index("aVF")]


def test_inverted_t_is_negative_in_the_signal():
    names = {"inferior": ["II", "aVF"], "anterior": ["V2", "V3"], "lateral": ["V5", "V6"]}
    for region, leads in names.items():
        for seed in range(4):
            recording = clean(seed, repolarisation=region, rate_bpm=65.0)
            if "TInv" not in recording.labels:
                continue
            t_wave = beat(recording, 0.06, 0.45)[round(0.28 * 500) : round(0.40 * 500)].mean(axis=0)
            assert (t_wave[[LEADS.index(lead) for lead in leads]] < 0).any()
    labelled = [
        label for seed in range(20) for label in clean(seed, repolarisation="anterior").labels
    ]
    assert labelled.count("TInv") >= 15


def test_flat_t_is_abnormal_and_healthy_t_mostly_is_not():
    def abnormal(**wanted):
        reader = Reader(flat=1.25)
        return sum("TAb" in clean(seed, reader=reader, **wanted).labels for seed in range(40))

    assert abnormal(repolarisation="flat") >= 22 and abnormal() <= 7


def test_long_pr_belongs_to_sinus_rhythm_only():
    assert {"IAVB", "LPR"} <= set(clean(1, pr_s=0.24).labels)
    assert "IAVB" not in clean(1, pr_s=0.18).labels
    fibrillating = set(clean(1, rhythm="AF", pr_s=0.24, rate_bpm=90.0).labels)
    assert "AF" in fibrillating and fibrillating.isdisjoint({"IAVB", "LPR"})


def test_sinus_arrhythmia_takes_the_place_of_normal_rhythm_and_stands_beside_bradycardia():
    normal = clean(2, swing_s=0.4, rate_bpm=70.0).labels
    slow = clean(2, rhythm="SB", swing_s=0.4, rate_bpm=50.0).labels
    assert "SA" in normal and "NSR" not in normal
    assert {"SB", "SA", "Brady"} <= set(slow) and "NSR" not in slow


def test_a_reader_who_names_a_normal_rhythm_alone_does_so_beside_nothing_else():
    alone = Reader(normal_alone=True)
    assert clean(1, reader=alone, rate_bpm=75.0).labels == ("NSR",)
    beside = clean(1, pr_s=0.24, rate_bpm=75.0).labels
    assert beside[0] == "NSR" and {"IAVB", "LPR"} <= set(beside)
    assert clean(1, pr_s=0.24, rate_bpm=75.0, reader=alone).labels == beside[1:]


def test_premature_beats_are_labelled_by_where_they_come_from():
    atrial = clean(1, premature=2, atrial_pattern="single").labels
    ventricular = clean(1, ventricular=2, ventricular_pattern="single").labels
    assert {"NSR", "PAC"} <= set(atrial) and "PVC" not in atrial
    assert {"NSR", "PVC"} <= set(ventricular) and "PAC" not in ventricular


def test_every_class_of_the_challenge_has_its_criteria():
    official = {code for diagnosis in classes.select("official") for code in diagnosis.codes}
    heads = {diagnosis.abbreviation.split("|")[-1] for diagnosis in classes.select("official")}
    assert len(label_criteria.CODES) == len(heads) == 26
    assert set(label_criteria.CODES.values()) <= official


def test_what_is_present_is_decided():
    for seed in range(40):
        rng = np.random.default_rng(seed)
        recording = simulate_recording(rng, rate_hz=100, clean=True)
        assert not set(recording.labels) & set(recording.undecided)


@pytest.mark.parametrize("mode", ["VVI", "VVI AF", "VAT", "DDD", "CRT", "AAI"])
def test_a_pacemaker_is_labelled_and_the_shape_of_its_beats_is_not(mode):
    recording = clean(2, rhythm="paced", rate_bpm=70.0, pacing=mode)
    assert "PR" in recording.labels and "NSR" in recording.undecided
    if mode != "AAI":
        assert recording.labels == ("PR",) and "LAD" in recording.undecided

"""Every promise of every augmentation, held on random recordings."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgpipe import augmenting, contracts, dataset, diagnoses
from tests.test_augmenting import WHOLE, augmenter, recordings, switched

IDS = {"ids": lambda value: value if isinstance(value, str) else "+".join(value.values())}
CASES = [
    *((name, {}) for name in contracts.CONTRACTS),
    ("star", {"star_how": "published"}),
    ("triangle", {"triangle_per": "lead"}),
    ("lead_dropout", {"lead_dropout_how": "sets"}),
]
MV = 1e-4


class Seen:
    """One augmentation of random recordings, taken apart: the map, what was read, and the batch."""

    def __init__(self, name, options, seed):
        self.data = recordings(count=8, seed=seed)
        self.settings = switched(name, **options)
        self.engine = augmenter(self.data, self.settings, seed=seed)
        rows = torch.arange(8)
        draws = augmenting.Draws(self.data.keys, seed, 0)
        self.tau = self.engine._time(rows, draws)[0]
        self.read = dataset.gather(self.data, rows, self.tau)[0].transpose(1, 2)
        self.batch = self.engine.batch(rows, 0)
        self.peaks = [row[row < dataset.NO_PEAK].numpy() for row in self.data.peaks_of(rows, self.data.most_peaks())]
        self.contract = contracts.contract(name, self.settings)

    def found(self, row):
        """Where the R-peaks of a recording stand in the batch, by the inverse of the time map; NaN where they left."""
        tau = self.tau[row].numpy()
        order = np.argsort(tau)
        return np.interp(self.peaks[row], tau[order], np.arange(WHOLE)[order], left=np.nan, right=np.nan)


def holds(seen, promise):
    """Whether a promise is kept by what was seen."""
    if promise == "R-peaks":
        return all(np.abs(seen.tau[row].numpy()[peaks] - peaks).max() < 1e-9 for row, peaks in enumerate(seen.peaks))
    if promise == "RR":
        pairs = [(seen.found(row), peaks) for row, peaks in enumerate(seen.peaks)]
        return all(np.nanmax(np.abs(np.diff(found) - np.diff(peaks))) < 1e-6 for found, peaks in pairs)
    if promise == "algebra":
        one, two, three = seen.batch[:, :3].unbind(1)
        return float((three - (two - one)).abs().max()) < MV
    if promise == "polarity":
        return not bool((seen.batch * seen.read < 0).any())
    if promise == "amplitude":
        return bool(torch.allclose(seen.batch.abs(), seen.read.abs(), atol=1e-6))
    assert promise == "span"
    ends = torch.stack([seen.tau.amin(dim=1), seen.tau.amax(dim=1)])
    return bool(torch.allclose(ends, torch.tensor([[0.0], [WHOLE - 1.0]]).double()))


@pytest.mark.parametrize(("name", "options"), CASES, **IDS)
@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_what_is_promised_is_kept(name, options, seed):
    seen = Seen(name, options, seed)
    broken = [promise for promise in seen.contract.keeps if not holds(seen, promise)]
    assert not broken


@pytest.mark.parametrize(("name", "options"), CASES, **IDS)
def test_what_is_not_promised_is_broken_in_fact(name, options):
    # Else the table were too modest, or the checks above blind. (A crop needs a longer recording to move R-peaks.)
    seen = [Seen(name, options, seed) for seed in range(12)]
    others = set(contracts.PROMISES) - seen[0].contract.keeps - ({"R-peaks"} if name == "crop" else set())
    kept = [promise for promise in others if all(holds(one, promise) for one in seen)]
    assert not kept


@pytest.mark.parametrize("name", ["stretch", "sine_resample", "linear_resample", "triangle_resample", "star"])
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_time_never_runs_backwards(name, seed):
    assert (Seen(name, {}, seed).tau.diff(dim=1) > 0).all()


def test_every_switch_has_a_contract_and_every_code_is_a_class_of_ours():
    assert set(augmenting.SWITCHES) == set(contracts.CONTRACTS)
    fields = augmenting.Params.model_fields
    assert all(name in fields for name in augmenting.SWITCHES)
    known = {code for one in diagnoses.classes("official", merge_ectopics=True) for code in one.codes}
    assert {code for one in contracts.every() for code in one.codes} <= known
    merged = {frozenset(one.codes) for choice in ("official", "study") for one in diagnoses.classes(choice)}
    for codes in contracts.CODES.values():  # whichever of equivalent codes heads a column, it is found
        assert all(not (group & set(codes)) or group <= set(codes) | {"164947007", "270492004"} for group in merged)


def test_the_classes_that_an_augmentation_may_break_are_those_of_the_literature():
    breaks = {name: set(contract.breaks) for name, contract in contracts.CONTRACTS.items()}
    duration, rhythm = {"SB", "STach", "Brady", "IAVB", "LPR", "LQT"}, {"AF", "SA", "PAC", "PVC"}
    assert breaks["stretch"] == duration
    assert breaks["linear_resample"] == breaks["sine_resample"] == duration | rhythm
    assert "LQRSV" in breaks["triangle"]
    assert breaks["lead_dropout"] >= {"LAD", "RAD", "LAnFB", "PRWP"}
    assert breaks["amplitude_flip"] >= {"TInv", "QAb", "LAD", "RAD"}
    assert breaks["star"] == {"IAVB", "LPR", "LQT"}


def test_the_committed_table_is_the_one_made_from_code():
    page = (Path(__file__).parents[1] / "plots/augmentations/README.md").read_text(encoding="utf-8")
    assert contracts.table() in page

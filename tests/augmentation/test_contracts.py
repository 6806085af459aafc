"""Every promise of every augmentation, held on random recordings of any length, with any number of
R-peaks."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgpipe.augmentation import all_augmentations, contracts
from ecgpipe.augmentation.all_augmentations import AUGMENTATIONS, BY_NAME
from ecgpipe.augmentation.random_draws import RandomStreams
from ecgpipe.dataset import examples
from ecgpipe.diagnoses import classes
from tests.fixtures.augmented_batches import augmenter, switched

CASES = [
    *((name, {}) for name in BY_NAME),
    *(
        (augmentation.name, {f"{augmentation.name}_{variant.setting}": variant.value})
        for augmentation in AUGMENTATIONS
        for variant in augmentation.variants
    ),
]
IDS = {"ids": lambda value: value if isinstance(value, str) else "+".join(value.values())}
COUNT, MV = 6, 1e-4


@dataclass(frozen=True)
class Seen:
    """One augmentation of random recordings, taken apart: the map, what numpy reads there, and the
    batch."""

    stored: np.ndarray  # [recording, time, lead] in mV
    peaks: list[np.ndarray]
    tau: np.ndarray
    read: np.ndarray  # [recording, lead, time]
    batch: np.ndarray
    contract: contracts.Contract

    def found(self, row):
        """Where the R-peaks of a recording stand in the batch, by the inverse of the time map; NaN
        where they left."""
        order = np.argsort(self.tau[row])
        place = np.arange(self.tau.shape[1])[order]
        return np.interp(self.peaks[row], self.tau[row][order], place, left=np.nan, right=np.nan)


def see(name, options, seed, samples=1000, window=1000, beats=9):
    """Recordings in whole even microvolts, so that the lead algebra holds exactly in the store."""
    rng = np.random.default_rng(seed)
    one, two = 2 * rng.integers(-500, 500, (2, COUNT, samples, 1))
    limb = [one, two, two - one, -(one + two) // 2, one - two // 2, two - one // 2]
    stored = np.concatenate([*limb, rng.integers(-1000, 1000, (COUNT, samples, 6))], axis=2).astype(
        np.int16
    )
    peaks = [
        np.sort(rng.choice(np.arange(samples), min(beats, samples), replace=False))
        for _ in range(COUNT)
    ]
    data = examples.of_signals(
        list(stored), np.full(COUNT, 50.0), np.full(COUNT, "F"), rate_hz=100, classes=3
    )
    number = np.array([len(row) for row in peaks])
    data = replace(
        data,
        peaks=torch.from_numpy(np.concatenate(peaks)),
        peak_place=torch.from_numpy(np.stack([np.cumsum(number) - number, number], axis=1)),
        keys=torch.from_numpy(rng.integers(0, 2**62, COUNT)),
    )
    chosen = switched(name, **options)
    engine, rows = augmenter(data, chosen, seed=seed, window=window), torch.arange(COUNT)
    tau = engine.time_map(rows, RandomStreams(data.keys, seed, 0))[0].numpy()
    stored, time, read = stored / 1000, np.arange(samples), []
    for position, signal_mv in zip(tau.round(9), stored, strict=True):
        read.append([np.interp(position, time, lead, 0, 0) for lead in signal_mv.T])
    batch = engine.batch(rows, 0).numpy()
    return Seen(stored, peaks, tau, np.array(read), batch, BY_NAME[name].contract_of(chosen))


def holds(seen, promise):
    """Whether a promise is kept by what was seen."""
    window = seen.tau.shape[1]
    if promise == "R-peaks":
        inside = [peaks[peaks < window] for peaks in seen.peaks]
        return all(
            np.abs(seen.tau[row][peaks] - peaks).max(initial=0) < 1e-9
            for row, peaks in enumerate(inside)
        )
    if promise == "RR":
        pairs = [np.diff(seen.found(row)) - np.diff(peaks) for row, peaks in enumerate(seen.peaks)]
        return all(np.abs(one[np.isfinite(one)]).max(initial=0) < 1e-6 for one in pairs)
    if promise == "algebra":
        one, two, three, right, left, foot = np.moveaxis(seen.batch[:, :6].astype(float), 1, 0)
        residuals = [
            three - (two - one),
            right + (one + two) / 2,
            left - (one - two / 2),
            foot - (two - one / 2),
        ]
        return np.abs(residuals).max() < MV
    if promise == "polarity":
        return not (seen.batch * seen.read < -1e-9).any()
    if promise == "amplitude":
        return np.allclose(np.abs(seen.batch), np.abs(seen.read), atol=1e-5)
    assert promise == "span"
    ends = np.stack([seen.tau.min(axis=1), seen.tau.max(axis=1)])
    return np.allclose(ends, [[0.0], [seen.stored.shape[1] - 1.0]])


@pytest.mark.parametrize(("name", "options"), CASES, **IDS)
@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    samples=st.sampled_from([80, 700, 1000, 2500]),
    beats=st.integers(0, 12),
)
def test_what_is_promised_is_kept(name, options, seed, samples, beats):
    seen = see(name, options, seed, samples, 1000, beats)
    promised = set(seen.contract.keeps)
    if samples != 1000:  # the span is promised of a window over the whole recording
        promised -= {"span"}
    broken = [promise for promise in promised if not holds(seen, promise)]
    assert not broken


@pytest.mark.parametrize(("name", "options"), CASES, **IDS)
def test_what_is_not_promised_is_broken_in_fact(name, options):
    # Else the table were too modest, or the checks above blind. A crop needs a longer recording to
    # move R-peaks.
    seen = [
        see(name, options, seed, samples=1500 if name == "crop" else 1000) for seed in range(12)
    ]
    others = set(contracts.PROMISES) - seen[0].contract.keeps
    kept = [promise for promise in others if all(holds(one, promise) for one in seen)]
    assert not kept


@pytest.mark.parametrize(
    "name", ["sine_resample", "linear_resample", "triangle_resample", "stretch", "star"]
)
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_time_never_runs_backwards_alone_or_with_the_other_warps(name, seed):
    warps = ["sine_resample", "linear_resample", "triangle_resample", "stretch", "star"]
    widest = {
        "stretch_scale": 2.0,
        "linear_resample_low": 0.51,
        "linear_resample_high": 3.0,
        "triangle_resample_low": 0.51,
        "triangle_resample_high": 3.0,
        "sine_resample_shift_high_s": 0.5,
        "star_warp": 0.95,
    }
    assert (np.diff(see(name, widest, seed).tau, axis=1) > 0).all()
    together = dict.fromkeys(set(warps) - {name}, True)
    assert (np.diff(see(name, widest | together, seed).tau, axis=1) > 0).all()


def test_every_code_is_a_class_of_ours():
    known = {code for one in classes.select("official", merge_ectopics=True) for code in one.codes}
    broken = {code for _, contract in all_augmentations.contracts() for code in contract.codes}
    assert broken <= known <= contracts.KNOWN


def test_whichever_of_equivalent_codes_heads_a_column_it_is_found():
    merged = {
        frozenset(one.codes) for choice in ("official", "study") for one in classes.select(choice)
    }
    prolonged_pr = {"164947007", "270492004"}  # one class in the study, two in the contracts
    for codes in contracts.CODES.values():
        groups = [group for group in merged if group & set(codes)]
        assert all(group <= set(codes) | prolonged_pr for group in groups)


def test_the_classes_that_an_augmentation_may_break_are_those_of_the_literature():
    breaks = {name: set(augmentation.contract.breaks) for name, augmentation in BY_NAME.items()}
    published = BY_NAME["star"].contract_of(switched(star_how="published"))
    duration, rhythm = {"SB", "STach", "Brady", "IAVB", "LPR", "LQT"}, {"AF", "SA", "PAC", "PVC"}
    assert breaks["stretch"] >= duration
    assert breaks["linear_resample"] == breaks["sine_resample"] == breaks["stretch"] | rhythm
    assert all("LQRSV" in breaks[name] for name in ("triangle", "multiply_sine", "multiply_linear"))
    assert "LQRSV" in published.breaks
    assert breaks["lead_dropout"] >= {"LAD", "RAD", "LAnFB", "PRWP"}
    assert breaks["amplitude_flip"] >= {"TInv", "QAb", "LAD", "RAD"}
    assert breaks["star"] >= {"IAVB", "LPR", "LQT"}
    assert not breaks["star"] & rhythm

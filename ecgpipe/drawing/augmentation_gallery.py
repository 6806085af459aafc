"""The page of all augmentations: what each keeps and may break, and each on one recording, on ECG
paper."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ecgpipe.augmentation import augmenter, contracts
from ecgpipe.augmentation.params import AugmentParams
from ecgpipe.dataset import examples
from ecgpipe.drawing import ecg_paper
from ecgpipe.preprocessing import bandpass, r_peaks, store_writer
from ecgpipe.preprocessing.params import PreprocessParams
from ecgpipe.project import atomic, params
from ecgpipe.project.leads import LEADS
from ecgpipe.recordings.recording import read
from ecgpipe.report import style, templates
from ecgpipe.simulation.findings import draw_findings
from ecgpipe.simulation.recording import simulate_recording

TEMPLATE = Path(__file__).with_name("augmentations.md.j2")
SIMULATED = "a simulated recording"
SHOWN = ("II", "V1", "V5")
WINDOW_S = 8.0
DPI = 90
DRAWS = 20
PLAIN = {"star_how": "beatwise", "triangle_per": "recording", "lead_dropout_how": "leads"}
DOES = {
    "crop": "`augment.crop`: a window somewhere in the recording; a shorter recording lies anywhere in its window.",
    "jitter": "`augment.jitter`: the window moves by up to `jitter_s`, beyond the ends too, where zeros stand.",
    "roll": "`augment.roll`: the window begins up to `roll_s` later or earlier; what leaves one end enters the other.",
    "stretch": "`augment.stretch`: slower or faster as a whole, by up to `stretch_scale`.",
    "sine_resample": "`augment.sine_resample`: time swings slower and faster, read at t + s sin(2 pi f t).",
    "linear_resample": "`augment.linear_resample`: time runs ever faster, or ever slower, from end to end.",
    "triangle_resample": "`augment.triangle_resample`: the same up to the middle, and mirrored from there on.",
    "star": "`augment.star`: what lies between two R-peaks moves and grows or shrinks a little (arXiv:2510.24740, in a "
    "form that keeps every R-peak).",
    "star_published": "`augment.star` with `star_how: published`: beats get other lengths and sizes, as in the code "
    "released with the paper; no draws.",
    "triangle": "`augment.triangle`: a gain from 1 to a drawn size at a drawn moment and back to 1.",
    "triangle_per_lead": "`augment.triangle` with `triangle_per: lead`: another one for each lead, as first published.",
    "multiply_sine": "`augment.multiply_sine`: a gain that swings about 1.",
    "multiply_linear": "`augment.multiply_linear`: a gain from 1 at the start to a drawn size at the end.",
    "noise": "`augment.noise`: white noise of the electrodes, at a drawn ratio to the signal.",
    "wander": "`augment.wander`: three slow sines of the electrodes: breathing, movement.",
    "hum": "`augment.hum`: one sine of the electrodes at the frequency of the mains.",
    "notch": "`augment.notch`: a narrow band is taken out.",
    "lead_dropout": "`augment.lead_dropout`: each lead falls silent with probability `lead_dropout_share`, never all.",
    "lead_dropout_sets": "`augment.lead_dropout` with `lead_dropout_how: sets`: six, four, three or two leads stay, "
    "the reduced sets of the CinC Challenge 2021.",
    "time_flip": "`augment.time_flip`: backwards. Published, and of no use to an ECG.",
    "amplitude_flip": "`augment.amplitude_flip`: upside down. Likewise.",
}
VARIANTS = {
    "star_published": ("star", "star_how", "published"),
    "triangle_per_lead": ("triangle", "triangle_per", "lead"),
    "lead_dropout_sets": ("lead_dropout", "lead_dropout_how", "sets"),
}


def write(folder: Path, values: Mapping[str, Any], file: Path | None = None) -> list[str]:
    """Writes README.md and a PNG per augmentation into `folder`; the names of the augmentations.

    Each acts with the settings in `values`, those of a whole params file. `file`: a recording, else
    one is simulated.
    """
    signal_mv, rate_hz, what = _recording(file)
    settings = params.section(PreprocessParams, values, "preprocess")
    data = _examples(
        bandpass.condition(signal_mv, rate_hz, **bandpass.filter_arguments(settings)),
        settings.rate_hz,
    )
    cases = _cases(params.section(AugmentParams, values, "augment").model_dump())
    for name, title, chosen in cases:
        plain = _window(data, _switched(chosen, None), 0)
        windows = (_window(data, chosen, epoch) for epoch in range(DRAWS))
        augmented = max(windows, key=partial(_change, plain))
        traces = [(lead, augmented[LEADS.index(lead)], plain[LEADS.index(lead)]) for lead in SHOWN]
        sheet = ecg_paper.strips(traces, data.rate_hz, title, ("augmented", "as recorded"))
        style.save(sheet, Path(folder) / f"{name}.png", dpi=DPI)
    with atomic.atomic(Path(folder) / "README.md") as temporary:
        temporary.write_text(page(values, what), encoding="utf-8")
    return [name for name, _, _ in cases]


def page(values: Mapping[str, Any], what: str = SIMULATED) -> str:
    """README.md: what each augmentation keeps and may break, and its picture on `what`."""
    shown = [
        {"name": name, "title": title, "does": DOES[name]}
        for name, title, _ in _cases(values["augment"])
    ]
    return templates.render(
        TEMPLATE,
        promises=contracts.PROMISES,
        contracts=contracts.every(),
        what=what,
        draws=DRAWS,
        shown=shown,
    )


def _cases(found: Mapping[str, Any]) -> list[tuple[str, str, AugmentParams]]:
    """File name, title and settings of each augmentation alone, and of the variants of some."""
    settings = AugmentParams.model_validate(found).model_copy(update=PLAIN)
    cases = [(name, _switched(settings, name)) for name in augmenter.SWITCHES]
    made = [(name, contracts.contract(name, one).title, one) for name, one in cases]
    for name, (switch, key, value) in VARIANTS.items():
        one = _switched(settings.model_copy(update={key: value}), switch)
        title = contracts.contract(switch, one).title
        made.append(
            (name, title if title != contracts.contract(switch).title else f"{title}, {value}", one)
        )
    return made


def _switched(settings: AugmentParams, name: str | None) -> AugmentParams:
    """The settings with one augmentation on, whatever the labels, and acting always; with None on,
    none."""
    switches = {other: other == name for other in augmenter.SWITCHES}
    return settings.model_copy(
        update=switches | {f"{name}_probability": 1.0, "respect_labels": False}
    )


def _recording(file: Path | None) -> tuple[np.ndarray, float, str]:
    """Signal in mV [time, 12], rate, and what it is called."""
    if file is None:
        rng = np.random.default_rng(4)
        findings = draw_findings(rng, "NSR", conduction="normal", repolarisation="normal")
        simulated = simulate_recording(rng, findings=findings)
        return simulated.signal_mv, simulated.rate_hz, SIMULATED
    recording = read(file)
    return recording.signal_mv, recording.rate_hz, templates.code(Path(file).stem)


def _examples(signal_mv: np.ndarray, rate_hz: float) -> examples.Examples:
    """One conditioned recording with its R-peaks."""
    data = examples.of_signals(
        [store_writer.to_microvolts(signal_mv)],
        np.array([np.nan]),
        np.array([""]),
        rate_hz=rate_hz,
        classes=0,
    )
    peaks = torch.from_numpy(r_peaks.r_peaks(signal_mv, rate_hz))
    return replace(data, peaks=peaks, peak_place=torch.tensor([[0, len(peaks)]]))


def _window(data: examples.Examples, settings: AugmentParams, epoch: int) -> np.ndarray:
    """The first seconds of the recording, augmented: [lead, time] in mV."""
    window = round(WINDOW_S * data.rate_hz)
    engine = augmenter.Augmenter(data, [], settings, window=window, normalise="none", seed=5)
    return engine.batch(torch.tensor([0]), epoch)[0].numpy()


def _change(plain: np.ndarray, augmented: np.ndarray) -> float:
    """How much of what is shown differs."""
    shown = [LEADS.index(lead) for lead in SHOWN]
    return float(np.abs(augmented - plain)[shown].mean())

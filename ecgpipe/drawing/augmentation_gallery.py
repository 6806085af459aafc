"""The page of all augmentations: what each keeps and may break, and each on one recording, on ECG
paper."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ecgpipe.augmentation import all_augmentations, augmenter
from ecgpipe.augmentation.all_augmentations import AUGMENTATIONS
from ecgpipe.augmentation.contracts import PROMISES
from ecgpipe.augmentation.params import AugmentParams, General
from ecgpipe.augmentation.record import Augmentation
from ecgpipe.dataset import examples
from ecgpipe.drawing import ecg_paper
from ecgpipe.prediction import reading
from ecgpipe.preprocessing import bandpass, r_peaks, store_writer
from ecgpipe.preprocessing.params import PreprocessParams
from ecgpipe.project import atomic, params
from ecgpipe.project.errors import UserError
from ecgpipe.project.leads import LEADS
from ecgpipe.recordings.sources import Source
from ecgpipe.report import style, templates
from ecgpipe.simulation.findings import draw_findings
from ecgpipe.simulation.recording import simulate_recording

TEMPLATE = Path(__file__).with_name("augmentations.md.j2")
SIMULATED = "a simulated recording"
SHOWN = ("II", "V1", "V5")
WINDOW_S = 8.0
DPI = 90
DRAWS = 20


def write(
    folder: Path,
    values: Mapping[str, Any],
    record: Path | None = None,
    source: Source | None = None,
) -> list[str]:
    """Writes README.md and a PNG per augmentation into `folder`; the names of the augmentations.

    Each acts by the params `values`, those of a whole params file. `record`: a recording as
    `predict` names one, else one is simulated; `source` says the rate of an .h5 file.
    UserError where it is none, several, or cannot be read.
    """
    signal_mv, rate_hz, what = _recording(record, source)
    preprocess = params.section(PreprocessParams, values, "preprocess")
    conditioning = bandpass.filter_arguments(preprocess)
    conditioned_mv = bandpass.condition(signal_mv, rate_hz, **conditioning)
    data = _examples(conditioned_mv, preprocess.rate_hz)
    off = all_off(params.section(AugmentParams, values, "augment"))
    plain = _window(data, off, 0)
    shown = list(cases(off))
    for case in shown:
        _draw(data, plain, case, Path(folder) / f"{case.name}.png")
    with atomic.atomic(Path(folder) / "README.md") as temporary:
        temporary.write_text(page(shown, what), encoding="utf-8")
    return [case.name for case in shown]


@dataclass(frozen=True)
class Case:
    """One augmentation alone, in one of its forms, as the page shows it; name: of its picture."""

    name: str
    title: str
    caption: str
    params: General


def page(
    shown: Iterable[Case],
    what: str = SIMULATED,
    augmentations: Sequence[Augmentation] = AUGMENTATIONS,
) -> str:
    """README.md: what each augmentation keeps and may break, and its picture on `what`."""
    return templates.render(
        TEMPLATE,
        promises=PROMISES,
        contracts=all_augmentations.contracts(augmentations),
        what=what,
        draws=DRAWS,
        shown=shown,
    )


def all_off(params: General, augmentations: Sequence[Augmentation] = AUGMENTATIONS) -> General:
    """The params with nothing on, whatever the labels, and each augmentation in its usual form."""
    off: dict[str, Any] = {"respect_labels": False}
    for augmentation in augmentations:
        off[augmentation.name] = False
        for variant in augmentation.variants:
            key = f"{augmentation.name}_{variant.setting}"
            off[key] = type(params).model_fields[key].default
    return params.model_copy(update=off)


def cases(off: General, augmentations: Sequence[Augmentation] = AUGMENTATIONS) -> Iterator[Case]:
    """Each augmentation alone in its usual form, then the variants of some, by the params `off`
    (`all_off`)."""
    for augmentation in augmentations:
        name = augmentation.name
        alone = alone_on(off, augmentation)
        title = augmentation.contract.title
        yield Case(name, title, f"`augment.{name}`: {augmentation.caption}", alone)
    for augmentation in augmentations:
        name = augmentation.name
        for variant in augmentation.variants:
            key, value = f"{name}_{variant.setting}", variant.value
            alone = alone_on(off, augmentation).model_copy(update={key: value})
            title = f"{augmentation.contract.title}, {value}"
            if variant.contract is not None:
                title = variant.contract.title
            caption = f"`augment.{name}` with `{key}: {value}`: {variant.caption}"
            yield Case(variant.name, title, caption, alone)


def alone_on(off: General, augmentation: Augmentation) -> General:
    """The params with one augmentation on that acts always."""
    on: dict[str, Any] = {augmentation.name: True}
    if augmentation.probability is not None:
        on[f"{augmentation.name}_probability"] = 1.0
    return off.model_copy(update=on)


def _draw(data: examples.Examples, plain: np.ndarray, case: Case, path: Path) -> None:
    """On ECG paper the draw that changes most, over what was recorded, `plain` [lead, time]."""
    windows = (_window(data, case.params, epoch) for epoch in range(DRAWS))
    augmented = max(windows, key=partial(_change, plain))
    traces = [(lead, augmented[LEADS.index(lead)], plain[LEADS.index(lead)]) for lead in SHOWN]
    sheet = ecg_paper.strips(traces, data.rate_hz, case.title, ("augmented", "as recorded"))
    style.save(sheet, path, dpi=DPI)


def _recording(record: Path | None, source: Source | None) -> tuple[np.ndarray, float, str]:
    """Signal in mV [time, 12], rate, and what it is called."""
    if record is None:
        rng = np.random.default_rng(4)
        findings = draw_findings(rng, "NSR", conduction="normal", repolarisation="normal")
        simulated = simulate_recording(rng, findings=findings)
        return simulated.signal_mv, simulated.rate_hz, SIMULATED
    files = reading.expand([record])
    if len(files) > 1:
        step = f"name one, such as {files[0]}"
        raise UserError(f"{record}: one recording is drawn, found {len(files)}; {step}")
    _, reason, recording = reading.read(files[0], source)
    if recording is None:
        raise UserError(reason.partition(": ")[2])
    return recording.signal_mv, recording.rate_hz, templates.code(files[0].stem)


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


def _window(data: examples.Examples, params: General, epoch: int) -> np.ndarray:
    """The first seconds of the recording, augmented: [lead, time] in mV."""
    window = round(WINDOW_S * data.rate_hz)
    augment = augmenter.Augmenter(data, [], params, window=window, normalise="none", seed=5)
    return augment.batch(torch.tensor([0]), epoch)[0].numpy()


def _change(plain: np.ndarray, augmented: np.ndarray) -> float:
    """How much of what is shown differs."""
    shown = [LEADS.index(lead) for lead in SHOWN]
    return float(np.abs(augmented - plain)[shown].mean())

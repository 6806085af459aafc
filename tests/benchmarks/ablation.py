"""python -m tests.benchmarks.ablation: macro AUROC on the demo with each augmentation alone, with
none, and with the recommended ones, those of configs/cinc2021.yaml, together. Run it after `dvc
repro`; it goes on where it was stopped.

Every setting is trained with three seeds, each with another fold left out, by the params of
params.yaml, and scored on the test part by that one model. Writes ablation.json and the page
ablation.md beside this file.
"""

import json
import statistics
import tempfile
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from ecgpipe.augmentation.all_augmentations import BY_NAME
from ecgpipe.augmentation.params import AugmentParams
from ecgpipe.dataset import examples
from ecgpipe.model import inference
from ecgpipe.model.params import ModelParams
from ecgpipe.project import params, paths, tables
from ecgpipe.training import checkpoint, trainer, validation
from ecgpipe.training.distributed import Peers
from ecgpipe.training.params import TrainParams
from ecgpipe.training.progress import Progress

HERE = Path(__file__).parent
RESULTS = HERE / "ablation.json"
SEEDS = {1: "0", 2: "1", 3: "2"}  # seed -> fold left out
RECOMMENDED = tuple(
    name
    for name in BY_NAME
    if params.load(HERE.parents[1] / "configs/cinc2021.yaml")["augment"].get(name)
)
_PAGE = """# Augmentations, one by one

Made by `python -m tests.benchmarks.ablation` on the demo: simulated recordings, which say nothing
about patients. Every setting was trained with {seeds} seeds, each with another fold left out, by
the params of params.yaml (the best of 32 epochs by validation), and scored on the test part by that
one model. The test part has 127 recordings, and 32 epochs are few where much is augmented: single
differences below .01 say little. The recommended ones disturb as real recordings do, or keep what a
class rests on; they were chosen before, not by this table.

{lines}
"""
SETTINGS = {
    "none": {},
    **{name: {name: True} for name in BY_NAME},
    "star_published": {"star": True, "star_how": "published"},
    "recommended": dict.fromkeys(RECOMMENDED, True),
}


def score(switches: dict, seed: int, fold: str) -> float:
    """Macro AUROC on the test part of one model, trained with these switches of augmentations."""
    values = params.load()
    table = tables.read(paths.FOLDS)
    rows = examples.parts(table, fold)
    info = json.loads(paths.FOLDS_INFO.read_text(encoding="utf-8"))
    whole = examples.examples(table, examples.open_stores(sorted(info["sources"])))
    data = {name: whole.take(part.index) for name, part in rows.items()}
    augment = values["augment"] | dict.fromkeys(BY_NAME, False) | switches
    train = TrainParams.model_validate(values["train"] | {"seed": seed})
    with tempfile.TemporaryDirectory() as scratch:
        run = trainer.Trainer(
            data["train"],
            data["val"],
            ModelParams.model_validate(values["model"]),
            train,
            AugmentParams.model_validate(augment),
            codes=tables.class_codes(table),
            peers=Peers(0, 1, torch.device("cpu")),
            state_path=Path(scratch) / "state.pt",
            key="",
        )
        run.run(lambda work: Progress("", work, mute=True))
    network = run.state.network
    probabilities = inference.probabilities_of(network, data["test"], run.window, train.normalise)
    return validation.macro_auroc(data["test"].labels, probabilities)


def page(scores: dict[str, dict[str, float]]) -> str:
    """The table: mean and deviation over the seeds, and the mean difference from none, seed by
    seed."""
    seeds = len(scores["none"])
    lines = [
        f"| augmentation | macro AUROC, mean of {seeds} seeds | deviation | against none |",
        "|---|---|---|---|",
    ]
    for name, by_seed in scores.items():
        values = list(by_seed.values())
        gains = [value - scores["none"][seed] for seed, value in by_seed.items()]
        against = f"{np.mean(gains):+.4f} (sd {statistics.stdev(gains):.4f})"
        if name == "none":
            against = ""
        mean, deviation = np.mean(values), statistics.stdev(values)
        lines.append(f"| {title(name)} | {mean:.4f} | {deviation:.4f} | {against} |")
    return _PAGE.format(seeds=seeds, lines="\n".join(lines))


def title(name: str) -> str:
    """What the table calls a setting."""
    if name == "recommended":
        return "recommended: " + ", ".join(
            BY_NAME[augmentation].contract.title for augmentation in RECOMMENDED
        )
    settings = AugmentParams.model_validate(
        params.load(HERE.parents[1] / "params.yaml")["augment"] | SETTINGS[name]
    )
    if name == "none":
        return "none"
    return BY_NAME["star" if "star" in name else name].contract_of(settings).title


def main() -> None:
    """Trains and scores what ablation.json lacks, and writes the page."""
    info = json.loads(paths.FOLDS_INFO.read_text(encoding="utf-8"))
    key = checkpoint.fingerprint(params.load(), info)
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    scores: dict[str, dict[str, float]] = {}
    if kept.get("key") == key:  # else they are of other code or data
        scores = kept["scores"]
    for seed, left_out in SEEDS.items():
        for setting, switches in tqdm(SETTINGS.items(), desc=f"seed {seed}", disable=None):
            by_seed = scores.setdefault(setting, {})
            if str(seed) not in by_seed:
                by_seed[str(seed)] = round(score(switches, seed, left_out), 5)
                RESULTS.write_text(json.dumps({"key": key, "scores": scores}, indent=1) + "\n")
    (HERE / "ablation.md").write_text(page(scores), encoding="utf-8")


if __name__ == "__main__":
    main()

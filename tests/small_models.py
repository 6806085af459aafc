"""A run's models for tests: two folds of a tiny network with drawn weights, and their operating points."""

import json
from pathlib import Path

import torch

from ecgpipe import checkpoint, layout, model

NETWORK = model.Params(width=4, stem_kernel=15, kernel=7, dropout=0.2, reduction=4, demographics=True)
CODES = ["426783006", "164889003", "270492004"]
CONDITIONING = {"to_rate_hz": 100.0, "low_hz": 0.5, "high_hz": 40.0, "order": 2}
SHARED = {
    "classes": CODES, "rate_hz": 100.0, "window": 400, "normalise": "none", "conditioning": CONDITIONING,
    "names": ["NSR", "AF", "IAVB"], "full_names": ["sinus rhythm", "atrial fibrillation", "1st degree av block"],
    "folds": [0, 1], "split": "one", "network": NETWORK.model_dump(),
}  # fmt: skip


def write(folder: Path, demographics: bool = True, auroc: tuple[float | None, ...] = (0.9, 0.65, 0.8)) -> Path:
    """Writes them into `folder`, as `data/models` holds them; of a class whose `auroc` is None nothing was learnt."""
    network = NETWORK.model_copy(update={"demographics": demographics})
    for fold in (0, 1):
        torch.manual_seed(fold)
        about = {**SHARED, "validation": f"of {fold}", "network": network.model_dump()}
        checkpoint.save(folder / f"fold-{fold}", model.SEResNet18(3, network), about)
    one = {"slope": [0.5, 1.0, 2.0], "shift": [-1.0, 0.0, 0.5], "threshold": [0.3, 0.4, 0.5]}
    one["validation_auroc"] = list(auroc)
    folds = {str(fold): {**one, "validation": f"of {fold}"} for fold in (0, 1)}
    said = {"params": {}, "classes": CODES, "folds": folds, "ensemble": one}
    (folder / "operating.json").write_text(json.dumps(said))
    layout.seal(folder / "operating.json")
    return folder

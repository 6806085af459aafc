"""Where every artefact of a project lies. All paths are relative to the project's root, where DVC
runs every stage."""

from pathlib import Path

# What names of sources and folds may be: paths are made of them, and DVC puts them into a shell
# command unquoted.
NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"

# What a user writes; `params` and `recordings.sources` read them.
PARAMS = Path("params.yaml")
SOURCES = Path("configs/sources.yaml")
SIMULATED = Path("data/raw")
LABELS = Path("data/labels/labels.csv")
FOLDS = Path("data/folds/folds.csv")
FOLDS_INFO = Path("data/folds/folds.json")
# Apart from the folds and read by no stage: how a reason is worded retrains nothing.
LEFT_OUT = Path("data/left_out.csv")
SIGNALS = Path("data/signals")
MODELS = Path("data/models")
OPERATING = Path("data/models/operating/operating.json")
# The network that learnt from simulated hearts, in Git.
PRETRAINED = Path("data/pretrained")
PREDICTIONS = Path("data/predictions")
CHECKPOINTS = Path("data/checkpoints")
# Files of a fold's predictions, those of the validation part, of the test part and by epoch.
VALIDATION, TESTED, HISTORY = "val.csv", "test.csv", "history.csv"
METRICS = Path("metrics")
LABELS_REPORT = METRICS / "labels.json"
SPLIT_REPORT = METRICS / "split.json"
PLOTS = Path("plots")


def store(source: str) -> Path:
    """The signal store of one source."""
    return SIGNALS / source


def fold_folder(fold: int | str) -> str:
    """The name of one fold's folder, whatever it holds."""
    return f"fold-{fold}"


def model(fold: int | str) -> Path:
    """The model of one fold."""
    return MODELS / fold_folder(fold)


def predictions(fold: int | str) -> Path:
    """The validation and test predictions of one fold, and its training history."""
    return PREDICTIONS / fold_folder(fold)


def state(fold: int | str) -> Path:
    """The state of an unfinished training: no stage's output, so that DVC never deletes it."""
    return CHECKPOINTS / fold_folder(fold) / "state.pt"

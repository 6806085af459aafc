"""train@K: one model from all folds but K and the test part, and its predictions of fold K and of
the test part. `torchrun --nproc-per-node=N -m stages.train K` trains on several devices. A fold
without recordings trains nothing."""

from ecgpipe.project import stage

if __name__ == "__main__":
    stage.end_quietly_on_signals()

import sys
from functools import partial

from ecgpipe.augmentation.params import AugmentParams
from ecgpipe.dataset import examples
from ecgpipe.model import saved_model
from ecgpipe.model.params import ModelParams
from ecgpipe.project import params, paths, tables
from ecgpipe.training import checkpoint, distributed, outputs, progress, trainer
from ecgpipe.training.params import TrainParams


def main(fold: str) -> None:
    values = params.load()
    kinds = {
        "model": ModelParams,
        "train": TrainParams,
        "augment": AugmentParams,
        "labels": examples.Labels,
    }
    network, settings, augment, labels = (
        params.section(kind, values, name) for name, kind in kinds.items()
    )
    info = tables.folds_info()
    params.one_of(fold, [*info["folds"], *info["unused"]], f"the folds of {paths.FOLDS_INFO}")
    group = distributed.Peers.join(params.section(params.Compute, values, "compute").device)
    if int(fold) in info["unused"]:
        saved_model.leave_unused(fold, rank=group.rank)
        return group.leave()
    rows, data, conditioning = examples.read(
        fold, sorted(info["sources"]), group.device, settings.cache
    )
    given = [labels.unannotated, *(one.model_dump() for one in (network, settings, augment))]
    run = trainer.Trainer(
        data["train"], data["val"], network, settings, augment, codes=tables.class_codes(rows["val"]), peers=group,
        state_path=paths.checkpoints(fold) / "state.pt", key=checkpoint.fingerprint(fold, info, *given),
        unannotated=labels.unannotated,
    )  # fmt: skip
    run.run(partial(progress.bar, f"train fold {fold}", "epoch", mute=group.rank > 0))
    facts = {key: info[key] for key in ("folds", "names", "full_names")} | {
        "split": checkpoint.digest(info)
    }
    facts |= {"unannotated": labels.unannotated, "conditioning": conditioning}
    outputs.deliver(run, rows, data["test"], name=fold, facts=facts)
    group.leave()


if __name__ == "__main__":
    stage.run(main, *sys.argv[1:])

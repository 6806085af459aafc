"""train@K: one model from all folds but K and the test part, and its predictions of both."""

from ecgpipe.project import stage

if __name__ == "__main__":
    stage.end_quietly_on_signals()

import sys

from ecgpipe.augmentation.params import AugmentParams
from ecgpipe.dataset import examples
from ecgpipe.model import saved_model
from ecgpipe.model.params import ModelParams
from ecgpipe.project import params, paths, tables
from ecgpipe.training import checkpoint, distributed, outputs, progress, start, trainer
from ecgpipe.training.params import TrainParams


def main(fold: str) -> None:
    kinds = {"model": ModelParams, "train": TrainParams, "augment": AugmentParams}
    model, train, augment, compute = params.sections(params.load(), **kinds, compute=params.Compute)
    info = tables.folds_info()
    params.one_of(fold, [*info["folds"], *info["unused"]], f"the folds of {paths.FOLDS_INFO}")
    peers = distributed.Peers.join(compute.device)
    if int(fold) in info["unused"]:
        saved_model.leave_unused(fold, rank=peers.rank)
        return peers.leave()
    rows, data, conditioning = examples.read(fold, info["sources"], peers.device, train.cache)
    run = trainer.Trainer(
        data["train"], data["val"], model, train, augment, codes=tables.class_codes(rows["val"]),
        peers=peers, start=start.read(train, model, info, conditioning, mute=peers.rank > 0),
        state_path=paths.state(fold), key=checkpoint.fingerprint(fold, info, model, train, augment),
    )  # fmt: skip
    run.run(progress.of_fold(fold, info["folds"], rows, peers.rank))
    outputs.deliver(run, rows, data["test"], name=fold, facts=outputs.facts(info, conditioning))
    peers.leave()


if __name__ == "__main__":
    stage.run(main, *sys.argv[1:])

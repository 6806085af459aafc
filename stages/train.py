"""train@K: one model from all folds but K and the test part, and its predictions of fold K and of the test part.
`torchrun --nproc-per-node=N -m stages.train K` trains on several devices. A fold without recordings trains nothing."""

from ecgpipe import exits

if __name__ == "__main__":
    exits.listen()

import sys
from functools import partial

from ecgpipe import augmenting, checkpoint, dataset, layout, model, params, peers, progress, tables, training


def main(fold: str) -> None:
    values = params.load()
    kinds = {"model": model.Params, "train": training.Params, "augment": augmenting.Params, "labels": dataset.Labels}
    network, settings, augment, labels = (params.section(kind, values, name) for name, kind in kinds.items())
    info = layout.folds_info()
    params.one_of(fold, [*info["folds"], *info["unused"]], f"the folds of {layout.FOLDS_INFO}")
    group = peers.Peers.join(params.section(params.Compute, values, "compute").device)
    if int(fold) in info["unused"]:
        checkpoint.leave_unused(fold, rank=group.rank)
        return group.leave()
    rows, data, conditioning = dataset.read(fold, sorted(info["sources"]), group.device, settings.cache)
    given = [labels.unannotated, *(one.model_dump() for one in (network, settings, augment))]
    run = training.Fold(
        data["train"], data["val"], network, settings, augment, codes=tables.class_codes(rows["val"]), peers=group,
        state_path=layout.checkpoints(fold) / "state.pt", key=peers.fingerprint(fold, info, *given),
        unannotated=labels.unannotated,
    )  # fmt: skip
    run.run(partial(progress.bar, f"train fold {fold}", "epoch", mute=group.rank > 0))
    facts = {key: info[key] for key in ("folds", "names", "full_names")} | {"split": peers.digest(info)}
    facts |= {"unannotated": labels.unannotated, "conditioning": conditioning}
    training.deliver(run, rows, data["test"], name=fold, facts=facts)
    group.leave()


if __name__ == "__main__":
    exits.run(main, *sys.argv[1:])

"""train@K: one model from all folds but K and the test part, and its predictions of fold K and of the test part.
`torchrun --nproc-per-node=N -m stages.train K` trains on several devices. A fold without recordings trains nothing."""

import sys

from tqdm import tqdm

from ecgpipe import augmenting, checkpoint, dataset, exits, layout, model, params, peers, tables, training


def main(fold: str) -> None:
    values = params.load()
    kinds = {"model": model.Params, "train": training.Params, "augment": augmenting.Params, "compute": params.Compute}
    network, settings, augment, compute = (params.section(kind, values, name) for name, kind in kinds.items())
    unannotated = params.section(dataset.Labels, values, "labels").unannotated
    group = peers.Peers.join(compute.device)
    info = layout.folds_info()
    if int(fold) in info["unused"]:
        checkpoint.leave_unused(fold, rank=group.rank)
        return group.leave()
    table = tables.read(layout.FOLDS)
    parts = training.parts(table, fold)
    stores = dataset.open_stores(sorted(info["sources"]))
    whole = dataset.examples(table, stores).to(group.device, settings.cache)
    data = {name: whole.take(rows.index) for name, rows in parts.items()}
    key = peers.fingerprint(fold, info, unannotated, *(one.model_dump() for one in (network, settings, augment)))
    run = training.Fold(
        data["train"], data["val"], network, settings, augment, codes=tables.class_codes(table),
        peers=group, state_path=layout.checkpoints(fold) / "state.pt", key=key, unannotated=unannotated,
    )  # fmt: skip
    run.run(lambda **bar: tqdm(desc=f"train fold {fold}", unit="epoch", disable=group.rank > 0 or None, **bar))
    facts = {key: info[key] for key in ("folds", "names", "full_names")} | {"split": peers.digest(info)}
    facts |= {"unannotated": unannotated, "conditioning": next(iter(stores.values())).conditioning}
    training.deliver(run, parts, data["test"], name=fold, facts=facts)
    group.leave()


if __name__ == "__main__":
    exits.run(main, *sys.argv[1:])

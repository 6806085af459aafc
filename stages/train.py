"""train@K: one model from all folds but K and the test part, and its predictions of fold K and of the test part.

`torchrun --nproc-per-node=N -m stages.train K` trains on several devices."""

import json
import sys
from functools import partial

from tqdm import tqdm

from ecgpipe import augmenting, dataset, layout, model, params, peers, tables, training


def main(fold: str) -> None:
    values = params.load()
    network = params.section(model.Params, values, "model")
    settings = params.section(training.Params, values, "train")
    augment = params.section(augmenting.Params, values, "augment")
    group = peers.Peers.join(params.section(params.Compute, values, "compute").device)
    info = json.loads(layout.FOLDS_INFO.read_text(encoding="utf-8"))
    table = tables.read(layout.FOLDS)
    parts = training.parts(table, fold)
    stores = dataset.open_stores(sorted(info["sources"]))
    whole = dataset.examples(table, stores).to(group.device, settings.cache)
    data = {name: whole.take(rows.index) for name, rows in parts.items()}
    key = peers.fingerprint(fold, info, network.model_dump(), settings.model_dump(), augment.model_dump())
    with layout.lock(f"train-{fold}-{group.rank}"):
        run = training.Fold(
            data["train"], data["val"], network, settings, augment, codes=tables.class_codes(table),
            peers=group, state_path=layout.checkpoints(fold) / "state.pt", key=key,
        )  # fmt: skip
        run.run(partial(tqdm, desc=f"train fold {fold}", unit="epoch", disable=True if group.rank else None))
        facts = {key: info[key] for key in ("folds", "names", "full_names")} | {"split": peers.digest(info)}
        facts["conditioning"] = next(iter(stores.values())).conditioning
        training.deliver(run, parts, data["test"], name=fold, facts=facts)
    group.leave()


if __name__ == "__main__":
    main(sys.argv[1])

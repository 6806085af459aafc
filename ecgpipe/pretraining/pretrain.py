"""Pretraining from beginning to end: recordings are simulated, a network learns from them, and is
scored on others.

A stopped run goes on: with the recordings that are not there, then with the training as any other
(`training.trainer`). Under `torchrun` the first process simulates, and all train.
"""

import functools
import logging
import os
import time
from pathlib import Path
from typing import Any

import numpy as np

from ecgpipe.dataset import examples
from ecgpipe.evaluation.params import EvaluateParams
from ecgpipe.pretraining import outputs, simulated_store, stream
from ecgpipe.pretraining.params import PretrainParams
from ecgpipe.project import paths, tables
from ecgpipe.project.params import Compute
from ecgpipe.training import checkpoint, distributed, progress, trainer

NAME = "pretrain"
_LOG = logging.getLogger(__name__)


def pretrain(params: PretrainParams, evaluate: EvaluateParams, compute: Compute) -> None:
    """Writes the folder that the params name (`pretraining.outputs`). UserError where what lies
    there is no pretrained network."""
    begun_s = time.monotonic()
    outputs.refuse_others(Path(params.folder))
    folders = _simulated(params, compute.workers)
    peers = distributed.Peers.join(compute.device)
    table, stores = simulated_store.read(folders["train"])
    whole = examples.examples(table, stores).to(peers.device, params.train.cache)
    codes, count = tables.class_codes(table), params.recordings
    del table
    digests = {part: folder.name for part, folder in folders.items()}
    run = trainer.Trainer(
        whole.take(np.arange(count)), whole.take(np.arange(count, len(whole))),
        params.model, params.train, params.augment, codes=codes, peers=peers,
        state_path=paths.state(NAME),
        key=checkpoint.fingerprint(NAME, digests, params.model, params.train, params.augment),
    )  # fmt: skip
    parts = {"train": count, "validation": params.validation}
    run.run(functools.partial(progress.begin, NAME, parts, after=0, mute=peers.rank > 0))
    if peers.rank == 0:
        fresh = examples.examples(*simulated_store.read(folders["card"]))
        with run.naming_what_is_saved():
            card = outputs.deliver(run, fresh, params, evaluate, simulated=digests)
        _tell(card, params, folders, time.monotonic() - begun_s)
    peers.leave()


def _simulated(params: PretrainParams, workers: int) -> dict[str, Path]:
    """The folders of the stores that training (validation too) and the card read. Of several
    processes the first makes them, before they join: none may keep the others waiting so long."""
    is_first = int(os.environ.get("RANK", "0")) == 0
    wanted = {
        "train": (stream.of(params, params.seed), params.recordings + params.validation),
        "card": (stream.of(params, params.card_seed), params.card_recordings),
    }
    if is_first:
        make = functools.partial(simulated_store.make, workers=workers, name=NAME)
        return {part: make(*what) for part, what in wanted.items()}
    return {part: simulated_store.wait_for(*what) for part, what in wanted.items()}


def _tell(
    card: dict[str, Any], params: PretrainParams, folders: dict[str, Path], took_s: float
) -> None:
    """The score, where it stands, how long all took, and what may be removed."""
    macro = card["scores"]["auroc_macro"]
    score = f"{macro['auroc']:.3f} ({macro['low']:.3f} to {macro['high']:.3f})" if macro else "none"
    _LOG.info(
        "%s: mean AUROC on %d fresh simulated recordings %s, after %s -> %s",
        NAME,
        card["recordings"]["card"],
        score,
        progress.duration(took_s),
        params.folder,
    )
    step = "they serve another run, and may be removed"
    _LOG.info("%s: the recordings stay in %s: %s", NAME, folders["train"].parent, step)

"""Training one fold: masked class-weighted loss, one model kept, its validation and test
predictions.

The validation fold chooses the epoch that is kept (train.keep: best) and nothing else; the test
part is read once, after training. A run is deterministic on one machine; a killed one resumes from
the last finished epoch, one that was asked to stop from its last step, to the same bytes. Under
`torchrun` every process takes its share of each batch.

What is scored and kept is the network as trained, or an average of weights: over steps
(`training.averaging`), and with the network that it started from (`training.start`).
"""

import contextlib
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn

from ecgpipe.augmentation.augmenter import Augmenter
from ecgpipe.augmentation.params import AugmentParams
from ecgpipe.dataset.examples import Examples
from ecgpipe.model.inference import bf16_helps, probabilities_of
from ecgpipe.model.network import SEResNet18
from ecgpipe.model.params import ModelParams
from ecgpipe.project import stage
from ecgpipe.project.errors import UserError
from ecgpipe.training import averaging, batches, mixup, optimisation
from ecgpipe.training.checkpoint import State
from ecgpipe.training.determinism import make_deterministic
from ecgpipe.training.distributed import Peers
from ecgpipe.training.loss import (
    UNANNOTATED,
    Watch,
    class_weights,
    constant_logits,
    masked_loss,
    permuted,
)
from ecgpipe.training.params import TrainParams
from ecgpipe.training.progress import Progress, Work, validation_steps
from ecgpipe.training.start import Start
from ecgpipe.training.validation import can_choose, macro_auroc, remark

_LOG = logging.getLogger(__name__)


class Trainer:
    """The training of one fold: `run()` gives the kept weights and the history."""

    def __init__(
        self,
        train: Examples,
        validation: Examples,
        network: ModelParams,
        params: TrainParams,
        augment: AugmentParams,
        *,
        codes: list[str],
        peers: Peers,
        state_path: Path,
        key: str,
        start: Start | None = None,
    ) -> None:
        """train, validation: on the peers' device, or on the host, whence batches are moved. codes:
        what heads the columns of their labels. state_path, key: where the state is kept between
        epochs, and the fingerprint that it must have to be resumed (besides the start's digest).
        start: the model to start from, as `params` have it."""
        self.batch = batches.fitting(params.batch, len(train), peers)
        if params.mixup:
            mixup.check(self.batch, peers.size)
        self.train, self.validation, self.codes = train, validation, codes
        self.network, self.params, self.augment = network, params, augment
        self.peers, self.state_path, self.start = peers, state_path, start
        self.key = key if start is None else f"{key} from {start.digest}"
        self.window = round(params.window_s * train.rate_hz)
        # The signals, of which batches are made, may lie elsewhere than the network.
        self.elsewhere = train.place.device.type != peers.device.type
        self.demographics = train.demographics.to(peers.device)
        self.augmenter = Augmenter(
            train, codes, augment, window=self.window, normalise=params.normalise, seed=params.seed
        )
        self.bf16 = bf16_helps(params.precision, peers.device)
        self.steps, self.watch = len(train) // self.batch, Watch()
        self.saved = ""  # what of the training lies at state_path, in words
        self.chooses = params.keep == "best" and can_choose(validation.labels)
        self.state = self._begun()

    def _begun(self) -> State:
        """The state before the first epoch; with it the labels and class weights."""
        params, device = self.params, self.peers.device
        labels = self.train.labels.cpu().nan_to_num(nan=UNANNOTATED[params.unannotated])
        if params.permute_labels:
            labels = permuted(labels, params.seed)
        weights = class_weights(labels, params.class_weights, params.most_weight)
        self.labels, self.weights = labels.to(device), weights.to(device)
        make_deterministic(params.threads, params.seed, device)
        network = SEResNet18(labels.shape[1], self.network).to(device)
        assert (self.start is not None) == (params.start == "model")
        if self.start is not None:
            self.start.give(network, constant_logits(labels, weights))
        return optimisation.begin(network, params, self.steps)

    def run(self, begin: Callable[[Work], Progress]) -> State:
        """Trains to the last epoch or until patience ends, from the stored state where there is
        one. What `begin` gives is told how far it is."""
        if self.state.resume(self.state_path, self.key, self.peers.device):
            self.saved = f"the state after epoch {self.state.epoch} of {self.params.epochs}"
        if self._compiles():
            self.augmenter.compile()
        warning = remark(self.validation.labels) if self.params.keep == "best" else None
        if warning and not self.peers.rank:
            _LOG.warning(warning)
        progress, parallel, frozen = begin(self.work()), None, None
        with self.naming_what_is_saved():
            while self.state.epoch < self.params.epochs and not self._out_of_patience():
                if parallel is None or frozen != self._is_frozen():
                    frozen, parallel = self._is_frozen(), None
                    parallel = self._parallel()
                self._epoch(parallel, progress.step)
                last = self.state.history[-1]
                auroc = f"{last['val_auroc_macro']:.3f}"
                progress.epoch(val_loss=f"{last['val_loss']:.4f}", val_auroc=auroc)
        progress.close()
        self.state.network.load_state_dict(self.state.kept)
        return self.state

    def _parallel(self) -> nn.Module:
        """The network as it is trained from this epoch on, until its body is thawed."""
        optimisation.freeze(self.state.network, self._is_frozen())
        parallel = self.peers.parallel(self.state.network)
        return torch.compile(parallel) if self._compiles() else parallel

    def _compiles(self) -> bool:
        return self.params.compile and self.peers.device.type == "cuda"

    def _is_frozen(self) -> bool:
        return optimisation.is_frozen(self.params, self.state.epoch)

    def work(self) -> Work:
        """What is to be done, and what of it was done before."""
        params, samples = self.params, self.validation.place[:, 2].tolist()
        of_process = self.batch // self.peers.size
        return Work(
            epochs=params.epochs,
            steps=self.steps,
            batch=self.batch,
            done=self.state.epoch * self.steps + len(self.state.losses),
            validation=validation_steps(samples, self.window, of_process),
            may_end_early=self.chooses and params.patience < params.epochs,
        )

    @contextlib.contextmanager
    def naming_what_is_saved(self) -> Iterator[None]:
        """Within the block an interruption says what of this training is saved."""
        try:
            yield
        except stage.Stopped:
            raise
        except KeyboardInterrupt:
            raise stage.Stopped(f"{self.saved} is saved" if self.saved else "") from None

    def _epoch(self, parallel: nn.Module, tell: Callable[[], None]) -> None:
        """One epoch of training, its row of the history, and the state saved after it."""
        state, params = self.state, self.params
        losses = self._steps(parallel, tell)
        self._finite(losses, "the loss")
        self.sound()
        network = averaging.delivered(state, params, self.start)
        row = self._scored(losses, network)
        state.next_epoch()
        state.history.append(row)
        auroc, loss = row["val_auroc_macro"], self.peers.agree(row["val_loss"])
        score = self.peers.agree(auroc if np.isfinite(auroc) else -row["val_loss"])
        if not self.chooses or state.is_best(score, loss):
            state.keep(score, loss, network)
        if self.peers.rank == 0:
            state.save(self.state_path, self.key)
        self.saved = f"the state after epoch {state.epoch} of {params.epochs}"

    def _scored(self, losses: torch.Tensor, network: SEResNet18) -> dict[str, float]:
        """The history's row of an epoch with these `losses` [step], which left this network."""
        state, labels = self.state, self.validation.labels.cpu()
        try:
            probabilities = probabilities_of(
                network, self.validation, self.window, self.params.normalise, bf16=self.bf16
            )
        except KeyboardInterrupt:
            raise self._stopped(losses) from None
        loss = masked_loss(torch.logit(probabilities, 1e-6), labels, self.weights.cpu())
        row = {
            "epoch": state.epoch + 1,
            "learning_rate": state.optimizer.param_groups[0]["lr"],
            "train_loss": float(self.peers.mean(losses.mean())),
            "val_loss": float(loss),
            "val_auroc_macro": macro_auroc(labels, probabilities),
        }
        self._finite(probabilities, "a validation probability")
        self._finite(loss, "the validation loss")
        return row

    def _steps(self, parallel: nn.Module, tell: Callable[[], None]) -> torch.Tensor:
        """The losses [step] of the epoch, from the step on that a stopped run came to; `tell` is
        called after each."""
        state = self.state
        if not state.continue_draws():
            # Dropout draws the same after a resume.
            torch.manual_seed(self.params.seed + 1_000_003 * (state.epoch + 1))
        optimisation.to_training(parallel, state.network, self._is_frozen())
        losses = list(state.losses)
        with stage.defer_signals() as asked:
            for rows, signal in self._batches(first=len(losses)):
                losses.append(self.step(parallel, rows, signal, len(losses)))
                tell()
                if asked():
                    raise self._stopped(torch.stack(losses))
        return torch.stack(losses)

    def _stopped(self, losses: torch.Tensor) -> stage.Stopped:
        """Saves the state in the midst of an epoch; what to raise then. Of several processes none
        can know at which step the others stop: they go on from the last epoch's end."""
        state = self.state
        if self.peers.size > 1:
            return stage.Stopped(f"{self.saved} is saved" if self.saved else "")
        self._finite(losses, "the loss")
        self.sound()
        state.pause(losses)
        state.save(self.state_path, self.key)
        place = f"in epoch {state.epoch + 1} at step {len(losses)} of {self.steps}"
        return stage.Stopped(f"the state {place} is saved")

    def _batches(self, first: int = 0) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """This process's share of each batch of the epoch, from step `first` on
        (`training.batches.made`)."""
        params, epoch, device = self.params, self.state.epoch, self.peers.device
        order = batches.rows(len(self.train), self.batch, params.seed, epoch, self.peers)
        home = self.train.place.device if self.elsewhere else None
        return batches.made(
            order[first:], lambda rows: self.augmenter.batch(rows, epoch), device, home
        )

    def step(
        self, parallel: nn.Module, rows: torch.Tensor, signal: torch.Tensor, number: int = 0
    ) -> torch.Tensor:
        """Step `number` of the epoch on a batch: the recordings `rows` [batch] and their `signal`
        [batch, lead, time]. Returns its loss."""
        state, device, params = self.state, self.peers.device, self.params
        labels, person = self.labels[rows], self.demographics[rows]
        counted = torch.isfinite(labels).float()
        if params.mixup:
            draw = (params.seed, state.epoch, number)
            share = mixup.shares(params.mixup, self.batch, draw=draw, peers=self.peers)
            signal, person = mixup.mixed(signal, share), mixup.mixed(person, share)
            labels, counted = mixup.mixed_labels(labels, share)
        with torch.autocast(device.type, torch.bfloat16, enabled=self.bf16):
            logits = parallel(signal, person)
        loss = masked_loss(logits, labels, self.weights, counted, self.peers.mean(counted.sum()))
        bad = self.watch.bad(loss)
        if bad is not None:
            self._finite(torch.tensor(bad), "the loss")
        state.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(state.network.parameters(), params.clip_norm)
        state.optimizer.step()
        state.schedule.step()
        if params.average == "ema":
            averaging.update(state, params.average_decay)
        return loss.detach()

    def sound(self) -> None:
        """UserError where a weight or a running statistic of the network is not finite."""
        name = self.state.unsound()
        if name is not None:
            raise self._refused(f"{name} of the network is not finite")

    def _finite(self, values: torch.Tensor, what: str) -> None:
        bad = values[~torch.isfinite(values)].flatten()
        if len(bad):
            raise self._refused(f"{what} is {bad[0].item()}")

    def _refused(self, what: str) -> UserError:
        kept = "no epoch was finished"
        if self.saved:
            kept = f"{self.saved} is kept (a changed setting begins anew)"
        step = "Lower train.learning_rate or set train.precision to fp32"
        return UserError(f"epoch {self.state.epoch + 1}: {what}; {kept}. {step}")

    def _out_of_patience(self) -> bool:
        state = self.state
        return self.chooses and state.epoch - state.best_epoch >= self.params.patience

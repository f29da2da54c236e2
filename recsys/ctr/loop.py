"""The training loop: epochs, early stopping, and checkpoints, from which a killed training goes on.

A checkpoint is one safetensors file, replaced as a whole: tensors (weights, averages, the optimiser's memory, the
generators' states) and, in its header, JSON (counters and curves). A file of another training (other rows, settings,
seed or version of this program) is not read.

Source: Prechelt 1998 (early stopping).
"""

import hashlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from recsys import __version__
from recsys.ctr.config import CtrConfig
from recsys.ctr.data import ImpressionTensors, Windows
from recsys.ctr.losses import log_odds, loss_of
from recsys.ctr.network import CandidateBatch
from recsys.ctr.trainer import StepWatch, Tensors, Trainer, impressions_per_batch, weights_of, with_prefix
from recsys.metrics import impression_metrics

Floats = npt.NDArray[np.float32]

EVALUATION_BATCHES = 16  # batches' worth of validation impressions that are scored at once


class Progress(NamedTuple):
    """The progress of a training.

    Attributes:
        epoch: the running one, from 1.
        epochs: at most.
        rows: learned from so far, each as often as it was.
        total: at most, over all epochs.
        loss: mean loss of the last step.
        auc: of the validation part after the last epoch; NaN before.
        rows_per_second: since it began or went on.
    """

    epoch: int
    epochs: int
    rows: int
    total: int
    loss: float
    auc: float
    rows_per_second: float


@dataclass
class TrainingHistory:
    """The course of a training; lists with an element per epoch.

    Attributes:
        fit_loss: mean loss per click (of cross-entropy alone, per row), dropout on.
        validation_loss: the same on the validation rows, dropout off; empty without them.
        validation_auc: mean over the validation lists, as if every candidate stood first.
        best_epoch: number of epochs (from 1) after which the kept weights stood.
        resumed: epochs that were behind when this process went on from a checkpoint; 0 for a fresh start.
        rows: learned from by this process, each as often as it was.
        seconds: that it took.
    """

    fit_loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    validation_auc: list[float] = field(default_factory=list)
    best_epoch: int = 0
    resumed: int = 0
    rows: int = 0
    seconds: float = 0.0


class Checkpoints:
    """The one file of one training.

    Args:
        file: where it stands; its folder is made.
        minutes: between two of them; 0 for one after every step.
    """

    def __init__(self, file: Path, minutes: float) -> None:
        self.file, self.minutes = file, minutes
        self._fingerprint, self._saved = "", time.monotonic()

    def belong_to(self, fingerprint: str) -> None:
        """Set the training that is saved and gone on with, see ``fingerprint_of``."""
        self._fingerprint = fingerprint

    @property
    def due(self) -> bool:
        """True when it is time for the next one."""
        return time.monotonic() - self._saved >= 60 * self.minutes

    def save(self, tensors: Tensors, facts: dict[str, Any]) -> None:
        """Replace the file: a crash leaves the last one or this one."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.file.with_name(f".{self.file.name}.tmp")
        kept = {name: value.detach().cpu().clone() for name, value in tensors.items() if value.numel()}
        save_file(kept, fresh, metadata={"fingerprint": self._fingerprint, "facts": json.dumps(facts)})
        with fresh.open("rb") as handle:
            os.fsync(handle.fileno())
        fresh.replace(self.file)
        self._saved = time.monotonic()

    def load(self) -> tuple[Tensors, dict[str, Any]] | None:
        """The last checkpoint; None without a file, or with one of another training or with broken bytes."""
        if not self.file.is_file():
            return None
        try:
            with safe_open(self.file, "pt") as handle:
                metadata = handle.metadata()
                if metadata["fingerprint"] != self._fingerprint:
                    return None
                return {name: handle.get_tensor(name) for name in handle.keys()}, json.loads(metadata["facts"])  # noqa: SIM118  # no mapping
        except (SafetensorError, ValueError, KeyError, TypeError):
            return None


class TrainingLoop:
    """A training from the first epoch to the weights that are kept.

    Args:
        trainer: the model, its weights not moved yet.
        data: impressions to learn from.
        validation: the validation impressions; None: every epoch is better than the one before.
        epochs: at most so many.
        rows_per_epoch: rows that an epoch learns from.
    """

    def __init__(
        self,
        trainer: Trainer,
        data: Windows,
        validation: Windows | None,
        epochs: int,
        rows_per_epoch: int,
    ) -> None:
        self._trainer, self._data, self._validation = trainer, data, validation
        self._epochs, self._rows_per_epoch = epochs, rows_per_epoch
        self._history, self._best = TrainingHistory(), weights_of(trainer.model)

    def run(self, checkpoints: Checkpoints | None, watch: Callable[[Progress], None] | None) -> TrainingHistory:
        """Train; the model then has the kept weights. See ``fit``."""
        group = self._trainer.group
        saved = None if checkpoints is None else checkpoints.load()
        saved = saved if group is None else group.broadcast(saved)
        if saved is not None:
            self._restore(*saved)
        history, began = self._history, time.monotonic()
        rows_before = len(history.fit_loss) * self._rows_per_epoch + self._trainer.rows_done

        def after_step(rows: int, loss: float) -> None:
            history.rows += rows
            if checkpoints is not None and checkpoints.due:
                checkpoints.save(*self._state())
            if watch is not None:
                watch(self._progress(rows_before, loss, time.monotonic() - began))

        while not self._over:
            self._epoch(after_step)
        history.seconds = time.monotonic() - began
        if checkpoints is not None:
            checkpoints.save(*self._state())
        self._trainer.model.parts.load_state_dict(self._best)
        return history

    def _progress(self, rows_before: int, loss: float, seconds: float) -> Progress:
        history = self._history
        auc = history.validation_auc[-1] if history.validation_auc else float("nan")
        rows, total = rows_before + history.rows, self._epochs * self._rows_per_epoch
        speed = history.rows / max(seconds, 1e-9)
        return Progress(len(history.fit_loss) + 1, self._epochs, rows, total, loss, auc, speed)

    @property
    def _over(self) -> bool:
        done = len(self._history.fit_loss)
        stopped = done - self._history.best_epoch >= self._trainer.config.patience
        return stopped or done >= self._epochs

    def _epoch(self, after_step: StepWatch) -> None:
        trainer, history = self._trainer, self._history
        history.fit_loss.append(trainer.epoch(self._data, watch=after_step))
        if self._validation is not None:
            group = trainer.group
            leads = group is None or group.leads
            figures = self._evaluate(self._validation) if leads else (0.0, 0.0)
            loss, auc = figures if group is None else group.broadcast(figures)
            history.validation_loss.append(loss)
            history.validation_auc.append(auc)
        losses = history.validation_loss
        if not losses[:-1] or losses[-1] <= min(losses):
            self._best, history.best_epoch = trainer.averaged(), len(history.fit_loss)

    def _evaluate(self, validation: Windows) -> tuple[float, float]:
        """The averaged weights' loss on the validation rows, without dropout, and their AUC."""
        trainer, model = self._trainer, self._trainer.model
        moving = weights_of(model)
        model.parts.load_state_dict(trainer.averaged())
        model.parts.eval()
        with torch.inference_mode():
            scored = [self._score(impressions) for impressions in validation.windows(None)]
        model.parts.load_state_dict(moving)
        losses, labels, scores, sizes = zip(*scored, strict=True)
        label, size = np.concatenate(labels), np.concatenate(sizes)
        count = len(label) if trainer.config.loss == "bce" else float(label.sum())
        figures = impression_metrics(label, np.concatenate(scores), np.repeat(np.arange(len(size)), size))
        return sum(losses) / max(count, 1.0), figures["auc"]

    def _score(self, impressions: ImpressionTensors) -> tuple[float, Floats, Floats, npt.NDArray[np.int64]]:
        """The summed loss of some validation impressions; labels and log-odds of their rows; sizes of the lists."""
        config, model = self._trainer.config, self._trainer.model
        step, total = impressions_per_batch(impressions, config) * EVALUATION_BATCHES, 0.0
        score = torch.empty(len(impressions.label))
        for numbers in torch.split(torch.arange(len(impressions.size), device=impressions.size.device), step):
            rows = impressions.gather(numbers)
            label = impressions.label[rows.rows]
            position = None if impressions.position is None else impressions.position[rows.rows]
            batch = CandidateBatch(model.standardised(impressions.dense[rows.rows]), rows.ids, rows.history)
            first = log_odds(model.parts, batch, None)  # as if every candidate stood first
            shown = first if position is None else log_odds(model.parts, batch, position)
            exponent = self._trainer.length_exponent
            total += float(loss_of(config.loss, shown, label, rows.group, len(numbers), exponent))
            score[rows.rows.cpu()] = first.cpu()
        return total, impressions.label.cpu().numpy(), score.numpy(), impressions.size.cpu().numpy()

    def _state(self) -> tuple[Tensors, dict[str, Any]]:
        tensors, facts = self._trainer.state()
        tensors |= {f"best.{name}": value for name, value in self._best.items()}
        return tensors, facts | {"history": asdict(self._history)}

    def _restore(self, tensors: Tensors, facts: dict[str, Any]) -> None:
        self._trainer.restore(tensors, facts)
        device = self._trainer.model.mean.device
        self._best |= {name: value.to(device) for name, value in with_prefix("best", tensors).items()}
        self._history = TrainingHistory(**facts["history"] | {"rows": 0})
        self._history.resumed = len(self._history.fit_loss)


def fingerprint_of(*facts: object, config: CtrConfig) -> str:
    """SHA-256 over all that decides a training's result: settings, digests of the rows, and other facts."""
    text = json.dumps([__version__, config.model_dump(mode="json"), facts], default=str)
    return hashlib.sha256(text.encode()).hexdigest()

"""The training loop: epochs, learning rate decay, early stopping and checkpoints.

Source: Prechelt 1998 (early stopping); He et al. 2016, section 3.4 (a tenth of the learning rate on a plateau).
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from recsys.ctr.checkpoints import Checkpoints, Tensors
from recsys.ctr.data import ImpressionTensors, Windows
from recsys.ctr.losses import log_odds, loss_of
from recsys.ctr.network import CandidateBatch
from recsys.ctr.trainer import StepWatch, Trainer, impressions_per_batch, weights_of, with_prefix
from recsys.metrics import impression_metrics

Floats = npt.NDArray[np.float32]

DECAY = 0.1  # of the learning rate, when the validation part no longer gets better
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
        learning_rate: step size, warm-up left aside.
        best_epoch: number of epochs (from 1) after which the kept weights stood.
        schedule: factor of the learning rate of each epoch that led to the kept weights.
        resumed: epochs that were behind when this process went on from a checkpoint; 0 for a fresh start.
        rows: learned from by this process, each as often as it was.
        seconds: that it took.
    """

    fit_loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    validation_auc: list[float] = field(default_factory=list)
    learning_rate: list[float] = field(default_factory=list)
    best_epoch: int = 0
    schedule: list[float] = field(default_factory=list)
    resumed: int = 0
    rows: int = 0
    seconds: float = 0.0


class TrainingLoop:
    """A training from the first epoch to the weights that are kept.

    Args:
        trainer: the model, its weights not moved yet.
        data: impressions to learn from.
        validation: the validation impressions; None: every epoch is better than the one before.
        epochs: at most so many.
        rows_per_epoch: rows that an epoch learns from.
        schedule: factor of the learning rate of each epoch; without it the validation part decides.
    """

    def __init__(
        self,
        trainer: Trainer,
        data: Windows,
        validation: Windows | None,
        epochs: int,
        rows_per_epoch: int,
        schedule: Sequence[float] | None,
    ) -> None:
        self._trainer, self._data, self._validation = trainer, data, validation
        self._epochs, self._rows_per_epoch, self._schedule = epochs, rows_per_epoch, schedule
        self._history, self._best = TrainingHistory(), weights_of(trainer.model)
        self._factors: list[float] = []  # of the epochs that led to the weights of now
        self._decays = self._stale = 0  # decays so far; epochs since the best one or the last decay

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
        stopped = self._stale >= self._trainer.config.patience  # a decay begins to count anew
        return stopped or len(self._history.fit_loss) >= self._epochs

    def _epoch(self, after_step: StepWatch) -> None:
        trainer, history, number = self._trainer, self._history, len(self._history.fit_loss)
        factor = DECAY**self._decays
        if self._schedule is not None:
            factor = self._schedule[number]
            if number and factor < self._schedule[number - 1] and not trainer.steps_done:
                trainer.start_from(trainer.averaged())
        history.fit_loss.append(trainer.epoch(self._data, factor, after_step))
        history.learning_rate.append(trainer.config.learning_rate * factor)
        self._factors.append(factor)
        if self._validation is not None:
            group = trainer.group
            leads = group is None or group.leads
            figures = self._evaluate(self._validation) if leads else (0.0, 0.0)
            loss, auc = figures if group is None else group.broadcast(figures)
            history.validation_loss.append(loss)
            history.validation_auc.append(auc)
        self._decide()

    def _decide(self) -> None:
        """Keep the weights if they are the best so far; on a plateau go back to those and make smaller steps."""
        history, config = self._history, self._trainer.config
        no_auc = np.isnan(history.validation_auc).any()  # no list of both labels
        by_auc = config.early_stopping_metric == "auc" and not no_auc
        figures = [-auc for auc in history.validation_auc] if by_auc else history.validation_loss
        if not figures[:-1] or figures[-1] <= min(figures):
            self._best = self._trainer.averaged()
            history.best_epoch, history.schedule, self._stale = len(history.fit_loss), list(self._factors), 0
            return
        self._stale += 1
        if self._stale >= config.patience and self._decays < config.lr_decays:
            self._decays, self._stale, self._factors = self._decays + 1, 0, list(history.schedule)
            self._trainer.start_from(self._best)

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
            total += float(loss_of(config.loss, shown, label, rows.group, len(numbers)))
            score[rows.rows.cpu()] = first.cpu()
        return total, impressions.label.cpu().numpy(), score.numpy(), impressions.size.cpu().numpy()

    def _state(self) -> tuple[Tensors, dict[str, Any]]:
        tensors, facts = self._trainer.state()
        tensors |= {f"best.{name}": value for name, value in self._best.items()}
        facts |= {"history": asdict(self._history), "factors": self._factors}
        return tensors, facts | {"decays": self._decays, "stale": self._stale}

    def _restore(self, tensors: Tensors, facts: dict[str, Any]) -> None:
        self._trainer.restore(tensors, facts)
        device = self._trainer.model.mean.device
        self._best |= {name: value.to(device) for name, value in with_prefix("best", tensors).items()}
        self._history = TrainingHistory(**facts["history"] | {"rows": 0})
        self._history.resumed = len(self._history.fit_loss)
        self._factors, self._decays, self._stale = facts["factors"], facts["decays"], facts["stale"]

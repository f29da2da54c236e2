"""The course of a training: epochs, drops of the step size, early stopping, checkpoints.

Source: Prechelt 1998 (early stopping); He et al. 2016, section 3.4 (a tenth of the step size on a plateau).
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from recsys.ctr.checkpoints import Checkpoints, Tensors
from recsys.ctr.inputs import Lists, draw
from recsys.ctr.losses import loss_of
from recsys.ctr.networks import Batch
from recsys.ctr.sources import Source
from recsys.ctr.trainer import Trainer, lists_a_batch, log_odds, under, weights
from recsys.metrics import impression_metrics

Floats = npt.NDArray[np.float32]

DROP = 0.1  # of the step size, when the validation part no longer gets better
HELD_BATCHES = 16  # batches' worth of validation lists that are scored at once


class Progress(NamedTuple):
    """How far a training is.

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
class Training:
    """What happened while a model was fitted; lists with an element per epoch.

    Attributes:
        fit_loss: mean loss per click (of cross-entropy alone, per row), dropout on.
        validation_loss: the same on the validation rows, dropout off; empty without them.
        validation_auc: mean over the validation lists, as if every candidate stood first.
        learning_rate: step size, warm-up left aside.
        best_epoch: number of epochs (from 1) after which the kept weights stood.
        schedule: factor of the step size of each epoch that led to the kept weights.
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


class Course:
    """From the first epoch to the weights that are kept.

    Args:
        trainer: the model, its weights not moved yet.
        source: lists to learn from.
        held: the validation lists; None: every epoch is better than the one before.
        epochs: at most so many.
        size: rows that an epoch learns from.
        schedule: factor of the step size of each epoch; without it the validation part decides.
    """

    def __init__(
        self,
        trainer: Trainer,
        source: Source,
        held: Source | None,
        epochs: int,
        size: int,
        schedule: Sequence[float] | None,
    ) -> None:
        self._trainer, self._source, self._held = trainer, source, held
        self._epochs, self._size, self._schedule = epochs, size, schedule
        self._training, self._kept = Training(), weights(trainer.model)
        self._path: list[float] = []  # factors of the epochs that led to the weights of now
        self._drops = self._stale = 0

    def run(self, checkpoints: Checkpoints | None, watch: Callable[[Progress], None] | None) -> Training:
        """Train; the model then has the kept weights. See ``fit``."""
        group = self._trainer.group
        found = None if checkpoints is None else checkpoints.load()
        found = found if group is None else group.told(found)
        if found is not None:
            self._restore(*found)
        training, began, size = self._training, time.monotonic(), self._size
        behind = len(training.fit_loss) * size + self._trainer.seen

        def told(n: int, loss: float) -> None:
            training.rows += n
            if checkpoints is not None and checkpoints.due:
                checkpoints.save(*self._state())
            if watch is not None:
                auc = training.validation_auc[-1] if training.validation_auc else float("nan")
                speed = training.rows / max(time.monotonic() - began, 1e-9)
                epoch = len(training.fit_loss) + 1
                watch(Progress(epoch, self._epochs, behind + training.rows, self._epochs * size, loss, auc, speed))

        while not self._over:
            self._epoch(told)
        training.seconds = time.monotonic() - began
        if checkpoints is not None:
            checkpoints.save(*self._state())
        self._trainer.model.parts.load_state_dict(self._kept)
        return training

    @property
    def _over(self) -> bool:
        late = self._stale >= self._trainer.config.patience and self._drops >= self._trainer.config.drops
        return late or len(self._training.fit_loss) >= self._epochs

    def _epoch(self, told: Callable[[int, float], None]) -> None:
        trainer, training, n = self._trainer, self._training, len(self._training.fit_loss)
        factor = DROP**self._drops
        if self._schedule is not None:
            factor = self._schedule[n]
            if n and factor < self._schedule[n - 1] and not trainer.done:
                trainer.start_from(trainer.averaged())
        training.fit_loss.append(trainer.epoch(self._source, factor, told))
        training.learning_rate.append(trainer.config.learning_rate * factor)
        self._path.append(factor)
        if self._held is not None:
            group = trainer.group
            leads = group is None or group.leads
            loss, auc = self._judged(self._held) if leads else (0.0, 0.0)
            loss, auc = (loss, auc) if group is None else group.told((loss, auc))
            training.validation_loss.append(loss)
            training.validation_auc.append(auc)
        self._decide()

    def _decide(self) -> None:
        """Keep the weights if they are the best so far; on a plateau go back to those and make smaller steps."""
        training, config = self._training, self._trainer.config
        by_auc = config.stop_on == "auc" and not np.isnan(training.validation_auc).any()  # no list with both labels
        figures = [-auc for auc in training.validation_auc] if by_auc else training.validation_loss
        if not figures[:-1] or figures[-1] <= min(figures):
            self._kept = self._trainer.averaged()
            training.best_epoch, training.schedule, self._stale = len(training.fit_loss), list(self._path), 0
            return
        self._stale += 1
        if self._stale >= config.patience and self._drops < config.drops:
            self._drops, self._stale, self._path = self._drops + 1, 0, list(training.schedule)
            self._trainer.start_from(self._kept)

    def _judged(self, held: Source) -> tuple[float, float]:
        """The averaged weights' loss on the validation rows, without dropout, and their AUC."""
        trainer = self._trainer
        model, now = trainer.model, weights(trainer.model)
        model.parts.load_state_dict(trainer.averaged())
        model.parts.eval()
        with torch.inference_mode():
            told = [self._scored(lists) for lists in held.windows(None)]
        model.parts.load_state_dict(now)
        sizes = np.concatenate([size for *_, size in told])
        label, score = (np.concatenate([one[place] for one in told]) for place in (1, 2))
        total = sum(loss for loss, *_ in told)
        count = len(label) if trainer.config.loss == "bce" else float(label.sum())
        figures = impression_metrics(label, score, np.repeat(np.arange(len(sizes)), sizes))
        return total / max(count, 1.0), figures["auc"]

    def _scored(self, held: Lists) -> tuple[float, Floats, Floats, npt.NDArray[np.int64]]:
        """The loss of some validation lists, summed; labels and log-odds of their rows; sizes of the lists."""
        config, model = self._trainer.config, self._trainer.model
        step, total = lists_a_batch(held, config) * HELD_BATCHES, 0.0
        score = torch.empty(len(held.label))
        for numbers in torch.split(torch.arange(len(held.size), device=held.size.device), step):
            rows = draw(held, numbers)
            label = held.label[rows.rows]
            place = None if held.place is None else held.place[rows.rows]
            batch = Batch(model.standardised(held.dense[rows.rows]), rows.ids, rows.history)
            odds = log_odds(model.parts, batch, None)
            shown = odds if place is None else log_odds(model.parts, batch, place)
            loss = loss_of(config.loss, shown, label, rows.group, len(rows.lists))
            total += float(loss)
            score[rows.rows.cpu()] = odds.cpu()
        return total, held.label.cpu().numpy(), score.numpy(), held.size.cpu().numpy()

    def _state(self) -> tuple[Tensors, dict[str, Any]]:
        tensors, facts = self._trainer.state()
        tensors |= {f"kept.{name}": value for name, value in self._kept.items()}
        facts |= {"training": asdict(self._training), "path": self._path, "drops": self._drops, "stale": self._stale}
        return tensors, facts

    def _restore(self, tensors: Tensors, facts: dict[str, Any]) -> None:
        self._trainer.restore(tensors, facts)
        self._kept |= {
            name: value.to(self._trainer.model.mean.device) for name, value in under("kept", tensors).items()
        }
        self._training = Training(**facts["training"] | {"rows": 0})
        self._training.resumed = len(self._training.fit_loss)
        self._path, self._drops, self._stale = facts["path"], facts["drops"], facts["stale"]

"""A click model that goes on learning: hour by hour from where it stands, instead of from nothing each time.

Reads the lists of one stretch of time after another; keeps weights, their average, and the optimiser's memory. The
columns are standardised as the first stretch says and stay so, because weights learned on one scale mean nothing on
another. Scores are those of the averaged weights. It reads columns only: ids of articles are gone before they are
learned.

Source: Polyak and Juditsky 1992 (averaged weights); McFadden 1974 (softmax over the list).
"""

from collections.abc import Sequence

import numpy as np
import torch

from recsys.ctr.config import CtrConfig
from recsys.ctr.model import ClickModel, Matrix
from recsys.ctr.sources import Held, taught
from recsys.ctr.survey import surveyed
from recsys.ctr.trainer import Trainer
from recsys.ctr.training import device_of, one_thread
from recsys.dataset.chunks import chunks_of
from recsys.features.rows import CandidateRows, LabelledRows


class Learner:
    """One model, learning on.

    Attributes:
        model: with the averaged weights, for scoring; before the first rows it knows nothing.
        ready: whether it has learned from any rows.
    """

    def __init__(self, names: Sequence[str], config: CtrConfig, *, seed: int) -> None:
        self.config, self.ready = config.model_copy(update={"fields": ()}).resolved(drawn=True), False
        self._device = device_of(config)
        torch.manual_seed(seed)
        learned = ClickModel(names, self.config).to(self._device)
        self.model = ClickModel(names, self.config)
        self._trainer = Trainer(learned, self.config, seed=seed)

    def learn(self, rows: LabelledRows, *, epochs: int = 1, learning_rate: float | None = None) -> float:
        """Learn from more lists.

        Args:
            rows: N rows, columns as the model's names.
            epochs: passes over them.
            learning_rate: step size; ``ctr.learning_rate`` without one.

        Returns:
            The mean negative log likelihood of a click among its list, in the last pass, before it was learned from.

        Raises:
            DegenerateInput: see ``recsys.ctr.training.fit``.
        """
        found = surveyed(self.model.names, chunks_of(rows), self.config)
        found.check(self.config)
        learned, loss = self._trainer.model, 0.0
        factor = (learning_rate or self.config.learning_rate) / self.config.learning_rate
        with one_thread(self._device):
            if not self.ready:
                learned.mean, learned.std = (part.to(self._device) for part in found.scale)
            lists = Held(learned, rows, self.config, taught)
            for _ in range(epochs):
                loss = self._trainer.epoch(lists, factor)
        self.model.mean, self.model.std = learned.mean.cpu(), learned.std.cpu()
        self.model.parts.load_state_dict({name: value.cpu() for name, value in self._trainer.averaged().items()})
        self.model.parts.eval()
        self.ready = True
        return loss

    def raw(self, candidates: CandidateRows) -> Matrix:
        """Log-odds of a click, up to one constant: float32 (N,); NaN before anything was learned."""
        return self.model.raw(candidates) if self.ready else np.full(len(candidates), np.nan, np.float32)

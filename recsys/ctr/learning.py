"""A click model that goes on learning: hour by hour from where it stands, instead of from nothing each time.

Reads the lists of one stretch of time after another; keeps weights, their average, and the optimiser's memory. The
columns are standardised as the first stretch says and stay so, because weights learned on one scale mean nothing on
another. Scores are those of the averaged weights.

Source: Polyak and Juditsky 1992 (averaged weights); McFadden 1974 (softmax over the list).
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from recsys.ctr import CtrConfig
from recsys.ctr.model import ClickModel, Matrix
from recsys.ctr.training import Rows, check_rows, device_of, epoch, lists_on, one_thread, standard, weights


class Learner:
    """One model, learning on.

    Attributes:
        model: with the averaged weights, for scoring; before the first rows it knows nothing.
        ready: whether it has learned from any rows.
    """

    def __init__(self, names: Sequence[str], config: CtrConfig, *, seed: int) -> None:
        self.config, self.ready = config, False
        self._device = device_of(config)
        self._order = torch.Generator().manual_seed(seed)
        torch.manual_seed(seed)
        self._learned = ClickModel(names, config.hidden, config.dropout).to(self._device)
        self.model = ClickModel(names, config.hidden, config.dropout)
        self._average = weights(self._learned)
        self._optimiser = torch.optim.AdamW(
            self._learned.net.parameters(), config.learning_rate, weight_decay=config.weight_decay
        )

    def learn(self, rows: Rows, *, epochs: int = 1, learning_rate: float | None = None) -> float:
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
        check_rows(self.model.names, rows)
        told, loss = rows.informative(), 0.0
        for group in self._optimiser.param_groups:
            group["lr"] = learning_rate or self.config.learning_rate
        with one_thread(self._device):
            if not self.ready:
                self._learned.mean, self._learned.std = (v.to(self._device) for v in standard(told.matrix))
            lists = lists_on(told, self._device)
            per_batch = max(1, self.config.batch_size * len(lists.size) // len(lists.label))
            for _ in range(epochs):
                loss = epoch(self._learned, lists, self._optimiser, per_batch, self._order, self._average)
        self.model.mean, self.model.std = self._learned.mean.cpu(), self._learned.std.cpu()
        self.model.net.load_state_dict({name: value.cpu() for name, value in self._average.items()})
        self.model.net.eval()
        self.ready = True
        return loss

    def raw(self, matrix: Matrix) -> npt.NDArray[np.float32]:
        """Log-odds of a click, up to one constant: float32 (B, F) -> (B,); NaN before anything was learned."""
        return self.model.raw(matrix) if self.ready else np.full(len(matrix), np.nan, np.float32)

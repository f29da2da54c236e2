"""LSTM and GRU over the last two days of hours, beside a line on calendar and lags.

The network corrects a linear part, so that with three days of history it does no harm, and with three months it may
learn what a line cannot. Source: Hochreiter & Schmidhuber 1997; Cho et al. 2014; the linear part beside the recurrent
one as in Lai et al. 2018 (LSTNet), section 3.5.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Self

import numpy as np
import torch

from recsys.devices import one_thread
from recsys.forecast.calendar import QUIET_HOUR, Ints, quietest_hour
from recsys.forecast.contract import Expectation
from recsys.forecast.lags import SEQUENCE_COLUMNS, lag_columns, lag_table, lifted_level, sequences
from recsys.forecast.regression import LEAST_ROWS, ridge, targets_of
from recsys.forecast.series import ClickSeries
from recsys.forecast.steps import STEPS_PER_HOUR, FloatArray

HIDDEN = 16
PASSES = 30
ROWS_AT_ONCE = 64
RATE, DECAY = 5e-3, 1e-3
EVERY = 3  # steps between two origins that are learned from: neighbours are nearly the same
MAX_ORIGINS = 3_000  # of the newest past

Cell = Literal["gru", "lstm"]


class RecurrentCorrection(torch.nn.Module):
    """A correction of the linear part by the last hours: float32 (B, T, SEQUENCE_COLUMNS), (B, F) -> (B,)."""

    def __init__(self, cell: Cell, columns: int) -> None:
        super().__init__()
        kind = torch.nn.GRU if cell == "gru" else torch.nn.LSTM
        self.cell = kind(SEQUENCE_COLUMNS, HIDDEN, batch_first=True)
        self.head = torch.nn.Linear(HIDDEN + columns, 1)
        torch.nn.init.zeros_(self.head.weight)  # it begins as no correction
        torch.nn.init.zeros_(self.head.bias)

    def forward(self, history: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
        """The correction of each row."""
        states: torch.Tensor = self.cell(history)[0]  # (B, T, HIDDEN)
        correction: torch.Tensor = self.head(torch.cat((states[:, -1], columns), dim=1))
        return correction.squeeze(1)


@dataclass(frozen=True)
class RecurrentForecast:
    """A recurrent network per hour ahead.

    Attributes:
        cell: ``gru`` or ``lstm``.
        epochs: passes over the past.
        seed: of the weights and the order.
        quiet_hour: at which a reader's day ends.
        past: the series that it was fitted on.
    """

    cell: Cell = "gru"
    epochs: int = PASSES
    seed: int = 1
    quiet_hour: int = QUIET_HOUR
    past: ClickSeries | None = field(default=None, repr=False)

    def fit(self, series: ClickSeries) -> Self:
        """Keep the past; a network of an hour ahead is learned when that hour is asked for."""
        return replace(self, quiet_hour=quietest_hour(series), past=series)

    def expect(self, series: ClickSeries, origins: Ints, ahead: Sequence[int]) -> Expectation:
        """See ``Forecaster``."""
        table = lag_table(series, max(ahead), self.quiet_hour)
        history = sequences(table, origins)
        medians, spreads = [], []
        for hour in ahead:
            columns = lag_columns(table, origins, hour)
            said, spread = self._said(hour, history, columns)
            medians.append(np.exp(lifted_level(table, origins, hour) + said))
            spreads.append(np.full(len(origins), spread))
        return Expectation(np.column_stack(medians), np.column_stack(spreads))

    def _said(self, hour: int, history: FloatArray, columns: FloatArray) -> tuple[FloatArray, float]:
        if self.past is None:
            return np.zeros(len(columns)), 1.0
        table = lag_table(self.past, hour, self.quiet_hour)
        origins = targets_of(table, len(self.past), hour)[::EVERY][-MAX_ORIGINS:]
        if len(origins) * EVERY < LEAST_ROWS:
            return np.zeros(len(columns)), 1.0
        target = table.logs[origins + (hour - 1) * STEPS_PER_HOUR] - table.level[origins]
        known = lag_columns(table, origins, hour)
        line = ridge(known, target)
        network = _trained(self, sequences(table, origins), known, target - line(known))
        rest = target - line(known) - network(sequences(table, origins), known)
        return line(columns) + network(history, columns), max(0.05, float(rest.std()))


def _trained(model: RecurrentForecast, history: FloatArray, columns: FloatArray, target: FloatArray) -> "_Network":
    torch.manual_seed(model.seed)
    network = RecurrentCorrection(model.cell, columns.shape[1])
    inputs = torch.tensor(history, dtype=torch.float32), torch.tensor(columns, dtype=torch.float32)
    wanted = torch.tensor(target, dtype=torch.float32)
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY)
    generator = torch.Generator().manual_seed(model.seed)
    with one_thread("cpu"):
        for _ in range(model.epochs):
            order = torch.randperm(len(wanted), generator=generator)
            for rows in torch.split(order, ROWS_AT_ONCE):
                optimiser.zero_grad()
                loss = torch.nn.functional.smooth_l1_loss(network(*(part[rows] for part in inputs)), wanted[rows])
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
    return _Network(network)


class _Network:
    """A trained network as a function of arrays."""

    def __init__(self, network: RecurrentCorrection) -> None:
        self.network = network.eval()

    def __call__(self, history: FloatArray, columns: FloatArray) -> FloatArray:
        with torch.no_grad():
            said = self.network(torch.tensor(history, dtype=torch.float32), torch.tensor(columns, dtype=torch.float32))
        result: FloatArray = said.numpy().astype(np.float64)
        return result

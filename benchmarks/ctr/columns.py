"""Rows to learn from as tensors on the device: whole batches by index, no row on its own.

Imports torch and numpy only: it runs on a bare GPU machine too.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from recsys.ctr.network import CandidateBatch, ClickNetwork


class Columns(NamedTuple):
    """N candidates of I lists as tensors on the device.

    Attributes:
        dense: float32 (N, F), standardised.
        ids: int32 (N, S), rows of the table.
        context: int32 (I, C), rows of the table that a list's candidates share.
        history: int32 (I, T), rows of the table.
        impression: int64 (N,), the list of each candidate, into ``context`` and ``history``.
        label: float32 (N,).
    """

    dense: torch.Tensor
    ids: torch.Tensor
    context: torch.Tensor
    history: torch.Tensor
    impression: torch.Tensor
    label: torch.Tensor

    @classmethod
    def of(
        cls,
        dense: npt.NDArray[np.float32],
        ids: npt.NDArray[np.int64],
        context: npt.NDArray[np.int64],
        history: npt.NDArray[np.int64],
        impression: npt.NDArray[np.int32],
        label: npt.NDArray[np.int8],
        device: str,
    ) -> "Columns":
        """The arrays as tensors on ``device``; ids as rows of the table."""
        rows = [np.ascontiguousarray(array, np.int32) for array in (ids, context, history)]
        arrays = (np.ascontiguousarray(dense), *rows, impression.astype(np.int64), label.astype(np.float32))
        return cls(*(torch.from_numpy(array).to(device) for array in arrays))

    def batch(self, rows: torch.Tensor) -> CandidateBatch:
        """The candidates of ``rows``, int64 (B,)."""
        lists = self.impression.index_select(0, rows)
        ids = self.ids.index_select(0, rows)
        if self.context.shape[1]:
            ids = torch.cat([ids, self.context.index_select(0, lists)], 1)
        history = (
            self.history.index_select(0, lists) if self.history.shape[1] else self.history[:1].expand(len(rows), 0)
        )
        return CandidateBatch(self.dense.index_select(0, rows), ids, history)

    def batches(self, batch_size: int, generator: torch.Generator) -> Iterator[tuple[CandidateBatch, torch.Tensor]]:
        """Every candidate once, in an order drawn by ``generator``, with its label."""
        device = self.label.device
        seed = int(
            torch.randint(1 << 62, (1,), generator=generator)
        )  # drawing on the device: a GPU would wait for a CPU
        order = torch.randperm(len(self.label), generator=torch.Generator(device).manual_seed(seed), device=device)
        for rows in torch.split(order, batch_size):
            yield self.batch(rows), self.label.index_select(0, rows)


class Pointwise(nn.Module):
    """The mean binary cross-entropy of a network's log-odds."""

    def __init__(self, network: ClickNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, batch: CandidateBatch, label: torch.Tensor) -> torch.Tensor:
        """A batch and its labels, float32 (B,) -> a scalar."""
        return binary_cross_entropy_with_logits(self.network(batch).float(), label)

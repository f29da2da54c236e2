"""The layers of the click model's networks. Imports torch only.

Source: Rendle 2010 (pairs); Wang et al. 2021 (cross layers); Zhou et al. 2018, section 4.3 (attention).
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from recsys.ctr.architecture import ATTENTION_UNITS

INITIAL_STD = 0.01  # of new vectors: small, so that a rare id hardly moves a score before it is learned


class RowLookUp(torch.autograd.Function):
    """Rows of a table; adds gradients row by row, on a CPU four times as fast as torch's own of an embedding."""

    @staticmethod
    def forward(ctx: Any, rows: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
        """int (...) and float32 (V, D) -> float32 (..., D)."""
        ctx.save_for_backward(rows)
        ctx.size = table.shape
        return table.index_select(0, rows.flatten()).view(*rows.shape, table.shape[1])

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[None, torch.Tensor]:
        """The table's gradient; row 0 gets none."""
        (rows,) = ctx.saved_tensors
        gradient = gradients[0].new_zeros(ctx.size)
        gradient.index_add_(0, rows.flatten(), gradients[0].reshape(-1, ctx.size[1]))
        gradient[0] = 0
        return None, gradient


def look_up(rows: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
    """Rows of a table, int (...) and float32 (V, D) -> float32 (..., D); row 0 gets no gradient."""
    vectors: torch.Tensor = RowLookUp.apply(rows, table)  # type: ignore[no-untyped-call]
    return vectors


def pairs(dense: torch.Tensor, factors: torch.Tensor, vectors: torch.Tensor | None) -> torch.Tensor:
    """The sum of ``x_i x_j <v_i, v_j>`` over all pairs i < j, in time linear in their number.

    Args:
        dense: float32 (B, F); column j counts as a feature of value ``dense[:, j]``.
        factors: float32 (F, D), a column's vector.
        vectors: float32 (B, K, D), of features of value 1; None where there are none.

    Returns:
        float32 (B,).

    Source: Rendle 2010, lemma 3.1.
    """
    total = dense @ factors  # (B, D)
    squares = (dense * dense) @ (factors * factors).sum(1)  # (B,)
    if vectors is None:
        return 0.5 * ((total * total).sum(1) - squares)
    products: torch.Tensor = PairwiseProducts.apply(vectors, total)  # type: ignore[no-untyped-call]
    return products - 0.5 * squares


class PairwiseProducts(torch.autograd.Function):
    """``(|total + sum of vectors|² - sum of |vector|²) / 2``; backward in one pass over the vectors."""

    @staticmethod
    def forward(ctx: Any, vectors: torch.Tensor, total: torch.Tensor) -> torch.Tensor:
        """float32 (B, K, D) and (B, D) -> (B,)."""
        total = total + vectors.sum(1)
        ctx.save_for_backward(vectors, total)
        squares: torch.Tensor = torch.linalg.vector_norm(vectors, dim=(1, 2)).square()
        return 0.5 * ((total * total).sum(1) - squares)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The gradients of the vectors and of ``total``."""
        vectors, total = ctx.saved_tensors
        gradient = gradients[0][:, None]
        return torch.sub(total[:, None], vectors).mul_(gradient[:, :, None]), total * gradient


def perceptron(width: int, hidden: Sequence[int], dropout: float, norm: str) -> nn.Sequential:
    """A multilayer perceptron of layers of ``hidden`` units with ReLU, and one unit: (B, width) -> (B, 1)."""
    layers: list[nn.Module] = []
    for units in hidden:
        layers.append(nn.Linear(width, units))
        if norm != "none":
            layers.append(nn.BatchNorm1d(units) if norm == "batch" else nn.GroupNorm(1, units))
        layers.append(nn.ReLU())
        if dropout:
            layers.append(nn.Dropout(dropout))
        width = units
    return nn.Sequential(*layers, nn.Linear(width, 1))


class Cross(nn.Module):
    """Cross layers, each of which multiplies the input once more: ``x ← x0 * (W x + b) + x``."""

    def __init__(self, width: int, layers: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(width, width) for _ in range(layers))
        self.out = nn.Linear(width, 1, bias=False)

    def forward(self, x0: torch.Tensor) -> torch.Tensor:
        """float32 (B, W) -> (B, 1)."""
        x = x0
        for layer in self.layers:
            x = torch.addcmul(x, x0, layer(x))
        out: torch.Tensor = self.out(x)
        return out


class Attention(nn.Module):
    """The last clicks, each as heavy as it goes with the candidate; the weights need not sum to 1.

    A layer reads the candidate, the click and their product; their difference would be linear in the first two.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.candidate = nn.Linear(dim, ATTENTION_UNITS)
        self.click = nn.Linear(dim, ATTENTION_UNITS, bias=False)
        self.both = nn.Linear(dim, ATTENTION_UNITS, bias=False)
        self.out = nn.Linear(ATTENTION_UNITS, 1)

    def forward(self, candidate: torch.Tensor, clicks: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
        """Candidates (B, D), clicks (B, T, D) and which of them there are, bool (B, T) -> float32 (B, D)."""
        query = candidate[:, None]  # (B, 1, D)
        units = torch.relu(self.candidate(query) + self.click(clicks) + self.both(query * clicks))  # (B, T, U)
        weight = self.out(units) * there[:, :, None]  # (B, T, 1)
        total: torch.Tensor = (weight * clicks).sum(1)
        return total

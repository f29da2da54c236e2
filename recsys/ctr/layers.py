"""What the click model's networks are made of. Imports torch only.

Source: Rendle 2010 (pairs); Wang et al. 2021 (cross layers); Zhou et al. 2018, section 4.3 (attention).
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

START = 0.01  # standard deviation of new vectors: small, so that a rare id hardly moves a score before it is learned
ATTENTION = 32  # width of the layer that compares a click with the candidate; Zhou et al. take 36


class LookUp(torch.autograd.Function):
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
    found: torch.Tensor = LookUp.apply(rows, table)  # type: ignore[no-untyped-call]
    return found


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
    own = (dense * dense) @ (factors * factors).sum(1)  # (B,)
    if vectors is None:
        return 0.5 * ((total * total).sum(1) - own)
    found: torch.Tensor = Pairs.apply(vectors, total)  # type: ignore[no-untyped-call]
    return found - 0.5 * own


class Pairs(torch.autograd.Function):
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


def perceptron(width: int, hidden: Sequence[int], dropout: float, norm: str, members: int = 1) -> nn.Sequential:
    """M perceptrons side by side, each of layers of ``hidden`` units with ReLU and one unit: (B, width) -> (B, M).

    All read the same and none reads another one's units, so that they differ by the weights they begin with.

    Source: Lakshminarayanan et al. 2017, section 2.4 (ensembles of networks).
    """
    layers: list[nn.Module] = []
    for units in hidden:
        layers.append(_linear(width, units, members, first=not layers))
        if norm != "none":
            wide = members * units
            layers.append(nn.BatchNorm1d(wide) if norm == "batch" else nn.GroupNorm(members, wide))
        layers.append(nn.ReLU())
        if dropout:
            layers.append(nn.Dropout(dropout))
        width = units
    return nn.Sequential(*layers, _linear(width, 1, members, first=not layers))


def _linear(width: int, units: int, members: int, *, first: bool) -> nn.Module:
    """A layer of M perceptrons: the first one reads what all read, later ones read their own units."""
    return nn.Linear(width, members * units) if first or members == 1 else SideBySide(members, width, units)


class SideBySide(nn.Module):
    """M linear layers side by side, each with its own part of the units.

    Not one batched product: for few rows that sums in another order than for many, and a score must not depend on the
    candidates beside it.
    """

    def __init__(self, members: int, width: int, units: int) -> None:
        super().__init__()
        self.members = nn.ModuleList(nn.Linear(width, units) for _ in range(members))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """float32 (B, M * W) -> (B, M * U)."""
        parts = x.chunk(len(self.members), 1)  # (B, W) each
        return torch.cat([layer(part) for layer, part in zip(self.members, parts, strict=True)], 1)


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
        self.candidate = nn.Linear(dim, ATTENTION)
        self.click = nn.Linear(dim, ATTENTION, bias=False)
        self.both = nn.Linear(dim, ATTENTION, bias=False)
        self.out = nn.Linear(ATTENTION, 1)

    def forward(self, candidate: torch.Tensor, clicks: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
        """Candidates (B, D), clicks (B, T, D) and which of them there are, bool (B, T) -> float32 (B, D)."""
        asked = candidate[:, None]  # (B, 1, D)
        units = torch.relu(self.candidate(asked) + self.click(clicks) + self.both(asked * clicks))  # (B, T, ATTENTION)
        weight = self.out(units) * there[:, :, None]  # (B, T, 1)
        total: torch.Tensor = (weight * clicks).sum(1)
        return total

"""The click model's networks: columns, hashed ids and the last clicks of B candidates -> B log-odds.

Reads batches whose ids are already rows of the embedding table. Imports torch only: it runs on a bare GPU machine too.
``recsys.ctr.architecture`` says which parts a kind has.

Source: Rendle 2010 (pairs); Wang et al. 2021 (cross layers); Zhou et al. 2018, section 4.3 (attention).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from recsys.ctr.architecture import ATTENTION_UNITS, CLICK_NETWORKS, NORMS, Layout, NetworkParts
from recsys.errors import DegenerateInput

INITIAL_STD = 0.01  # of new vectors: small, so that a rare id hardly moves a score before it is learned
TOWER_POSITIONS = 50  # positions with log-odds of their own; the last one stands for all below it
UNKNOWN_POSITION = -1  # of a row whose position nobody recorded


class CandidateBatch(NamedTuple):
    """B candidates.

    Attributes:
        dense: float32 (B, F), standardised columns.
        ids: int64 (B, K), rows of the table, 0 = unknown.
        history: int64 (B, T), rows of the table, 0 = none; (1, T) where all candidates are one reader's.
    """

    dense: torch.Tensor
    ids: torch.Tensor
    history: torch.Tensor


def network(
    kind: str,
    layout: Layout,
    *,
    hidden: Sequence[int],
    embedding_dim: int,
    dropout: float,
    norm: str,
    cross_layers: int,
) -> "ClickNetwork":
    """A new network; torch's global generator draws its weights.

    Args:
        kind: one of ``CLICK_NETWORKS``.
        layout: what it reads.
        hidden: widths of the multilayer perceptron's layers.
        embedding_dim: D, of every vector.
        dropout: share of hidden units left out in training, in [0, 1).
        norm: "none", "batch" (Ioffe and Szegedy 2015) or "layer" (Ba et al. 2016), before each ReLU.
        cross_layers: number of cross layers, at least 1.

    Raises:
        DegenerateInput: an unknown kind or norm, or a layout with nothing to read.
    """
    if kind not in CLICK_NETWORKS or norm not in NORMS:
        expected = f"a network of {', '.join(CLICK_NETWORKS)} and a norm of {', '.join(NORMS)}"
        raise DegenerateInput(expected, f"{kind!r} and {norm!r}", "Correct the ctr section of the configuration.")
    layout = layout.read()
    parts = CLICK_NETWORKS[kind]
    built = ClickNetwork(parts, layout, embedding_dim)
    if parts.deep:
        built.deep = perceptron(built.width, hidden, dropout, norm)
    if parts.cross:
        built.cross = Cross(built.width, cross_layers)
    return built


class ClickNetwork(nn.Module):
    """A sum of parts.

    Attributes:
        embeddings: the one table; None where the layout has no ids and no clicks.
        width: what ``deep`` and ``cross`` read.
    """

    def __init__(self, parts: NetworkParts, layout: Layout, embedding_dim: int) -> None:
        super().__init__()
        self.parts, self.layout = parts, layout
        self.width = layout.width(embedding_dim)
        self.embeddings: Embeddings | None = None
        if parts.embeds(layout):
            self.embeddings = Embeddings(layout, embedding_dim if parts.vectors else 0, parts.first)
        if parts.first:
            self.first = nn.Parameter(torch.zeros(layout.dense))
            self.intercept = nn.Parameter(torch.zeros(1))
        if parts.pairs:
            self.factors = nn.Parameter(torch.randn(layout.dense, embedding_dim) * INITIAL_STD)
        self.attention = Attention(embedding_dim) if parts.attends(layout) else None
        self.deep: nn.Module | None = None
        self.cross: nn.Module | None = None

    def forward(self, batch: CandidateBatch) -> torch.Tensor:
        """Log-odds of a click: float32 (B,)."""
        table, logits = self.embeddings, []
        if self.parts.first:
            logits.append(batch.dense @ self.first + self.intercept)
            if table is not None and table.bias is not None and self.layout.fields:
                logits.append(look_up(batch.ids, table.bias).sum(dim=(1, 2)))
        if self.parts.vectors:
            vectors = None if table is None else self._vectors(batch, table)
            if self.parts.pairs:
                logits.append(pairs(batch.dense, self.factors, vectors))
            if self.parts.deep:
                read = batch.dense if vectors is None else torch.cat([batch.dense, vectors.flatten(1)], 1)
                logits += [part(read).squeeze(1) for part in (self.deep, self.cross) if part is not None]
        total = logits[0]
        for logit in logits[1:]:
            total = total + logit
        return total

    def _vectors(self, batch: CandidateBatch, table: "Embeddings") -> torch.Tensor:
        """float32 (B, K, D), or (B, K + 1, D) with the last clicks behind."""
        vectors = look_up(batch.ids, table.table)  # (B, K, D)
        if not self.layout.history:
            return vectors
        clicks = look_up(batch.history, table.table)  # (B, T, D)
        if self.attention is not None:
            pooled: torch.Tensor = self.attention(vectors[:, 0], clicks, batch.history > 0)
        else:
            pooled = clicks.sum(1) / (batch.history > 0).sum(1, keepdim=True).clamp(min=1)
        return torch.cat([vectors, pooled.expand(len(batch.ids), -1)[:, None]], 1)


class Embeddings(nn.Module):
    """The one table of all id fields. Row 0 is zero and stays so: an unknown id adds nothing.

    Attributes:
        table: float32 (V, D), a vector per id; (V, 0) in kinds without vectors.
        bias: float32 (V, 1), a weight per id; None in kinds without first-order weights.
    """

    def __init__(self, layout: Layout, embedding_dim: int, first: bool) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(layout.vocabulary, embedding_dim) * INITIAL_STD)
        with torch.no_grad():
            self.table[0] = 0
        self.bias = nn.Parameter(torch.zeros(layout.vocabulary, 1)) if first else None


class PositionTower(nn.Module):
    """Log-odds by position in the list, relative to the first: takes the position out of a click.

    The first card is seen more often and clicked more often, whatever it is. In training the position adds its own
    log-odds to the network's, so that the network need not explain them; in service every candidate is scored as if it
    stood first.

    Attributes:
        weight: float32 (1 + TOWER_POSITIONS,), for an unknown position, then by position.

    Source: Zhao et al. 2019 ("Recommending what video to watch next", section 4.3, the shallow tower); Craswell et al.
    2008 (position bias).
    """

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1 + TOWER_POSITIONS))

    def forward(self, position: torch.Tensor) -> torch.Tensor:
        """The log-odds of positions, int64 (B,) as ``position_rows`` gives them: float32 (B,)."""
        out: torch.Tensor = self.weight[position] - self.weight[1]
        return out


def position_rows(position: npt.NDArray[np.int16]) -> npt.NDArray[np.int64]:
    """Rows of the tower's weight: int16 (N,), from 0, -1 for unknown -> int64 (N,)."""
    return np.where(position < 0, 0, 1 + np.minimum(position.astype(np.int64), TOWER_POSITIONS - 1))


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

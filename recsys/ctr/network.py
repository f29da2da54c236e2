"""The click model's networks: columns, hashed ids and the last clicks of B candidates -> B log-odds.

Reads batches whose ids are already rows of the embedding table. Imports torch only: it runs on a bare GPU machine too.
``recsys.ctr.architecture`` says which parts a kind has.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from recsys.ctr.architecture import CLICK_NETWORKS, NORMS, Layout, NetworkParts
from recsys.ctr.layers import INITIAL_STD, Attention, Cross, look_up, pairs, perceptron
from recsys.errors import DegenerateInput

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

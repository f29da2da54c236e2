"""Networks of the trained classifiers: rows of n-grams or words -> a score for each category.

Read batches of rows, one document behind the other; produce logits. All start from our word vectors.
Source: Joulin et al. 2017 (n-gram bag); Kim 2014 (convolutions); Yang et al. 2016, section 2.2 (attention over a
recurrent network).
"""

from typing import NamedTuple

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

_FILTERS = 100  # per width of window, as in Kim 2014
_WIDTHS = (2, 3, 4)  # words; Chinese characters stand in longer rows, and short windows suit both
_HIDDEN = 64  # states per direction: wider ones learn titles by heart


class RaggedBatch(NamedTuple):
    """B documents, one behind the other: rows int64 (N,), of n-grams or words; starts int64 (B + 1,), the last is N."""

    rows: torch.Tensor
    starts: torch.Tensor


class TextNetwork(nn.Module):
    """Network over the n-grams or words of a text.

    Attributes:
        row_rate: AdaGrad's step for vectors, in learning rates; a network behind them wants them calmer than a sum.
        vectors: one per row, (V, D); its gradient is sparse, so that a step costs what the batch holds.
        out: the last layer, (D', C).
    """

    row_rate = 5.0

    def __init__(self, vectors: torch.Tensor, features: int, categories: int, dropout: float) -> None:
        super().__init__()
        self.vectors = nn.EmbeddingBag(
            vectors.shape[0], vectors.shape[1], mode="sum", sparse=True, include_last_offset=True, _weight=vectors
        )
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(features, categories)

    def forward(self, batch: RaggedBatch) -> torch.Tensor:
        """Logits, float32 (B, C)."""
        logits: torch.Tensor = self.out(self.dropout(self.features(batch)))
        return logits

    def features(self, batch: RaggedBatch) -> torch.Tensor:
        """Input of the last layer, float32 (B, D')."""
        raise NotImplementedError

    def padded(self, batch: RaggedBatch, least: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
        """Documents as rows of one block, float32 (B, T, D), zeros behind each document's end; sizes int64 (B,)."""
        sizes = batch.starts.diff()
        T = max(least, int(sizes.max()))
        block = self.vectors.weight.new_zeros(len(sizes) * T, self.vectors.embedding_dim)
        owner = torch.repeat_interleave(torch.arange(len(sizes), device=sizes.device), sizes)
        inside = torch.arange(len(batch.rows), device=sizes.device) - batch.starts[owner]
        singles = torch.arange(len(batch.rows) + 1, device=sizes.device)
        block = block.index_copy(0, owner * T + inside, self.vectors(batch.rows, singles))
        return block.view(len(sizes), T, -1), sizes


class NgramBag(TextNetwork):
    """Bag of n-grams: the sum of a document's n-gram vectors by the square root of their number, and a linear layer."""

    row_rate = 20.0

    def __init__(self, vectors: torch.Tensor, categories: int, dropout: float) -> None:
        super().__init__(vectors, vectors.shape[1], categories, 0.0)  # n-grams are left out, that is dropout enough

    def features(self, batch: RaggedBatch) -> torch.Tensor:
        """See ``TextNetwork``."""
        total: torch.Tensor = self.vectors(batch.rows, batch.starts)
        return total * batch.starts.diff().clamp_min(1).rsqrt()[:, None]


class TextCnn(TextNetwork):
    """Convolutions over windows of a few words, each filter reporting its strongest match."""

    def __init__(self, vectors: torch.Tensor, categories: int, dropout: float) -> None:
        super().__init__(vectors, _FILTERS * len(_WIDTHS), categories, dropout)
        self.windows = nn.ModuleList(nn.Conv1d(vectors.shape[1], _FILTERS, width) for width in _WIDTHS)

    def features(self, batch: RaggedBatch) -> torch.Tensor:
        """See ``TextNetwork``."""
        block, sizes = self.padded(batch, max(_WIDTHS))
        strongest = []
        for width, window in zip(_WIDTHS, self.windows, strict=True):
            match = torch.relu(window(block.transpose(1, 2)))  # (B, D, T) -> (B, _FILTERS, T - width + 1)
            ends = torch.arange(match.shape[2], device=sizes.device)
            outside = ends > (sizes[:, None] - width).clamp_min(0)  # the padding must not depend on the batch
            strongest.append(match.masked_fill(outside[:, None], 0).amax(dim=2))
        return torch.cat(strongest, dim=1)


class Recurrent(TextNetwork):
    """Recurrent network over the words, and the mean of its states, weighted by attention."""

    def __init__(self, vectors: torch.Tensor, categories: int, dropout: float, reader: nn.LSTM | nn.GRU) -> None:
        width = _HIDDEN * (1 + reader.bidirectional)
        super().__init__(vectors, width, categories, dropout)
        self.reader = reader
        self.attention = nn.Sequential(nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1, bias=False))

    def features(self, batch: RaggedBatch) -> torch.Tensor:
        """See ``TextNetwork``."""
        block, sizes = self.padded(batch)
        packed = pack_padded_sequence(block, sizes.clamp_min(1).cpu(), batch_first=True, enforce_sorted=False)
        states, _ = pad_packed_sequence(self.reader(packed)[0], batch_first=True)  # (B, T, width)
        outside = torch.arange(states.shape[1], device=sizes.device) >= sizes.clamp_min(1)[:, None]
        heavy = self.attention(states).squeeze(2).masked_fill(outside, -torch.inf).softmax(dim=1)
        mean: torch.Tensor = (heavy[:, :, None] * states).sum(dim=1)
        return mean


class BiLstm(Recurrent):
    """Long short-term memory in both directions."""

    def __init__(self, vectors: torch.Tensor, categories: int, dropout: float) -> None:
        reader = nn.LSTM(vectors.shape[1], _HIDDEN, batch_first=True, bidirectional=True)
        super().__init__(vectors, categories, dropout, reader)


class Gru(Recurrent):
    """Gated recurrent units, from the first word to the last."""

    def __init__(self, vectors: torch.Tensor, categories: int, dropout: float) -> None:
        super().__init__(vectors, categories, dropout, nn.GRU(vectors.shape[1], _HIDDEN, batch_first=True))

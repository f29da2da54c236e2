"""Neural news models: an article's text -> a vector, clicked articles -> a reader's vector; their product is the score.

Sizes fit thousands of lists, not the papers' millions: word vectors are given and stay, and what is learned is the
encoders. Everything else is the papers'.

Source: Wu et al. 2019, "Neural News Recommendation with Multi-Head Self-Attention" (NRMS); Wu et al. 2019, "Neural News
Recommendation with Attentive Multi-View Learning" (NAML); An et al. 2019, "Neural News Recommendation with Long- and
Short-term User Representations" (LSTUR, the form that starts the GRU from the reader); Okura et al. 2017,
"Embedding-based News Recommendation for Millions of Users" (a GRU over article vectors).
"""

from typing import NamedTuple

import torch
from torch import nn

HEADS, HEAD_UNITS = 8, 8  # of self-attention; the paper has 16 of 16
UNITS = HEADS * HEAD_UNITS  # of an article's vector
QUERY_UNITS = 32  # of additive attention
WINDOW = 3  # words that a convolution reads
CATEGORY_UNITS = 16
DROPOUT = 0.2
MASKED = 0.5  # share of readers whose long-term vector is left out in training (LSTUR, section 3.3)


class ArticleBatch(NamedTuple):
    """N articles.

    Attributes:
        title: float32 (N, W, D), word vectors, 0 for no word; body: the same.
        title_mask: bool (N, W), True for a word; body_mask: the same.
        category: int64 (N,).
        vector: float32 (N, D2), article vectors.
    """

    title: torch.Tensor
    title_mask: torch.Tensor
    body: torch.Tensor
    body_mask: torch.Tensor
    category: torch.Tensor
    vector: torch.Tensor


class AdditiveAttention(nn.Module):
    """Weighted mean of vectors, by how each answers one learned question."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.question = nn.Sequential(nn.Linear(units, QUERY_UNITS), nn.Tanh(), nn.Linear(QUERY_UNITS, 1, bias=False))

    def forward(self, vectors: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """float (N, T, D) and bool (N, T) -> (N, D); 0 where nothing is there."""
        weights = self.question(vectors).squeeze(-1).masked_fill(~mask, -1e4).softmax(-1) * mask
        mean: torch.Tensor = (weights[:, :, None] * vectors).sum(1)
        return mean


def attended(attention: nn.Module, vectors: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The weighted mean of vectors (N, T, D) that are there, bool (N, T), by an ``AdditiveAttention``."""
    mean: torch.Tensor = attention(vectors, mask)
    return mean


class SelfAttention(nn.Module):
    """Multi-head self-attention."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.projections = nn.Linear(units, 3 * UNITS, bias=False)

    def forward(self, vectors: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """float (N, T, D) and bool (N, T) -> (N, T, UNITS)."""
        N, T, _ = vectors.shape
        query, key, value = self.projections(vectors).view(N, T, 3, HEADS, HEAD_UNITS).permute(2, 0, 3, 1, 4)
        odds = query @ key.transpose(-1, -2) / HEAD_UNITS**0.5  # (N, HEADS, T, T)
        weights = odds.masked_fill(~mask[:, None, None, :], -1e4).softmax(-1)
        values: torch.Tensor = weights @ value
        return values.transpose(1, 2).reshape(N, T, UNITS)


class Convolution(nn.Module):
    """Convolution over words, then additive attention."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.filters = nn.Conv1d(units, UNITS, WINDOW, padding=WINDOW // 2)
        self.attention, self.dropout = AdditiveAttention(UNITS), nn.Dropout(DROPOUT)

    def forward(self, vectors: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """float (N, W, D) and bool (N, W) -> (N, UNITS)."""
        local = self.filters(self.dropout(vectors).transpose(1, 2)).transpose(1, 2).relu()
        return attended(self.attention, self.dropout(local), mask)


class Reader(nn.Module):
    """A news model: encodes articles, and a reader from the vectors of what they clicked."""

    def __init__(self, word_dim: int, article_dim: int, categories: int, readers: int) -> None:
        super().__init__()
        self.word_dim, self.article_dim, self.categories, self.readers = word_dim, article_dim, categories, readers

    def articles(self, batch: ArticleBatch) -> torch.Tensor:
        """N articles -> (N, UNITS)."""
        raise NotImplementedError

    def reader(self, clicked: torch.Tensor, mask: torch.Tensor, reader: torch.Tensor) -> torch.Tensor:
        """Clicked articles (N, T, UNITS), the newest last, bool (N, T) and readers int64 (N,) -> (N, UNITS)."""
        raise NotImplementedError


class Nrms(Reader):
    """Self-attention over the words of a title, and over the clicked articles."""

    def __init__(self, word_dim: int, article_dim: int, categories: int, readers: int) -> None:
        super().__init__(word_dim, article_dim, categories, readers)
        self.words, self.clicks = SelfAttention(word_dim), SelfAttention(UNITS)
        self.title, self.history = AdditiveAttention(UNITS), AdditiveAttention(UNITS)
        self.dropout = nn.Dropout(DROPOUT)

    def articles(self, batch: ArticleBatch) -> torch.Tensor:
        """See ``Reader``."""
        words = self.dropout(self.words(self.dropout(batch.title), batch.title_mask))
        return attended(self.title, words, batch.title_mask)

    def reader(self, clicked: torch.Tensor, mask: torch.Tensor, reader: torch.Tensor) -> torch.Tensor:
        """See ``Reader``."""
        return attended(self.history, self.dropout(self.clicks(clicked, mask)), mask)


class Naml(Reader):
    """Title, text and category as views of an article, weighed by attention."""

    def __init__(self, word_dim: int, article_dim: int, categories: int, readers: int) -> None:
        super().__init__(word_dim, article_dim, categories, readers)
        self.title, self.body = Convolution(word_dim), Convolution(word_dim)
        self.category = nn.Sequential(nn.Embedding(categories, CATEGORY_UNITS), nn.Linear(CATEGORY_UNITS, UNITS))
        self.views, self.history = AdditiveAttention(UNITS), AdditiveAttention(UNITS)

    def articles(self, batch: ArticleBatch) -> torch.Tensor:
        """See ``Reader``."""
        title, body = self.title(batch.title, batch.title_mask), self.body(batch.body, batch.body_mask)
        views = torch.stack([title, body, self.category(batch.category).relu()], 1)
        there = torch.stack([batch.title_mask.any(1), batch.body_mask.any(1), batch.category > 0], 1)
        return attended(self.views, views, there)

    def reader(self, clicked: torch.Tensor, mask: torch.Tensor, reader: torch.Tensor) -> torch.Tensor:
        """See ``Reader``."""
        return attended(self.history, clicked, mask)


class Lstur(Reader):
    """A GRU over the clicked articles that begins with the reader's own vector."""

    def __init__(self, word_dim: int, article_dim: int, categories: int, readers: int) -> None:
        super().__init__(word_dim, article_dim, categories, readers)
        self.title = Convolution(word_dim)
        self.category = nn.Embedding(categories, CATEGORY_UNITS)
        self.joined = nn.Linear(UNITS + CATEGORY_UNITS, UNITS)
        self.gru, self.long = nn.GRU(UNITS, UNITS, batch_first=True), nn.Embedding(readers, UNITS)
        nn.init.normal_(self.long.weight, std=0.01)

    def articles(self, batch: ArticleBatch) -> torch.Tensor:
        """See ``Reader``."""
        views = [self.title(batch.title, batch.title_mask), self.category(batch.category)]
        vectors: torch.Tensor = self.joined(torch.cat(views, 1))
        return vectors

    def reader(self, clicked: torch.Tensor, mask: torch.Tensor, reader: torch.Tensor) -> torch.Tensor:
        """See ``Reader``."""
        long = self.long(reader)
        if self.training:
            long = long * (torch.rand(len(long), 1) >= MASKED)
        return last_state(self.gru, clicked, mask, long)


class OkuraGru(Reader):
    """A GRU over the article vectors, which stay as they are."""

    def __init__(self, word_dim: int, article_dim: int, categories: int, readers: int) -> None:
        super().__init__(word_dim, article_dim, categories, readers)
        self.gru = nn.GRU(article_dim, article_dim, batch_first=True)
        self.scale = nn.Parameter(torch.tensor(5.0))

    def articles(self, batch: ArticleBatch) -> torch.Tensor:
        """See ``Reader``."""
        return batch.vector

    def reader(self, clicked: torch.Tensor, mask: torch.Tensor, reader: torch.Tensor) -> torch.Tensor:
        """See ``Reader``."""
        return self.scale * last_state(self.gru, clicked, mask, clicked.new_zeros(len(clicked), clicked.shape[2]))


def last_state(gru: nn.GRU, clicked: torch.Tensor, mask: torch.Tensor, start: torch.Tensor) -> torch.Tensor:
    """The state of a GRU after the clicks, which stand at the end of (N, T, D); ``start`` where there is none."""
    length = mask.sum(1)
    T = clicked.shape[1]
    order = (torch.arange(T) + (T - length)[:, None]).clamp(max=T - 1)  # the clicks first
    front = clicked.gather(1, order[:, :, None].expand_as(clicked))
    states, _ = gru(front, start[None])
    last = states[torch.arange(len(length)), (length - 1).clamp(min=0)]
    return torch.where(length[:, None] > 0, last, start)


NETWORKS: dict[str, type[Reader]] = {"nrms": Nrms, "naml": Naml, "lstur": Lstur, "gru": OkuraGru}

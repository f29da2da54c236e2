"""A recurrent network that foresees the next click from the last ones: the GRU encoder in torch.

It has two parts. ``base`` decides how much each of the clicks counts, from what does not depend on where in the space
they lie: order, pauses, cosines between them. What it has learned stays true when the news changes. ``extra`` adds a
direction that it learned for directions, which is worth much on a site whose subjects stay, and little on the next
day's news: training keeps it only where it holds on later lists. Both start as the decayed mean. The network knows no
article by name. ``recsys.readers.trained`` holds the same sums in numpy.

Source: Hidasi et al. 2016 (GRU over a session); Cho et al. 2014 (the GRU).
"""

import torch
from torch import nn
from torch.nn.functional import logsigmoid, normalize

from recsys.readers.config import ReadersConfig

LONG_PAUSE = 5.0  # log1p of minutes: some two hours; brings pauses near 1
HIDDEN_UNITS = 64  # 32-dimensional item vectors need no more
_DROPOUT = 0.1  # share of hidden units left out in each training step
BASE_STATES = 16  # of the GRU that sees three numbers per click


class ClickBatch:
    """The last clicks of B lists, padded to the longest.

    Attributes:
        vectors: float32 (B, T, D), unit rows, oldest first, T at most ``sequence_length``; zeros behind the last.
        minutes: float32 (B, T), not falling.
        size: int64 (B,), clicks of each, 1 to T.
        back: int64 (B, T), how many clicks each lies back, 0 for the last one, negative behind it.
    """

    def __init__(self, vectors: torch.Tensor, minutes: torch.Tensor, size: torch.Tensor) -> None:
        self.vectors, self.minutes = vectors, minutes
        self.last = (torch.arange(len(size)), size - 1)
        self.back = size[:, None] - 1 - torch.arange(vectors.shape[1])[None, :]

    def pauses(self) -> torch.Tensor:
        """Since the click before: float32 (B, T)."""
        return torch.log1p(torch.diff(self.minutes, dim=1, prepend=self.minutes[:, :1]).clamp(min=0)) / LONG_PAUSE


class GruBase(nn.Module):
    """A mean that each click moves towards itself; a GRU over pauses and cosines says how far.

    ``offset`` is the log-odds of the part that each click takes in the decayed mean.
    """

    def __init__(self, sequence_length: int, half_life_clicks: float) -> None:
        super().__init__()
        self.gru = nn.GRU(3, BASE_STATES, batch_first=True)
        self.gate = _zero_layer(BASE_STATES, 1)
        older = torch.cumsum(torch.exp2(-torch.arange(1, sequence_length + 1) / half_life_clicks), 0)
        self.offset: torch.Tensor
        self.register_buffer("offset", torch.cat([torch.zeros(1), -torch.log(older[:-1])]))

    def forward(self, clicks: ClickBatch) -> torch.Tensor:
        """Weigh the clicks: float32 (B, D), unit rows."""
        v = clicks.vectors
        before = torch.cat([torch.zeros_like(v[:, :1]), v[:, :-1]], 1)  # (B, T, D)
        mean_before = normalize(torch.cumsum(before, 1), dim=2)
        seen = torch.stack([clicks.pauses(), (v * before).sum(2), (v * mean_before).sum(2)], 2)  # (B, T, 3)
        step = self.gate(self.gru(seen)[0]).squeeze(2) + self.offset[: v.shape[1]]  # (B, T), log-odds of a click's part
        stays = torch.where(clicks.back >= 0, logsigmoid(-step), torch.zeros(()))
        after = stays.flip(1).cumsum(1).flip(1) - stays  # what the clicks after it leave of each
        first = torch.zeros_like(step[:, :1])  # the log of 1: the first click is all there is
        takes = torch.cat([first, logsigmoid(step[:, 1:])], 1)
        weight = torch.where(clicks.back >= 0, torch.exp(takes + after), torch.zeros(()))
        return normalize((weight[:, :, None] * v).sum(1), dim=1)


class GruExtra(nn.Module):
    """A direction that a GRU over the vectors themselves adds."""

    def __init__(self, dim: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.gru = nn.GRU(dim + 1, hidden, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.out = _zero_layer(hidden, dim)

    def forward(self, clicks: ClickBatch) -> torch.Tensor:
        """float32 (B, D)."""
        states, _ = self.gru(torch.cat([clicks.vectors, clicks.pauses()[:, :, None]], 2))
        added: torch.Tensor = self.out(self.dropout(states[clicks.last]))
        return added


class GruNetwork(nn.Module):
    """Base and extra, added."""

    def __init__(self, dim: int, config: ReadersConfig) -> None:
        super().__init__()
        self.base = GruBase(config.sequence_length, config.half_life_clicks)
        self.extra = GruExtra(dim, HIDDEN_UNITS, _DROPOUT)

    def forward(self, clicks: ClickBatch) -> torch.Tensor:
        """Foresee the next click: float32 (B, D), unit rows."""
        return normalize(self.base(clicks) + self.extra(clicks), dim=1)  # nosec B610


def _zero_layer(hidden: int, dim: int) -> nn.Linear:
    """A last layer that adds nothing before training."""
    layer = nn.Linear(hidden, dim)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer

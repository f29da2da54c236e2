"""Networks that foresee the next click from the last ones: GRU and attention.

Each has two parts. ``base`` decides how much each of the clicks counts, from what does not depend on where in the space
they lie: order, pauses, cosines between them. What it has learned stays true when the news changes. ``extra`` adds a
direction that it learned for directions, which is worth much on a site whose subjects stay, and little on the next
day's news: training keeps it only where it holds on later lists. Both start as the decayed mean. No network knows an
article by name. ``recsys.readers.trained`` holds the same sums in numpy.

Source: Hidasi et al. 2016 (GRU over a session); Cho et al. 2014 (the GRU); Li et al. 2017 (NARM: attention asked by the
last click).
"""

import torch
from torch import nn
from torch.nn.functional import logsigmoid, normalize

from recsys.readers.config import EncoderTraining

LONG_PAUSE = 5.0  # log1p of minutes: some two hours; brings pauses near 1
GATES = 16  # width of the GRU that sees four numbers per click


class Clicks:
    """The last clicks of B lists, and what is told of them.

    Attributes:
        vectors: float32 (B, T, D), unit rows, oldest first, T ≤ ``last``; zeros behind the last.
        minutes: float32 (B, T), not falling.
        size: int64 (B,), clicks of each, 1 to T.
        newest: float32 (B, D), vectors of the last ones.
        back: int64 (B, T), how many clicks each lies back, 0 for the last one, negative behind it.
    """

    def __init__(self, vectors: torch.Tensor, minutes: torch.Tensor, size: torch.Tensor) -> None:
        self.vectors, self.minutes, self.size = vectors, minutes, size
        self.last = (torch.arange(len(size)), size - 1)
        self.newest = vectors[self.last]
        self.back = size[:, None] - 1 - torch.arange(vectors.shape[1])[None, :]

    def pauses(self) -> torch.Tensor:
        """Since the click before: float32 (B, T)."""
        return torch.log1p(torch.diff(self.minutes, dim=1, prepend=self.minutes[:, :1]).clamp(min=0)) / LONG_PAUSE

    def ages(self) -> torch.Tensor:
        """Until the last click: float32 (B, T)."""
        return torch.log1p((self.minutes[self.last][:, None] - self.minutes).clamp(min=0)) / LONG_PAUSE


class GruBase(nn.Module):
    """A mean that each click moves towards itself; a GRU over pauses and cosines says how far.

    ``offset`` is the log-odds of the part that each click takes in the decayed mean.
    """

    def __init__(self, last: int, half_life_clicks: float) -> None:
        super().__init__()
        self.gru = nn.GRU(3, GATES, batch_first=True)
        self.gate = _nothing(GATES, 1)
        older = torch.cumsum(torch.exp2(-torch.arange(1, last + 1) / half_life_clicks), 0)
        self.offset: torch.Tensor
        self.register_buffer("offset", torch.cat([torch.zeros(1), -torch.log(older[:-1])]))

    def forward(self, clicks: Clicks) -> torch.Tensor:
        """Weigh the clicks: float32 (B, D), unit rows."""
        v = clicks.vectors
        before = torch.cat([torch.zeros_like(v[:, :1]), v[:, :-1]], 1)
        so_far = normalize(torch.cumsum(before, 1), dim=2)
        seen = torch.stack([clicks.pauses(), (v * before).sum(2), (v * so_far).sum(2)], 2)  # (B, T, 3)
        step = self.gate(self.gru(seen)[0]).squeeze(2) + self.offset[: v.shape[1]]  # (B, T), log-odds of a click's part
        stays = torch.where(clicks.back >= 0, logsigmoid(-step), torch.zeros(()))
        after = stays.flip(1).cumsum(1).flip(1) - stays  # what the clicks after it leave of each
        takes = torch.cat(
            [torch.zeros_like(step[:, :1]), logsigmoid(step[:, 1:])], 1
        )  # the first click is all there is
        weight = torch.where(clicks.back >= 0, torch.exp(takes + after), torch.zeros(()))
        return normalize((weight[:, :, None] * v).sum(1), dim=1)


class GruExtra(nn.Module):
    """What a GRU over the vectors themselves adds."""

    def __init__(self, dim: int, config: EncoderTraining) -> None:
        super().__init__()
        self.gru = nn.GRU(dim + 1, config.hidden, batch_first=True)
        self.dropout = nn.Dropout(config.dropout)
        self.out = _nothing(config.hidden, dim)

    def forward(self, clicks: Clicks) -> torch.Tensor:
        """float32 (B, D)."""
        states, _ = self.gru(torch.cat([clicks.vectors, clicks.pauses()[:, :, None]], 2))
        added: torch.Tensor = self.out(self.dropout(states[clicks.last]))
        return added


class AttentionBase(nn.Module):
    """Several means of the clicks; order, age and nearness to the last click say what each looks at.

    A head begins with weights that halve every so many clicks: half of the configured number for the first head, twice
    as many for each one after it.
    """

    def __init__(self, config: EncoderTraining, half_life_clicks: float) -> None:
        super().__init__()
        life = half_life_clicks * torch.exp2(torch.arange(config.heads) - 1.0)
        back = torch.arange(config.last)
        self.recency = nn.Parameter(-back[None, :] * torch.log(torch.tensor(2.0)) / life[:, None])  # (heads, last)
        self.age = nn.Parameter(torch.zeros(config.heads))
        self.near = nn.Parameter(torch.zeros(config.heads))
        self.share = nn.Parameter(torch.full((config.heads,), 1.0 / config.heads))

    def means(self, clicks: Clicks) -> torch.Tensor:
        """float32 (B, heads, D)."""
        recency = self.recency[:, clicks.back.clamp(min=0)].transpose(0, 1)  # (B, heads, T)
        cosine = (clicks.vectors * clicks.newest[:, None]).sum(2)  # (B, T)
        logits = recency - self.age[:, None] * clicks.ages()[:, None] + self.near[:, None] * cosine[:, None]
        return torch.softmax(logits.masked_fill(clicks.back[:, None] < 0, -torch.inf), 2) @ clicks.vectors

    def forward(self, clicks: Clicks) -> torch.Tensor:
        """Weigh the clicks: float32 (B, D), unit rows."""
        return normalize((self.share[:, None] * self.means(clicks)).sum(1), dim=1)


class AttentionExtra(nn.Module):
    """What a layer over the heads' means and the last click adds."""

    def __init__(self, dim: int, config: EncoderTraining, base: AttentionBase) -> None:
        super().__init__()
        self._means = base.means  # shared, not a part of this one
        self.layer = nn.Linear((config.heads + 1) * dim, config.hidden)
        self.dropout = nn.Dropout(config.dropout)
        self.out = _nothing(config.hidden, dim)

    def forward(self, clicks: Clicks) -> torch.Tensor:
        """float32 (B, D)."""
        seen = torch.cat([self._means(clicks).flatten(1), clicks.newest], 1)
        added: torch.Tensor = self.out(self.dropout(torch.relu(self.layer(seen))))
        return added


class Network(nn.Module):
    """Base and extra of one kind: ``gru`` or ``attention``."""

    def __init__(self, kind: str, dim: int, config: EncoderTraining, half_life_clicks: float) -> None:
        super().__init__()
        self.base: nn.Module
        self.extra: nn.Module
        if kind == "gru":
            self.base, self.extra = GruBase(config.last, half_life_clicks), GruExtra(dim, config)
        else:
            attention = AttentionBase(config, half_life_clicks)
            self.base, self.extra = attention, AttentionExtra(dim, config, attention)

    def forward(self, clicks: Clicks) -> torch.Tensor:
        """Foresee the next click: float32 (B, D), unit rows."""
        return normalize(self.base(clicks) + self.extra(clicks), dim=1)


def _nothing(hidden: int, dim: int) -> nn.Linear:
    """A last layer that adds nothing before training."""
    layer = nn.Linear(hidden, dim)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer

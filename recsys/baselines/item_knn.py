"""Decayed item-kNN: what was lately clicked in one visit with what this visit has clicked.

Reads the log and lists; produces a score per candidate. A click adds one pair with each of the newest clicks of its
visit, in both directions; pairs fade. A candidate is worth its pairs with the company, each over the root of both
articles' clicks to a power, the newer clicks of the company counting more.

Source: Linden, Smith and York 2003 (item-to-item); Ding and Li 2005 (time weight).
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from recsys.baselines.clicks import Scores, Shown, Stream, shown_of, stream_of
from recsys.baselines.neighbours import Neighbours, add, comes_again, empty_neighbours, growth, spread, unspread
from recsys.compiled import compiled
from recsys.dataset.impressions import ClickHistories, Impressions
from recsys.events import Events


@dataclass(frozen=True)
class ItemKnn:
    """Decayed co-visits.

    Attributes:
        half_life_hours: hours after which a pair counts half.
        popularity_power: the power of the geometric mean of both articles' clicks by which a pair is divided; 1 is
            the cosine, 0 the plain count.
        fade: what the next older click of the company counts against the newer one.
        company: newest clicks of a visit that keep company with the next.
        neighbours: kept per article; memory is 12 bytes × this × clicked articles.
    """

    half_life_hours: float = 0.5
    popularity_power: float = 1.0
    fade: float = 0.3
    company: int = 10
    neighbours: int = 256
    name: ClassVar[str] = "item_knn"

    def scores(self, events: Events, lists: Impressions, histories: ClickHistories) -> Scores:
        """See ``Baseline``."""
        stream = stream_of(events, histories)
        shown = shown_of(lists, histories, self.company)
        known = empty_neighbours(stream, len(events.article_ids), self.company, self.neighbours, self.half_life_hours)
        out = np.empty(len(lists.article), np.float32)
        _item_knn(stream, shown, known, self.company, self.fade, self.popularity_power, out)
        return out


@compiled
def _item_knn(
    stream: Stream, shown: Shown, known: Neighbours, most: int, fade: float, power: float, out: Scores
) -> None:
    scores = np.zeros(len(known.clicks))
    learned = 0
    for i in range(len(shown.time)):
        while learned < len(stream.time) and stream.time[learned] < shown.time[i]:
            _learn(stream, known, stream.order[learned], stream.time[learned], most)
            learned += 1
        low, high = shown.low[i], shown.high[i]
        now = 1.0 / growth(known, shown.time[i]) ** (1.0 - power)  # first, because it may move the landmark
        share = 1.0
        for p in range(high - 1, low - 1, -1):
            if not comes_again(stream.article, p, high):
                row = stream.article[p]
                clicks = max(known.clicks[row], 1e-300)
                spread(known, row, share / clicks ** (power / 2), scores)
            share *= fade
        for c in range(shown.offsets[i], shown.offsets[i + 1]):
            row = shown.article[c]
            clicks = max(known.clicks[row], 1e-300)
            out[c] = scores[row] * now / clicks ** (power / 2) if scores[row] > 0 else 0.0
        for p in range(low, high):
            unspread(known, stream.article[p], scores)


@compiled
def _learn(stream: Stream, known: Neighbours, place: int, time: int, most: int) -> None:
    row, one = stream.article[place], growth(known, time)
    known.clicks[row] += one
    for p in range(max(stream.start[stream.visit[place]], place - most), place):
        other = stream.article[p]
        if other != row and not comes_again(stream.article, p, place):
            add(known, row, other, one)
            add(known, other, row, one)

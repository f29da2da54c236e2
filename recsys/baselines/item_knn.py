"""Decayed item-kNN: what was lately clicked in one visit with what this visit has clicked.

Reads the log and lists; produces a score per candidate. A click adds one pair with each of the newest clicks of its
visit, in both directions; pairs fade. A candidate is worth its pairs with the clicks of the session, each over the
root of both articles' clicks to a power, the newer clicks counting more.

Source: Linden, Smith and York 2003 (item-to-item); Ding and Li 2005 (time weight).
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from recsys.baselines.clicks import ListsToScore, Scores, dated_clicks, lists_to_score
from recsys.baselines.neighbours import Neighbours, add, comes_again, empty_neighbours, growth, spread, unspread
from recsys.compiled import compiled
from recsys.dataset.impressions import ClickHistories, Impressions
from recsys.events import Events
from recsys.events.visits import ClickTable


@dataclass(frozen=True)
class ItemKnn:
    """Decayed co-visits.

    Attributes:
        half_life_hours: hours after which a pair counts half.
        popularity_power: the power of the geometric mean of both articles' clicks by which a pair is divided; 1 is
            the cosine, 0 the plain count.
        fade: weight of a click of the session against the next newer one.
        session_clicks: newest clicks of a visit that make pairs with the next, and that a list is scored by.
        neighbours: kept per article; memory is 12 bytes × this × clicked articles.
    """

    half_life_hours: float = 0.5
    popularity_power: float = 1.0
    fade: float = 0.3
    session_clicks: int = 10
    neighbours: int = 256
    name: ClassVar[str] = "item_knn"

    def scores(self, events: Events, impressions: Impressions, histories: ClickHistories) -> Scores:
        """See ``Baseline``."""
        clicks = dated_clicks(events, histories)
        lists = lists_to_score(impressions, histories, self.session_clicks)
        pairs = empty_neighbours(
            clicks, len(events.article_ids), self.session_clicks, self.neighbours, self.half_life_hours
        )
        out = np.empty(len(impressions.article), np.float32)
        _item_knn(clicks, lists, pairs, self.session_clicks, self.fade, self.popularity_power, out)
        return out


@compiled
def _item_knn(
    clicks: ClickTable, lists: ListsToScore, pairs: Neighbours, most: int, fade: float, power: float, out: Scores
) -> None:
    scores = np.zeros(len(pairs.clicks))
    learned = 0
    for i in range(len(lists.time)):
        while learned < len(clicks.order) and clicks.time[clicks.order[learned]] < lists.time[i]:
            _learn(clicks, pairs, clicks.order[learned], most)
            learned += 1
        low, high = lists.low[i], lists.high[i]
        now = 1.0 / growth(pairs, lists.time[i]) ** (1.0 - power)  # first, because it may move the landmark
        share = 1.0
        for p in range(high - 1, low - 1, -1):
            if not comes_again(clicks.article, p, high):
                row = clicks.article[p]
                count = max(pairs.clicks[row], 1e-300)
                spread(pairs, row, share / count ** (power / 2), scores)
            share *= fade
        for c in range(lists.offsets[i], lists.offsets[i + 1]):
            row = lists.article[c]
            count = max(pairs.clicks[row], 1e-300)
            out[c] = scores[row] * now / count ** (power / 2) if scores[row] > 0 else 0.0
        for p in range(low, high):
            unspread(pairs, clicks.article[p], scores)


@compiled
def _learn(clicks: ClickTable, pairs: Neighbours, place: int, most: int) -> None:
    row, weight = clicks.article[place], growth(pairs, clicks.time[place])
    pairs.clicks[row] += weight
    for p in range(max(clicks.visit_start[place], place - most), place):
        other = clicks.article[p]
        if other != row and not comes_again(clicks.article, p, place):
            add(pairs, row, other, weight)
            add(pairs, other, row, weight)

"""Two baselines that know no reader: what everybody clicked just now, and chance.

Reads the log and lists; produces a score per candidate.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from recsys.baselines.clicks import ListsToScore, Rows, Scores, lists_to_score
from recsys.compiled import compiled
from recsys.dataset.impressions import ClickHistories, Impressions, Longs
from recsys.events import UNDATED, Events
from recsys.trends import CLICK
from recsys.units import HOUR_MS


@dataclass(frozen=True)
class Popularity:
    """Clicks of everybody, decayed; undated clicks do not count, those without a reader do.

    Attributes:
        half_life_hours: hours after which a click counts half.
    """

    half_life_hours: float = 0.25
    name: ClassVar[str] = "popularity"

    def scores(self, events: Events, impressions: Impressions, histories: ClickHistories) -> Scores:
        """See ``Baseline``."""
        clicks = np.flatnonzero((events.kind == CLICK) & (events.time != UNDATED))
        lists = lists_to_score(impressions, histories, 1)
        out = np.empty(len(impressions.article), np.float32)
        per_ms = 1.0 / (self.half_life_hours * HOUR_MS)
        _popularity(events.article[clicks], events.time[clicks], len(events.article_ids), per_ms, lists, out)
        return out


@dataclass(frozen=True)
class Chance:
    """A random order.

    Attributes:
        seed: equal seeds give equal scores.
    """

    seed: int = 1
    name: ClassVar[str] = "random"

    def scores(self, events: Events, impressions: Impressions, histories: ClickHistories) -> Scores:
        """See ``Baseline``."""
        return np.random.default_rng(self.seed).random(len(impressions.article), np.float32)


@compiled
def _popularity(article: Rows, time: Longs, n_articles: int, per_ms: float, lists: ListsToScore, out: Scores) -> None:
    """Walk clicks (C,) and lists; a count is faded when it is touched or read."""
    count, last = np.zeros(n_articles), np.zeros(n_articles, np.int64)
    known = 0
    for i in range(len(lists.time)):
        now = lists.time[i]
        while known < len(time) and time[known] < now:
            row = article[known]
            count[row] = count[row] * 2.0 ** ((last[row] - time[known]) * per_ms) + 1.0
            last[row] = time[known]
            known += 1
        for c in range(lists.offsets[i], lists.offsets[i + 1]):
            row = lists.article[c]
            out[c] = count[row] * 2.0 ** ((last[row] - now) * per_ms) if count[row] > 0 else 0.0

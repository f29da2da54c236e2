"""Whole lists: in some stretches of the log, the recommender serves everyone from all live articles.

Reads the walk as it stands when a list is shown; produces the recommender's own twenty cards (retrieved, ranked and
re-ranked by the code that the service runs) and the figures of these and of the baselines' twenty best. An article is
live when somebody clicked it in the 24 hours before. What a reader has opened is shown to nobody.
"""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.next_click.data import as_lists
from benchmarks.next_click.figures import TOP
from recsys.baselines import Baseline
from recsys.catalogue.articles import CatalogueArticle
from recsys.catalogue.catalogue import Catalogue
from recsys.dataset.impressions import ClickHistories, Impressions, click_histories
from recsys.dataset.replay import LogReplay
from recsys.events import Events
from recsys.features.matrix import ArticleTables
from recsys.index import Index
from recsys.index.config import IndexConfig
from recsys.readers import CLICK, ReaderState
from recsys.readers.config import ReadersConfig
from recsys.recommend.answer import Recommender
from recsys.recommend.config import RecommendConfig
from recsys.recommend.rank import Scorer
from recsys.units import HOUR_MS

Array = npt.NDArray[Any]

STRETCHES = 4
LIVE_HOURS = 24
SOON_MS = 10 * 60_000  # a new article should be recommended within this time of its first click
LATER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Shown:
    """One served list: its number, the live articles that might be shown, the target, how novel each live one is."""

    number: int
    live: Array
    target: int
    novelty: Array


class Serving:
    """The recommender on a walk.

    Attributes:
        served: bool (I,), the lists that it serves.
        seconds: spent serving.
    """

    def __init__(
        self,
        events: Events,
        lists: Impressions,
        walk: LogReplay,
        tables: ArticleTables,
        model: Scorer,
        minutes: float,
        judged: int,
    ) -> None:
        self._events, self._lists, self._walk, self._tables = events, lists, walk, tables
        self.seconds = 0.0
        self.served, self._windows = _stretches(lists, minutes, judged)
        self._known: ClickHistories = click_histories(events, lists, 30)
        self._shown: list[Shown] = []
        self._cards: list[Array] = []
        self._first = walk.trends.state.first
        if not self.served.any():
            return
        catalogue = Catalogue(events.article_ids, len(events.article_ids))
        for article_id in events.article_ids:
            catalogue.put(article_id, CatalogueArticle(title=article_id))
        self._recommender = Recommender(
            catalogue,
            tables,
            Index.build(tables.item_vectors),
            None,
            model,
            walk.trends,
            RecommendConfig(),
            ReadersConfig(),
            IndexConfig().candidates,
            None,
        )

    def serve(self, number: int) -> None:
        """Make the list that was shown when the walk stands as it did then."""
        began = time.monotonic()
        state, now = self._walk.trends.state, int(self._lists.time[number])
        live = (state.last >= now - LIVE_HOURS * HOUR_MS) & (state.last >= 0)
        made = self._recommender
        with made.catalogue.changing():
            made.catalogue.published[:] = np.where(live, state.first, LATER)
        made.index = Index.build(np.where(live[:, None], self._tables.item_vectors, np.nan).astype(np.float32))
        reader = self._reader(number)
        cards = made.recommend(reader, None, article=None, k=TOP, now=now, lang=None).cards
        live[reader.seen] = False
        rows = np.flatnonzero(live).astype(np.int32)
        clicks = self._walk.trends.clicks(rows, now)[:, 3].astype(np.float64)
        novelty = -np.log2((clicks + 0.5) / (clicks.sum() + 0.5 * len(rows)))
        target = int(self._lists.article[self._lists.offsets[number]])
        self._shown.append(Shown(number, rows, target, novelty.astype(np.float32)))
        self._cards.append(np.array([card.row for card in cards], np.int32))
        self.seconds += time.monotonic() - began

    def _reader(self, number: int) -> ReaderState:
        reader, known = ReaderState.empty(ReadersConfig()), self._known
        for at in range(int(known.first[number]), int(known.last[number])):
            event = int(known.clicks.event[at])
            context = int(self._events.context[event]) if len(self._events.context) else -1
            said = self._events.contexts[context] if context >= 0 else None
            reader.observe(CLICK, int(known.clicks.article[at]), int(known.clicks.time[at]), said)
        return reader

    def figures(self) -> dict[str, float]:
        """Figures of the recommender's own lists."""
        return self._judge(self._cards)

    def baseline_figures(self, model: Baseline) -> dict[str, float]:
        """Figures of the twenty best of a baseline, from the same live articles."""
        if not self._shown:
            return {}
        numbers = np.array([one.number for one in self._shown])
        click = self._known.clicks.event[np.maximum(self._known.last[numbers] - 1, 0)]  # any event of the same reader
        rows, sizes = (
            np.concatenate([one.live for one in self._shown]),
            np.array([len(one.live) for one in self._shown]),
        )
        lists = as_lists(self._events, self._lists.time[numbers], click, rows, sizes)
        scores = model.scores(self._events, lists, click_histories(self._events, lists, 30))
        cards = []
        for one, start, stop in zip(self._shown, lists.offsets[:-1].tolist(), lists.offsets[1:].tolist(), strict=True):
            own = scores[start:stop]
            best = np.argpartition(-own, min(TOP, len(own) - 1))[:TOP] if len(own) > TOP else np.arange(len(own))
            cards.append(one.live[best[np.argsort(-own[best], kind="stable")]])
        return self._judge(cards)

    def _judge(self, lists: list[Array]) -> dict[str, float]:
        if not self._shown:
            return {}
        places = [np.flatnonzero(cards == one.target) for cards, one in zip(lists, self._shown, strict=True)]
        found = np.array([place[0] if len(place) else -1 for place in places])
        novelty = [
            one.novelty[np.searchsorted(one.live, np.sort(cards))].mean()
            for cards, one in zip(lists, self._shown, strict=True)
            if len(cards)
        ]
        live = np.unique(np.concatenate([one.live for one in self._shown]))
        return {
            "recall@10": float(((found >= 0) & (found < 10)).mean()),
            "recall@20": float((found >= 0).mean()),
            "mrr@20": float(np.where(found >= 0, 1.0 / (np.maximum(found, 0) + 1.0), 0.0).mean()),
            "coverage": len(np.unique(np.concatenate(lists))) / max(1, len(live)),
            "novelty_bits": float(np.mean(novelty)),
            "new_within_10_min": self._soon(lists),
        }

    def _soon(self, lists: list[Array]) -> float:
        """Share of the articles first clicked while lists were served that some list held within ten minutes."""
        times = self._lists.time[[one.number for one in self._shown]]
        new, soon = 0, 0
        for start, stop in self._windows:
            fresh = np.flatnonzero((self._first >= start) & (self._first < stop - SOON_MS))
            for row in fresh.tolist():
                first = self._first[row]
                low, high = np.searchsorted(times, [first, first + SOON_MS])
                new += 1
                soon += any((cards == row).any() for cards in lists[low:high])
        return soon / max(1, new)


def _stretches(lists: Impressions, minutes: float, judged: int) -> tuple[npt.NDArray[np.bool_], list[tuple[int, int]]]:
    """The lists served, bool (I,), and their stretches of time in ms: spread evenly over what is judged."""
    served = np.zeros(len(lists), bool)
    if minutes <= 0 or judged >= len(lists):
        return served, []
    start, stop = int(lists.time[judged]), int(lists.time[-1])
    length = int(min(minutes * 60_000 / STRETCHES, (stop - start) / STRETCHES))
    windows = [
        (at, at + length) for at in (start + (stop - start) * (2 * s + 1) // (2 * STRETCHES) for s in range(STRETCHES))
    ]
    for low, high in windows:
        served |= (lists.time >= low) & (lists.time < high)
    return served, windows

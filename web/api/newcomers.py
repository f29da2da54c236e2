"""Newcomers: how many clicks from elsewhere, by readers whom nobody knew an hour ago, one article gains at a time.

A click on a card of our own list is bounded by who was shown the card. One on a page that was opened from elsewhere is
bounded by nothing, and a ring of invented readers that asks for lists, says that it saw cards and clicks looks like
readers who follow a link: of one article, all new, all at once. What tells a true crowd from it is the company that it
keeps: readers who were here before, and clicks on cards. So of one article newcomers from elsewhere count up to a few,
and as often as the company goes with them on this site, three times over.

Each worker counts on its own, halved every quarter of an hour: what is a ratio needs no sum over the workers.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

FEW = 4  # of one article in a quarter of an hour, whatever else happens on it
TIMES = 3  # what an article may have of newcomers for each other click, against the site's usual
AT_LEAST, AT_MOST = 2.0, 20.0  # newcomers for each other click, whatever is usual: a site's first days, and a flood
USUAL, KNOWN = 40.0, 20.0  # newcomers and other clicks of a site of which nothing is known yet
ARTICLE_S, SITE_S = 900.0, 86_400.0  # after which half of what was counted is forgotten, of an article and of the site
ARTICLES = 20_000  # remembered: some 6 MB


@dataclass(slots=True)
class _Seen:
    """Clicks on one article, as much of them as is not forgotten.

    Attributes:
        at: s, when that was.
        newcomers: whom a card that they saw vouches for, and others whose clicks are held until one does.
        others: all other clicks.
    """

    at: float
    newcomers: list[float]
    others: float = 0.0

    def forget(self, now: float) -> None:
        """Halve what is old."""
        kept = 0.5 ** ((now - self.at) / ARTICLE_S)
        self.at, self.newcomers, self.others = now, [one * kept for one in self.newcomers], self.others * kept


class Newcomers:
    """The clicks of newcomers from elsewhere that one worker lets count. Safe for threads.

    Args:
        workers: of the service, among whom the few are divided.
        clock: s from any start.
    """

    def __init__(self, workers: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._few, self._clock = ceil(FEW / workers), clock
        self._lock = threading.Lock()
        self._articles: OrderedDict[str, _Seen] = OrderedDict()
        self._newcomers = self._others = 0.0
        self._at = clock()

    def __len__(self) -> int:
        return len(self._articles)

    @property
    def usual(self) -> float:
        """Newcomers from elsewhere for each other click that one article may have."""
        ratio = (USUAL + self._newcomers) / (KNOWN + self._others)
        return min(max(TIMES * ratio, AT_LEAST), AT_MOST)

    def see_other(self, article: str) -> None:
        """Note a click of somebody known, or on a card."""
        with self._lock:
            self._seen(article).others += 1.0
            self._others += 1.0

    def admit(self, article: str, *, held: bool) -> bool:
        """Take a newcomer's click from elsewhere in, unless the article has had too many.

        Args:
            article: that was opened.
            held: whether nothing vouches for who sent it yet; they have a number of their own, so that a flood of
                strangers takes no place of a reader who saw a card.
        """
        with self._lock:
            seen = self._seen(article)
            if seen.newcomers[held] + 1.0 > self._few + self.usual * seen.others:
                return False
            seen.newcomers[held] += 1.0
            self._newcomers += 1.0
            return True

    def _seen(self, article: str) -> _Seen:
        """Counts of an article by now, after those of the site."""
        now = self._clock()
        kept = 0.5 ** ((now - self._at) / SITE_S)
        self._at, self._newcomers, self._others = now, self._newcomers * kept, self._others * kept
        seen = self._articles.get(article) or _Seen(now, [0.0, 0.0])
        seen.forget(now)
        self._articles[article] = seen
        self._articles.move_to_end(article)
        if len(self._articles) > ARTICLES:
            self._articles.popitem(last=False)
        return seen

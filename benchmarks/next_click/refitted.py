"""Models that are fitted anew every few hours of log time, on the clicks of the last days.

Reads the log and lists; produces a score per candidate. A list is scored by the last fit before it and by the clicks of
its own session; an article that was not there at that fit is worth 0.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from recsys.baselines.clicks import ListsToScore, Scores, dated_clicks, lists_to_score
from recsys.dataset.impressions import ClickHistories, Impressions, Longs
from recsys.events import Events
from recsys.events.visits import ClickTable
from recsys.units import DAY_MS, HOUR_MS

MAX_FITS = 500  # of one model along a log: an hour each for three weeks


@dataclass(frozen=True, kw_only=True)
class RefittedBaseline(ABC):
    """A model that is fitted anew along the log.

    Attributes:
        days: log that a fit looks back on.
        refit_hours: hours of log time from one fit to the next.
        session_clicks: clicks that a list is scored by, the newest.
        max_clicks: clicks of a fit at most, the newest.
    """

    days: float = 0.25
    refit_hours: float = 1.0
    session_clicks: int = 10
    max_clicks: int = 1_000_000

    def scores(self, events: Events, impressions: Impressions, histories: ClickHistories) -> Scores:
        """See ``Baseline``."""
        clicks = dated_clicks(events, histories)
        lists = lists_to_score(impressions, histories, self.session_clicks)
        out = np.zeros(len(impressions.article), np.float32)
        for time, first, last in refit_blocks(impressions.time, self.refit_hours):
            rows = window(clicks, time, self.days, self.max_clicks)
            if len(rows):
                self.score_block(clicks, rows, len(events.article_ids), lists, first, last, out)
        return out

    @abstractmethod
    def score_block(
        self, clicks: ClickTable, rows: Longs, n_articles: int, lists: ListsToScore, first: int, last: int, out: Scores
    ) -> None:
        """Fit on some clicks, and score the lists first:last.

        Args:
            clicks: the log.
            rows: int64 (W,), rows of the clicks that teach, sorted; not empty.
            n_articles: A.
            lists: all lists.
            first: number of the first list.
            last: number after the last one.
            out: float32 (N,), the scores of all candidates.
        """


def refit_blocks(time: Longs, hours: float) -> Iterator[tuple[int, int, int]]:
    """Blocks of log time, at whose beginnings a model is fitted anew, at most ``MAX_FITS`` times.

    Args:
        time: int64 (I,), ms, sorted.
        hours: length of a block; doubled on a log of years until there are few enough.

    Yields:
        (ms at which the block begins, its first list, the list after its last), blocks without a list left out.
    """
    length = int(hours * HOUR_MS)
    while len(np.unique(time // length)) > MAX_FITS:
        length *= 2
    number = time // length
    starts = np.flatnonzero(np.diff(number, prepend=-1) != 0)
    ends = np.append(starts, len(time))[1:]
    for first, last in zip(starts.tolist(), ends.tolist(), strict=True):
        yield int(number[first]) * length, first, last


def window(clicks: ClickTable, until: int, days: float, most: int) -> Longs:
    """Rows of the clicks of the last days strictly before a time: int64 (W,), sorted.

    Args:
        clicks: see ``dated_clicks``.
        until: ms.
        days: length of the window.
        most: clicks at most, the newest; bounds memory.
    """
    first, last = np.searchsorted(clicks.time[clicks.order], [until - int(days * DAY_MS), until]).tolist()
    return np.sort(clicks.order[max(first, last - most) : last])

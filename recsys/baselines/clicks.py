"""Clicks of a log and lists as baselines read them: by visitor and visit, in the order of time.

Reads ``ClickHistories``; produces the clicks with a clock that runs from the first to the last of them, and the clicks
that each list is scored by.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.dataset.impressions import ClickHistories, Impressions, Longs
from recsys.events import UNDATED, Events
from recsys.events.visits import ClickTable

Rows = npt.NDArray[np.int32]
Scores = npt.NDArray[np.float32]


class ListsToScore(NamedTuple):
    """I lists in time order with N candidates, and the clicks that each is scored by.

    Attributes:
        time: int64 (I,), ms.
        offsets: int64 (I + 1,): list i holds the candidates offsets[i]:offsets[i + 1].
        article: int32 (N,), article rows.
        low: int64 (I,): list i is scored by the clicks low[i]:high[i] of the table, oldest first.
        high: int64 (I,).
    """

    time: Longs
    offsets: Longs
    article: Rows
    low: Longs
    high: Longs


def dated_clicks(events: Events, histories: ClickHistories) -> ClickTable:
    """The clicks by visitor and visit; undated ones count as made just before the first dated event of the log."""
    clicks, dated = histories.clicks, int(np.searchsorted(events.time, UNDATED, side="right"))
    return clicks._replace(time=np.maximum(clicks.time, events.time[dated] - 1)) if dated < len(events) else clicks


def lists_to_score(impressions: Impressions, histories: ClickHistories, most: int) -> ListsToScore:
    """Lists with the clicks of the running visit, and before its first click with the reader's last ones.

    Args:
        impressions: I lists.
        histories: of the same lists.
        most: clicks per list at most, the newest.
    """
    visiting = histories.visit < histories.last
    low = np.maximum(np.where(visiting, histories.visit, histories.first), histories.last - most)
    return ListsToScore(impressions.time, impressions.offsets, impressions.article, low, histories.last)

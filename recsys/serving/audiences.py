"""Audiences, live: who clicks an article joins those who clicked it, by what they had clicked before.

Reads each reader's clicks from the store, so that every worker knows the same of them, whether it has answered them or
not; moves the audiences of ``recsys.trends.audiences`` as the replay of a log does. What a reader clicked at the same
moment and later says nothing, nor does a session without a reader.
"""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.compiled import as_int64
from recsys.features.similarity import mean_direction
from recsys.readers import CLICK, ReaderState
from recsys.readers.state import ReaderEvent
from recsys.serving.state import SharedState
from recsys.store import Store, StoredEvent
from recsys.trends.audiences import count_audience
from recsys.units import UNDATED, UNKNOWN_ROW


class PastClicks(NamedTuple):
    """Clicks of one reader, oldest first, as arrays: a batch of events may have thousands of readers.

    Attributes:
        row: int32 (n,), article rows.
        time: int64 (n,), ms, or UNDATED.
        seq: int64 (n,), in the order of the store.
    """

    row: npt.NDArray[np.int32]
    time: npt.NDArray[np.int64]
    seq: npt.NDArray[np.int64]


NO_PAST = PastClicks(np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0, np.int64))


def read_pasts(store: Store, site: str, state: SharedState, events: Iterable[StoredEvent]) -> dict[str, PastClicks]:
    """The clicks of all readers who clicked among some events; none where audiences are not counted.

    Raises:
        StoreError: the store is out of reach; nothing was counted.
    """
    if not state.recommender.trends.state.audience.shape[1]:
        return {}
    clicks = Counter(event.reader for event in events if event.kind == "click" and event.reader and event.time)
    kept, row_of = state.snapshot.readers.max_history, state.catalogue.row_of
    most = max(clicks.values(), default=0)  # those at hand are among the newest
    pasts = {}
    for reader, events_of in store.clicks_of_many(site, [*filter(None, clicks)], kept + most).items():
        known = [one for one in events_of if one.kind == "click" and one.article in row_of]
        row, time = [row_of[one.article] for one in known], [one.time for one in known]
        seq = np.array([one.seq for one in known], np.int64)
        pasts[reader] = PastClicks(np.array(row, np.int32), np.array(time, np.int64), seq)
    return pasts


def join_audience(state: SharedState, row: int, time: int, seq: int, past: PastClicks) -> None:
    """Count a reader among those who clicked an article.

    Args:
        state: moved on.
        row: of the article.
        time: ms, of the click.
        seq: of the click, in the order of the store.
        past: the reader's clicks; later ones are passed over.
    """
    trends, config, vectors = state.recommender.trends, state.snapshot.readers, state.article_vectors
    reader = np.zeros(trends.state.audience.shape[1], np.float32)
    if row == UNKNOWN_ROW or time == UNDATED or not len(reader) or vectors.shape[1] != len(reader):
        return
    before = (past.time < time) | ((past.time == time) & (past.seq < seq))
    done = zip(past.row[before].tolist(), past.time[before].tolist(), strict=True)
    clicks = ReaderState.of(config, (ReaderEvent(CLICK, clicked, at) for clicked, at in done)).clicks
    if mean_direction(vectors, clicks, as_int64(0), config.half_life_clicks, reader):
        count_audience(trends.state, as_int64(row), reader)

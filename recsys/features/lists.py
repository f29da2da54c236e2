"""The lists in a log: which articles were shown together, to whom and when, and which were clicked.

Reads ``Events``; produces ``Lists`` with their timeline: warm-up, fit, validation, holdout, and the moments at which
vectors are learned anew. A log of clicks alone gets pseudo-impressions.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from recsys.events import UNDATED, Events
from recsys.features import FeaturesConfig
from recsys.trends import CLICK, HOUR_MS, IMPRESSION

Longs = npt.NDArray[np.int64]

FIT, VALIDATION, HOLDOUT = 0, 1, 2
NEVER = np.iinfo(np.int64).max
GROWTH = 0.01  # vectors wait for so many new clicks, as a share of those before: in service they are a night old, too
RECENT_CLICKS = 1_000  # pseudo-impressions draw what the reader left from so many last clicks of everyone


@dataclass(frozen=True)
class Lists:
    """I lists that were shown, in time order, with N candidates in all.

    Attributes:
        time: int64 (I,), ms: when the list was shown.
        reader: int64 (I,), key of the reader's state, see ``reader_keys``; -1 for nobody.
        offsets: int64 (I + 1,): list i holds the candidates offsets[i]:offsets[i + 1].
        article: int32 (N,), article rows.
        clicked_at: int64 (N,), ms of the first click on the candidate, NEVER for none.
        part: int8 (I,), FIT, VALIDATION or HOLDOUT.
        refits: int64 (R,), ms: when vectors are learned anew, the first at or before the first list; on a log that
            hardly grows from one to the next fewer than were asked for.
        limits: int64 (3,), ms: clicks at or after it do not label the lists of that part.
    """

    time: Longs
    reader: Longs
    offsets: Longs
    article: npt.NDArray[np.int32]
    clicked_at: Longs
    part: npt.NDArray[np.int8]
    refits: Longs
    limits: Longs

    def __len__(self) -> int:
        return len(self.time)

    def cut(self, start: int, stop: int) -> "Lists":
        """The lists start:stop, with the same parts and refits."""
        first, last = self.offsets[start], self.offsets[stop]
        return replace(
            self,
            time=self.time[start:stop],
            reader=self.reader[start:stop],
            offsets=self.offsets[start : stop + 1] - first,
            article=self.article[first:last],
            clicked_at=self.clicked_at[first:last],
            part=self.part[start:stop],
        )


def reader_keys(events: Events) -> Longs:
    """Whose state an event belongs to: the reader, else the session of an unknown reader, else -1: int64 (E,)."""
    sessions = np.where(events.session >= 0, events.session.astype(np.int64) + len(events.reader_ids), -1)
    return np.where(events.reader >= 0, events.reader.astype(np.int64), sessions)


def lists_of(
    events: Events,
    config: FeaturesConfig,
    *,
    holdout: float,
    validation: float,
    session_gap_minutes: int,
    rng: np.random.Generator,
) -> Lists:
    """Find the lists in a log and lay out their timeline.

    Of the newest ``config.max_impressions`` lists the first ``config.warmup`` share only fills the counts, the last
    ``holdout`` share is held out, and the ``validation`` share before it stops the training. A log without impressions
    gets pseudo-impressions, see ``pseudo_impressions``.

    Returns:
        The lists after the warm-up; none when the log holds none.
    """
    lists = impressions(events)
    if not len(lists):
        lists = pseudo_impressions(events, config, session_gap_minutes, rng)
    lists = lists.cut(max(0, len(lists) - config.max_impressions), len(lists))
    n = len(lists)
    if not n:
        return lists
    starts = [int(n * share) for share in (config.warmup, 1 - holdout - validation, 1 - holdout)]
    warm, held, out = np.maximum.accumulate(np.clip(starts, 0, n - 1)).tolist()
    blocks = np.linspace(warm, out, config.refits + 1).astype(np.int64)
    validation_start, holdout_start = lists.time[held], lists.time[out]
    return replace(
        lists,
        part=(lists.time >= validation_start).astype(np.int8) + (lists.time >= holdout_start).astype(np.int8),
        refits=_worthwhile(events, np.unique(lists.time[blocks])),
        limits=np.array([validation_start, holdout_start, NEVER], np.int64),
    ).cut(warm, n)


def _worthwhile(events: Events, moments: Longs) -> Longs:
    """The moments by which the dated clicks have grown by ``GROWTH`` since the one before; the first always."""
    times = events.time[(events.kind == CLICK) & (events.time != UNDATED)]
    kept: list[int] = []
    known = 0
    for moment, clicks in zip(moments.tolist(), np.searchsorted(times, moments).tolist(), strict=True):
        if not kept or clicks > (1 + GROWTH) * known:
            kept.append(moment)
            known = clicks
    return np.array(kept, np.int64)


def impressions(events: Events) -> Lists:
    """The lists that a log recorded: impression events that share an impression number.

    A list counts as shown at the first of its events, clicks included: a click that claims to come before its own list
    must not describe it.
    """
    dated = (events.impression >= 0) & (events.time != UNDATED)
    shown = np.flatnonzero(dated & (events.kind == IMPRESSION))
    clicks = np.flatnonzero(dated & (events.kind == CLICK))
    A = len(events.article_ids)
    pair = events.impression.astype(np.int64) * A + events.article
    pairs, first = np.unique(pair[shown], return_index=True)  # a card shown twice in one list counts once
    shown = shown[first]
    clicked_at = np.full(len(shown), NEVER, np.int64)
    place = np.searchsorted(pairs, pair[clicks])
    hit = np.append(pairs, -1)[place] == pair[clicks]  # other clicks are on what the list did not hold
    clicks, place = clicks[hit], place[hit]
    np.minimum.at(clicked_at, place, events.time[clicks])
    _, number = np.unique(events.impression[shown], return_inverse=True)
    started = np.full(number.max(initial=-1) + 1, NEVER, np.int64)
    np.minimum.at(started, number, np.minimum(events.time[shown], clicked_at))
    order = np.lexsort((shown, number, started[number]))
    return _lists(started[number], reader_keys(events)[shown], number, events.article[shown], clicked_at, order)


def pseudo_impressions(
    events: Events, config: FeaturesConfig, session_gap_minutes: int, rng: np.random.Generator
) -> Lists:
    """Lists for a log of clicks alone: each click against articles that others clicked shortly before.

    A reader's list is shown when they made their previous click (within ``session_gap_minutes``), else when they click.
    """
    keys = reader_keys(events)
    clicks = np.flatnonzero((events.kind == CLICK) & (events.time != UNDATED) & (keys >= 0))
    time, key = events.time[clicks], keys[clicks]
    by_reader = np.lexsort((np.arange(len(clicks)), key))
    shown = time.copy()
    gap = np.diff(time[by_reader])
    follows = (np.diff(key[by_reader]) == 0) & (gap > 0) & (gap <= session_gap_minutes * HOUR_MS // 60)
    shown[by_reader[1:][follows]] = time[by_reader[:-1][follows]] + 1  # + 1: the previous click is known by then
    known = np.searchsorted(time, shown)  # clicks strictly before the list was shown
    kept = np.flatnonzero(known > 0)
    kept = kept[np.argsort(shown[kept], kind="stable")][-config.max_impressions :]
    low = np.maximum(known[kept] - RECENT_CLICKS, 0)
    draws = rng.integers(low[:, None], known[kept][:, None], (len(kept), config.negatives))  # (I, N)
    article = events.article[clicks]
    candidates = np.column_stack([article[kept], article[draws]])  # (I, 1 + N), the clicked one first
    number = np.repeat(np.arange(len(kept)), candidates.shape[1])
    clicked_at = np.full(candidates.shape, NEVER, np.int64)
    clicked_at[:, 0] = time[kept]
    pair = number * max(1, len(events.article_ids)) + candidates.ravel()
    order = np.sort(np.unique(pair, return_index=True)[1])  # a candidate drawn twice counts once, the clicked one stays
    return _lists(shown[kept][number], key[kept][number], number, candidates.ravel(), clicked_at.ravel(), order)


def _lists(
    time: Longs, reader: Longs, number: Longs, article: npt.NDArray[np.int32], clicked_at: Longs, order: Longs
) -> Lists:
    """Candidates, sorted by ``order``, as lists."""
    number = number[order]
    starts = np.flatnonzero(np.diff(number, prepend=-1) != 0)
    first = order[starts]
    return Lists(
        time=time[first],
        reader=reader[first],
        offsets=np.append(starts, len(order)).astype(np.int64),
        article=article[order].astype(np.int32),
        clicked_at=clicked_at[order],
        part=np.zeros(len(starts), np.int8),
        refits=np.empty(0, np.int64),
        limits=np.full(3, NEVER, np.int64),
    )

"""The lists in a log: which articles were shown together, to whom and when, and which were clicked.

Reads ``Events``; produces ``Lists`` with their timeline: warm-up, fit, validation, holdout, and the moments at which
vectors are learned anew. A log of clicks alone gets pseudo-impressions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.compiled import compiled
from recsys.events import UNDATED, Events
from recsys.features import FeaturesConfig
from recsys.trends import CLICK, HOUR_MS, IMPRESSION

Array = npt.NDArray[Any]
Longs = npt.NDArray[np.int64]
Rows = npt.NDArray[np.int32]

FIT, VALIDATION, HOLDOUT = 0, 1, 2
NEVER = np.iinfo(np.int64).max
GROWTH = 0.01  # vectors wait for so many new clicks, as a share of those before: in service they are a night old, too
LIVE_CLICKS = 10_000  # pseudo-impressions draw any article that was clicked among so many last clicks
RECENT_CLICKS = 1_000  # pseudo-impressions draw what the reader left from so many last clicks of everyone


@dataclass(frozen=True)
class Lists:
    """I lists that were shown, in time order, with N candidates in all.

    Attributes:
        time: int64 (I,), ms: when the list was shown.
        reader: int64 (I,), key of the reader's state, see ``reader_keys``; -1 for nobody.
        offsets: int64 (I + 1,): list i holds the candidates offsets[i]:offsets[i + 1].
        article: int32 (N,), article rows.
        clicked: int64 (C,), places of the candidates that were clicked, rising.
        clicked_at: int64 (C,), ms of the first click on each.
        part: int8 (I,), FIT, VALIDATION or HOLDOUT.
        refits: int64 (R,), ms: when vectors are learned anew, the first at or before the first list; on a log that
            hardly grows from one to the next fewer than were asked for.
        limits: int64 (3,), ms: clicks at or after it do not label the lists of that part.
    """

    time: Longs
    reader: Longs
    offsets: Longs
    article: npt.NDArray[np.int32]
    clicked: Longs
    clicked_at: Longs
    part: npt.NDArray[np.int8]
    refits: Longs
    limits: Longs

    def __len__(self) -> int:
        return len(self.time)

    @classmethod
    def unclicked(cls, time: Longs, reader: Longs, offsets: Longs, article: Rows) -> "Lists":
        """Lists nobody has clicked in, of one part."""
        none = np.empty(0, np.int64)
        part, limits = np.full(len(time), FIT, np.int8), np.full(3, NEVER, np.int64)
        return cls(time, reader, offsets, article, none, none, part, none, limits)

    def cut(self, start: int, stop: int) -> "Lists":
        """The lists start:stop, with the same parts and refits."""
        first, last = self.offsets[start], self.offsets[stop]
        low, high = np.searchsorted(self.clicked, [first, last])
        return replace(
            self,
            time=self.time[start:stop],
            reader=self.reader[start:stop],
            offsets=self.offsets[start : stop + 1] - first,
            article=self.article[first:last],
            clicked=self.clicked[low:high] - first,
            clicked_at=self.clicked_at[low:high],
            part=self.part[start:stop],
        )

    @property
    def label(self) -> npt.NDArray[np.int8]:
        """What a model may learn: int8 (N,), 1 for candidates clicked before the limit of their list's part."""
        out = np.zeros(len(self.article), np.int8)
        part = self.part[np.searchsorted(self.offsets, self.clicked, side="right") - 1]
        out[self.clicked[self.clicked_at < self.limits[part]]] = 1
        return out


def reader_keys(events: Events) -> Longs:
    """Whose state an event belongs to: the reader, else the session of an unknown reader, else -1: int64 (E,)."""
    sessions = np.where(events.session >= 0, events.session.astype(np.int64) + len(events.reader_ids), -1)
    return np.where(events.reader >= 0, events.reader.astype(np.int64), sessions)


@dataclass(frozen=True)
class Histories:
    """What the reader of each list had clicked before it was shown: slices of one table of clicks.

    Attributes:
        click: int64 (C,), the clicks' places in the log, reader by reader, each in time order.
        rows: int32 (C,), their article rows.
        times: int64 (C,), ms, or UNDATED.
        began: int64 (C,), where the visit of each click begins in this table.
        first: int64 (I,): the reader's clicks before list i are first[i]:last[i].
        visit: int64 (I,): those of the visit during which it was shown are visit[i]:last[i].
        last: int64 (I,).
    """

    click: Longs
    rows: npt.NDArray[np.int32]
    times: Longs
    began: Longs
    first: Longs
    visit: Longs
    last: Longs


def histories(events: Events, lists: Lists, session_gap_minutes: int) -> Histories:
    """Find what each list's reader had clicked strictly before it was shown.

    A visit ends after a pause of more than ``session_gap_minutes``; undated clicks belong to none.
    """
    keys = reader_keys(events)
    click = np.flatnonzero((events.kind == CLICK) & (keys >= 0))
    click = click[np.argsort(keys[click], kind="stable")]
    key, times = keys[click], events.time[click]
    gap = session_gap_minutes * HOUR_MS // 60
    new = np.ones(len(click), bool)
    new[1:] = (np.diff(key) != 0) | (np.diff(times) > gap) | (times[1:] == UNDATED) | (times[:-1] == UNDATED)
    began = np.maximum.accumulate(np.where(new, np.arange(len(click)), 0)).astype(np.int64)
    first = np.searchsorted(key, lists.reader)
    last = _before(key, times, lists)
    last = np.where(lists.reader >= 0, np.maximum(last, first), first)
    previous = np.maximum(last - 1, 0)
    running = (last > first) & (np.append(times, UNDATED)[previous] >= lists.time - gap)
    visit = np.where(running, np.append(began, 0)[previous], last)
    return Histories(click, events.article[click], times, began, first, visit, last)


def _before(key: Longs, times: Longs, lists: Lists) -> Longs:
    """For each list, the place after its reader's last click before it; rows sorted by key, then time."""
    n = len(key)
    order = np.lexsort(
        (np.append(np.ones(n), np.zeros(len(lists))), np.append(times, lists.time), np.append(key, lists.reader))
    )
    clicks_before = np.cumsum(order < n)
    place = np.empty(len(lists), np.int64)
    asked = order >= n
    place[order[asked] - n] = clicks_before[asked]
    return place


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

    Half of these are drawn as often as they were clicked lately, so that the model learns taste and not popularity
    alone; of the other half each article clicked within a longer time is as likely, so that it has seen the rare ones.
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
    article = events.article[clicks]
    popular = rng.integers(low[:, None], known[kept][:, None], (len(kept), (config.negatives + 1) // 2))
    any_ = _any_of(article, np.maximum(known[kept] - LIVE_CLICKS, 0), known[kept], config.negatives // 2, rng)
    candidates = np.column_stack([article[kept], article[popular], any_])  # (I, 1 + N), the clicked one first
    number = np.repeat(np.arange(len(kept)), candidates.shape[1])
    clicked_at = np.full(candidates.shape, NEVER, np.int64)
    clicked_at[:, 0] = time[kept]
    pair = number * max(1, len(events.article_ids)) + candidates.ravel()
    order = np.sort(np.unique(pair, return_index=True)[1])  # a candidate drawn twice counts once, the clicked one stays
    return _lists(shown[kept][number], key[kept][number], number, candidates.ravel(), clicked_at.ravel(), order)


def how_drawn(events: Events, half_lives_hours: Sequence[float], config: FeaturesConfig) -> tuple[int, float] | None:
    """By which count of clicks pseudo-impressions were drawn.

    Returns:
        The place of the half-life whose decayed clicks come nearest to the clicks drawn from, and what the uniform half
        of the draws adds to each article, in such clicks; None for a log that has impressions or no dated clicks.
    """
    times = events.time[(events.kind == CLICK) & (events.time != UNDATED)]
    if (events.kind == IMPRESSION).any() or len(times) < 2:
        return None
    per_hour = len(times) / max((times[-1] - times[0]) / HOUR_MS, 1e-3)
    held = per_hour * np.asarray(half_lives_hours) / np.log(2)  # clicks that each half-life holds
    place = int(np.argmin(np.abs(np.log(held / RECENT_CLICKS))))
    rows = events.article[(events.kind == CLICK) & (events.time != UNDATED)][-LIVE_CLICKS:]
    return place, float(held[place] * (config.negatives // 2) / ((config.negatives + 1) // 2) / len(np.unique(rows)))


def _any_of(article: Rows, low: Longs, high: Longs, n: int, rng: np.random.Generator) -> Rows:
    """For each list, ``n`` articles of those clicked from ``low`` to ``high``, each as likely: int32 (I, n)."""
    out = np.empty((len(low), n), np.int32)
    seen = np.full(int(article.max(initial=-1)) + 1, -1, np.int64)
    _fill_any(article, low, high, rng.random(out.shape), seen, out)
    return out


@compiled
def _fill_any(article: Array, low: Array, high: Array, luck: Array, seen: Array, out: Array) -> None:
    """Draw by walking: ``seen`` holds the last click of each article, ``live`` those in the window and some before."""
    live, size, event = np.empty(len(seen), np.int32), 0, 0
    place = np.full(len(seen), -1, np.int64)
    for i in range(len(low)):
        while event < high[i]:
            row = article[event]
            if place[row] < 0:
                place[row], live[size] = size, row
                size += 1
            seen[row] = event
            event += 1
        for c in range(out.shape[1]):
            chance = luck[i, c]
            while True:
                at = min(int(chance * size), size - 1)
                row = live[at]
                if seen[row] >= low[i]:
                    out[i, c] = row
                    break
                size -= 1  # not clicked for long: the last one takes its place
                place[row], live[at] = -1, live[size]
                if at < size:
                    place[live[at]] = at


def _lists(
    time: Longs, reader: Longs, number: Longs, article: npt.NDArray[np.int32], clicked_at: Longs, order: Longs
) -> Lists:
    """Candidates, sorted by ``order``, as lists; ``clicked_at`` is NEVER for those without a click."""
    number, clicked_at = number[order], clicked_at[order]
    starts = np.flatnonzero(np.diff(number, prepend=-1) != 0)
    first = order[starts]
    return Lists(
        time=time[first],
        reader=reader[first],
        offsets=np.append(starts, len(order)).astype(np.int64),
        article=article[order].astype(np.int32),
        clicked=np.flatnonzero(clicked_at < NEVER),
        clicked_at=clicked_at[clicked_at < NEVER],
        part=np.zeros(len(starts), np.int8),
        refits=np.empty(0, np.int64),
        limits=np.full(3, NEVER, np.int64),
    )

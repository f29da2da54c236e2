"""Impressions of a log: the lists that its readers would have been shown, for training an encoder.

Reads a ``Walkable`` log and moves item vectors with every click (``recsys.items.online``); produces
``TrainingLists``. A list is shown right after a click and knows what happened until then: the vectors of the clicks
before it, of the article clicked next in that visit, and of articles drawn from the last clicks of everyone are all
taken at that moment, so that an encoder learns from the vectors that it will be served with.
"""

from itertools import pairwise

import numpy as np

from recsys.compiled import compiled
from recsys.events import UNDATED
from recsys.items.online import OnlineItems
from recsys.readers.encoders import TrainingLists, Vectors, minutes_of
from recsys.readers.walks import Longs, Rows, Walkable, walk

RECENT = 5_000  # clicks of everyone from which articles are drawn
DRAWS = 8  # per article that is to be drawn: most clicks are on few articles


def shown(
    items: OnlineItems,
    log: Walkable,
    first: int,
    stop: int,
    *,
    last: int,
    negatives: int,
    most: int,
    rng: np.random.Generator,
) -> TrainingLists:
    """Learn the clicks first:stop, and write down the lists that would have been shown after them.

    There is a list after every dated click that is followed by one on another article within its visit, unless that is
    among the reader's last clicks already. Of the clicks
    before it every other list knows those of the visit alone, as for a reader without an id.

    Args:
        items: moves.
        log: see ``walkable``.
        first: number of the first click to learn.
        stop: and of the one after the last.
        last: clicks that a list knows at most.
        negatives: articles drawn for each list.
        most: lists written down at most; of more a random choice, for what was wanted all day lasts longer than what is
            wanted now.
        rng: draws.
    """
    clicks = np.arange(first, stop)
    place = log.place[first:stop]
    after = np.minimum(place + 1, max(0, len(log.by_row) - 1))
    told = (place + 1 < log.end[place]) & (log.time[first:stop] != UNDATED) & (log.by_time[after] < _time_of(log, stop))
    told &= log.by_row[after] != log.row[first:stop]
    chosen = clicks[told]
    if len(chosen) > most:
        chosen = np.sort(rng.choice(chosen, most, replace=False))
    D = items.vectors.shape[1]
    out = TrainingLists(
        np.full((len(chosen) * last, D), np.nan, np.float32),
        np.zeros(len(chosen) * last, np.float32),
        np.zeros(len(chosen) + 1, np.int64),
        np.full((len(chosen), 1 + negatives, D), np.nan, np.float32),
    )
    times = np.zeros(len(chosen) * last, np.int64)
    draws = rng.integers(0, 2**31, (len(chosen), DRAWS * negatives), dtype=np.int32)
    _write(items, log, first, stop, chosen, last, draws, out.clicks, times, out.offsets, out.candidates)
    return _known(out, times)


def _time_of(log: Walkable, stop: int) -> int:
    """The time of the first click that is not learned: what happens then is not known."""
    return int(log.time[stop]) if stop < len(log.time) else np.iinfo(np.int64).max


@compiled
def _write(
    items: OnlineItems,
    log: Walkable,
    first: int,
    stop: int,
    chosen: Longs,
    last: int,
    draws: Rows,
    clicks: Vectors,
    times: Longs,
    offsets: Longs,
    candidates: Vectors,
) -> None:
    """Walk; ``chosen`` are the clicks after which a list is written down."""
    begin, kept = first, np.empty(candidates.shape[1], np.int32)
    for n in range(len(chosen)):
        walk(items, log, begin, chosen[n] + 1)
        begin = chosen[n] + 1
        place, m = log.place[chosen[n]], offsets[n]
        start = log.visit[place] if n % 2 else log.reader[place]
        for earlier in range(max(start, place + 1 - last), place + 1):
            row = log.by_row[earlier]
            if not np.isnan(items.vectors[row, 0]):
                clicks[m] = items.vectors[row]
                times[m] = log.by_time[earlier]
                m += 1
        offsets[n + 1] = m
        target = log.by_row[place + 1]
        own = log.by_row[max(log.reader[place], place + 1 - last) : place + 1]
        if (own == target).any():
            continue
        candidates[n, 0] = items.vectors[target]
        kept[0], k = target, 1
        heard = min(begin, RECENT)
        for draw in draws[n]:
            row = log.row[begin - 1 - draw % heard]
            if k < len(kept) and not (kept[:k] == row).any() and not (own == row).any():
                candidates[n, k] = items.vectors[row]
                kept[k] = row
                k += 1
    walk(items, log, begin, stop)


def _known(made: TrainingLists, times: Longs) -> TrainingLists:
    """The lists of which something is known: a click before, the article clicked, and another one."""
    sizes = np.diff(made.offsets)
    there = ~np.isnan(made.candidates[:, :, 0])
    kept = np.flatnonzero((sizes > 0) & there[:, 0] & there[:, 1:].any(axis=1))
    number = np.repeat(np.arange(len(sizes)), sizes)
    inside = np.isin(number, kept)
    end = int(made.offsets[-1])
    offsets = np.append(0, np.cumsum(sizes[kept])).astype(np.int64)
    clicked = times[:end][inside]
    spans = [clicked[start:stop] for start, stop in pairwise(offsets.tolist())]
    minutes = np.concatenate([minutes_of(span) for span in spans]) if spans else np.empty(0, np.float32)
    return TrainingLists(made.clicks[:end][inside], minutes, offsets, made.candidates[kept])

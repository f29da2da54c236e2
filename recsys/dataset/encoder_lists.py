"""Training lists of a reader encoder: the log replayed, and after each click the list that its reader would be shown.

Reads the log and the released item vectors; produces ``TrainingLists`` in the frame of these. A list is shown right
after a click and knows what happened until then: the vectors of the clicks before it, of the article clicked next in
that visit, and of articles drawn from the last clicks of everyone are all taken at that moment, so that an encoder
learns from the vectors that it will be served with.

Item vectors that are learned anew have a frame of their own. The rotation into the released frame is found by a first
replay; the second starts from the articles' texts turned out of that frame, and the lists are turned into it.

Source: Schönemann 1966 (orthogonal Procrustes).
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from recsys.compiled import as_int64, compiled
from recsys.dataset.log_arrays import NO_COUNTS, LogArrays, apply_events, log_arrays
from recsys.events import Events
from recsys.events.people import CLICK
from recsys.events.visits import Longs, Rows, visit_ends, visits_of
from recsys.items.config import ItemsConfig
from recsys.items.online import OnlineItems, empty_online, place_content
from recsys.readers.config import ReadersConfig
from recsys.readers.encoders import TrainingLists, Vectors, minutes_of
from recsys.trends.state import TrendState
from recsys.units import FOREVER_MS
from recsys.words.alignment import rotation

MAX_TRAINING_LISTS = 40_000  # of one training, drawn from the whole log; bounds memory: 9 KB each at 32 dimensions
SAMPLED_CLICKS = 5_000  # of everyone, from which negative samples are drawn
NEGATIVES_PER_LIST = 50  # per next click, different articles
DRAWS = 8  # per negative sample: most clicks are on few articles


def encoder_lists(
    events: Events,
    released: OnlineItems,
    items_config: ItemsConfig,
    config: ReadersConfig,
    session_gap_minutes: int,
    *,
    seed: int,
) -> TrainingLists | None:
    """The lists that an encoder is trained on, from a whole log.

    Args:
        events: the log, article rows as in ``released``.
        released: the item vectors that the encoder will be served with.
        items_config: how item vectors learn.
        config: the encoder.
        session_gap_minutes: the longest pause inside a visit.
        seed: of the first vectors and of the draws.

    Returns:
        The lists in time order; None where too few articles have clicks to find the released frame.
    """
    log, A = click_log(events, session_gap_minutes), len(released.pair_counts)
    items = empty_online(A, items_config, seed=seed)
    apply_events(NO_COUNTS, items, log, 0, len(log.time), 0)
    turn = frame_rotation(items, released)  # (D, D)
    if turn is None:
        return None
    items = empty_online(A, items_config, seed=seed)
    content = (released.content @ turn.T).astype(np.float32)  # (A, D)
    for row in np.flatnonzero(~np.isnan(content[:, 0])).tolist():
        place_content(items, row, content[row])
    rng = np.random.default_rng(seed)
    lists = next_click_lists(items, log, 0, len(log.time), config, max_lists=MAX_TRAINING_LISTS, rng=rng)
    clicks, candidates = lists.clicks @ turn, lists.candidates @ turn
    return TrainingLists(clicks.astype(np.float32), lists.minutes, lists.offsets, candidates.astype(np.float32))


def frame_rotation(source: OnlineItems, target: OnlineItems) -> Vectors | None:
    """The rotation that takes item vectors into the frame of others, by the same rows.

    Returns:
        float32 (D, D), orthogonal; None where the dimensions differ or fewer articles are clicked than there are
        dimensions.
    """
    both = np.flatnonzero((source.pair_counts > 0) & (target.pair_counts > 0))
    D = source.input_embeddings.shape[1]
    if target.input_embeddings.shape[1] != D or len(both) < D:
        return None
    here, there = (
        np.concatenate([items.input_embeddings[both], items.output_embeddings[both]]) for items in (source, target)
    )
    return rotation(here, there, np.tile(np.sqrt(np.minimum(source.pair_counts[both], target.pair_counts[both])), 2))


def click_log(events: Events, session_gap_minutes: int) -> LogArrays:
    """The clicks of a log alone, for ``apply_events``: each teaches item vectors with those of its visit before it.

    Args:
        events: the log.
        session_gap_minutes: the longest pause inside a visit.
    """
    click_events = events.where(events.kind == CLICK)
    clicks = visits_of(click_events, session_gap_minutes)
    return log_arrays(click_events, clicks, clicks.visit_start)


def next_click_lists(
    items: OnlineItems,
    log: LogArrays,
    first: int,
    stop: int,
    config: ReadersConfig,
    *,
    max_lists: int,
    rng: np.random.Generator,
) -> TrainingLists:
    """Apply the clicks first:stop, and write down the lists that would have been shown after them.

    There is a list after every dated click that is followed by one on another article within its visit, unless that is
    among the reader's last clicks already. Every other list knows the clicks of the visit alone, as for a reader
    without an id.

    Args:
        items: moves.
        log: see ``click_log``.
        first: the first click that is not applied yet.
        stop: after the last one.
        config: clicks that a list knows at most.
        max_lists: of more a random choice, because what was wanted all day lasts longer than what is wanted now.
        rng: draws.
    """
    shown_after = _followed_clicks(log, first, stop)
    if len(shown_after) > max_lists:
        shown_after = np.sort(rng.choice(shown_after, max_lists, replace=False))
    L, T, N, D = len(shown_after), config.sequence_length, NEGATIVES_PER_LIST, items.vectors.shape[1]
    arrays = ListArrays(
        clicks=np.full((L * T, D), np.nan, np.float32),
        times=np.zeros(L * T, np.int64),
        offsets=np.zeros(L + 1, np.int64),
        candidates=np.full((L, 1 + N, D), np.nan, np.float32),
    )
    draws = rng.integers(0, 2**31, (L, DRAWS * N), dtype=np.int32)
    reader_start = np.searchsorted(log.clicks.visitor, log.clicks.visitor)
    _write_lists(NO_COUNTS, items, log, reader_start, first, stop, shown_after, T, draws, arrays)
    return _usable_lists(arrays)


class ListArrays(NamedTuple):
    """L lists as compiled code writes them, unusable ones included.

    Attributes:
        clicks: float32 (M, D), times: int64 (M,), ms or UNDATED: the clicks before each list, list by list.
        offsets: int64 (L + 1,), where each list's clicks begin.
        candidates: float32 (L, 1 + N, D), the article clicked next, then the negative samples; NaN where there is none.
    """

    clicks: Vectors
    times: Longs
    offsets: Longs
    candidates: Vectors


def _followed_clicks(log: LogArrays, first: int, stop: int) -> Longs:
    """The clicks of first:stop after which their visit goes on, before ``stop``, with another article."""
    clicks = log.clicks
    until = int(log.time[stop]) if stop < len(log.time) else FOREVER_MS  # what happens then is not known
    row = np.flatnonzero(np.arange(len(clicks.time)) + 1 < visit_ends(clicks))
    row = row[(clicks.time[row + 1] < until) & (clicks.article[row + 1] != clicks.article[row])]
    event = np.sort(clicks.event[row])
    return event[(event >= first) & (event < stop)]


@compiled
def _write_lists(
    counts: TrendState,
    items: OnlineItems,
    log: LogArrays,
    reader_start: Longs,
    first: int,
    stop: int,
    shown_after: Longs,
    last: int,
    draws: Rows,
    out: ListArrays,
) -> None:
    """Apply the clicks first:stop and fill ``out``: a list after each of ``shown_after``, of the ``last`` clicks."""
    done, chosen = first, np.empty(out.candidates.shape[1], np.int32)
    for n in range(len(shown_after)):
        done = apply_events(counts, items, log, done, shown_after[n] + 1, as_int64(0))
        row, m = log.row[shown_after[n]], out.offsets[n]
        start = log.clicks.visit_start[row] if n % 2 else reader_start[row]
        for before in range(max(start, row + 1 - last), row + 1):
            vector = items.vectors[log.clicks.article[before]]
            if not np.isnan(vector[0]):
                out.clicks[m] = vector
                out.times[m] = log.clicks.time[before]
                m += 1
        out.offsets[n + 1] = m
        target = log.clicks.article[row + 1]
        own = log.clicks.article[max(reader_start[row], row + 1 - last) : row + 1]
        if (own == target).any():
            continue
        out.candidates[n, 0] = items.vectors[target]
        chosen[0], k = target, 1
        for draw in draws[n]:
            article = log.article[done - 1 - draw % min(done, SAMPLED_CLICKS)]
            if k < len(chosen) and not (chosen[:k] == article).any() and not (own == article).any():
                out.candidates[n, k] = items.vectors[article]
                chosen[k] = article
                k += 1
    apply_events(counts, items, log, done, stop, as_int64(0))


def _usable_lists(arrays: ListArrays) -> TrainingLists:
    """The lists that teach: with a click before, the article clicked, and another one."""
    sizes = np.diff(arrays.offsets)  # (L,)
    has_vector = ~np.isnan(arrays.candidates[:, :, 0])  # (L, 1 + N)
    usable = np.flatnonzero((sizes > 0) & has_vector[:, 0] & has_vector[:, 1:].any(axis=1))
    kept = np.isin(np.repeat(np.arange(len(sizes)), sizes), usable)  # (M,)
    M = int(arrays.offsets[-1])
    offsets = np.append(0, np.cumsum(sizes[usable])).astype(np.int64)
    times = arrays.times[:M][kept]
    spans = [times[start:stop] for start, stop in pairwise(offsets.tolist())]
    minutes = np.concatenate([minutes_of(span) for span in spans]) if spans else np.empty(0, np.float32)
    return TrainingLists(arrays.clicks[:M][kept], minutes, offsets, arrays.candidates[usable])

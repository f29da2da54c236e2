"""A log in G1's format, its targets, and the articles that each target stands against."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from recsys.compiled import compiled
from recsys.dataset.impressions import Impressions
from recsys.errors import ImportRefused
from recsys.events import KINDS, Events
from recsys.units import HOUR_MS

Array = npt.NDArray[Any]

NEEDED = ("user_id", "session_id", "click_article_id", "click_timestamp")
CONTEXT = {  # of the click that was made: known when the next list is shown
    "click_region": "region",
    "click_deviceGroup": "device",
    "click_os": "os",
    "click_referrer_type": "referrer",
}


def load(file: Path, sample: float, seed: int) -> Events:
    """Read a click log; ``sample`` keeps that share of the readers.

    Raises:
        ImportRefused: a column is missing.
    """
    there = pq.read_schema(file).names
    if missing := [name for name in NEEDED if name not in there]:
        raise ImportRefused(f"the columns {', '.join(NEEDED)}", f"none called {', '.join(missing)}", f"Check {file}.")
    said = [name for name in CONTEXT if name in there]
    columns = [column.to_numpy() for column in pq.read_table(file, columns=[*NEEDED, *said]).columns]
    reader, session, article, clicked = columns[:4]
    ids, row = np.unique(article, return_inverse=True)
    readers, reader_row = np.unique(reader, return_inverse=True)
    kept = np.random.default_rng(seed).random(len(readers))[reader_row] < sample
    order = np.flatnonzero(kept)[np.argsort(clicked[kept], kind="stable")]
    context, contexts = _contexts([CONTEXT[name] for name in said], [column[order] for column in columns[4:]])
    n = len(order)
    return Events(
        time=clicked[order].astype(np.int64),
        kind=np.full(n, KINDS.index("click"), np.int8),
        article=row[order].astype(np.int32),
        reader=reader_row[order].astype(np.int32),
        session=np.unique(session, return_inverse=True)[1][order].astype(np.int32),
        impression=np.full(n, -1, np.int32),
        position=np.full(n, -1, np.int16),
        article_ids=[str(article_id) for article_id in ids],
        reader_ids=[str(reader_id) for reader_id in readers],
        through=n,
        context=context,
        contexts=contexts,
    )


def _contexts(names: list[str], columns: list[Array]) -> tuple[npt.NDArray[np.int32], list[str]]:
    """Equal contexts numbered alike: int32 (E,), and the text of each."""
    number = np.zeros(len(columns[0]) if columns else 0, np.int64)
    for column in columns:
        values, value = np.unique(column, return_inverse=True)
        number = number * len(values) + value
    _, first, context = np.unique(number, return_index=True, return_inverse=True)
    values_of = zip(*(column[first].tolist() for column in columns), strict=True)
    return context.astype(np.int32), [json.dumps(dict(zip(names, values, strict=True))) for values in values_of]


def targets(events: Events, start: int, stop: int) -> tuple[Array, Array, Array, Array, Array]:
    """Every click after the first of its session whose list is shown between two times, in the order shown.

    An article that the session has opened before is no target: what was read is not shown again.

    Returns:
        int64 (I,) each: the time at which the list is shown, just after the previous click; the click's place in the
        log; where its session begins and ends in the returned table; int32 (E,), the table of article rows, session
        by session.
    """
    order = np.lexsort((np.arange(len(events)), events.session))
    rows, times = events.article[order], events.time[order]
    new = np.diff(events.session[order], prepend=-1) != 0
    first = np.maximum.accumulate(np.where(new, np.arange(len(order)), 0))
    last = np.append(np.flatnonzero(new)[1:], len(order))[np.cumsum(new) - 1]
    pair = events.session[order].astype(np.int64) * len(events.article_ids) + rows
    again = np.ones(len(order), bool)
    again[np.unique(pair, return_index=True)[1]] = False  # the first time that a session opens it
    shown = np.append(0, times[:-1]) + 1
    wanted = np.flatnonzero(~new & ~again & (shown >= start) & (shown < stop) & (times >= shown))
    wanted = wanted[np.lexsort((order[wanted], shown[wanted]))]
    return shown[wanted], order[wanted], first[wanted], last[wanted], rows


def sampled_lists(
    events: Events, start: int, stop: int, others: int, any_of_day: int, seed: int
) -> tuple[Impressions, Array]:
    """Each target among ``others`` articles drawn in proportion to the clicks of the hour before, none of its session.

    After them come ``any_of_day`` articles of which each that was clicked in the day before is as likely: they judge
    nobody, but teach a model what it would never see otherwise. Targets with too few different articles are left out.

    Returns:
        The lists, the target first in each; bool (I,), whether anybody clicked the target in that hour.
    """
    shown, click, first, last, table = targets(events, start, stop)
    candidates = np.full((len(shown), 1 + others + any_of_day), -1, np.int32)
    candidates[:, 0] = events.article[click]
    clicked = np.zeros(len(shown), np.bool_)
    _draw(events.time, events.article, shown, first, last, table, seed, candidates[:, : others + 1], clicked)
    last_click = np.full(len(events.article_ids), -1, np.int64)
    _draw_any(events.time, events.article, shown, first, last, table, seed, last_click, candidates, others + 1)
    whole = (candidates >= 0).all(axis=1)
    if not whole.all():
        candidates, click, shown = candidates[whole], click[whole], shown[whole]
    lists = as_lists(events, shown, click, candidates.ravel(), np.full(len(click), candidates.shape[1]))
    return replace(lists, clicked=lists.offsets[:-1], clicked_at=events.time[click]), clicked[whole]


def as_lists(events: Events, shown: Array, click: Array, rows: Array, sizes: Array) -> Impressions:
    """Candidates as lists of their targets' readers, none clicked."""
    return Impressions.unclicked(
        shown.astype(np.int64),
        events.reader[click].astype(np.int64),
        np.append(0, np.cumsum(sizes)).astype(np.int64),
        rows.astype(np.int32, copy=False),
    )


@compiled
def _draw(
    time: Array,
    article: Array,
    shown: Array,
    first: Array,
    last: Array,
    table: Array,
    seed: int,
    candidates: Array,
    clicked: Array,
) -> None:
    """Fill the candidates after the first; -1 in the last place where there are too few."""
    state = np.uint64(seed * 2654435761 + 88172645463325252)
    for q in range(len(shown)):
        low, high = np.searchsorted(time, shown[q] - HOUR_MS), np.searchsorted(time, shown[q])
        for e in range(low, high):
            if article[e] == candidates[q, 0]:
                clicked[q] = True
                break
        found, tries, size = 1, 0, candidates.shape[1]
        while found < size and tries < 40 * size and high > low:
            state = _next(state)
            tries += 1
            row = article[low + int(state % np.uint64(high - low))]
            if not _holds(table[first[q] : last[q]], row) and not _holds(candidates[q, :found], row):
                candidates[q, found] = row
                found += 1
        if found < size:
            candidates[q, -1] = -1


@compiled
def _draw_any(
    time: Array,
    article: Array,
    shown: Array,
    first: Array,
    last: Array,
    table: Array,
    seed: int,
    last_click: Array,
    candidates: Array,
    start: int,
) -> None:
    """Fill the candidates from ``start`` on, by drawing articles until one was clicked in the day before."""
    state = np.uint64(seed * 2654435761 + 1181783497276652981)
    event, A = 0, np.uint64(len(last_click))
    for q in range(len(shown)):
        while event < len(time) and time[event] < shown[q]:
            last_click[article[event]] = time[event]
            event += 1
        found, tries, size = start, 0, candidates.shape[1]
        while found < size and tries < 1000 * size:
            state = _next(state)
            tries += 1
            row = int(state % A)
            if last_click[row] < shown[q] - 24 * HOUR_MS or last_click[row] < 0:
                continue
            if not _holds(table[first[q] : last[q]], row) and not _holds(candidates[q, :found], row):
                candidates[q, found] = row
                found += 1


@compiled
def _next(state: Any) -> Any:
    """One step of xorshift, uint64 -> uint64; Marsaglia 2003."""
    state ^= state << np.uint64(13)
    state ^= state >> np.uint64(7)
    state ^= state << np.uint64(17)
    return state


@compiled
def _holds(rows: Array, row: int) -> bool:
    """True where a row is among some."""
    held = False
    for other in rows:
        held = held or other == row
    return held

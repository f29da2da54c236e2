"""The timeline of a log's lists: warm-up, fit, validation, holdout, and the moments at which vectors are learned anew.

Reads ``Events``; produces ``Impressions`` with their parts. A log of clicks alone gets pseudo-impressions.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.compiled import compiled
from recsys.dataset.impressions import Articles, Impressions, Longs, as_impressions, recorded_impressions
from recsys.events import UNDATED, Events
from recsys.events.visits import visits_of
from recsys.features.config import FeaturesConfig
from recsys.trends import CLICK, IMPRESSION
from recsys.units import FOREVER_MS, HOUR_MS

Array = npt.NDArray[Any]

HOLDOUT_SHARE = 0.2  # of the lists, last in time, that judges the models
VALIDATION_SHARE = 0.15  # of the lists, before the held-out part, that stops the training early
GROWTH = 0.01  # vectors wait for so many new clicks, as a share of those before: in service they are a night old, too
NEGATIVES_PER_CLICK = 20  # samples per click where a log has clicks but no impressions
LIVE_CLICKS = 10_000  # pseudo-impressions draw any article that was clicked among so many last clicks
RECENT_CLICKS = 1_000  # pseudo-impressions draw what the reader left from so many last clicks of everyone


def split_impressions(
    events: Events,
    config: FeaturesConfig,
    *,
    holdout: float,
    validation: float,
    session_gap_minutes: int,
    rng: np.random.Generator,
) -> Impressions:
    """Find the lists in a log and lay out their timeline.

    Of the newest ``config.max_trained_impressions`` lists the first ``config.warmup_share`` only fills the counts, the
    last ``holdout`` share is held out, and the ``validation`` share before it stops the training, as nearly as lists of
    the same time stay together. A log without impressions gets pseudo-impressions, see ``pseudo_impressions``.

    Returns:
        The lists after the warm-up; none when the log holds none.
    """
    lists = recorded_impressions(events)
    if not len(lists):
        lists = pseudo_impressions(events, config, session_gap_minutes, rng)
    lists = lists.cut(max(0, len(lists) - config.max_trained_impressions), len(lists))
    n = len(lists)
    if not n:
        return lists
    warm, held, out = _starts(lists.time, [config.warmup_share, 1 - holdout - validation, 1 - holdout])
    blocks = np.linspace(warm, out, config.refits + 1).astype(np.int64)
    validation_start, holdout_start = lists.time[held], lists.time[out]
    return replace(
        lists,
        part=(lists.time >= validation_start).astype(np.int8) + (lists.time >= holdout_start).astype(np.int8),
        refits=_worthwhile(events, np.unique(lists.time[blocks])),
        fences=np.array([validation_start, holdout_start, FOREVER_MS], np.int64),
    ).cut(warm, n)


def _starts(time: Longs, shares: Sequence[float]) -> tuple[int, int, int]:
    """Starts of fit, validation and holdout, as near to the shares asked for as lists of one time stay together.

    Where times are whole days, a day is of one part. Something is always left to fit, and to stop the training by as
    long as there are three different times; without two of them everything is held out.
    """
    edges = np.flatnonzero(np.diff(time, prepend=time[0])).tolist()  # places at which the time changes
    wanted = [int(len(time) * share) for share in shares]
    out = min(edges, key=lambda edge: abs(edge - wanted[2]), default=0)
    held = min((edge for edge in edges if edge < out), key=lambda edge: abs(edge - wanted[1]), default=out)
    warm = min((edge for edge in [0, *edges] if edge < held), key=lambda edge: abs(edge - wanted[0]), default=0)
    return warm, held, out


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


def pseudo_impressions(
    events: Events, config: FeaturesConfig, session_gap_minutes: int, rng: np.random.Generator
) -> Impressions:
    """Lists for a log of clicks alone: each click against articles that others clicked shortly before.

    Half of these are drawn as often as they were clicked lately, so that the model learns taste and not popularity
    alone; of the other half each article clicked within a longer time is as likely, so that it has seen the rare ones.
    A reader's list is shown when they made their previous click (within ``session_gap_minutes``), else when they click.
    """
    table = visits_of(events, session_gap_minutes)
    click = np.flatnonzero(table.time[table.order] != UNDATED)  # in the order of the log
    row = table.order[click]
    time, key, article = table.time[row], table.visitor[row], table.article[row]
    before = table.time[np.maximum(row - 1, 0)]
    follows = (table.visit_start[row] < row) & (before < time)
    shown = np.where(follows, before + 1, time)  # + 1: the previous click is known by then
    known = np.searchsorted(time, shown)  # clicks strictly before the list was shown
    kept = np.flatnonzero(known > 0)
    kept = kept[np.argsort(shown[kept], kind="stable")][-config.max_trained_impressions :]
    low = np.maximum(known[kept] - RECENT_CLICKS, 0)
    popular = rng.integers(low[:, None], known[kept][:, None], (len(kept), (NEGATIVES_PER_CLICK + 1) // 2))
    any_ = _any_of(article, np.maximum(known[kept] - LIVE_CLICKS, 0), known[kept], NEGATIVES_PER_CLICK // 2, rng)
    candidates = np.column_stack([article[kept], article[popular], any_])  # (I, 1 + N), the clicked one first
    number = np.repeat(np.arange(len(kept)), candidates.shape[1])
    clicked_at = np.full(candidates.shape, FOREVER_MS, np.int64)
    clicked_at[:, 0] = time[kept]
    pair = number * max(1, len(events.article_ids)) + candidates.ravel()
    order = np.sort(np.unique(pair, return_index=True)[1])  # a candidate drawn twice counts once, the clicked one stays
    return as_impressions(shown[kept][number], key[kept][number], number, candidates.ravel(), clicked_at.ravel(), order)


def negative_sampling(events: Events, half_lives_hours: Sequence[float]) -> tuple[int, float] | None:
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
    return place, float(
        held[place] * (NEGATIVES_PER_CLICK // 2) / ((NEGATIVES_PER_CLICK + 1) // 2) / len(np.unique(rows))
    )


def _any_of(article: Articles, low: Longs, high: Longs, n: int, rng: np.random.Generator) -> Articles:
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

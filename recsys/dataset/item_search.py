"""Search of item settings: what each of them is worth on the site's own clicks.

Reads events and article vectors; produces HR@10 and MRR@10 of the next click, for the settings as they are and with one
of them changed at a time. The log is split in time: vectors are learned from the first part as training would, then the
rest is replayed as the service would, every list first ranked by what was known then and then learned from. A list is
shown when the reader's click before was made in the same visit, else when they click. All settings rank the same
candidates, drawn from the last clicks of everyone, so that a difference can be told from chance.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.compiled import as_int64, compiled
from recsys.dataset.log_arrays import NO_COUNTS, LogArrays, apply_events, log_arrays
from recsys.errors import DegenerateInput
from recsys.events import UNDATED, Events
from recsys.events.people import CLICK
from recsys.events.visits import Longs, visits_of, window_starts
from recsys.items import Vectors
from recsys.items.config import ItemsConfig
from recsys.items.next_item import next_item_score, session_vectors
from recsys.items.online import OnlineItems, Rows
from recsys.items.training import item_vectors
from recsys.trends.state import TrendState
from recsys.units import HOUR_MS

TOP = 10
LEARNED_SHARE = 0.6  # of the clicks, first in time, that are learned from before the first list is ranked
SCORES = ("cosine", "next_item")  # to the reader vector; of what was clicked before, see ``recsys.items.next_item``
OTHERS = 50  # articles that the one clicked next stands against
RECENT_CLICKS = 1_000  # they are drawn from so many last clicks
MAX_LISTS = 20_000  # ranked; of a larger log every n-th
SESSION_CLICKS = 10  # last clicks of a reader that a list is ranked by
NOT_SHOWN_AGAIN = 1_000  # last clicks of a reader that their lists do not show again; bounds the work

Ranks = npt.NDArray[np.float64]

TRIED: Mapping[str, tuple[Any, ...]] = {
    "ns_exponent": (-1.0, -0.5, 0.0, 0.2, 0.5, 0.75, 1.0),
    "window": (1, 3, 10),
    "epochs": (1, 5, 20, 50),
    "embedding_dim": (16, 32, 64),
    "learning_rate": (0.1, 0.3, 0.6, 1.0),
    "learning_rate_decay": (0.0, 0.3, 0.5),
    "negatives": (5, 20),
    "recent_clicks": (300, 1_000, 3_000),
    "covisit_window_hours": (0.5, 24.0, 720.0),
    "prior_pairs": (1.0, 5.0, 20.0, 50.0),
}


class NextClickTargets(NamedTuple):
    """L lists, in the order in which they were shown.

    Attributes:
        known: int64 (L,), clicks of the log that were known.
        click: int64 (L,), the click that is to be guessed.
        before: int64 (L,), the same reader's click before.
        others: int32 (L, OTHERS), rows that it stands against, none of this reader's last clicks before it.
    """

    known: Longs
    click: Longs
    before: Longs
    others: Rows


def next_click_targets(events: Events, learned_share: float, *, gap_minutes: int, seed: int) -> NextClickTargets:
    """Lists that the last part of a log's clicks are guessed from; a repeated click is none.

    Args:
        events: the log.
        learned_share: share of the clicks, first in time, that are only learned from.
        gap_minutes: the longest pause inside a visit.
        seed: of the draws.
    """
    clicks, every = visits_of(events, gap_minutes), np.flatnonzero(events.kind == CLICK)
    row = clicks.order  # in the order of the log
    first = np.searchsorted(clicks.visitor, clicks.visitor[row])
    number = np.searchsorted(every, clicks.event[row])
    time = clicks.time[row]
    shown = np.where(clicks.visit_start[row] < row, clicks.time[np.maximum(row - 1, 0)] + 1, time)
    known = np.minimum(np.searchsorted(events.time[every], shown), number)
    target = np.flatnonzero((row > first) & (time != UNDATED) & (known >= learned_share * len(every)))
    target = target[np.argsort(known[target], kind="stable")]
    target = target[:: max(1, -(-len(target) // MAX_LISTS))]
    row, first, number, known = row[target], first[target], number[target], known[target]
    others = np.full((len(target), OTHERS), -1, np.int32)
    draws = np.random.default_rng(seed).random((len(target), 10 * OTHERS))
    low = np.maximum(first, row - NOT_SHOWN_AGAIN)
    _draw_others(events.article[every], clicks.article, low, row, known, draws, others)
    full = others[:, -1] >= 0
    before = np.searchsorted(every, clicks.event[row[full] - 1])
    return NextClickTargets(known[full], number[full], before, others[full])


@compiled
def _draw_others(
    article: Rows, table: Rows, low: Longs, row: Longs, known: Longs, draws: npt.NDArray[np.float64], others: Rows
) -> None:
    """Fill ``others``; a list stays unfinished where too few articles can be drawn, or the click is a repeated one."""
    taken = np.full(article.max() + 1 if len(article) else 1, -1, np.int64)  # the last list that cannot hold a row
    for number in range(len(row)):
        target = table[row[number]]
        for before in range(low[number], row[number]):
            taken[table[before]] = number
        if taken[target] == number:
            continue  # a repeated click
        taken[target] = number
        first, size = max(0, known[number] - RECENT_CLICKS), 0
        for draw in draws[number]:
            other = article[first + int(draw * (known[number] - first))]
            if taken[other] != number:
                taken[other] = number
                others[number, size] = other
                size += 1
                if size == OTHERS:
                    break


def next_click_ranks(
    events: Events,
    content: Vectors,
    config: ItemsConfig,
    targets: NextClickTargets,
    *,
    gap_minutes: int,
    half_life: float,
    seed: int,
) -> Ranks:
    """Ranks of the clicks of the rest of a log, by vectors learned from its first part and replayed from there.

    Args:
        events: the log.
        content: float32 (A, D), article vectors by the log's rows, unit or NaN.
        config: the settings to judge.
        targets: see ``next_click_targets``.
        gap_minutes: the longest pause inside a visit.
        half_life: clicks after which an older click of a reader counts half.
        seed: of the first vectors.

    Returns:
        float64 (L, 2): how many of the others stand before the target, by cosine and by next-item score; ties count
        half.
    """
    clicks, every = visits_of(events, gap_minutes), np.flatnonzero(events.kind == CLICK)
    log = log_arrays(events, clicks, window_starts(clicks, int(config.covisit_window_hours * HOUR_MS)))
    at = np.append(every, len(events))  # the event of each click
    learned = int(at[int(LEARNED_SHARE * len(every))])
    items = item_vectors(events.where(slice(learned)), content, config, seed=seed).online
    row = log.row[every[targets.click]]
    low = np.maximum(np.searchsorted(clicks.visitor, clicks.visitor[row]), row - SESSION_CLICKS)
    ranks = np.zeros((len(row), len(SCORES)))
    _rank_lists(NO_COUNTS, items, log, low, row, at[targets.known], learned, targets.others, half_life, ranks)
    return ranks


@compiled
def _rank_lists(
    counts: TrendState,
    items: OnlineItems,
    log: LogArrays,
    low: Longs,
    row: Longs,
    until: Longs,
    done: int,
    others: Rows,
    half_life: float,
    ranks: Ranks,
) -> None:
    """Rank every list by the clicks low:row of its reader, after the events before ``until`` have been learned from."""
    for number in range(len(row)):
        done = apply_events(counts, items, log, done, max(done, until[number]), as_int64(0))
        clicked, target = log.clicks.article[low[number] : row[number]], log.clicks.article[row[number]]
        _rank(items, clicked, target, others[number], half_life, ranks[number])


@compiled
def _rank(items: OnlineItems, clicked: Rows, target: int, others: Rows, half_life: float, ranks: Ranks) -> None:
    """Add how many of the others stand before the target: by cosine, then by next-item score."""
    session = session_vectors(items, clicked, half_life)
    wanted = np.zeros(items.vectors.shape[1], np.float32)
    for back in range(len(clicked)):
        vector = items.vectors[clicked[len(clicked) - 1 - back]]
        if not np.isnan(vector[0]):
            wanted += np.float32(0.5 ** (back / half_life)) * vector
    own = _scores(items, wanted, session, target)
    for other in others:
        scores = _scores(items, wanted, session, other)
        for by in range(2):
            ranks[by] += 1.0 if scores[by] > own[by] else 0.5 if scores[by] == own[by] else 0.0


@compiled
def _scores(items: OnlineItems, wanted: Vectors, session: Vectors, row: int) -> tuple[float, float]:
    """Cosine (unscaled, which does not change the order) and next-item score; 0 for what is unknown."""
    vector = items.vectors[row]
    cosine = 0.0
    for d in range(len(wanted)):
        cosine += vector[d] * wanted[d]
    near = next_item_score(items, session, row)
    return (0.0 if np.isnan(cosine) else cosine), (0.0 if np.isnan(near) else near)


def _figures(ranks: Ranks, base: Ranks) -> dict[str, float]:
    """HR and MRR, what they differ by from ``base``, and two standard errors of the paired difference."""
    figures: dict[str, float] = {}
    for by, kind in enumerate(SCORES):
        for name, gain in (("hr", _hit), ("mrr", _reciprocal)):
            here, change = gain(ranks[:, by]), gain(ranks[:, by]) - gain(base[:, by])
            key = f"{kind}_{name}@{TOP}"
            figures[key] = round(float(here.mean()), 4)
            figures[f"{key}_gain"] = round(float(change.mean()), 4)
            figures[f"{key}_error"] = round(float(2 * change.std() / np.sqrt(len(change))), 4)
    return figures


def _hit(ranks: Ranks) -> Ranks:
    return np.asarray(ranks < TOP, np.float64)


def _reciprocal(ranks: Ranks) -> Ranks:
    return np.where(ranks < TOP, 1 / (1 + ranks), 0.0)


def search(
    events: Events, content: Vectors, config: ItemsConfig, *, gap_minutes: int, half_life: float, seed: int
) -> Iterator[dict[str, Any]]:
    """Judge the settings as they are, then with one of them changed at a time.

    Args:
        events: the log.
        content: float32 (A, D), article vectors by the log's rows, unit or NaN.
        config: the settings as they are.
        gap_minutes: the longest pause inside a visit.
        half_life: see ``next_click_ranks``.
        seed: of the draws and the first vectors.

    Yields:
        The setting that is changed (empty first), its value, and the figures; a gain smaller than its error may be
        chance.

    Raises:
        DegenerateInput: no list can be ranked.
    """
    targets = next_click_targets(events, LEARNED_SHARE, gap_minutes=gap_minutes, seed=seed)
    if not len(targets.click):
        got = "none: too few dated clicks of readers who had clicked before, or too few articles"
        raise DegenerateInput("lists to rank in the last part of the log", got, "Search again with more clicks.")
    options: dict[str, Any] = {"gap_minutes": gap_minutes, "half_life": half_life, "seed": seed}
    base = next_click_ranks(events, content, config, targets, **options)
    yield {"setting": "", "value": None, "lists": len(targets.click)} | _figures(base, base)
    for setting, value in changes(config):
        changed = config.model_copy(update={setting: value})
        ranks = next_click_ranks(events, content, changed, targets, **options)
        yield {"setting": setting, "value": value, "lists": len(targets.click)} | _figures(ranks, base)


def changes(config: ItemsConfig) -> list[tuple[str, Any]]:
    """The settings and values that are tried, one at a time."""
    return [(name, value) for name, values in TRIED.items() for value in values if value != getattr(config, name)]

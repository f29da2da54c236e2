"""Simulated visits to a site of simulated articles: impressions with positions, clicks, sessions and contexts.

Reads when each article was published and its topic; produces columns that ``python -m jobs import parquet`` reads. What
is shown is drawn by quality, which is heavy-tailed, and by age; half of a list is of the visitor's own topics. A third
of the visitors give a session and no reader. All draws are of whole hours at once, so that a million events take
seconds.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recsys.errors import ImportRefused
from recsys.units import HOUR_MS, MINUTE_MS, SECOND_MS, UNKNOWN_ROW

CARDS = 6  # of a list
LISTS_PER_VISIT = 2.0  # mean of a geometric law
NEWS_HALF_LIFE_HOURS = 16.0
EVERGREEN = 0.002  # share of an article's news value that never fades
QUALITY_SIGMA = 1.2  # of the logarithm: the best hundredth draws a fifth of the clicks
ACTIVITY_SIGMA = 1.2  # of the logarithm of a visitor's visits
ANONYMOUS = 0.33  # share of the visitors that give a session alone
OWN_TOPICS = 2  # of each visitor
LIKED, OTHER = 0.45, 0.12  # chance of a click on a card that is examined, of one's own topics and of others
REGIONS = ("north", "south", "east", "west", "centre", "coast", "abroad")
DEVICES = ("mobile", "desktop", "tablet")

Longs = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]


class Articles(NamedTuple):
    """The articles that are visited, ``A`` of them.

    Attributes:
        ids: A identifiers.
        published: int64 (A,), ms UTC.
        topic: int64 (A,), from 0.
    """

    ids: list[str]
    published: Longs
    topic: Longs


class Visits(NamedTuple):
    """Lists that were shown, ``L`` of them, in time order.

    Attributes:
        visitor: int64 (L,).
        session: int64 (L,), number of the visit.
        time: int64 (L,), ms UTC.
    """

    visitor: Longs
    session: Longs
    time: Longs


def simulated_events(
    articles: Articles, events: int, visitors: int, start: int, end: int, rng: np.random.Generator
) -> pa.Table:
    """Draw about so many events.

    Args:
        articles: what can be shown.
        events: impressions and clicks together, about.
        visitors: readers and nameless sessions together, at most.
        start: ms UTC of the first possible visit.
        end: ms UTC of the last possible event.
        rng: draws everything.

    Returns:
        One row an event, in time order, with the columns of an import.

    Raises:
        ImportRefused: no event, no visitor or no time is asked for.
    """
    if min(events, visitors, end - start, len(articles.ids)) < 1:
        raise ImportRefused("events of somebody in some time", f"{events} of {visitors} visitors", "Ask for more.")
    clicked_share = (0.5 * LIKED + 0.5 * OTHER) * examined().mean()
    lists = max(1, round(events / (CARDS * (1 + clicked_share))))
    visits = draw_visits(lists, visitors, start, end, rng)
    own = rng.integers(int(articles.topic.max()) + 1, size=(visitors, OWN_TOPICS))
    quality = rng.lognormal(0.0, QUALITY_SIGMA, len(articles.ids))
    shown = draw_cards(articles, quality, visits, own, rng)
    likes = (articles.topic[shown][:, :, None] == own[visits.visitor][:, None, :]).any(2)
    clicked = (rng.random(shown.shape) < np.where(likes, LIKED, OTHER) * examined()) & (shown != UNKNOWN_ROW)
    return _table(articles, visits, shown, clicked, end, rng)


def examined() -> Doubles:
    """Chance that each card of a list is looked at, from the top: float64 (CARDS,)."""
    return np.asarray((1.0 + np.arange(CARDS)) ** -0.5, np.float64)


def draw_visits(lists: int, visitors: int, start: int, end: int, rng: np.random.Generator) -> Visits:
    """Draw who sees a list and when: visits by day rather than by night, a few lists each, minutes apart."""
    sizes = rng.geometric(1 / LISTS_PER_VISIT, size=lists)  # more visits than are needed
    number = int(np.searchsorted(np.cumsum(sizes), lists)) + 1
    session = np.repeat(np.arange(number), sizes[:number])[:lists]
    activity = rng.lognormal(0.0, ACTIVITY_SIGMA, visitors)
    visitor = rng.choice(visitors, size=number, p=activity / activity.sum())
    moment = rng.uniform(start, end, number)
    hour = moment / HOUR_MS % 24
    asleep = rng.random(number) < 0.8 * (hour < 6)
    moment += np.where(asleep & (moment + 8 * HOUR_MS < end), 8 * HOUR_MS, 0)
    first = np.searchsorted(session, np.arange(number))
    pause = rng.exponential(2 * MINUTE_MS, lists)
    since = np.cumsum(pause)
    time = np.minimum(moment[session] + since - since[first[session]], end - 1).astype(np.int64)
    order = np.argsort(time, kind="stable")
    return Visits(visitor[session][order], session[order], time[order])


def draw_cards(articles: Articles, quality: Doubles, visits: Visits, own: Longs, rng: np.random.Generator) -> Longs:
    """Draw what each list shows: int64 (L, CARDS), rows of the articles, each once; see ``_distinct``."""
    order = np.argsort(articles.topic, kind="stable")
    starts = np.searchsorted(articles.topic[order], np.arange(int(articles.topic.max()) + 2))
    bounds = np.flatnonzero(np.diff(visits.time // HOUR_MS, prepend=-1, append=-1))
    shown = np.zeros((len(visits.time), CARDS), np.int64)
    for begin, stop in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        hours = (visits.time[begin] - articles.published[order]) / HOUR_MS
        value = quality[order] * (0.5 ** (np.maximum(hours, 0) / NEWS_HALF_LIFE_HOURS) + EVERGREEN) * (hours >= 0)
        total = np.concatenate([[0.0], np.cumsum(value)])
        if total[-1] == 0:
            value = (articles.published[order] == articles.published.min()).astype(np.float64)  # nothing else is out
            total = np.concatenate([[0.0], np.cumsum(value)])
        draws = (stop - begin, 2 * CARDS)
        topic = own[visits.visitor[begin:stop]][np.arange(stop - begin)[:, None], rng.integers(OWN_TOPICS, size=draws)]
        low, high = total[starts[topic]], total[starts[topic + 1]]
        anything = (rng.random(draws) < 0.5) | (high <= low)
        low, high = np.where(anything, 0.0, low), np.where(anything, total[-1], high)
        place = np.searchsorted(total, low + rng.random(draws) * (high - low), side="right") - 1
        shown[begin:stop] = _distinct(order[np.minimum(place, len(order) - 1)])
    return shown


def _distinct(rows: Longs) -> Longs:
    """The first CARDS different values of each row, ``UNKNOWN_ROW`` where there are no more: int64 (L, CARDS)."""
    repeated = np.zeros(rows.shape, np.bool_)
    for place in range(1, rows.shape[1]):
        repeated[:, place] = (rows[:, :place] == rows[:, place, None]).any(1)
    order = np.argsort(repeated, axis=1, kind="stable")[:, :CARDS]
    return np.take_along_axis(np.where(repeated, UNKNOWN_ROW, rows), order, 1)


def _table(
    articles: Articles, visits: Visits, shown: Longs, clicked: npt.NDArray[np.bool_], end: int, rng: np.random.Generator
) -> pa.Table:
    """The events in time order: a list's impressions, then its clicks, seconds apart."""
    seen, opened = np.nonzero(shown != UNKNOWN_ROW), np.nonzero(clicked)
    lists, places = (np.concatenate(pair) for pair in zip(seen, opened, strict=True))
    impressions, clicks = len(seen[0]), len(opened[0])
    later = np.concatenate([np.zeros(impressions, np.int64), rng.integers(2 * SECOND_MS, MINUTE_MS, clicks)])
    time = np.minimum(visits.time[lists] + later, end - 1)
    order = np.argsort(time, kind="stable")
    lists, places, time, click = lists[order], places[order], time[order], order >= impressions
    visitor, session = visits.visitor[lists], visits.session[lists]
    nameless = visitor_is_nameless(visitor)
    contexts = [f'{{"region":"{region}","device":"{device}"}}' for region in REGIONS for device in DEVICES]
    named = np.array(articles.ids, object)[shown[lists, places]]
    return pa.table(
        {
            "event_id": [f"e{number}" for number in range(len(time))],
            "kind": pa.array(np.where(click, "click", "impression")),
            "article": pa.array(named),
            "reader": pa.array([reader_id(row) for row in visitor.tolist()], mask=nameless),
            "session": pa.array([f"v{row}" for row in session.tolist()]),
            "time": pa.array(time),
            "slot": pa.array(["front"] * len(time)),
            "position": pa.array(places),
            "impression": pa.array([f"i{row}" for row in lists.tolist()]),
            "context": pa.array(np.array(contexts, object)[visitor % len(contexts)]),
        }
    )


def visitor_is_nameless(visitor: Longs) -> npt.NDArray[np.bool_]:
    """True of visitors who give a session and no reader: bool, as many as there are."""
    return np.asarray(visitor * 7919 % 100 < round(100 * ANONYMOUS), np.bool_)


def reader_id(visitor: int) -> str:
    """Identifier of a visitor who has one."""
    return f"r{visitor:06}"

"""An article after its first hours -> columns from which its first day can be told.

Everything is read from clicks between the article's first one and the moment of the forecast, and from articles whose
first day had ended by then. Source of the idea that early counts tell on a logarithmic scale: Szabo & Huberman 2010;
that who came, from where and when tells more: Bandari, Asur & Huberman 2012; Castillo et al. 2014.
"""

import json
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.events import Events
from recsys.forecast.calendar import Ints
from recsys.forecast.steps import FloatArray
from recsys.units import DAY_MS, HOUR_MS, UNKNOWN_ROW

SPANS = (1 / 12, 1 / 6, 1 / 4, 1 / 2, 3 / 4)  # of the window, up to whose end clicks are counted apart
PLACES = (1, 2, 4, 9, 19, 49)  # clicks after the first one, whose time is a column
VALUES = 10  # of each context name, that have a share of their own
NEAREST_NUMBERS = 20  # articles by the nearest number
PRIOR = 5.0  # articles of the mean that a section's own mean is drawn towards
WAVES = 3  # of the hour of day


@dataclass(frozen=True)
class ArticleClicks:
    """Clicks in time order, and what is known of each and of its article.

    Attributes:
        events: the clicks, E of them; A articles.
        first: int64 (A,), ms UTC of each article's first click; -1 for none.
        age: int64 (E,), ms since the first click of the article.
        total: int64 (A,), clicks within the first 24 hours.
        before: int64 (E,), clicks of the article before this one.
        seen: int64 (E,), clicks of the reader before this one.
        place: int64 (E,), clicks of the session before this one.
        previous: int64 (E,), the session's click before this one; UNKNOWN_ROW for none.
        section: int64 (A,), code; UNKNOWN_ROW for none.
        number: float64 (A,), the identifier where all are numbers, else NaN.
    """

    events: Events
    first: Ints
    age: Ints
    total: Ints
    before: Ints
    seen: Ints
    place: Ints
    previous: Ints
    section: Ints
    number: FloatArray

    @property
    def begin(self) -> int:
        """Ms UTC of the first click."""
        return int(self.events.time[0])

    @property
    def end(self) -> int:
        """Ms UTC of the last click."""
        return int(self.events.time[-1])


def article_clicks(events: Events, section: Ints | None = None) -> ArticleClicks:
    """Clicks with the facts that stand beside each.

    Args:
        events: clicks in time order; at least one.
        section: int64 (A,), codes; default: none is known.
    """
    A = len(events.article_ids)
    first = np.full(A, np.iinfo(np.int64).max)
    np.minimum.at(first, events.article, events.time)
    age = events.time - first[events.article]
    total = np.bincount(events.article[age < DAY_MS], minlength=A)
    order = np.lexsort((np.arange(len(events)), events.session))
    same = np.append(False, np.diff(events.session[order]) == 0) & (events.session[order] >= 0)
    previous = np.full(len(events), UNKNOWN_ROW)
    previous[order[same]] = order[np.flatnonzero(same) - 1]
    numbers = [float(one) if one.isdecimal() else np.nan for one in events.article_ids]
    return ArticleClicks(
        events,
        np.where(total > 0, first, -1),
        age,
        total,
        _earlier(events.article),
        _earlier(events.reader),
        _earlier(events.session),
        previous,
        np.full(A, UNKNOWN_ROW) if section is None else section,
        np.array(numbers) if not np.isnan(numbers).any() else np.full(A, np.nan),
    )


def columns_of(clicks: ArticleClicks, articles: Ints, window: int, traffic: FloatArray) -> FloatArray:
    """The columns of articles at the end of a window after their first click.

    Args:
        clicks: see ``ArticleClicks``; of an article, only what came within its window is read.
        articles: int64 (n,), rows of the articles.
        window: ms.
        traffic: float64 (n, 2), logarithms of the site's clicks in the last hour and of those expected in the rest of
            the article's first day, at the end of each window.

    Returns:
        float64 (n, F).
    """
    inside = np.flatnonzero(clicks.age < window)
    row_of = np.full(len(clicks.first), UNKNOWN_ROW)
    row_of[articles] = np.arange(len(articles))
    row = row_of[clicks.events.article[inside]]
    inside, row = inside[row >= 0], row[row >= 0]
    parts = [
        _speed(clicks, inside, row, len(articles), window),
        _readers(clicks, inside, row, len(articles)),
        _contexts(clicks.events, inside, row, len(articles)),
        _moment(clicks, articles, traffic),
        _kin(clicks, articles, window),
    ]
    return np.hstack(parts)


def _earlier(rows: npt.NDArray[np.int32]) -> Ints:
    """Occurrences of each row before: int64 (E,)."""
    order = np.argsort(rows, kind="stable")
    new = np.append(True, np.diff(rows[order]) != 0)
    begins = np.maximum.accumulate(np.where(new, np.arange(len(rows)), 0))
    earlier = np.empty(len(rows), np.int64)
    earlier[order] = np.arange(len(rows)) - begins
    return earlier


def _speed(clicks: ArticleClicks, inside: Ints, row: Ints, n: int, window: int) -> FloatArray:
    """Counts by parts of the window, and the times of some of the clicks, on a logarithmic scale."""
    age = clicks.age[inside]
    counts = [np.bincount(row[age < share * window], minlength=n) for share in (*SPANS, 1.0)]
    last = [np.bincount(row[age >= (1 - share) * window], minlength=n) for share in SPANS[:3]]
    times = []
    for place in PLACES:
        at = np.full(n, float(window))
        chosen = clicks.before[inside] == place
        at[row[chosen]] = age[chosen]
        times.append(np.log1p(at / 60_000))
    return np.column_stack([*map(np.log1p, (*counts, *last)), *times])


def _readers(clicks: ArticleClicks, inside: Ints, row: Ints, n: int) -> FloatArray:
    """Kinds of readers and of ways: new ones, busy ones, the session's first click, the page before."""
    mean = _Means(row, n)
    seen, place, previous = clicks.seen[inside], clicks.place[inside], clicks.previous[inside]
    known = previous >= 0
    popularity = np.where(known, np.log1p(clicks.before[previous]), 0.0)
    page_age = np.where(known, np.log1p(clicks.age[previous] / HOUR_MS), 2.0)
    readers = np.unique(np.stack((row, clicks.events.reader[inside])), axis=1)[0]
    columns = [
        mean(np.log1p(seen)),
        mean(seen == 0),
        mean(np.log1p(place)),
        mean(place == 0),
        mean(popularity),
        mean(page_age),
        np.log1p(np.bincount(row[place == 0], minlength=n)),
        np.log1p(np.bincount(readers, minlength=n)),
    ]
    return np.column_stack(columns)


def _contexts(events: Events, inside: Ints, row: Ints, n: int) -> FloatArray:
    """Shares of the commonest values of each name of the context, and how many values there were."""
    if not events.contexts:
        return np.empty((n, 0))
    told, columns = [json.loads(text) for text in events.contexts], []
    mean = _Means(row, n)
    for name in sorted({name for one in told for name in one}):
        values, code = np.unique([str(one.get(name)) for one in told], return_inverse=True)
        value = np.append(code, UNKNOWN_ROW)[events.context]  # (E,); without a context -1, the last one
        common = np.argsort(-np.bincount(value[value >= 0], minlength=len(values)), kind="stable")[:VALUES]
        columns += [mean(value[inside] == one) for one in common]
        pairs = np.unique(np.stack((row, value[inside])), axis=1)[0]
        columns.append(np.log1p(np.bincount(pairs, minlength=n)))
    return np.column_stack(columns)


def _moment(clicks: ArticleClicks, articles: Ints, traffic: FloatArray) -> FloatArray:
    """The hour of the first click, how long clicks have been counted before, and the site's traffic."""
    hours = (clicks.first[articles] / HOUR_MS) % 24
    angles = 2 * np.pi / 24 * hours[:, None] * np.arange(1, WAVES + 1)
    known = np.minimum(72.0, (clicks.first[articles] - clicks.begin) / HOUR_MS)
    return np.column_stack((np.sin(angles), np.cos(angles), known, traffic, traffic[:, 1] - traffic[:, 0]))


def _kin(clicks: ArticleClicks, articles: Ints, window: int) -> FloatArray:
    """Mean logarithms of the first days of articles of the section, and of those with the nearest numbers.

    Only days that had ended when the forecast is made; of more than one click.
    """
    past = np.flatnonzero((clicks.total > 1) & (clicks.first - clicks.begin >= HOUR_MS))
    past = past[np.argsort(clicks.first[past], kind="stable")]
    outcome, number, section = np.log(clicks.total[past]), clicks.number[past], clicks.section[past]
    until = np.searchsorted(clicks.first[past], clicks.first[articles] + window - DAY_MS, side="right")
    near, own = np.zeros((2, len(articles)))
    for at, (article, done) in enumerate(zip(articles, until, strict=True)):
        if not done:
            continue
        mean = outcome[:done].mean()
        alike = outcome[:done][section[:done] == clicks.section[article]]
        if clicks.section[article] != UNKNOWN_ROW:
            own[at] = (alike.sum() + PRIOR * mean) / (len(alike) + PRIOR)
        if not np.isnan(clicks.number[article]):
            k = min(NEAREST_NUMBERS, done)
            apart = np.abs(number[:done] - clicks.number[article])
            near[at] = outcome[:done][np.argpartition(apart, k - 1)[:k]].mean()
    return np.column_stack((near, own))


class _Means:
    """Means of values over the clicks of each article, drawn to the mean of all by one click."""

    def __init__(self, row: Ints, n: int) -> None:
        self.row, self.count = row, np.bincount(row, minlength=n)

    def __call__(self, values: npt.NDArray[np.float64] | npt.NDArray[np.bool_]) -> FloatArray:
        overall = float(values.mean()) if len(values) else 0.0
        total = np.bincount(self.row, weights=values.astype(np.float64), minlength=len(self.count))
        result: FloatArray = (total + overall) / (self.count + 1)
        return result

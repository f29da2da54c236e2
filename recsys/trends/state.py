"""The arrays that the stream of events moves.

Every count fades by *forward decay*, see ``decay.py``: an event costs the same whenever it comes, and a late one has
already faded as much as if it had come in time.

Source: Cormode, Shkapenyuk, Srivastava and Xu 2009 (forward decay).
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.trends.config import TrendsConfig
from recsys.units import HOUR_MS, NEVER_MS, UNKNOWN_ROW

Array = npt.NDArray[Any]

HALF_LIVES_HOURS = (0.25, 1.0, 4.0, 16.0, 64.0)  # of counts: from what is clicked this minute to what lasted the week
COVISIT_HALF_LIVES_HOURS = (4.0, 48.0, 24.0)  # of clicks in one visit (short and long memory), and right after another
LIFT_HALF_LIFE_HOURS = 24.0  # of the contexts that click an article more than others do; a day has all hours in it
SHELF_HALF_LIFE_DAYS = 7.0  # of ages at a click and of positions in a list; a week has all days in it
LIST_POSITIONS = 64  # positions in a list whose clicks are counted apart; later ones count as the last
AGES = 64  # bins of an article's age when it is clicked
CATEGORIES = 256  # categories whose shelf life is learned apart, and one for all
CONTEXT_VALUES = 64  # values of one context attribute that are counted apart: 1 to 62, 63 all others; 0 is their sum
ALL = 0
BUILT_IN = 2  # context attributes that every event has: hour of day, category clicked before
SHORT_COVISITS, LONG_COVISITS, NEXT_CLICKS = range(
    3
)  # columns of a pair: clicked in one visit (short and long memory),
# and right after it

# columns of outcomes: the first three in the order of their bits in ``recsys.events.outcomes``
TIMED_READINGS, FULL_READINGS, DISMISSALS, EXAMINED = range(4)

# clock: what the whole stream knows of time
LANDMARK, NEWEST, LATE, AHEAD, UNKNOWN = range(5)
# room: how the slots of live articles are given out
USED, HAND = range(2)


class TrendState(NamedTuple):
    """Counts of A articles; S of them live, that is in a slot with M neighbours each.

    Attributes:
        clock: int64 (5,): LANDMARK and NEWEST in ms; events LATE, AHEAD of their arrival, on UNKNOWN articles.
        per_ms: float64 (K,), halvings per ms of the article counts.
        pair_per_ms: float64 (3,), of the co-visits.
        slow_per_ms: float64 (2,), of the lifts and of the shelf lives.
        decayed: float64 (A, 2, K): examined impressions, clicks; each row written at its own landmark.
        row_landmark: int64 (A,), ms, that landmark; NEVER_MS for none.
        all_decayed: float64 (2, K), over all articles.
        total: int64 (A, 2), impressions and clicks ever.
        all_total: int64 (2,).
        undated: int64 (A,), clicks of which nobody knows when.
        first: int64 (A,) ms, first shown or clicked; last: int64 (A,) ms, last clicked; NEVER_MS for none.
        positions: float64 (LIST_POSITIONS, 2): impressions and clicks by position in the list.
        ages: float64 (CATEGORIES + 1, AGES): clicks by the article's age; the last row is all categories.
        by_category: float64 (CATEGORIES + 1, 2): examined impressions, clicks; the last row is all categories.
        outcomes: float32 (A, 4), ever: TIMED_READINGS, FULL_READINGS, DISMISSALS, impressions EXAMINED.
        category_outcomes: float64 (CATEGORIES + 1, 3): the first three of them, fading; the last row is all categories.
        slot_of: int32 (A,); article_of: int32 (S,); UNKNOWN_ROW for none.
        room: int64 (2,): slots USED, the HAND that looks for one to take back.
        neighbour: int32 (S, M), article rows, UNKNOWN_ROW for a free place.
        pairs: float32 (S, M, 3), see SHORT_COVISITS.
        lifts: float32 (S, C, CONTEXT_VALUES), clicks by value of each context attribute.
        slot_landmark: int64 (S,), ms, at which a slot's pairs and lifts are written.
        all_lifts: float64 (C, CONTEXT_VALUES).
        audience: float32 (S, D), sums of the vectors of the readers who clicked, see ``audiences.py``.
        audience_clicks: float32 (S,), how many clicks they are.
        all_audience: float64 (D + 1,), the same over all articles; the last one is the number of clicks.
        category: int16 (A,), UNKNOWN_ROW for none; published: int64 (A,) ms, NEVER_MS for
            unknown: told by ``Trends.describe_articles``.
    """

    clock: Array
    per_ms: Array
    pair_per_ms: Array
    slow_per_ms: Array
    decayed: Array
    row_landmark: Array
    all_decayed: Array
    total: Array
    all_total: Array
    undated: Array
    first: Array
    last: Array
    positions: Array
    ages: Array
    by_category: Array
    outcomes: Array
    category_outcomes: Array
    slot_of: Array
    article_of: Array
    room: Array
    neighbour: Array
    pairs: Array
    lifts: Array
    slot_landmark: Array
    all_lifts: Array
    audience: Array
    audience_clicks: Array
    all_audience: Array
    category: Array
    published: Array


PER_ARTICLE = (
    "decayed",
    "row_landmark",
    "total",
    "outcomes",
    "undated",
    "first",
    "last",
    "slot_of",
    "category",
    "published",
)  # axis 0 is A
PER_SLOT = (
    *("article_of", "neighbour", "pairs", "lifts", "slot_landmark"),
    *("audience", "audience_clicks"),
)  # axis 0 is S
UNTOUCHED = {  # the value of a row of an article without any event; 0 elsewhere
    **dict.fromkeys(("row_landmark", "first", "last", "published"), NEVER_MS),
    **dict.fromkeys(("slot_of", "category"), UNKNOWN_ROW),
}


def empty_state(n_articles: int, config: TrendsConfig, reader_dim: int = 0) -> TrendState:
    """A stream without any event; ``reader_dim`` is D, of the vectors of readers, 0 where audiences are not counted."""
    A, S, M, K = n_articles, config.max_live_articles, config.max_neighbours, len(HALF_LIVES_HOURS)
    C = len(config.context) + BUILT_IN
    slow = np.array([LIFT_HALF_LIFE_HOURS, SHELF_HALF_LIFE_DAYS * 24], np.float64)
    return TrendState(
        clock=np.array([NEVER_MS, NEVER_MS, 0, 0, 0], np.int64),
        per_ms=1.0 / (np.array(HALF_LIVES_HOURS, np.float64) * HOUR_MS),
        pair_per_ms=1.0 / (np.array(COVISIT_HALF_LIVES_HOURS, np.float64) * HOUR_MS),
        slow_per_ms=1.0 / (slow * HOUR_MS),
        decayed=np.zeros((A, 2, K)),
        row_landmark=np.full(A, NEVER_MS, np.int64),
        all_decayed=np.zeros((2, K)),
        total=np.zeros((A, 2), np.int64),
        all_total=np.zeros(2, np.int64),
        undated=np.zeros(A, np.int64),
        first=np.full(A, NEVER_MS, np.int64),
        last=np.full(A, NEVER_MS, np.int64),
        positions=np.zeros((LIST_POSITIONS, 2)),
        ages=np.zeros((CATEGORIES + 1, AGES)),
        by_category=np.zeros((CATEGORIES + 1, 2)),
        outcomes=np.zeros((A, 4), np.float32),
        category_outcomes=np.zeros((CATEGORIES + 1, 3)),
        slot_of=np.full(A, UNKNOWN_ROW, np.int32),
        article_of=np.full(S, UNKNOWN_ROW, np.int32),
        room=np.zeros(2, np.int64),
        neighbour=np.full((S, M), UNKNOWN_ROW, np.int32),
        pairs=np.zeros((S, M, 3), np.float32),
        lifts=np.zeros((S, C, CONTEXT_VALUES), np.float32),
        slot_landmark=np.full(S, NEVER_MS, np.int64),
        all_lifts=np.zeros((C, CONTEXT_VALUES)),
        audience=np.zeros((S, reader_dim), np.float32),
        audience_clicks=np.zeros(S, np.float32),
        all_audience=np.zeros(reader_dim + 1),
        category=np.full(A, UNKNOWN_ROW, np.int16),
        published=np.full(A, NEVER_MS, np.int64),
    )

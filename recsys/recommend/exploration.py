"""The exploration slot: a place of every tenth list for a fresh article that few have seen, by Thompson sampling.

Reads the fresh articles, their counts and their categories' click rates; produces the articles that may be tried, with
the probability of each, made once and shared by all answers of a second. One of those that a list may hold is drawn,
in proportion; the same reader gets the same one within a minute, unless they do something. Without it, what nobody has
clicked is never shown, and what is never shown is never clicked.

Source: Chapelle and Li 2011, "An empirical evaluation of Thompson sampling".
"""

import hashlib
from collections import Counter
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.catalogue.copies import CopyGroups
from recsys.catalogue.eligibility import AllowedRows
from recsys.recommend.explore import thompson_propensities
from recsys.recommend.rerank import SourceLimits, most_of_source
from recsys.tags.index import Rows
from recsys.trends import PRIOR_IMPRESSIONS
from recsys.trends.state import CATEGORIES
from recsys.trends.stream import Trends
from recsys.units import MINUTE_MS

POLICY = "thompson"
PLACE = 4  # of the slot in a list, from 0: seen by half of those who look at the list at all
LEAST_LENGTH = 5  # of a list that has the slot
SHARE = 0.1  # of the lists: costs .8 % of the clicks in the first ten on G1, and finds three new articles in four
_TRIED = 30  # fresh articles, the newest, of which one is drawn
_NOTHING = 0.01  # clicks, and skips, that Thompson sampling begins with beside the category's rate

Floats = npt.NDArray[np.float64]


class Trial(NamedTuple):
    """Articles that may be tried.

    Attributes:
        rows: int32 (N,).
        propensity: float64 (N,), sums to at most 1.
    """

    rows: Rows
    propensity: Floats

    def but_for(self, stories: CopyGroups, rows: list[int]) -> "Trial":
        """Those whose story has no card among some rows."""
        if not len(self.rows):
            return self
        told = set(stories.labels[rows].tolist())
        new = [label not in told for label in stories.labels[self.rows].tolist()]  # thirty: quicker than by arrays
        return Trial(self.rows[new], self.propensity[new])

    def within(self, limits: SourceLimits, rows: list[int]) -> "Trial":
        """Those whose source has not as many cards among the rows of a list as it may."""
        if not len(self.rows) or not len(limits.shares):
            return self
        held = Counter(limits.sources[rows].tolist())
        sources = limits.sources[self.rows].tolist()
        room = [code < 0 or held[code] < most_of_source(limits.shares, code, len(rows)) for code in sources]
        return Trial(self.rows[room], self.propensity[room])


class Explored(NamedTuple):
    """The article that was put into the slot.

    Attributes:
        row: of the article.
        place: in the list, from 0.
        propensity: the probability with which it was.
    """

    row: int
    place: int
    propensity: float


NO_TRIAL = Trial(np.empty(0, np.int32), np.empty(0))


def trial(fresh: Rows, categories: npt.NDArray[np.int16], trends: Trends, budget: int) -> Trial:
    """The articles that may be tried, with the probability that each has the highest click rate.

    Args:
        fresh: int32 rows, newest first.
        categories: int16 (A,), codes by row; -1 for none.
        trends: live counts.
        budget: impressions until which an article is tried.
    """
    clicks, shown = trends.total_clicks(fresh), trends.total_impressions(fresh)
    rows = fresh[np.maximum(clicks, shown) < budget][:_TRIED]
    if not len(rows):
        return NO_TRIAL
    clicked = trends.total_clicks(rows).astype(np.float64)
    seen = np.maximum(trends.total_impressions(rows), clicked)
    codes = categories[rows].astype(np.int64)
    counts = trends.state.by_category[np.where((codes >= 0) & (codes < CATEGORIES), codes, CATEGORIES)]
    rate = trends.rate(counts[:, 0], counts[:, 1]).astype(np.float64)  # of the category; both counts fade alike
    prior = clicked + PRIOR_IMPRESSIONS * rate, seen + PRIOR_IMPRESSIONS
    return Trial(rows, thompson_propensities(*prior, (_NOTHING, _NOTHING)))


def slot_draw(who: str, clicks: Rows, now: int) -> float | None:
    """The draw of one list: in [0, 1) for a share ``SHARE`` of the lists, None for the others.

    Args:
        who: the reader or session; "" for nobody known.
        clicks: int32, rows that they clicked.
        now: ms; the same draw for a minute.
    """
    seed = hashlib.blake2b(f"{now // MINUTE_MS} {who}".encode() + clicks.tobytes(), digest_size=16).digest()
    chance, share = (int.from_bytes(part, "little") / 2.0**64 for part in (seed[:8], seed[8:]))
    return chance if share < SHARE else None


def explored(tried: Trial, picked: list[int], allowed: AllowedRows, draw: float) -> Explored | None:
    """The article of one list's slot; None where the list has no room for one, or none may be shown.

    Args:
        tried: see ``trial``.
        picked: rows of the list, in their order.
        allowed: rows.
        draw: see ``slot_draw``.
    """
    if len(picked) < LEAST_LENGTH or not len(tried.rows):
        return None
    shown = set(picked)
    may = allowed.has(tried.rows) & np.array([row not in shown for row in tried.rows.tolist()], np.bool_)
    left = tried.propensity[may]
    total = left.sum()
    if not total > 0:
        return None
    place = min(int(np.searchsorted(np.cumsum(left), draw * total, side="right")), len(left) - 1)
    return Explored(int(tried.rows[may][place]), PLACE, SHARE * float(left[place] / total))

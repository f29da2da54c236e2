"""Co-visit candidates: articles opened in the same visits as a reader's last clicks, each with the click beside it.

Reads the live co-visits; produces candidates with the evidence that a reason needs.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.recommend.catalogue import Mask
from recsys.recommend.config import RecommendConfig
from recsys.tags.index import Rows
from recsys.trends.stream import Trends

Floats = npt.NDArray[np.float32]

LAST = 5  # clicks whose company is looked at
FADE = 0.7  # weight of a click against the one after it
SPEED = 3  # of the half-lives of trends: what is popular, against which company is compared


class CovisitCandidates(NamedTuple):
    """C articles that readers of the last clicks opened too.

    Attributes:
        rows: int32 (C,), the likeliest first.
        beside: int32 (C,), of the last clicks the one that speaks most for each.
        visits: float32 (C,), visits in which both were opened, faded.
        lift: float32 (C,), how many times its share of that click's company is its share of all clicks.
    """

    rows: Rows
    beside: Rows
    visits: Floats
    lift: Floats

    def told(self, config: RecommendConfig) -> dict[int, int]:
        """Row -> the article whose readers opened it too: enough of them, and more than open it anyway."""
        enough = (self.visits >= config.company_visits) & (self.lift >= config.company_lift)
        return dict(zip(self.rows[enough].tolist(), self.beside[enough].tolist(), strict=True))


def covisit_candidates(trends: Trends, clicks: Sequence[int], allowed: Mask, now: int, n: int) -> CovisitCandidates:
    """Find the company of a reader's last clicks.

    Args:
        trends: the live counts.
        clicks: article rows, oldest first.
        allowed: bool (A,), what may be found.
        now: ms.
        n: how many at most; equal ones in row order.
    """
    last = list(dict.fromkeys(reversed(clicks)))[:LAST] if n else []
    found = [trends.covisits(row, now, trends.config.neighbours) for row in last]
    sizes = [len(rows) for rows, _ in found]
    rows: Rows = np.concatenate([np.empty(0, np.int32), *(rows for rows, _ in found)])
    visits: Floats = np.concatenate([np.empty(0, np.float32), *(strength for _, strength in found)])
    totals = np.repeat([float(strength.sum()) for _, strength in found], sizes)
    share = np.asarray(visits / (totals + trends.config.prior_company), np.float32)
    given = share * np.repeat(FADE ** np.arange(len(last)), sizes)
    given[~allowed[rows]] = 0
    one, where = np.unique(rows, return_inverse=True)
    sums = np.bincount(where, given, len(one))
    order = np.argsort(-sums, kind="stable")[: min(n, int((sums > 0).sum()))]
    best = np.lexsort((-given, where))[np.searchsorted(np.sort(where), order)]  # each one's largest contribution
    popular = (trends.clicks(rows[best], now)[:, SPEED] + 1) / (trends.everyone(now)[SPEED] + 1)
    beside = np.repeat(np.array(last, np.int32), sizes)
    return CovisitCandidates(rows[best], beside[best], visits[best], np.asarray(share[best] / popular, np.float32))

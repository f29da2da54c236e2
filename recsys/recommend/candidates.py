"""Candidates: some hundreds of articles that may be worth showing to one reader, from four sources.

Reads the index, the live counts and the catalogue; produces a ``CandidateSet`` with the evidence that reasons need:
the nearest to each interest, co-visits of the last clicks, what is trending, what is fresh. An article that must not
be shown is left out inside each search, never after it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.catalogue.eligibility import AllowedRows
from recsys.recommend.config import RecommendConfig
from recsys.recommend.context import ReaderContext
from recsys.recommend.rerank import liked_first
from recsys.tags.index import Rows
from recsys.trends import PRIOR_COVISITS
from recsys.trends.stream import Trends

Floats = npt.NDArray[np.float32]

_COVISIT_CLICKS = 5  # last clicks whose co-visits are read
_COVISIT_FADE = 0.7  # weight of a click against the one after it
_MIN_VISITS = 3.0  # faded: from so many in which both were opened "readers of X also opened this" may be said
_MIN_LIFT = 2.0  # and only where readers of X open it so many times as often as everyone does
_BACKGROUND = 3  # of the half-lives of trends: the popularity that co-visits are compared with
_TRENDING = 10  # articles that may be called trending: the tenth most clicked of a site still is


@dataclass(frozen=True, slots=True)
class CandidateSet:
    """C candidates of one answer, with their evidence.

    Attributes:
        rows: int32 (C,), rising.
        near: for each interest int32 rows, the nearest first.
        trending: rows that may be called trending.
        covisited: row -> the article clicked whose readers opened it too, where that says something.
    """

    rows: Rows
    near: list[Rows]
    trending: frozenset[int]
    covisited: dict[int, int]


def retrieve(
    context: ReaderContext,
    trends: Trends,
    sources: "CommonSources",
    allowed: AllowedRows,
    categories: npt.NDArray[np.int16],
    liked: Collection[int],
    neighbours: int,
    config: RecommendConfig,
    now: int,
) -> CandidateSet:
    """Candidates of one reader.

    Args:
        context: the reader.
        trends: live counts.
        sources: popular and fresh rows, best first.
        allowed: rows that may be in the list, one of each text.
        categories: int16 (A,), codes by row; -1 for none.
        liked: codes of the categories that the reader reads, whose fresh articles come first.
        neighbours: articles that the index brings.
        config: sizes of the other sources.
        now: ms.
    """
    near = nearest(context, neighbours, allowed)
    popular = allowed.among(sources.popular)[: config.trending]
    fresh = liked_first(allowed.among(sources.fresh), categories, liked)[: config.fresh]
    covisits = covisit_candidates(trends, context.state.clicks.tolist(), allowed, now, config.covisits)
    top = popular[:_TRENDING]
    return CandidateSet(
        np.unique(np.concatenate([*near, popular, fresh, covisits.rows]).astype(np.int32)),
        near,
        frozenset(top[trends.clicks(top, now)[:, -1] >= 1.0].tolist()),  # clicked lately
        covisits.telling(),
    )


class CommonSources(NamedTuple):
    """Rows that many readers' candidates come from: int32, best first."""

    popular: Rows
    fresh: Rows


def nearest(context: ReaderContext, n: int, allowed: AllowedRows) -> list[Rows]:
    """The allowed articles nearest to each interest, in proportion to the interests' shares.

    Args:
        context: K interests.
        n: articles in all, at most.
        allowed: rows.

    Returns:
        K times int32 rows, best first; two interests may find the same article.
    """
    quotas = zip(context.interests.vectors, context.interests.quotas(n).tolist(), strict=True)
    return [context.table.index.search(vector, quota, allowed.bits)[0] for vector, quota in quotas]


class CovisitCandidates(NamedTuple):
    """C articles that readers of the last clicks opened too.

    Attributes:
        rows: int32 (C,), the likeliest first.
        beside: int32 (C,), of the last clicks the one that speaks most for each.
        visits: float32 (C,), visits in which both were opened, faded.
        lift: float32 (C,), their share of that click's co-visits over their share of all clicks.
    """

    rows: Rows
    beside: Rows
    visits: Floats
    lift: Floats

    def telling(self) -> dict[int, int]:
        """Row -> the article whose readers opened it too: enough of them, and more than open it anyway."""
        enough = (self.visits >= _MIN_VISITS) & (self.lift >= _MIN_LIFT)
        return dict(zip(self.rows[enough].tolist(), self.beside[enough].tolist(), strict=True))


def covisit_candidates(
    trends: Trends, clicks: Sequence[int], allowed: AllowedRows, now: int, n: int
) -> CovisitCandidates:
    """Co-visits of a reader's last clicks.

    Args:
        trends: live counts.
        clicks: article rows, oldest first.
        allowed: rows.
        now: ms.
        n: articles at most; equal ones in row order.
    """
    last = list(dict.fromkeys(reversed(clicks)))[:_COVISIT_CLICKS] if n else []
    covisits = [trends.covisits(row, now, trends.config.max_neighbours) for row in last]
    sizes = [len(rows) for rows, _ in covisits]
    rows: Rows = np.concatenate([np.empty(0, np.int32), *(rows for rows, _ in covisits)])
    visits: Floats = np.concatenate([np.empty(0, np.float32), *(strength for _, strength in covisits)])
    totals = np.repeat([float(strength.sum()) for _, strength in covisits], sizes)
    share = np.asarray(visits / (totals + PRIOR_COVISITS), np.float32)
    given = share * np.repeat(_COVISIT_FADE ** np.arange(len(last)), sizes)
    given[~allowed.has(rows)] = 0
    distinct, where = np.unique(rows, return_inverse=True)
    sums = np.bincount(where, given, len(distinct))
    order = np.argsort(-sums, kind="stable")[: min(n, int((sums > 0).sum()))]
    best = np.lexsort((-given, where))[np.searchsorted(np.sort(where), order)]  # each one's largest contribution
    popular = (trends.clicks(rows[best], now)[:, _BACKGROUND] + 1) / (trends.all_clicks(now)[_BACKGROUND] + 1)
    beside = np.repeat(np.array(last, np.int32), sizes)
    return CovisitCandidates(rows[best], beside[best], visits[best], np.asarray(share[best] / popular, np.float32))

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
from recsys.compiled import compiled
from recsys.recommend.config import RecommendConfig
from recsys.recommend.context import Claims, ReaderContext
from recsys.tags.index import Rows
from recsys.trends import PRIOR_COVISITS
from recsys.trends.decay import faded, pair_fade, row_fade
from recsys.trends.state import LANDMARK, LONG_COVISITS, NEWEST, TrendState
from recsys.trends.stream import Trends
from recsys.units import UNKNOWN_ROW

Floats = npt.NDArray[np.float32]
Bits = npt.NDArray[np.uint8]
Codes = npt.NDArray[np.int64]

_COVISIT_CLICKS = 5  # last clicks whose co-visits are read
_COVISIT_FADE = 0.7  # weight of a click against the one after it
_MIN_VISITS = 3.0  # faded: from so many in which both were opened "readers of X also opened this" may be said
_MIN_LIFT = 2.0  # and only where readers of X open it so many times as often as everyone does
_SPREAD = 2_654_435_761  # Knuth's multiplier: neighbouring rows stand apart in a table
_BACKGROUND = 3  # of the half-lives of trends: the popularity that co-visits are compared with
_NO_CODES: Codes = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class CandidateSet:
    """C candidates of one answer, with their evidence.

    Attributes:
        rows: int32 (C,), rising.
        near: for each interest int32 rows, the nearest first.
        trending: rows that may be called trending.
        popular: rows that may be called popular.
        covisited: row -> the article clicked whose readers opened it too, where that says something.
    """

    rows: Rows
    near: list[Rows]
    trending: frozenset[int]
    popular: frozenset[int]
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
    popular = first_allowed(sources.popular, allowed.bits, categories, _NO_CODES, config.trending)
    wanted = np.fromiter(liked, np.int64, len(liked))
    fresh = first_allowed(sources.fresh, allowed.bits, categories, wanted, config.fresh)
    covisits = covisit_candidates(trends, context.state.clicks, allowed, now, config.covisits)
    return CandidateSet(
        distinct(np.concatenate([*near, popular, fresh, covisits.rows])),
        near,
        *sources.claims,
        covisits.telling(),
    )


class CommonSources(NamedTuple):
    """Rows that many readers' candidates come from.

    Attributes:
        popular: int32 rows, best first.
        fresh: the same.
        claims: those that may be called trending, and popular.
    """

    popular: Rows
    fresh: Rows
    claims: Claims


def nearest(context: ReaderContext, n: int, allowed: AllowedRows) -> list[Rows]:
    """The allowed articles nearest to each interest, in proportion to the interests' shares.

    Args:
        context: K interests.
        n: articles in all, at most.
        allowed: rows.

    Returns:
        K times int32 rows, best first; two interests may find the same article. None where no interest is known.
    """
    if not context.interests.known:
        return []
    quotas = zip(context.interests.vectors, context.interests.quotas(n).tolist(), strict=True)
    return [context.table.index.search(vector, quota, allowed.bits)[0] for vector, quota in quotas]


@compiled
def _is_allowed(allowed: Bits, row: int) -> bool:
    return bool(row >> 3 < len(allowed) and allowed[row >> 3] >> (row & 7) & 1)


@compiled
def first_allowed(rows: Rows, allowed: Bits, categories: npt.NDArray[np.int16], liked: Codes, n: int) -> Rows:
    """The first ``n`` of some rows that are allowed, those of liked categories before the others.

    Args:
        rows: int32 (N,).
        allowed: uint8 (A / 8,), a bit by row, little end first.
        categories: int16 (A,), codes by row.
        liked: int64, codes.
        n: rows at most.

    Returns:
        int32 (≤ n,), each group in the order of ``rows``.
    """
    first, others = np.empty(n, np.int32), np.empty(n, np.int32)
    had, left = 0, 0
    for place in range(len(rows)):
        row = rows[place]
        if had == n or (left == n and not len(liked)):
            break
        if not _is_allowed(allowed, row):
            continue
        is_liked = False
        for code in liked:
            is_liked = is_liked or categories[row] == code
        if is_liked:
            first[had] = row
            had += 1
        elif left < n:
            others[left] = row
            left += 1
    more = min(left, n - had)
    first[had : had + more] = others[:more]
    return first[: had + more]


def distinct(rows: Rows) -> Rows:
    """Rows, int (N,), each once and rising: int32 (≤ N,)."""
    ordered = rows.astype(np.int32)
    ordered.sort()
    keep = np.ones(len(ordered), np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=keep[1:])
    return ordered[keep]


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
    trends: Trends, clicks: Sequence[int] | Rows, allowed: AllowedRows, now: int, n: int
) -> CovisitCandidates:
    """Co-visits of a reader's last clicks.

    Args:
        trends: live counts.
        clicks: article rows, oldest first.
        allowed: rows.
        now: ms.
        n: articles at most; equal ones in row order.
    """
    return CovisitCandidates(*_covisited(trends.state, np.asarray(clicks, np.int32), allowed.bits, now, n))


@compiled
def _covisited(state: TrendState, clicks: Rows, allowed: Bits, now: int, n: int) -> tuple[Rows, Rows, Floats, Floats]:
    """The arrays of ``CovisitCandidates``; ``allowed`` uint8 (A / 8,), a bit by row, little end first."""
    now = max(now, state.clock[NEWEST])
    last = np.empty(_COVISIT_CLICKS, np.int32)
    kept = 0
    for p in range(len(clicks) - 1, -1, -1):
        again = kept == _COVISIT_CLICKS
        for q in range(kept):
            again = again or last[q] == clicks[p]
        if not again:
            last[kept] = clicks[p]
            kept += 1
    size = 16  # of a table of rows that is at most half full
    while size < 2 * kept * state.neighbour.shape[1]:
        size *= 2
    keys, sums = np.full(size, UNKNOWN_ROW, np.int32), np.zeros(size)
    most, beside = np.zeros(size), np.empty(size, np.int32)  # each one's largest contribution, and whose it is
    visits, share = np.empty(size, np.float32), np.empty(size, np.float32)
    fades = np.empty(LONG_COVISITS + 1)
    fades[LONG_COVISITS] = faded(state.clock[LANDMARK], now, state.pair_per_ms[LONG_COVISITS])
    weight = 1.0
    for q in range(kept):
        slot = state.slot_of[last[q]] if 0 <= last[q] < len(state.slot_of) else UNKNOWN_ROW
        if slot != UNKNOWN_ROW:
            neighbours, pairs = state.neighbour[slot], state.pairs[slot]
            fade = np.float32(pair_fade(state, slot, now, LONG_COVISITS, fades))
            total, M = 0.0, 0
            while len(neighbours) > M and neighbours[M] != UNKNOWN_ROW:
                total += pairs[M, LONG_COVISITS] * fade
                M += 1
            for m in range(M):
                row = neighbours[m]
                if not _is_allowed(allowed, row):
                    continue
                strength = pairs[m, LONG_COVISITS] * fade
                part = np.float32(strength / (total + PRIOR_COVISITS))
                at = (row * _SPREAD) & (size - 1)
                while keys[at] != UNKNOWN_ROW and keys[at] != row:
                    at = (at + 1) & (size - 1)
                keys[at] = row
                sums[at] += part * weight
                if part * weight > most[at]:
                    most[at], beside[at], visits[at], share[at] = part * weight, last[q], strength, part
        weight *= _COVISIT_FADE
    best, C = np.empty(max(n, 1), np.int64), 0
    for at in range(size if n > 0 else 0):
        if keys[at] == UNKNOWN_ROW or sums[at] <= 0 or (n == C and not _before(sums, keys, at, best[C - 1])):
            continue
        C = min(C + 1, n)
        place = C - 1
        while place > 0 and _before(sums, keys, at, best[place - 1]):
            best[place] = best[place - 1]
            place -= 1
        best[place] = at
    best = best[:C]
    background = np.empty(_BACKGROUND + 1)
    background[_BACKGROUND] = faded(state.clock[LANDMARK], now, state.per_ms[_BACKGROUND])
    everyone = state.all_decayed[1, _BACKGROUND] * background[_BACKGROUND]
    lift = np.empty(C, np.float32)
    for c in range(C):
        row = keys[best[c]]
        clicked = state.decayed[row, 1, _BACKGROUND] * row_fade(state, row, now, _BACKGROUND, background)
        lift[c] = share[best[c]] / ((clicked + 1.0) / (everyone + 1.0))
    return keys[best], beside[best], visits[best], lift


@compiled
def _before(sums: npt.NDArray[np.float64], keys: Rows, one: int, other: int) -> bool:
    """True where one place of the table goes before another: by its sum, equal ones by row."""
    return bool(sums[one] > sums[other] or (sums[one] == sums[other] and keys[one] < keys[other]))

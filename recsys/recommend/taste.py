"""The reader context of one answer, and the candidates that it chose from."""

import enum
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.compiled import compiled
from recsys.index import Index
from recsys.readers import ReaderState
from recsys.readers.encoders import Interests
from recsys.recommend.catalogue import Mask
from recsys.recommend.lists import RequestContext, Tier
from recsys.tags.index import Rows

Vectors = npt.NDArray[np.float32]


class Space(enum.Enum):
    """Where a vector lives."""

    ITEMS = "items"
    ARTICLES = "articles"


@dataclass(frozen=True, slots=True)
class ReaderContext:
    """What is known of a reader for one answer.

    Attributes:
        tier: where it comes from.
        state: the clicks.
        space: which table.
        table: float32 (A, D), the vectors of the space that ``interests`` live in.
        index: of that table.
        interests: what the reader likes, known.
        asker: who asks.
    """

    tier: Tier
    state: ReaderState
    space: Space
    table: Vectors
    index: Index
    interests: Interests
    asker: RequestContext

    def near(self, n: int, allowed: Mask) -> list[Rows]:
        """The allowed articles nearest to each interest, in proportion to the interests' shares.

        Args:
            n: how many in all, at most.
            allowed: bool (A,).

        Returns:
            K times int32 rows, best first; two interests may find the same article.
        """
        wanted = zip(self.interests.vectors, self.interests.quotas(n).tolist(), strict=True)
        return [self.index.search(vector, quota, allowed)[0] for vector, quota in wanted]

    def in_shares(self, ranked: Rows, near: list[Rows]) -> Rows:
        """Change a ranking as little as it takes for each interest to get its share.

        An interest that is a whole place short of its share of the places so far is given the next one, as long as
        there are articles of it. An article is of the interest that it is nearest to, provided that the search for
        that interest found it.

        Args:
            ranked: int32 (B,), best first.
            near: see ``near``.

        Returns:
            int32 (B,), the same rows.

        Source: Steck 2018, "Calibrated recommendations", section 3: the shares of a list are those of the history.
        """
        if len(near) == 1:
            return ranked
        cosine = np.nan_to_num(self.table[ranked] @ self.interests.vectors.T, nan=-1.0)  # (B, K)
        nearest = cosine.argmax(axis=1)
        found = np.stack([np.isin(ranked, rows) for rows in near])  # (K, B)
        owner = np.where(found[nearest, np.arange(len(ranked))], nearest, -1)
        return ranked[in_shares(owner, self.interests.shares)]


@dataclass(frozen=True, slots=True)
class CandidateSet:
    """Candidates of one answer, best first, with what the reasons need.

    Attributes:
        rows: int32 (B,).
        scores: float32 (B,), falling where there is one interest; with several some rows stand before better ones.
        hot: rows that may be called trending.
        liked: category -> share of the clicks' weights.
        favourites: folded keywords of what was read, those of a single article left out.
        together: row -> the article read whose readers opened it too, where that says something.
        fresh: bool (A,): articles that are news still.
        nameable: bool (A,): articles whose title may be shown.
    """

    rows: Rows
    scores: Vectors
    hot: frozenset[int]
    liked: dict[str, float]
    favourites: frozenset[str]
    together: dict[int, int]
    fresh: Mask
    nameable: Mask


@compiled
def in_shares(owner: npt.NDArray[np.int64], shares: Vectors) -> npt.NDArray[np.int64]:
    """Give every interest its share of the places, see ``ReaderContext.in_shares``.

    Args:
        owner: int64 (B,), the interest, 0 to K - 1, of each of B ranked articles, best first; -1 for none.
        shares: float32 (K,), sums to 1.

    Returns:
        int64 (B,): 0 to B - 1 in their new order.
    """
    B, K = len(owner), len(shares)
    out, gone = np.empty(B, np.int64), np.zeros(B, np.bool_)
    taken, first = np.zeros(K, np.int64), np.zeros(K, np.int64)  # first: the best article of each that still waits
    best = 0
    for n in range(B):
        chosen, most = -1, 1.0
        for k in range(K):
            while first[k] < B and (owner[first[k]] != k or gone[first[k]]):
                first[k] += 1
            short = shares[k] * (n + 1) - taken[k]
            if first[k] < B and short >= most and (chosen < 0 or short > most):
                chosen, most = first[k], short
        while chosen < 0 and gone[best]:
            best += 1
        out[n] = best if chosen < 0 else chosen
        gone[out[n]] = True
        if owner[out[n]] >= 0:
            taken[owner[out[n]]] += 1
    return out

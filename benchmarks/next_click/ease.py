"""EASE: a linear model from articles to articles with a zero diagonal, in closed form.

Fitted anew every few hours (see ``refitted.py``) on who clicked which of the most clicked articles of the last days:
B = I - P / diag(P) with P = (X'X + λI)^-1. A candidate is worth the sum of its weights from the session's clicks.

Source: Steck 2019, "Embarrassingly shallow autoencoders for sparse data".
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from benchmarks.next_click.refitted import RefittedBaseline
from recsys.baselines.clicks import ListsToScore, Rows, Scores
from recsys.baselines.neighbours import comes_again
from recsys.compiled import compiled
from recsys.dataset.impressions import Longs
from recsys.events.visits import ClickTable
from recsys.units import UNKNOWN_ROW

Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Ease(RefittedBaseline):
    """EASE, refitted.

    Attributes:
        penalty: λ; smaller than the paper's 200 to 1000, because a fit sees little log.
        articles: the most clicked ones that are fitted; memory is 12 bytes × its square.
    """

    penalty: float = 100.0
    articles: int = 1_000
    name: ClassVar[str] = "ease"

    def score_block(
        self, clicks: ClickTable, rows: Longs, n_articles: int, lists: ListsToScore, first: int, last: int, out: Scores
    ) -> None:
        """See ``RefittedBaseline``."""
        _score(clicks, lists, first, last, *self.fit(clicks, rows, n_articles), out)

    def fit(self, clicks: ClickTable, rows: Longs, n_articles: int) -> tuple[Rows, Matrix]:
        """Solve for the weights.

        Args:
            clicks: the log.
            rows: int64 (W,), rows of the clicks that teach, sorted.
            n_articles: A.

        Returns:
            int32 (A,), each article's column or UNKNOWN_ROW; float32 (M, M), weights from a row's article to a
            column's.
        """
        count = np.bincount(clicks.article[rows], minlength=n_articles)
        fitted = np.argsort(-count, kind="stable")[: min(self.articles, int((count > 0).sum()))]
        column: Rows = np.full(n_articles, UNKNOWN_ROW, np.int32)
        column[fitted] = np.arange(len(fitted), dtype=np.int32)
        gram = np.zeros((len(fitted), len(fitted)), np.float32)
        _count(np.asarray(column[clicks.article[rows]], np.int32), clicks.visitor[rows], gram)
        gram[np.diag_indices(len(gram))] += np.float32(self.penalty)
        inverse = np.linalg.inv(gram)
        weights = -inverse / np.diag(inverse)
        weights[np.diag_indices(len(weights))] = 0.0
        return column, np.ascontiguousarray(weights, np.float32)


@compiled
def _count(column: Rows, reader: Longs, gram: Matrix) -> None:
    """Add X'X: clicks (W,) reader by reader; of each the newest 100 different articles."""
    seen = np.empty(100, np.int32)
    last = len(column)
    while last > 0:
        first, n = last, 0
        while first > 0 and reader[first - 1] == reader[last - 1]:
            first -= 1
            new = column[first] != UNKNOWN_ROW and n < len(seen)
            for m in range(n):
                new &= seen[m] != column[first]
            if new:
                seen[n] = column[first]
                n += 1
        for m in range(n):
            for k in range(n):
                gram[seen[m], seen[k]] += np.float32(1)
        last = first


@compiled
def _score(
    clicks: ClickTable, lists: ListsToScore, first: int, last: int, column: Rows, weights: Matrix, out: Scores
) -> None:
    total = np.zeros(len(weights), np.float32)
    for i in range(first, last):
        total[:] = 0
        for p in range(lists.low[i], lists.high[i]):
            known = column[clicks.article[p]]
            if known != UNKNOWN_ROW and not comes_again(clicks.article, p, lists.high[i]):
                total += weights[known]
        for c in range(lists.offsets[i], lists.offsets[i + 1]):
            known = column[lists.article[c]]
            out[c] = total[known] if known != UNKNOWN_ROW else np.float32(0)

"""iALS: factors of readers and articles from weighted least squares, by the library ``implicit``.

Fitted anew every few hours (see ``refitted.py``) on who clicked which articles in the last days; the reader of a list
is not looked up but solved for from the session's clicks, exactly, so that the last click counts at once.

Source: Hu, Koren and Volinsky 2008, "Collaborative filtering for implicit feedback datasets".
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from implicit.cpu.als import AlternatingLeastSquares
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from benchmarks.next_click.refitted import RefittedBaseline
from recsys.baselines.clicks import ListsToScore, Rows, Scores
from recsys.compiled import compiled
from recsys.dataset.impressions import Longs
from recsys.events.visits import ClickTable
from recsys.units import UNKNOWN_ROW

Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Ials(RefittedBaseline):
    """iALS, refitted.

    Attributes:
        factors: dimensions.
        penalty: of the factors, per thousand clicks of a fit: what it is weighed against grows with them.
        alpha: weight of a click against an article that was not clicked.
        iterations: passes of a fit.
        seed: of the first factors.
    """

    factors: int = 32
    penalty: float = 3.0
    alpha: float = 40.0
    iterations: int = 7
    seed: int = 1
    name: ClassVar[str] = "ials"

    def score_block(
        self, clicks: ClickTable, rows: Longs, n_articles: int, lists: ListsToScore, first: int, last: int, out: Scores
    ) -> None:
        """See ``RefittedBaseline``."""
        row_of, factors = self.fit(clicks, rows, n_articles)
        readers = self.fold_in(clicks, lists, first, last, row_of, factors, self.regularization(rows))
        _score(lists, first, row_of, factors, readers, out)

    def regularization(self, rows: Longs) -> float:
        """Penalty of a fit on these clicks."""
        return self.penalty * len(rows) / 1_000

    def fold_in(
        self,
        clicks: ClickTable,
        lists: ListsToScore,
        first: int,
        last: int,
        row_of: Rows,
        factors: Matrix,
        penalty: float,
    ) -> Matrix:
        """Solve for the readers of the lists first:last, exactly.

        With Y the factors, P = (Y'Y + λI)^-1 and U the rows of a session, the reader is
        P Yu' (I + (α - 1) Yu P Yu')^-1 α 1: as many equations as clicks instead of dimensions (push-through identity).

        Args:
            clicks: the log.
            lists: the lists and the clicks that they are scored by.
            first: number of the first list.
            last: number after the last one.
            row_of: int32 (A,), from ``fit``.
            factors: float32 (M, D), from ``fit``.
            penalty: λ.

        Returns:
            float32 (B, D), zero for a list without a known click.
        """
        T, D = self.session_clicks, factors.shape[1]
        place = lists.high[first:last, None] - 1 - np.arange(T)  # (B, T), the newest click first
        row = row_of[clicks.article[np.maximum(place, 0)]]
        known = (place >= lists.low[first:last, None]) & (row != UNKNOWN_ROW)
        again = ((row[:, :, None] == row[:, None, :]) & known[:, None, :] & np.tri(T, k=-1, dtype=bool)).any(axis=2)
        known &= ~again
        clicked = np.where(known[:, :, None], factors[row], 0.0)  # (B, T, D), zero rows where there is no click
        inverse = np.linalg.inv(factors.T @ factors + penalty * np.eye(D))
        folding = clicked @ inverse  # (B, T, D)
        system = np.eye(T) + (self.alpha - 1) * folding @ clicked.transpose(0, 2, 1)
        share = np.linalg.solve(system, self.alpha * known[:, :, None])  # (B, T, 1)
        return np.asarray((share * folding).sum(axis=1), np.float32)

    def fit(self, clicks: ClickTable, rows: Longs, n_articles: int) -> tuple[Rows, Matrix]:
        """Factorise readers × articles.

        Args:
            clicks: the log.
            rows: int64 (W,), rows of the clicks that teach, sorted; not empty.
            n_articles: A.

        Returns:
            int32 (A,), each article's row or UNKNOWN_ROW; float32 (M, D), factors.
        """
        fitted, columns = np.unique(clicks.article[rows], return_inverse=True)
        readers, reader = np.unique(clicks.visitor[rows], return_inverse=True)
        shape = (len(readers), len(fitted))
        clicked = csr_matrix((np.ones(len(rows), np.float32), (reader, columns)), shape)  # equal pairs are summed
        clicked.data[:] = 1.0  # clicked again says little
        with threadpool_limits(1):  # implicit has its own threads, and asks for this
            model = AlternatingLeastSquares(
                self.factors,
                self.regularization(rows),
                self.alpha,
                iterations=self.iterations,
                num_threads=1,
                random_state=self.seed,
            )
            model.fit(clicked, show_progress=False)
        row = np.full(n_articles, UNKNOWN_ROW, np.int32)
        row[fitted] = np.arange(len(fitted))
        return row, np.ascontiguousarray(model.item_factors, np.float32)


@compiled
def _score(lists: ListsToScore, first: int, row_of: Rows, factors: Matrix, readers: Matrix, out: Scores) -> None:
    """Products of the readers (B, D) of the lists from ``first`` on with their candidates."""
    for i in range(len(readers)):
        for c in range(lists.offsets[first + i], lists.offsets[first + i + 1]):
            row = row_of[lists.article[c]]
            product = np.float32(0)
            if row != UNKNOWN_ROW:
                for d in range(readers.shape[1]):
                    product += factors[row, d] * readers[i, d]
            out[c] = product

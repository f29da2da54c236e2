"""iALS: factors of readers and articles from weighted least squares, by the library ``implicit``.

Reads the log and lists; produces a score per candidate. Fitted anew every few hours of log time on who clicked which
articles in the last days; the reader of a list is not looked up but solved for from the company, exactly, so that the
last click counts at once. An article that was not there at the last fit is worth 0.

Source: Hu, Koren and Volinsky 2008, "Collaborative filtering for implicit feedback datasets".
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from implicit.cpu.als import AlternatingLeastSquares
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from recsys.baselines.clicks import Rows, Scores, Shown, Stream, blocks, shown_of, stream_of, window
from recsys.compiled import compiled
from recsys.dataset.impressions import ClickHistories, Impressions, Longs
from recsys.events import Events

Matrix = npt.NDArray[np.float32]

UNKNOWN = -1


@dataclass(frozen=True)
class Ials:
    """iALS, refitted.

    Attributes:
        factors: dimensions.
        penalty: of the factors, per thousand clicks of a fit: what it is weighed against grows with them.
        alpha: weight of a click against an article that was not clicked.
        iterations: passes of a fit.
        days: log that a fit looks back on.
        refit_hours: hours of log time from one fit to the next.
        company: clicks that a list is scored by, the newest.
        max_clicks: clicks of a fit at most, the newest.
        seed: of the first factors.
    """

    factors: int = 32
    penalty: float = 3.0
    alpha: float = 40.0
    iterations: int = 7
    days: float = 0.25
    refit_hours: float = 1.0
    company: int = 10
    max_clicks: int = 1_000_000
    seed: int = 1
    name: ClassVar[str] = "ials"

    def scores(self, events: Events, lists: Impressions, histories: ClickHistories) -> Scores:
        """See ``Baseline``."""
        stream = stream_of(events, histories)
        shown = shown_of(lists, histories, self.company)
        out = np.zeros(len(lists.article), np.float32)
        for time, first, last in blocks(lists.time, self.refit_hours):
            clicks = window(stream, time, self.days, self.max_clicks)
            if len(clicks):
                row_of, factors = self.fit(stream, clicks, len(events.article_ids))
                readers = self.fold_in(stream, shown, first, last, row_of, factors, self.regularization(clicks))
                _score(shown, first, row_of, factors, readers, out)
        return out

    def regularization(self, clicks: Longs) -> float:
        """The penalty of a fit on these clicks."""
        return self.penalty * len(clicks) / 1_000

    def fold_in(
        self, stream: Stream, shown: Shown, first: int, last: int, row_of: Rows, factors: Matrix, penalty: float
    ) -> Matrix:
        """Solve for the readers of the lists first:last, exactly.

        With Y the factors, P = (Y'Y + λI)^-1 and U the rows of a company, the reader is
        P Yu' (I + (α - 1) Yu P Yu')^-1 α 1: as many equations as clicks instead of dimensions (push-through identity).

        Args:
            stream: the log.
            shown: the lists and their company.
            first: number of the first list.
            last: number after the last one.
            row_of: int32 (A,), from ``fit``.
            factors: float32 (M, D), from ``fit``.
            penalty: λ.

        Returns:
            float32 (B, D), zero for a list without known company.
        """
        T, D = self.company, factors.shape[1]
        place = shown.high[first:last, None] - 1 - np.arange(T)  # (B, T), the newest click first
        row = row_of[stream.article[np.maximum(place, 0)]]
        known = (place >= shown.low[first:last, None]) & (row != UNKNOWN)
        again = ((row[:, :, None] == row[:, None, :]) & known[:, None, :] & np.tri(T, k=-1, dtype=bool)).any(axis=2)
        known &= ~again
        clicked = np.where(known[:, :, None], factors[row], 0.0)  # (B, T, D), zero rows where there is no click
        inverse = np.linalg.inv(factors.T @ factors + penalty * np.eye(D))
        folding = clicked @ inverse  # (B, T, D)
        system = np.eye(T) + (self.alpha - 1) * folding @ clicked.transpose(0, 2, 1)
        share = np.linalg.solve(system, self.alpha * known[:, :, None])  # (B, T, 1)
        return np.asarray((share * folding).sum(axis=1), np.float32)

    def fit(self, stream: Stream, clicks: Longs, n_articles: int) -> tuple[Rows, Matrix]:
        """Factorise readers × articles.

        Args:
            stream: the log.
            clicks: int64 (W,), places of the clicks that teach, sorted; not empty.
            n_articles: A.

        Returns:
            int32 (A,), each article's row or UNKNOWN; float32 (M, D), factors.
        """
        fitted, columns = np.unique(stream.article[clicks], return_inverse=True)
        readers, rows = np.unique(stream.reader[clicks], return_inverse=True)
        shape = (len(readers), len(fitted))
        clicked = csr_matrix((np.ones(len(clicks), np.float32), (rows, columns)), shape)  # equal pairs are summed
        clicked.data[:] = 1.0  # clicked again says little
        with threadpool_limits(1):  # implicit has its own threads, and asks for this
            model = AlternatingLeastSquares(
                self.factors,
                self.regularization(clicks),
                self.alpha,
                iterations=self.iterations,
                num_threads=1,
                random_state=self.seed,
            )
            model.fit(clicked, show_progress=False)
        row = np.full(n_articles, UNKNOWN, np.int32)
        row[fitted] = np.arange(len(fitted))
        return row, np.ascontiguousarray(model.item_factors, np.float32)


@compiled
def _score(shown: Shown, first: int, row_of: Rows, factors: Matrix, readers: Matrix, out: Scores) -> None:
    """Products of the readers (B, D) of the lists from ``first`` on with their candidates."""
    for i in range(len(readers)):
        for c in range(shown.offsets[first + i], shown.offsets[first + i + 1]):
            row = row_of[shown.article[c]]
            product = np.float32(0)
            if row != UNKNOWN:
                for d in range(readers.shape[1]):
                    product += factors[row, d] * readers[i, d]
            out[c] = product

"""EASE: a linear model from articles to articles with a zero diagonal, in closed form.

Reads the log and lists; produces a score per candidate. Fitted anew every few hours of log time on who clicked which of
the most clicked articles of the last days: B = I - P / diag(P) with P = (X'X + λI)^-1. A candidate is worth the sum of
its weights from the company; an article that was not there at the last fit is worth 0.

Source: Steck 2019, "Embarrassingly shallow autoencoders for sparse data".
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from recsys.baselines.clicks import Rows, Scores, Shown, Stream, blocks, shown_of, stream_of, window
from recsys.baselines.neighbours import comes_again
from recsys.compiled import compiled
from recsys.dataset.impressions import ClickHistories, Impressions, Longs
from recsys.events import Events

Matrix = npt.NDArray[np.float32]

UNKNOWN = -1


@dataclass(frozen=True)
class Ease:
    """EASE, refitted.

    Attributes:
        penalty: λ; smaller than the paper's 200 to 1000, because a fit sees little log.
        articles: the most clicked ones that are fitted; memory is 12 bytes × its square.
        days: log that a fit looks back on.
        refit_hours: hours of log time from one fit to the next.
        company: clicks that a list is scored by, the newest.
        max_clicks: clicks of a fit at most, the newest.
    """

    penalty: float = 100.0
    articles: int = 1_000
    days: float = 0.25
    refit_hours: float = 1.0
    company: int = 10
    max_clicks: int = 1_000_000
    name: ClassVar[str] = "ease"

    def scores(self, events: Events, lists: Impressions, histories: ClickHistories) -> Scores:
        """See ``Baseline``."""
        stream = stream_of(events, histories)
        shown = shown_of(lists, histories, self.company)
        out = np.zeros(len(lists.article), np.float32)
        for time, first, last in blocks(lists.time, self.refit_hours):
            column, weights = self.fit(
                stream, window(stream, time, self.days, self.max_clicks), len(events.article_ids)
            )
            _score(stream, shown, first, last, column, weights, out)
        return out

    def fit(self, stream: Stream, clicks: Longs, n_articles: int) -> tuple[Rows, Matrix]:
        """Solve for the weights.

        Args:
            stream: the log.
            clicks: int64 (W,), places of the clicks that teach, sorted.
            n_articles: A.

        Returns:
            int32 (A,), each article's column or UNKNOWN; float32 (M, M), weights from a row's article to a column's.
        """
        count = np.bincount(stream.article[clicks], minlength=n_articles)
        fitted = np.argsort(-count, kind="stable")[: min(self.articles, int((count > 0).sum()))]
        column = np.full(n_articles, UNKNOWN, np.int32)
        column[fitted] = np.arange(len(fitted))
        gram = np.zeros((len(fitted), len(fitted)), np.float32)
        _count(column[stream.article[clicks]], stream.reader[clicks], gram)
        gram[np.diag_indices(len(gram))] += np.float32(self.penalty)
        inverse = np.linalg.inv(gram)
        weights = -inverse / np.diag(inverse)
        weights[np.diag_indices(len(weights))] = 0.0
        return column, np.ascontiguousarray(weights, np.float32)


@compiled
def _count(column: Rows, reader: Rows, gram: Matrix) -> None:
    """Add X'X: clicks (W,) reader by reader; of each the newest 100 different articles."""
    seen = np.empty(100, np.int32)
    last = len(column)
    while last > 0:
        first, n = last, 0
        while first > 0 and reader[first - 1] == reader[last - 1]:
            first -= 1
            new = column[first] != UNKNOWN and n < len(seen)
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
def _score(stream: Stream, shown: Shown, first: int, last: int, column: Rows, weights: Matrix, out: Scores) -> None:
    total = np.zeros(len(weights), np.float32)
    for i in range(first, last):
        total[:] = 0
        for p in range(shown.low[i], shown.high[i]):
            known = column[stream.article[p]]
            if known != UNKNOWN and not comes_again(stream.article, p, shown.high[i]):
                total += weights[known]
        for c in range(shown.offsets[i], shown.offsets[i + 1]):
            known = column[shown.article[c]]
            out[c] = total[known] if known != UNKNOWN else np.float32(0)

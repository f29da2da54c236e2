"""An article's clicks in its first 24 hours, told after its first one or three.

A sum of boosted trees over the columns of ``article_columns``, on the logarithm of the clicks. It learns from articles
whose first day has ended and is judged on later ones, each day anew.
"""

from dataclasses import dataclass

import numpy as np

from recsys.errors import DegenerateInput
from recsys.forecast.article_columns import ArticleClicks
from recsys.forecast.calendar import Ints
from recsys.forecast.contract import Forecaster
from recsys.forecast.series import ClickSeries
from recsys.forecast.steps import STEPS_PER_HOUR, FloatArray
from recsys.forecast.trees import BoostedTrees, fit_trees
from recsys.units import DAY_MS, HOUR_MS

LEAST_CLICKS = 10  # of an article's first day, from which on it is learned from and judged: the others are strays
LEARNED_AFTER = 6 * HOUR_MS  # after the log's begin: before, an old article looks like a new one
LEAST_LEARNED = 50  # to learn from
FORESTS = 3  # of the trees' rows and columns: their mean is steadier than one


@dataclass(frozen=True)
class ArticleForecast:
    """A model of the first day of articles.

    Attributes:
        window: ms after the first click at which it is told.
        trees: over the columns of ``columns_of``; their mean is taken.
    """

    window: int
    trees: tuple[BoostedTrees, ...]

    def totals(self, columns: FloatArray, already: FloatArray) -> FloatArray:
        """Clicks within 24 hours: at least those that there are already, float64 (n,)."""
        return np.maximum(np.exp(np.mean([one.predict(columns) for one in self.trees], axis=0)), already)


def fit_articles(columns: FloatArray, totals: Ints, window: int, rng: np.random.Generator) -> ArticleForecast:
    """Fit a model.

    Args:
        columns: float64 (n, F) of ``columns_of``.
        totals: int64 (n,), clicks of the first day, at least one.
        window: ms.
        rng: draws the trees' rows and columns.

    Raises:
        DegenerateInput: there are fewer than ``LEAST_LEARNED``.
    """
    if len(totals) < LEAST_LEARNED:
        expected = f"{LEAST_LEARNED} articles whose first day has ended"
        raise DegenerateInput(expected, str(len(totals)), "Wait for some more days of clicks.")
    return ArticleForecast(window, tuple(fit_trees(columns, np.log(totals), rng) for _ in range(FORESTS)))


def site_traffic(model: Forecaster, series: ClickSeries, moments: Ints, rest: int) -> FloatArray:
    """The site's clicks in the last hour and those expected in the next ``rest`` hours, as logarithms.

    Args:
        model: fitted or of constants alone.
        series: of the site.
        moments: int64 (n,), ms UTC; each is told from the hour that had begun.
        rest: hours.

    Returns:
        float64 (n, 2).
    """
    hours = np.clip((moments - series.start) // HOUR_MS, 1, len(series) // STEPS_PER_HOUR)
    origins, back = np.unique(hours * STEPS_PER_HOUR, return_inverse=True)
    expected = model.expect(series, origins, range(1, rest + 1)).median.sum(axis=1)
    sums = np.add.reduceat(series.clicks, np.arange(0, len(series), STEPS_PER_HOUR))
    last = sums[origins // STEPS_PER_HOUR - 1]
    told: FloatArray = np.log(np.column_stack((last, expected)) + 1)[back]
    return told


def judged_articles(clicks: ArticleClicks, begin: int, end: int, least: int = LEAST_CLICKS) -> Ints:
    """Rows of articles whose first day lies between two times and has enough clicks, by their first click."""
    inside = (clicks.first >= begin) & (clicks.first + DAY_MS <= end) & (clicks.total >= least)
    rows = np.flatnonzero(inside)
    return rows[np.argsort(clicks.first[rows], kind="stable")]


def backtest_articles(
    clicks: ArticleClicks, columns: FloatArray, rows: Ints, begin: int, window: int, seed: int
) -> FloatArray:
    """Forecasts of the articles whose first click is at ``begin`` or later, each day learned anew.

    Args:
        clicks: see ``ArticleClicks``.
        columns: float64 (n, F), of ``rows``.
        rows: int64 (n,), articles by their first click.
        begin: ms UTC.
        window: ms.
        seed: of the trees' draws.

    Returns:
        float64 (n,): clicks of the first day; NaN for articles before ``begin``.
    """
    first, told = clicks.first[rows], np.full(len(rows), np.nan)
    already = np.bincount(clicks.events.article[clicks.age < window], minlength=len(clicks.first))[rows]
    for day in range(begin, int(first[-1]) + 1, DAY_MS):
        learned = first + DAY_MS <= day
        asked = (first >= day) & (first < day + DAY_MS)
        rng = np.random.default_rng(seed)
        model = fit_articles(columns[learned], clicks.total[rows[learned]], window, rng)
        told[asked] = model.totals(columns[asked], already[asked].astype(np.float64))
    return told


def log_r2(told: FloatArray, came: Ints) -> float:
    """Share of the variance of the logarithm that forecasts explain; NaN without variance."""
    truth = np.log(came)
    spread = ((truth - truth.mean()) ** 2).sum()
    return float(1 - ((truth - np.log(told)) ** 2).sum() / spread) if spread > 0 else float("nan")

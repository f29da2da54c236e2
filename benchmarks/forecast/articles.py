"""An article's first day from its first one or three hours, beside a regression on its counts."""

from typing import Any

import numpy as np

from benchmarks.forecast.data import Judged
from recsys.events import Events
from recsys.forecast.article_columns import ArticleClicks, article_clicks, columns_of
from recsys.forecast.articles import LEARNED_AFTER, backtest_articles, judged_articles, log_r2, site_traffic
from recsys.forecast.calendar import Ints
from recsys.forecast.steps import STEP_MS, FloatArray, Mask
from recsys.forecast.structural import Structural
from recsys.units import DAY_MS, HOUR_MS

WINDOWS = (1, 3)  # hours
KNOWN_CLICKS = 2  # within the window: a population that can be told when the forecast is made


def measure_articles(events: Events, data: Judged, seed: int) -> dict[str, dict[str, Any]]:
    """Log-R² of the trees and of the counts alone, by window; over two populations.

    Judged are articles whose first day lies in the judged stretch: those with ten clicks in it (``article_log_r2``),
    and those with two clicks in the window already (``…_known``). None where there are too few articles.
    """
    clicks = article_clicks(events.before(data.series.end))
    begin = data.series.start + data.begin * STEP_MS
    figures: dict[str, dict[str, Any]] = {"trees": {}, "counts": {}}
    for window in WINDOWS:
        early = np.bincount(clicks.events.article[clicks.age < window * HOUR_MS], minlength=len(clicks.first))
        rows = judged_articles(clicks, clicks.begin + LEARNED_AFTER, data.series.start + data.end * STEP_MS)
        known = judged_articles(clicks, clicks.begin + LEARNED_AFTER, data.series.start + data.end * STEP_MS, 1)
        for name, chosen in (("", rows), ("_known", known[early[known] >= KNOWN_CLICKS])):
            told = _told(clicks, chosen, data, begin, window, seed)
            for model, values in told.items():
                figures[model][f"article_log_r2_{window}h{name}"] = values
    return figures


def _told(
    clicks: ArticleClicks, rows: Ints, data: Judged, begin: int, window: int, seed: int
) -> dict[str, float | None]:
    learned, judged_at = clicks.first[rows] + DAY_MS <= begin, clicks.first[rows] >= begin
    if learned.sum() < 50 or judged_at.sum() < 2:
        return {"trees": None, "counts": None}
    moments = clicks.first[rows] + window * HOUR_MS
    traffic = site_traffic(Structural().fit(data.series.until(data.begin)), data.series, moments, 24 - window)
    columns = columns_of(clicks, rows, window * HOUR_MS, traffic)
    trees = backtest_articles(clicks, columns, rows, begin, window * HOUR_MS, seed)
    early = np.bincount(clicks.events.article[clicks.age < window * HOUR_MS], minlength=len(clicks.first))[rows]
    counts = _from_counts(early, clicks.total[rows], learned)
    came = clicks.total[rows][judged_at]
    return {name: round(log_r2(told[judged_at], came), 4) for name, told in (("trees", trees), ("counts", counts))}


def _from_counts(early: Ints, total: Ints, learned: Mask) -> FloatArray:
    """A parabola of the logarithm of the early clicks, by least squares."""
    powers = np.vander(np.log(early), 3)
    weights = np.linalg.lstsq(powers[learned], np.log(total[learned]), rcond=None)[0]
    told: FloatArray = np.exp(powers @ weights)
    return told

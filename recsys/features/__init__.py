"""Features: a reader, candidate articles and a moment -> one matrix, by one code path for training and for serving.

Reads the vectors and facts of the articles (``Tables``), a ``ReaderState`` and the live ``Trends``; produces float32
(B, F) with the columns ``NAMES``. How the training rows are made from a log is in ``recsys.features.training``.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydantic import Field

from recsys.config import Section
from recsys.readers import ReadersConfig, ReaderState, reader_vector
from recsys.trends import HOUR_MS, Trends

Matrix = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int32]

VERSION = 1  # raised when a column changes its meaning without changing its name
LAST = 10  # clicks whose single vectors are compared with a candidate: the reader vector blurs several interests
MAX_AGE_HOURS = 24.0 * 365.0  # an article is news for less than that; bounds what a wrong date can do

SPEEDS = ("short", "middle", "long")  # the three half-lives of trends
NAMES = (
    "item_cosine",
    "item_max",
    "item_known",
    "content_cosine",
    "content_max",
    "content_known",
    "category_share",
    "category_known",
    *(f"clicks_{speed}" for speed in SPEEDS),
    "clicks_total",
    *(f"impressions_{speed}" for speed in SPEEDS),
    "impressions_total",
    *(f"click_rate_{speed}" for speed in SPEEDS),
    "click_rate_total",
    "clicks_slope",
    "age",
    "age_published",
    "age_known",
    "history",
)
COLUMN = {name: column for column, name in enumerate(NAMES)}


class FeaturesConfig(Section):
    """Which impressions of the log become training rows."""

    warmup: float = Field(0.2, ge=0, lt=1)
    refits: int = Field(4, ge=1)
    negatives: int = Field(20, ge=1)
    max_impressions: int = Field(100_000, ge=1)


@dataclass(frozen=True)
class Tables:
    """What is known of A articles, in one shared row space.

    Attributes:
        item_vectors: float32 (A, D2), unit or NaN rows.
        article_vectors: float32 (A, D), unit or NaN rows.
        category: int16 (A,), -1 for none.
        published: int64 (A,) ms since the epoch, -1 for unknown.
    """

    item_vectors: Matrix
    article_vectors: Matrix
    category: npt.NDArray[np.int16]
    published: npt.NDArray[np.int64]


def matrix(tables: Tables, reader: ReaderState, rows: Rows, now: int, trends: Trends, config: ReadersConfig) -> Matrix:
    """Describe candidates for one reader at one moment.

    What is unknown (a vector, a category, an age) is 0 in its column and 0 in its ``…_known`` column.

    Args:
        tables: what is known of the articles.
        reader: the reader, as known before ``now``.
        rows: int32 (B,), the candidates' article rows.
        now: ms since the epoch.
        trends: the live counts, as known before ``now``.
        config: how the reader vector forgets.

    Returns:
        float32 (B, F), finite, columns as ``NAMES``.
    """
    out = np.zeros((len(rows), len(NAMES)), np.float32)
    out[:, 0:3] = _similarity(tables.item_vectors, reader, rows, config)
    out[:, 3:6] = _similarity(tables.article_vectors, reader, rows, config)
    out[:, 6:8] = _category(tables.category, reader, rows)
    out[:, 8:21] = _counts(trends, rows, now)
    out[:, 21:24] = _ages(trends, tables.published, rows, now)
    out[:, 24] = np.log1p(len(reader.clicks))
    return out


def _similarity(vectors: Matrix, reader: ReaderState, rows: Rows, config: ReadersConfig) -> Matrix:
    """Cosine to the reader vector, highest cosine to a last click, known: (B, 3)."""
    out = np.zeros((len(rows), 3), np.float32)
    wanted = reader_vector(vectors, reader.clicks, config.half_life_clicks)  # (D,)
    if not vectors.shape[1] or np.isnan(wanted[0]):
        return out
    last = vectors[reader.clicks[-LAST:]]  # (T, D), NaN where unknown
    candidates = vectors[rows]  # (B, D)
    known = ~np.isnan(candidates[:, 0])
    last = last[~np.isnan(last[:, 0])]
    similar = candidates[known] @ np.vstack([wanted, last]).T  # (B', 1 + T)
    out[known, 0] = similar[:, 0]
    out[known, 1] = similar[:, 1:].max(axis=1) if len(last) else similar[:, 0]
    out[known, 2] = 1.0
    return out


def _category(category: npt.NDArray[np.int16], reader: ReaderState, rows: Rows) -> Matrix:
    """Share of the reader's clicks in the candidate's category, both known: (B, 2)."""
    out = np.zeros((len(rows), 2), np.float32)
    liked = category[reader.clicks] if reader.clicks else category[:0]
    liked = liked[liked >= 0]
    known = category[rows] >= 0
    if len(liked) and known.any():
        share = np.bincount(liked, minlength=int(category.max()) + 1) / len(liked)
        out[known, 0] = share[category[rows[known]]]
        out[known, 1] = 1.0
    return out


def _counts(trends: Trends, rows: Rows, now: int) -> Matrix:
    """Clicks, impressions and click rates at each half-life and ever, and the slope of clicks: (B, 13)."""
    ever = np.stack([trends.total_impressions(rows), trends.total_clicks(rows)], axis=1)  # (B, 2)
    counts = np.concatenate([trends.counts(rows, now), ever[:, :, None]], axis=2)  # (B, 2, H + 1)
    impressions, clicks = counts[:, 0], counts[:, 1]
    rate = np.clip(trends.rate(impressions, clicks), 1e-6, 1 - 1e-6)
    log_clicks = np.log1p(clicks)
    slope = log_clicks[:, :1] - log_clicks[:, 2:3]  # short against long: rising or fading
    logit = np.log(rate / (1 - rate))
    return np.concatenate([log_clicks, np.log1p(impressions), logit, slope], axis=1).astype(np.float32)


def _ages(trends: Trends, published: npt.NDArray[np.int64], rows: Rows, now: int) -> Matrix:
    """Log hours since first shown or clicked, log hours since published (or first seen), known: (B, 3)."""
    first, dated = trends.first_seen(rows), published[rows]
    known = (first >= 0) | (dated >= 0)
    seen_since = np.where(first >= 0, now - first, 0)
    out_since = np.where(dated >= 0, now - dated, seen_since)
    hours = np.clip(np.stack([seen_since, out_since], axis=1) / HOUR_MS, 0.0, MAX_AGE_HOURS)
    return np.column_stack([np.log1p(hours), known]).astype(np.float32)

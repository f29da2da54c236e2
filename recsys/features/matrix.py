"""The matrix of one list, as the service asks for it: the same compiled kernel as training's."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.features import NAMES
from recsys.features.describe import Known, describe
from recsys.items.online import OnlineItems, fixed_items
from recsys.readers import ReadersConfig, ReaderState
from recsys.trends import NEVER
from recsys.trends.stream import Trends

Matrix = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Tables:
    """What is known of A articles, in one shared row space.

    Attributes:
        item_vectors: float32 (A, D2), unit or NaN rows.
        article_vectors: float32 (A, D), unit or NaN rows.
        category: int16 (A,), -1 for none.
        published: int64 (A,) ms since the epoch, -1 for unknown.
        items: where the item vectors are learned on, click by click; ``item_vectors`` is its table then. None: fixed.
    """

    item_vectors: Matrix
    article_vectors: Matrix
    category: npt.NDArray[np.int16]
    published: npt.NDArray[np.int64]
    items: OnlineItems | None = None


def known_of(tables: Tables, trends: Trends, config: ReadersConfig) -> Known:
    """What the kernel reads beside the counts; to be made once for many lists.

    The shelf lives are those of this moment.
    """
    priors = (trends.config.prior_impressions, trends.config.prior_company)
    return Known(
        items=tables.items if tables.items is not None else fixed_items(tables.item_vectors),
        article_vectors=np.ascontiguousarray(tables.article_vectors, np.float32),
        shelf=trends.shelf(),
        place=np.zeros(max(len(trends), len(tables.category)), np.int32),
        half_life=np.array([config.half_life_clicks], np.float64),
        priors=np.array(priors, np.float64),
    )


def matrix(
    tables: Tables,
    reader: ReaderState,
    rows: Rows,
    now: int,
    trends: Trends,
    config: ReadersConfig,
    known: Known | None = None,
) -> Matrix:
    """Describe candidates for one reader at one moment.

    Args:
        tables: what is known of the articles.
        reader: the reader, as known before ``now``.
        rows: int32 (B,), the candidates' article rows, each once.
        now: ms since the epoch.
        trends: the live counts, as known before ``now``.
        config: how the reader vector forgets.
        known: what ``known_of`` gave for the same tables and counts.

    Returns:
        float32 (B, F), finite, columns as ``NAMES``.
    """
    if trends.state.category is not tables.category:
        trends.describe_articles(tables.category, tables.published)
    out = np.zeros((len(rows), len(NAMES)), np.float32)
    clicks, times = np.array(reader.clicks, np.int32), np.array(reader.times, np.int64)
    visit = reader.visit(now, trends.visits.gap_ms)
    codes = trends.moment(trends.codes(reader.context), int(clicks[-1]) if len(clicks) else NEVER, now)
    if len(rows):
        known = known or known_of(tables, trends, config)
        describe(trends.state, known, clicks, times, visit, codes, np.asarray(rows, np.int32), now, out)
    return out

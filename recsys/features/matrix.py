"""Rows of one list, as the service asks for them: by the same code as training's."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.features import CANDIDATE_FIELDS, HISTORY, NAMES
from recsys.features.describe import KernelTables, describe
from recsys.features.ids import history_ids, list_ids
from recsys.features.rows import CandidateRows, Ids, Matrix
from recsys.features.tags import ArticleTags
from recsys.items.online import OnlineItems, fixed_items
from recsys.readers import ReaderState
from recsys.readers.config import ReadersConfig
from recsys.trends import PRIOR_COVISITS, PRIOR_IMPRESSIONS
from recsys.trends.stream import Trends
from recsys.units import UNKNOWN_ROW

Articles = npt.NDArray[np.int32]  # rows of articles
Directions = npt.NDArray[np.int8]  # quantised vectors

_NO_IDS: Ids = np.empty(0, np.int64)
_NO_DIRECTIONS: Directions = np.empty((0, 0), np.int8)


@dataclass(frozen=True)
class ArticleTables:
    """Vectors, categories, dates and names of A articles, in one shared row space.

    Attributes:
        item_vectors: float32 (A, D2), unit or NaN rows.
        article_vectors: float32 (A, D), unit or NaN rows.
        category: int16 (A,), -1 for none.
        published: int64 (A,) ms since the epoch, -1 for unknown.
        items: where the item vectors are learned on, click by click; ``item_vectors`` is its table then. None: fixed.
        ids: int64 (A, S), see ``table_ids``; None: the articles are not known by name.
        tags: what they are about; None: nobody knows.
        idf_vectors: int8 (A, D3), quantised, the means of all words by rarity; None: there are none.
    """

    item_vectors: Matrix
    article_vectors: Matrix
    category: npt.NDArray[np.int16]
    published: npt.NDArray[np.int64]
    items: OnlineItems | None = None
    ids: Ids | None = None
    tags: ArticleTags | None = None
    idf_vectors: Directions | None = None

    def ids_of(self, rows: Articles) -> Ids:
        """The hashed ids of some articles: int64 (B, S); 0 where they are not known by name."""
        return np.zeros((len(rows), len(CANDIDATE_FIELDS)), np.int64) if self.ids is None else self.ids[rows]


def kernel_tables(tables: ArticleTables, trends: Trends, config: ReadersConfig) -> KernelTables:
    """Tables that the kernel reads beside the counts; to be made once for many lists.

    The shelf lives are those of this moment.
    """
    tags = tables.tags if tables.tags is not None else ArticleTags.empty(0, 0)
    priors = (PRIOR_IMPRESSIONS, PRIOR_COVISITS)
    return KernelTables(
        items=tables.items if tables.items is not None else fixed_items(tables.item_vectors),
        article_vectors=np.ascontiguousarray(tables.article_vectors, np.float32),
        idf_vectors=_NO_DIRECTIONS if tables.idf_vectors is None else np.ascontiguousarray(tables.idf_vectors),
        shelf=trends.shelf(),
        place=np.zeros(max(len(trends), len(tables.category)), np.int32),
        half_life=np.array([config.half_life_clicks], np.float64),
        priors=np.array(priors, np.float64),
        tags=tags.ids,
        tag_weights=tags.weights,
    )


def feature_matrix(
    tables: ArticleTables,
    reader: ReaderState,
    rows: Articles,
    now: int,
    trends: Trends,
    config: ReadersConfig,
    known: KernelTables | None = None,
) -> Matrix:
    """Describe candidates for one reader at one moment.

    Args:
        tables: what is known of the articles.
        reader: the reader, as known before ``now``.
        rows: int32 (B,), the candidates' article rows, each once.
        now: ms since the epoch.
        trends: the live counts, as known before ``now``.
        config: how the reader vector forgets.
        known: what ``kernel_tables`` gave for the same tables and counts.

    Returns:
        float32 (B, F), finite, columns as ``NAMES``.
    """
    if trends.state.category is not tables.category:
        trends.describe_articles(tables.category, tables.published)
    out = np.zeros((len(rows), len(NAMES)), np.float32)
    clicks = reader.clicks
    visit = reader.visit(now, trends.visits.gap_ms)
    looked, places = reader.impressions.before(now)
    codes = trends.codes_at(trends.codes(reader.context), int(clicks[-1]) if len(clicks) else UNKNOWN_ROW, now)
    if len(rows):
        known = known or kernel_tables(tables, trends, config)
        asked = np.asarray(rows, np.int32)
        describe(trends.state, known, clicks, reader.times, visit, looked, places, codes, asked, now, out)
    return out


def candidate_rows(
    tables: ArticleTables,
    reader: ReaderState,
    rows: Articles,
    now: int,
    trends: Trends,
    config: ReadersConfig,
    known: KernelTables | None = None,
    name: str | None = None,
    slot: str | None = None,
    *,
    with_ids: bool = True,
) -> CandidateRows:
    """One list as a click model reads it.

    Args:
        tables: see ``matrix``, like all that follow up to ``known``.
        reader: what they clicked.
        rows: int32 (B,), candidates.
        now: ms.
        trends: counts.
        config: of readers.
        known: made once for many lists.
        name: id of the reader; None for a session without one.
        slot: name of the place on the page; None where unknown.
        with_ids: False for a model that reads no ids: S = C = T = 0 then.

    Returns:
        B candidates of one list.
    """
    ids, context, history = np.empty((len(rows), 0), np.int64), _NO_IDS, _NO_IDS
    if with_ids:
        ids = tables.ids_of(rows)
        context = list_ids(name, reader.context, trends.config.context, now, slot)
        history = history_ids(tables.ids_of(reader.clicks[-HISTORY:])[:, 0])
    return CandidateRows(
        matrix=feature_matrix(tables, reader, rows, now, trends, config, known),
        ids=ids,
        context=context[None],
        history=history[None],
        impression=np.zeros(len(rows), np.int32),
    )

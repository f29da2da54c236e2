"""Recommenders over a hand-made catalogue: four football and four markets articles on two axes."""

from typing import Any

import numpy as np

from recsys.catalogue.articles import CatalogueArticle
from recsys.catalogue.catalogue import Catalogue
from recsys.events import KINDS
from recsys.features.matrix import ArticleTables
from recsys.index import Index
from recsys.readers import ReaderState
from recsys.readers.config import ReadersConfig
from recsys.recommend.answer import Recommendation, Recommender
from recsys.recommend.config import RecommendConfig
from recsys.trends.config import TrendsConfig
from recsys.trends.stream import Trends

NOW = 1_790_000_000_000
HOUR = 3_600_000
CLICK, DISMISS = KINDS.index("click"), KINDS.index("dismiss")
READERS = ReadersConfig()
NAN = (np.nan, np.nan)


def entry(number: int, category: str | None, **more: Any) -> CatalogueArticle:
    words = {"football": ("goal", "coach"), "markets": ("bonds", "bank")}.get(category or "", ())
    facts: dict[str, Any] = {
        "title": f"Story {number}",
        "language": "en",
        "category": category,
        "published_at": NOW - 1000 * HOUR - number * HOUR,
        "keywords": (*words, f"word{number}"),
    }
    made = facts | more
    return CatalogueArticle(**{"weights": (0.1,) * len(made["keywords"]), "parts": made["keywords"]} | made)


def newsroom(
    entries: list[CatalogueArticle], vectors: list[tuple[float, ...]] | None = None, *, model: Any = None, **config: Any
) -> Recommender:
    """A recommender whose article ``a3`` has row 3; without vectors it is one without a release."""
    catalogue = Catalogue([f"a{row}" for row in range(len(entries))])
    for row, one in enumerate(entries):
        catalogue.put(f"a{row}", one)
    A = len(entries)
    table = np.array(vectors, np.float32) if vectors else np.empty((A, 0), np.float32)
    tables = ArticleTables(table, np.empty((A, 0), np.float32), np.full(A, -1, np.int16), catalogue.published)
    return Recommender(
        catalogue,
        tables,
        Index.build(table) if vectors else None,
        None,
        model,
        Trends(A, TrendsConfig()),
        RecommendConfig(**config),
        READERS,
        200,
        "r1" if vectors else None,
    )


def two_topics(**config: Any) -> Recommender:
    """Rows 0–3 are football, 4–7 markets; within a topic the cosines fall with the row's distance."""
    angles = np.deg2rad([0, 5, 10, 15, 90, 85, 80, 75])
    vectors: list[tuple[float, ...]] = [(float(np.cos(angle)), float(np.sin(angle))) for angle in angles]
    return newsroom([entry(row, "football" if row < 4 else "markets") for row in range(8)], vectors, **config)


def reader(*clicked: int, dismissed: tuple[int, ...] = ()) -> ReaderState:
    state = ReaderState.empty(READERS)
    for row in clicked:
        state.observe(CLICK, row, NOW - HOUR)
    for row in dismissed:
        state.observe(DISMISS, row, NOW - HOUR)
    return state


def ask(recommender: Recommender, *states: ReaderState | None, k: int = 3, **more: Any) -> Recommendation:
    known, visit = (*states, None, None)[:2]
    return recommender.recommend(known, visit, **({"article": None, "k": k, "now": NOW, "lang": None} | more))


def rows(made: Recommendation) -> list[int]:
    return [card.row for card in made.cards]

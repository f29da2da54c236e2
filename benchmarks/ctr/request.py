"""The time of a request's candidates: described by everything that is known, and scored, on one core."""

import time
from collections.abc import Callable

import numpy as np

from recsys.compiled import as_int64
from recsys.ctr.config import CtrConfig
from recsys.ctr.ids import IdVocabulary
from recsys.ctr.model import ClickModel
from recsys.ctr.warm_start import grow_vocabulary
from recsys.events import KINDS
from recsys.features import NAMES
from recsys.features.matrix import ArticleTables, candidate_rows, kernel_tables
from recsys.features.similarity import quantised
from recsys.items import unit
from recsys.items.online import fixed_items
from recsys.readers import ReaderState
from recsys.readers.config import ReadersConfig
from recsys.trends.audiences import count_audience
from recsys.trends.config import TrendsConfig
from recsys.trends.stream import Trends
from recsys.units import HOUR_MS

CLICK, IMPRESSION = KINDS.index("click"), KINDS.index("impression")
ARTICLES, EVENTS, CANDIDATES, DIMENSIONS, CATEGORIES = 20_000, 50_000, 200, 32, 15
START = 1_790_000_000_000
REPEATS = 300
MODELS = {
    "logistic": CtrConfig(network="logistic"),
    "dnn": CtrConfig(),
    "dnn with ids": CtrConfig(fields=("article", "category", "hour", "history")),
    "dcn": CtrConfig(network="dcn"),
    "din": CtrConfig(network="din", fields=("article", "category", "history")),
}


def request(seed: int) -> dict[str, dict[str, float]]:
    """Milliseconds, the median of ``REPEATS``: "score" alone, and "with_features", for each model.

    Everything is drawn at random: ``ARTICLES`` articles, ``EVENTS`` events, a reader with as many clicks and
    impressions as are remembered. The weights are those that a model begins with; they take as long as learned ones.
    """
    rng = np.random.default_rng(seed)
    ids = rng.integers(1, 1 << 62, (ARTICLES, 2))
    vectors = unit(rng.standard_normal((ARTICLES, DIMENSIONS)).astype(np.float32))
    category = rng.integers(0, CATEGORIES, ARTICLES).astype(np.int16)
    published = START - rng.integers(0, 72 * HOUR_MS, ARTICLES)
    tables = ArticleTables(
        vectors, vectors, category, published, fixed_items(vectors), ids, idf_vectors=quantised(vectors)
    )
    config, trends = ReadersConfig(), Trends(ARTICLES, TrendsConfig(), reader_dim=DIMENSIONS)
    trends.describe_articles(category, published)
    reader, now = ReaderState.empty(config), START + EVENTS * 1000
    for number in range(EVENTS):
        kind, row = CLICK if number % 4 == 0 else IMPRESSION, int(ARTICLES * rng.random() ** 3)
        trends.observe(kind, row, START + number * 1000, position=number % 8, visitor=f"r{number % 997}")
        if kind == CLICK:
            count_audience(trends.state, as_int64(row), vectors[row])
        if number % 97 == 0:
            reader.observe(kind, row, START + number * 1000, position=number % 8)
    known, rows = kernel_tables(tables, trends, config), rng.permutation(ARTICLES)[:CANDIDATES].astype(np.int32)
    vocabulary, _ = grow_vocabulary(IdVocabulary.empty(), ids.ravel(), day=1, min_count=1, expire_days=9)
    found = {}
    for name, shape in MODELS.items():
        model = ClickModel(NAMES, shape, vocabulary if shape.fields else None).scorer()

        def described() -> object:
            return candidate_rows(tables, reader, rows, now, trends, config, known, "reader", "front")

        asked = candidate_rows(tables, reader, rows, now, trends, config, known, "reader", "front")
        score = median_ms(lambda model=model, asked=asked: model.score(asked))  # type: ignore[misc]
        whole = median_ms(lambda model=model: model.score(described()))  # type: ignore[misc]
        found[name] = {"score_ms": score, "with_features_ms": whole}
    return found


def median_ms(call: Callable[[], object]) -> float:
    """The median time of a call, ms."""
    taken = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        call()
        taken.append(time.perf_counter() - began)
    return round(1000 * float(np.median(taken)), 3)

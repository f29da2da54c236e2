"""The proof by cutting: the rows of a log's lists are built again from the log up to a list, and must not change."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from recsys.dataset.impressions import Impressions
from recsys.dataset.temporal_split import split_impressions
from recsys.dataset.training_set import TablesAt, build_training_set, leaking_columns
from recsys.events import Events
from recsys.features.config import FeaturesConfig
from recsys.features.matrix import ArticleTables
from recsys.items.config import ItemsConfig
from recsys.items.training import ItemVectors, item_vectors
from recsys.readers.config import ReadersConfig
from recsys.trends.config import TrendsConfig
from tests.clicks import toy_log

ITEMS = ItemsConfig(embedding_dim=4, epochs=2)
TRENDS, READERS = TrendsConfig(max_live_articles=64), ReadersConfig()


def visits_log() -> Events:
    """Lists in visits of four, with places and regions."""
    events, rng = toy_log(per_visit=4), np.random.default_rng(2)
    regions = [f'{{"region": "p{number}"}}' for number in range(3)]
    context = rng.integers(-1, 3, len(events)).astype(np.int32)
    return replace(
        events, position=rng.integers(-1, 5, len(events)).astype(np.int16), context=context, contexts=regions
    )


def _vectors(known: Events) -> ItemVectors:
    return item_vectors(known, np.full((len(known.article_ids), 2), np.nan, np.float32), ITEMS, seed=1)


def tables_of(known: Events, *, learn: bool = False) -> ArticleTables:
    """Tables as a log tells them, without any text; with ``learn`` the item vectors are taught on, click by click."""
    made, A = _vectors(known), len(known.article_ids)
    content = np.full((A, 2), np.nan, np.float32)
    return ArticleTables(made.vectors, content, *facts(A), made.online if learn else None)


def facts(n_articles: int) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int64]]:
    """Three categories; nothing was published."""
    return np.arange(n_articles, dtype=np.int16) % 3, np.full(n_articles, -1, np.int64)


def honest(events: Events, time: int) -> ArticleTables:
    """Tables as they were known before ``time``."""
    return tables_of(events.before(time))


def learning(events: Events, time: int) -> ArticleTables:
    """The same, learning on."""
    return tables_of(events.before(time), learn=True)


def lists_in(events: Events) -> Impressions:
    """The lists of a log with their timeline, always the same."""
    rng = np.random.default_rng(1)
    config = FeaturesConfig(warmup_share=0.1, refits=3)
    return split_impressions(events, config, holdout=0.2, validation=0.2, session_gap_minutes=30, rng=rng)


def found(tables_at: TablesAt, moments: int = 6) -> set[str]:
    """Columns in which the check finds a leak, at several lists' own times."""
    events = visits_log()
    lists = lists_in(events)
    made = build_training_set(events, lists, tables_at, TRENDS, READERS)
    times = lists.time[np.linspace(1, len(lists) - 2, moments).astype(int)].tolist()
    return {name for time in times for name in leaking_columns(events, lists, tables_at, TRENDS, READERS, made, time)}

"""Warm: the machine code of serving, loaded before the first request, and compiled where that was never done.

Without it the first reader after a start would wait for the compiler, half a minute on a new machine.
"""

import numpy as np

from recsys.catalogue.articles import CatalogueArticle
from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.eligibility import NO_SHARES
from recsys.compiled import as_int64
from recsys.ctr.inference import affine
from recsys.ctr.scoring import standardised
from recsys.events.outcomes import READ
from recsys.features.matrix import ArticleTables
from recsys.features.rows import CandidateRows, Matrix
from recsys.features.similarity import mean_direction
from recsys.features.tags import ArticleTags
from recsys.index import Index
from recsys.index.cells import best_of_both
from recsys.items.online import empty_online, place_content
from recsys.readers import CLICK, ReaderState
from recsys.readers.state import ReaderEvent
from recsys.recommend.answer import Recommender
from recsys.recommend.rerank import most_of_source
from recsys.serving.config import ServingSettings
from recsys.stories.copies import ComparedText
from recsys.stories.leaders import Leaders
from recsys.stories.text import Text
from recsys.tags import STEM
from recsys.trends.audiences import count_audience
from recsys.trends.stream import Trends

NOW = 1_000_000
VISITOR = "warm"
STORY = " ".join(f"word{chr(97 + place)}" for place in range(26))


class _Nothing:
    """A click model that expects nothing."""

    probability = True
    reads_ids = True

    def score(self, candidates: CandidateRows) -> Matrix:
        return np.zeros(len(candidates), np.float32)


def warm_up(settings: ServingSettings) -> None:
    """Serve a reader of a newsroom of three articles once, away from everything that is live."""
    catalogue = Catalogue(["a", "b", "c"])
    for name in catalogue.ids:
        catalogue.put(name, CatalogueArticle(title=name, published_at=0))
    A, D = len(catalogue.ids), settings.items.embedding_dim
    items = empty_online(A, settings.items, seed=0)
    for row in range(A):
        place_content(items, row, np.eye(A, D, dtype=np.float32)[row])
    code, tags = np.zeros(A, np.int16), ArticleTags.empty(A, STEM)
    tables = ArticleTables(items.vectors, items.vectors, code, catalogue.published, items, tags=tags)
    trends = Trends(A, settings.trends.model_copy(update={"max_live_articles": A}), reader_dim=D)
    recommender = Recommender(
        catalogue,
        tables,
        Index.build(items.vectors),
        None,
        _Nothing(),
        trends,
        settings.recommend,
        settings.readers,
        A,
        None,
    )
    for row in range(2):
        recommender.observe(CLICK, row, NOW, position=row, visitor=VISITOR, context="{}", arrived=NOW, outcome=READ)
    reader = ReaderState.of(settings.readers, [ReaderEvent(CLICK, row, NOW) for row in range(2)])
    direction = np.zeros(D, np.float32)
    mean_direction(tables.article_vectors, reader.clicks, as_int64(0), settings.readers.half_life_clicks, direction)
    count_audience(trends.state, as_int64(0), direction)
    recommender.recommend(reader, None, article=None, k=1, now=NOW, lang=None)
    most_of_source(NO_SHARES, 0, 1)
    rows, cells, bits = np.zeros(1, np.int32), np.zeros(1, np.int64), np.zeros(1, np.uint8)
    best_of_both(cells, direction[:1], rows, 1, rows, cells, cells, bits, tables.article_vectors, direction)
    one = np.zeros((1, 1), np.float32)
    affine(one, one, one[0])
    standardised(one, one[0], one[0])
    leaders = Leaders()
    for name in catalogue.ids:
        leaders.join(name, ComparedText(Text("", STORY)), lambda _: Text("", STORY))

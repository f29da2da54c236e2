"""The world of one worker: a release, or none, over the catalogue as the store has it now.

Reads the store's articles and a release's parts; produces a ``Recommender`` in which every article has a row. Articles
newer than the release get rows after it and are encoded on arrival. Not safe for threads: ``LiveState`` locks.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.catalogue.articles import ArticleAnnotations, CatalogueArticle
from recsys.catalogue.columns import Catalogue
from recsys.events.visitors import Visitors
from recsys.features import CANDIDATE_FIELDS
from recsys.features.ids import hashed_article_ids
from recsys.features.matrix import ArticleTables
from recsys.features.similarity import ArticleTags
from recsys.hashing import hashed
from recsys.index import Index
from recsys.items.online import grown, place_content
from recsys.languages import resolve_language
from recsys.recommend.answer import Recommender
from recsys.serving.artefacts import ReleaseArtefacts
from recsys.serving.config import ServingSettings
from recsys.serving.encoder import LiveArticle
from recsys.store import Article, StoredArticle
from recsys.stories.copies import Reading
from recsys.stories.text import Text
from recsys.tags import STEM, tag_ids
from recsys.units import UNKNOWN_ROW

SPARE_ROWS = 1024  # room for new articles before everything is laid out anew
SPARE_SHARE = 8  # and an eighth of the catalogue

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class PreparedArticle:
    """One article, ready to take its row: what its card shows, the first copy of its text, its vectors when new."""

    id: str
    article: CatalogueArticle
    leader: str
    encoded: LiveArticle | None
    updated_at: int


class CatalogueFull(Exception):
    """There is no row left for a new article: the world must be laid out anew."""


class ModelSnapshot:
    """One release over one catalogue.

    Attributes:
        recommender: answers.
        catalogue: the recommender's.
        through: the last event (seq) that was applied.
        newest: ms, the newest event that the release has counted.
        visitors: who has clicked what lately, so that people count and not clicks.
        changed: number of the last change of the site's articles that was taken over.
        taken_down: the same of those changes that hide or delete, which come first.
        down: article id -> number of the last change when it was seen to be hidden or deleted, as long as a row of it
            that was read before might still come.
    """

    def __init__(
        self,
        parts: ReleaseArtefacts,
        articles: Iterable[StoredArticle],
        settings: ServingSettings,
        stored: Callable[[str], Article | None] = lambda article_id: None,
    ) -> None:
        """Lay a release, or none, out.

        Args:
            parts: of the release; what is learned live is learned in them.
            articles: all of the site.
            settings: checked settings.
            stored: gives an article as the store has it, by its id.
        """
        self._traits, self._encoder = parts.traits, parts.encoder
        self._copies, self._stored = parts.copies, stored
        self._codes = dict(parts.codes)
        self._home = settings.site.language
        self.through = parts.through
        self.newest = parts.trends.newest
        self.visitors = Visitors(settings.trends.max_visits, [f"r{reader}" for reader in parts.odd])
        self.changed = self.taken_down = 0
        self.down: dict[str, int] = {}
        self.catalogue = Catalogue()
        prepared = [self.prepare(article) for article in articles]
        prepared = _latest(prepared, settings.web.max_articles)
        known = set(parts.ids)
        size = len(parts.ids) + sum(one.id not in known for one in prepared)
        capacity = size + SPARE_ROWS + size // SPARE_SHARE
        self.catalogue = Catalogue(parts.ids, capacity, settings.site.name)
        self._items = grown(parts.items, capacity)
        learns = self._items.vectors.shape[1] > 0
        self._tags = ArticleTags.empty(capacity, STEM)
        for row, article_id in enumerate(parts.ids):
            if (traits := self._traits.get(article_id)) is not None:
                self._tags.put(row, tag_ids(traits.parts, traits.weights))
        self._ids = np.zeros((capacity, len(CANDIDATE_FIELDS)), np.int64)
        self._ids[: len(parts.ids)] = hashed_article_ids(parts.ids, parts.category, list(parts.codes))
        self._tables = ArticleTables(
            self._items.vectors,
            _padded(parts.article_vectors, capacity),
            np.concatenate([parts.category, np.full(capacity - len(parts.ids), UNKNOWN_ROW, np.int16)]),
            self.catalogue.published,
            self._items if learns else None,
            self._ids,
            self._tags,
        )
        parts.trends.grow(capacity)
        self.recommender = Recommender(
            self.catalogue,
            self._tables,
            parts.index,
            _content_index(parts),
            parts.model,
            parts.trends,
            settings.recommend,
            parts.readers,
            settings.index.candidates,
            parts.release,
            parts.reader_encoder,
        )
        for one in sorted(prepared, key=lambda one: one.leader != one.id):
            self.place(one)

    def prepare(self, article: StoredArticle) -> PreparedArticle:
        """Find out what a card needs of an article, and what the release does not know: its vectors, the first copy.

        Nothing that an answer reads is changed; articles that are prepared later may be copies of this one.

        Args:
            article: as stored.
        """
        traits = self._traits.get(article.id)
        if traits is not None:
            leader = self._copies.leader.get(article.id, article.id)
            return PreparedArticle(article.id, CatalogueArticle.of(article, traits), leader, None, article.updated_at)
        leader = self._copies.leaders.join(article.id, Reading(_text(article)), self._text_of)
        if self._encoder is None:
            language, _ = resolve_language(article.language, article.title, article.body, self._home)
            return PreparedArticle(
                article.id, CatalogueArticle.of(article, ArticleAnnotations(language)), leader, None, article.updated_at
            )
        encoded = self._encoder.encode(article)
        return PreparedArticle(
            article.id, CatalogueArticle.of(article, encoded.traits), leader, encoded, article.updated_at
        )

    def _text_of(self, article_id: str) -> Text | None:
        article = self._stored(article_id)
        return None if article is None else _text(article)

    def place(self, one: PreparedArticle) -> None:
        """Take a prepared article over: from now on it is shown as it says.

        Raises:
            CatalogueFull: it is new and there is no row left.
        """
        if one.id not in self.catalogue.row_of and not self.catalogue.room:
            raise CatalogueFull
        row = self.catalogue.put(one.id, one.article, one.leader)
        self._ids[row, 0] = hashed("article", one.id)
        if one.encoded is None:
            return
        self._tables.article_vectors[row] = one.encoded.article_vector
        self._tags.put(row, tag_ids(one.encoded.traits.parts, one.encoded.traits.weights))
        place_content(self._items, row, one.encoded.item_vector)
        if self.recommender.index is not None:
            self.recommender.index.add(self._items.vectors[row], row)
        if self.recommender.content_index is not None:
            self.recommender.content_index.add(one.encoded.article_vector, row)
        if one.article.category:
            self._tables.category[row] = self._codes.setdefault(one.article.category, len(self._codes))
            self._ids[row, 1] = hashed("category", one.article.category)


def _text(article: Article) -> Text:
    return Text(article.title, article.body, article.source)


def _latest(prepared: list[PreparedArticle], n: int) -> list[PreparedArticle]:
    """The ``n`` newest articles; an undated one counts as old as its last change."""
    if len(prepared) <= n:
        return prepared
    dated = [one.article.published_at if one.article.published_at is not None else one.updated_at for one in prepared]
    return [prepared[place] for place in np.argsort(-np.array(dated, np.int64), kind="stable")[:n]]


def _padded(vectors: Vectors, capacity: int) -> Vectors:
    table = np.full((capacity, vectors.shape[1]), np.nan, np.float32)
    table[: len(vectors)] = vectors
    return table


def _content_index(parts: ReleaseArtefacts) -> Index | None:
    """An index of the article vectors: for similar articles, and for those that have no item vector."""
    return Index.build(parts.article_vectors) if parts.article_vectors.size else None

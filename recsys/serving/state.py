"""The shared state of one site: its catalogue, live counts, item tables and recent visits, over one model snapshot.

Reads the store's articles and a release's artefacts; produces a ``Recommender`` in which every article has a row.
Articles newer than the release get rows after it. One thread writes while others answer.
"""

from collections.abc import Iterable

import numpy as np

from recsys.catalogue.catalogue import Catalogue
from recsys.events.visitors import Visitors
from recsys.features import CANDIDATE_FIELDS
from recsys.features.ids import hashed_article_ids
from recsys.features.matrix import ArticleTables
from recsys.features.similarity import ArticleTags
from recsys.hashing import hashed
from recsys.index import Index
from recsys.items.online import grown, place_content
from recsys.recommend.answer import Recommender
from recsys.serving.artefacts import ReleaseArtefacts
from recsys.serving.config import ServingSettings
from recsys.serving.snapshot import ModelSnapshot, PreparedArticle
from recsys.store import StoredArticle
from recsys.tags import STEM, tag_ids
from recsys.trends import MAX_VISITS
from recsys.units import NO_ID

SPARE_ROWS = 1024  # room for new articles before everything is laid out anew
SPARE_SHARE = 8  # and an eighth of the catalogue


class CatalogueFull(Exception):
    """There is no row left for a new article: the state must be laid out anew."""


class SharedState:
    """Everything of one site that answers read beside the models.

    Attributes:
        snapshot: the models.
        recommender: answers from both.
        catalogue: the recommender's.
        through: the last event (seq) that was applied.
        visitors: who has clicked what lately, so that people count and not clicks.
        changed: number of the last change of the site's articles that was taken over.
        taken_down: the same of those changes that hide or delete, which come first.
        down: article id -> number of the last change when it was seen to be hidden or deleted, as long as a row of it
            that was read before might still come.
    """

    def __init__(
        self,
        snapshot: ModelSnapshot,
        artefacts: ReleaseArtefacts,
        articles: Iterable[StoredArticle],
        settings: ServingSettings,
    ) -> None:
        """Lay a release, or none, out.

        Args:
            snapshot: of the release.
            artefacts: of the same; what is learned live is learned in them.
            articles: all of the site.
            settings: checked settings.
        """
        self.snapshot = snapshot
        self.through = artefacts.through
        self.visitors = Visitors(MAX_VISITS, [f"r{reader}" for reader in artefacts.odd])
        self.changed = self.taken_down = 0
        self.down: dict[str, int] = {}
        prepared = _newest([snapshot.prepare(article) for article in articles], settings.web.max_articles)
        released = set(artefacts.ids)
        size = len(artefacts.ids) + sum(article.id not in released for article in prepared)
        capacity = size + SPARE_ROWS + size // SPARE_SHARE
        self.catalogue = Catalogue(artefacts.ids, capacity, settings.site.name, artefacts.codes)
        self.catalogue.tags.further = artefacts.related_tags
        self.catalogue.columns.category[: len(artefacts.ids)] = artefacts.category
        self._item_index = None if artefacts.index is None else artefacts.index.grown(capacity)
        self._content_index = Index.build(artefacts.article_vectors, capacity)
        self._items = grown(artefacts.items, capacity)
        if self._item_index is not None:
            self._items = self._items._replace(vectors=self._item_index.vectors)
        self._tags = _article_tags(artefacts, capacity)
        self._ids = np.zeros((capacity, len(CANDIDATE_FIELDS)), np.int64)
        self._ids[: len(artefacts.ids)] = hashed_article_ids(artefacts.ids, artefacts.category, list(artefacts.codes))
        self._tables = ArticleTables(
            self._items.vectors,
            self._content_index.vectors,
            self.catalogue.columns.category,
            self.catalogue.published,
            self._items if self._items.vectors.shape[1] > 0 else None,
            self._ids,
            self._tags,
        )
        artefacts.trends.grow(capacity)
        self.recommender = Recommender(
            self.catalogue,
            self._tables,
            self._item_index,
            self._content_index if artefacts.article_vectors.size else None,
            snapshot.model,
            artefacts.trends,
            settings.recommend,
            snapshot.readers,
            settings.index.candidates,
            snapshot.release,
            snapshot.reader_encoder,
        )
        with self.catalogue.changing():
            for article in sorted(prepared, key=lambda article: article.leader != article.id):  # first copies first
                self._place(article)

    def place(self, prepared: Iterable[PreparedArticle]) -> None:
        """Take prepared articles over: from now on they are shown as they say.

        Raises:
            CatalogueFull: one is new and there is no row left; those before it are taken over.
        """
        with self.catalogue.changing():
            for article in prepared:
                self._place(article)

    def _place(self, prepared: PreparedArticle) -> None:
        if prepared.id not in self.catalogue.row_of and not self.catalogue.room:
            raise CatalogueFull
        encoded, category = prepared.encoded, prepared.article.category
        row = self.catalogue.place(prepared.id, prepared.article, prepared.leader)
        self._ids[row] = hashed("article", prepared.id), hashed("category", category) if category else NO_ID
        if encoded is None:
            return
        self._tags.put(row, tag_ids(encoded.annotations.parts, encoded.annotations.weights))
        place_content(self._items, row, encoded.item_vector)
        if self._item_index is not None:
            self._item_index.see(row)
        self._content_index.add(encoded.article_vector, row)


def _newest(prepared: list[PreparedArticle], n: int) -> list[PreparedArticle]:
    """The ``n`` newest articles; an undated one counts as old as its last change."""
    if len(prepared) <= n:
        return prepared
    dated = [one.article.published_at if one.article.published_at is not None else one.updated_at for one in prepared]
    return [prepared[place] for place in np.argsort(-np.array(dated, np.int64), kind="stable")[:n]]


def _article_tags(artefacts: ReleaseArtefacts, capacity: int) -> ArticleTags:
    """The tags of a release's articles, with room for new ones."""
    tags = ArticleTags.empty(capacity, STEM)
    for row, article_id in enumerate(artefacts.ids):
        if (annotations := artefacts.annotations.get(article_id)) is not None:
            tags.put(row, tag_ids(annotations.parts, annotations.weights))
    return tags

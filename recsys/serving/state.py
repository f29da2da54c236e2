"""The shared state of one site: its catalogue, live counts, item tables and recent visits, over one model snapshot.

Reads the store's articles and a release's artefacts; produces a ``Recommender`` in which every article has a row.
Articles newer than the release get rows after it. One thread writes while others answer.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from recsys.catalogue.catalogue import Catalogue
from recsys.events.visitors import Visitors
from recsys.features import CANDIDATE_FIELDS
from recsys.features.matrix import ArticleTables
from recsys.features.similarity import quantised
from recsys.features.tags import ArticleTags
from recsys.hashing import hashed
from recsys.index import Index
from recsys.items.online import OnlineItems, grown, place_content
from recsys.recommend.answer import Recommender
from recsys.serving.artefacts import ReleaseArtefacts
from recsys.serving.config import ServingSettings
from recsys.serving.snapshot import ModelSnapshot, PreparedArticle
from recsys.store import StoryDecision, StoryName
from recsys.stories.decisions import PairDecision
from recsys.stories.editors_word import pair_of
from recsys.tags import STEM, tag_ids
from recsys.trends import MAX_VISITS
from recsys.units import NO_ID

SPARE_ROWS = 1024  # room for new articles before everything is laid out anew
SPARE_SHARE = 8  # and an eighth of the catalogue
UNKNOWN_CHANGE = -1  # no change has this number, not even that of a site without any


class CatalogueFull(Exception):
    """There is no row left for a new article: the state must be laid out anew."""


class SharedState:
    """Everything of one site that answers read beside the models.

    Attributes:
        snapshot: the models.
        recommender: answers from both.
        catalogue: the recommender's.
        through: the last event (seq) that was applied.
        started_through: the same when the state was laid out.
        started_changed: number of the last change of an article that it contained then.
        released_rows: rows of the release.
        visitors: who has clicked what lately, so that people count and not clicks.
        changed: number of the last change of the site's articles that was taken over.
        taken_down: the same of those changes that hide or delete, which come first.
        decided: the same of the decisions of editors; UNKNOWN_CHANGE before they were read.
        stories_decided: number of the last of their decisions on stories that was taken over.
        later_decisions: those on stories that the release does not contain.
        followed: whether the store was in reach since the state was laid out.
        full: whether an article found no row: then the state must be laid out anew, with more room.
        down: article id -> number of the last change when it was seen to be hidden or deleted, as long as a row of it
            that was read before might still come.
    """

    def __init__(
        self,
        snapshot: ModelSnapshot,
        artefacts: ReleaseArtefacts,
        settings: ServingSettings,
        expected: int = 0,
    ) -> None:
        """Lay a release, or none, out, with the articles that it contains.

        Args:
            snapshot: of the release.
            artefacts: of the same; what is learned live is learned in them.
            settings: checked settings.
            expected: articles that are to be added at once.
        """
        self.snapshot = snapshot
        self.through = self.started_through = artefacts.through
        self.visitors = Visitors(MAX_VISITS, [f"r{reader}" for reader in artefacts.odd])
        released = artefacts.catalogue
        self.changed = self.taken_down = self.started_changed = released.change
        self.decided = UNKNOWN_CHANGE
        self.stories_decided, self.later_decisions = artefacts.editors_word.decided, list[StoryDecision]()
        self.down: dict[str, int] = {}
        self.full = self.followed = False
        self.released_rows = size = len(released)
        capacity = size + expected + SPARE_ROWS + size // SPARE_SHARE
        self.catalogue = Catalogue((), capacity, settings.site.name, released)
        self.catalogue.tags.further = artefacts.related_tags
        self.catalogue.call_stories(artefacts.editors_word.names)
        self._item_index = None
        if artefacts.index is not None:
            self._item_index = Index.build(artefacts.index.vectors, capacity, artefacts.item_cells)
        self._content_index = Index.build(artefacts.article_vectors, capacity, artefacts.article_cells)
        self._items = grown(artefacts.items, capacity)
        if self._item_index is not None:
            self._items = self._items._replace(vectors=self._item_index.vectors)
        self._tags = ArticleTags.empty(capacity, STEM)
        self._tags.ids[:size], self._tags.weights[:size] = released.columns["tags"], released.columns["tag_weights"]
        self._idf_vectors = np.zeros((capacity, artefacts.idf_vectors.shape[1]), np.int8)
        self._idf_vectors[: len(artefacts.idf_vectors)] = artefacts.idf_vectors
        self._ids = np.zeros((capacity, len(CANDIDATE_FIELDS)), np.int64)
        self._ids[:size] = released.columns["hashed_ids"]
        self._tables = ArticleTables(
            self._items.vectors,
            self._content_index.vectors,
            self.catalogue.columns.category,
            self.catalogue.published,
            self._items if self._items.vectors.shape[1] > 0 else None,
            self._ids,
            self._tags,
            self._idf_vectors,
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

    def place(self, prepared: Iterable[PreparedArticle]) -> None:
        """Take prepared articles over: from now on they are shown as they say.

        Raises:
            CatalogueFull: one is new and there is no row left; those before it are taken over.
        """
        with self.catalogue.changing():
            for article in prepared:
                self._place(article)

    def decide_stories(self, decisions: Sequence[StoryDecision], names: Sequence[StoryName]) -> None:
        """Let decisions of editors on stories hold that are new, and names."""
        if decisions:
            pairs = [pair_of(one) for one in decisions]
            self.snapshot.stories.decide(pairs)
            self.catalogue.decide_stories(pairs)
            self.catalogue.decide_stories(self._kept_together(pairs))
            self.later_decisions += decisions
            self.stories_decided = decisions[-1].change
        if names:
            self.catalogue.call_stories(names)

    @property
    def release(self) -> str | None:
        """The release that was laid out; None without one."""
        return self.snapshot.release

    def is_late(self, article_id: str) -> bool:
        """True for an article that is newer than the release."""
        return self.catalogue.row_of[article_id] >= self.released_rows

    @property
    def items(self) -> OnlineItems:
        """The item vectors, as they are learned."""
        return self._items

    @property
    def article_vectors(self) -> npt.NDArray[np.float32]:
        """The article vectors: float32 (A, D)."""
        return self._content_index.vectors

    @property
    def idf_vectors(self) -> npt.NDArray[np.int8]:
        """The means of the articles' words by rarity, quantised: int8 (A, D3)."""
        return self._idf_vectors

    def place_again(self, prepared: PreparedArticle) -> int:
        """Take over an article whose vectors are there already; returns its row.

        Raises:
            CatalogueFull: it is new and there is no row left.
        """
        with self.catalogue.changing():
            row = self._place(prepared)
            if row >= self.released_rows:
                self._tags.put(row, tag_ids(prepared.article.parts, prepared.article.weights))
        return row

    def _place(self, prepared: PreparedArticle) -> int:
        if prepared.id not in self.catalogue.row_of and not self.catalogue.room:
            raise CatalogueFull
        encoded, category = prepared.encoded, prepared.article.category
        former = (
            self.catalogue.articles[known] if (known := self.catalogue.row_of.get(prepared.id)) is not None else None
        )
        story = prepared.story
        if (held := self._held(prepared.id)) is not None:
            story = None if prepared.id in self.catalogue.row_of else held
        row = self.catalogue.place(prepared.id, prepared.article, prepared.leader, story)
        self._ids[row] = hashed("article", prepared.id), hashed("category", category) if category else NO_ID
        if encoded is None:
            if former is not None and former.parts != prepared.article.parts:  # by an editor
                self._tags.put(row, tag_ids(prepared.article.parts, prepared.article.weights))
            return row
        self._tags.put(row, tag_ids(encoded.annotations.parts, encoded.annotations.weights))
        place_content(self._items, row, encoded.item_vector)
        if self._item_index is not None:
            self._item_index.see(row)
        self._content_index.add(encoded.article_vector, row)
        self._idf_vectors[row] = quantised(encoded.idf_vector[None])[0]
        return row

    def _held(self, article_id: str) -> str | None:
        """Another article that editors want in one story with an article, if any is here."""
        together = self.snapshot.stories.decisions.together_with(article_id)
        return next((other for other in together if other != article_id and other in self.catalogue.row_of), None)

    def _kept_together(self, decisions: Iterable[PairDecision]) -> Iterator[PairDecision]:
        """Pairs that hold together what decisions tie by an article that is not here yet."""
        row_of, together_with = self.catalogue.row_of, self.snapshot.stories.decisions.together_with
        missing = {one.other: None for one in decisions if one.together and one.other not in row_of}
        for article_id in missing:
            first, *others = [other for other in together_with(article_id) if other in row_of] or [article_id]
            yield from (PairDecision(other, first, True) for other in others)

"""The model snapshot: one release's models, and what they say of an article that arrives.

Reads a release's artefacts; produces prepared articles. Two snapshots can stand side by side: nothing of one site's
live counts or readers is here. What the indexes and vectors learn live belongs to the frame of their release.
"""

from collections.abc import Callable
from dataclasses import dataclass

from recsys.catalogue.articles import NO_NAMES, ArticleAnnotations, CatalogueArticle
from recsys.catalogue.released import ReleasedCatalogue
from recsys.entities import SiteNames
from recsys.languages import resolve_language
from recsys.readers.config import ReadersConfig
from recsys.readers.encoders import ReaderEncoder
from recsys.recommend.rank import Scorer
from recsys.serving.artefacts import ReleaseArtefacts
from recsys.serving.encoder import LiveArticle, LiveEncoder
from recsys.serving.live_stories import LiveStories
from recsys.store import Article, StoredArticle
from recsys.stories.copies import ComparedText
from recsys.stories.leaders import Leaders
from recsys.stories.text import Text


@dataclass(frozen=True, slots=True)
class PreparedArticle:
    """One article, ready to take its row.

    Attributes:
        id: of the article.
        article: what its card shows.
        leader: id of the first copy of its text; None where the release knows it.
        story: id of an article of its story, its own where it begins one; None where the release knows it, or where it
            was, if it was anywhere.
        encoded: its vectors, where the release does not know it.
    """

    id: str
    article: CatalogueArticle
    leader: str | None
    encoded: LiveArticle | None
    story: str | None = None


@dataclass(frozen=True)
class ModelSnapshot:
    """The models of one release, or of none.

    Attributes:
        release: its name; None before the first one.
        model: the click model.
        readers: settings of reader vectors as of the click model's training.
        reader_encoder: trained to predict a reader's next click; None where readers are encoded without training.
        counted_until: ms, the newest event that the release has counted.
        stories: those that go on, and what editors say of them.
    """

    release: str | None
    model: Scorer | None
    readers: ReadersConfig
    reader_encoder: ReaderEncoder | None
    counted_until: int
    stories: LiveStories
    _catalogue: ReleasedCatalogue
    _leaders: Leaders
    _encoder: LiveEncoder | None
    _names: SiteNames
    _home: str
    _stored: Callable[[str], Article | None]

    @classmethod
    def of(
        cls, artefacts: ReleaseArtefacts, home: str, stored: Callable[[str], Article | None] = lambda article_id: None
    ) -> "ModelSnapshot":
        """The models among a release's artefacts.

        Args:
            artefacts: of the release.
            home: the site's language.
            stored: gives an article as the store has it, by its id.
        """
        return cls(
            artefacts.release,
            artefacts.model,
            artefacts.readers,
            artefacts.reader_encoder,
            artefacts.trends.newest,
            artefacts.stories,
            artefacts.catalogue.without_columns(),
            artefacts.leaders,
            artefacts.encoder,
            artefacts.names,
            home,
            stored,
        )

    def prepare(self, article: StoredArticle) -> PreparedArticle:
        """Everything that a card needs of an article, and what the release does not know: its vectors, the first copy.

        Nothing that an answer reads is changed; articles that are prepared later may be copies of this one.

        Args:
            article: as stored.
        """
        annotations, encoded, leader, story = self._nightly(article.id), None, None, None
        if annotations is None:
            leader = self._leaders.join(article.id, ComparedText(_text(article)), self._text_of)
            story = self.stories.join(article.id, article.title, article.body, article.published_at, leader)
            if self._encoder is None:
                language, _ = resolve_language(article.language, article.title, article.body, self._home)
                annotations = ArticleAnnotations(language)
            else:
                encoded = self._encoder.encode(article)
                annotations = encoded.annotations
        if article.tags is not None:
            annotations = annotations.tagged(article.tags)
            encoded = encoded and encoded._replace(annotations=annotations)
        named = self._names.of(article.title, article.body, annotations.language, article.entities)
        shown = CatalogueArticle.of(article, annotations, named if article.tags is None else NO_NAMES)
        return PreparedArticle(article.id, shown, leader, encoded, story)

    def read_ahead(self) -> None:
        """Read what the first article that comes would wait for, a second or two of a large site; any thread may."""
        self.stories.read_ahead()
        self._names.read_ahead()
        if self._encoder is not None:
            self._encoder.read_ahead(self._home)

    @property
    def leaders(self) -> Leaders:
        """First copies of texts, those of later articles included."""
        return self._leaders

    def _nightly(self, article_id: str) -> ArticleAnnotations | None:
        """The annotations of an article that the release contains; None for another one."""
        row = self._catalogue.row_of.get(article_id)
        is_its_own = row is not None and self._catalogue.ids[row] == article_id  # and not that of its address
        return self._catalogue.cards.nightly(row) if row is not None and is_its_own else None

    def _text_of(self, article_id: str) -> Text | None:
        article = self._stored(article_id)
        return None if article is None else _text(article)


def _text(article: Article) -> Text:
    return Text(article.title, article.body, article.source)

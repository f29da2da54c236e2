"""Live stories: where an article that comes belongs, by the index of the release and by what editors have said since.

Reads a release's index, ahead of the first article or with it, and the decisions of editors; produces for an article
another one of its story. The index is told what editors decide, so that the next article joins the right story.
"""

import threading
from collections.abc import Callable, Iterable

from recsys.stories.decisions import EditorDecisions, PairDecision
from recsys.stories.headlines import LEAST_ARTICLES
from recsys.stories.story_index import StoryIndex
from recsys.units import now_ms


class LiveStories:
    """The stories of one release, to be joined by articles that come later.

    Args:
        load: gives the index of those that go on.
        released: decisions that the release was made with.

    Attributes:
        decisions: of the editors, as far as they were followed.
    """

    def __init__(self, load: Callable[[], StoryIndex], released: Iterable[PairDecision] = ()) -> None:
        self._load = load
        self.decisions = EditorDecisions(released)
        self._later: list[PairDecision] = []
        self._loaded: StoryIndex | None = None
        self._loading = threading.Lock()

    def read_ahead(self) -> None:
        """Read the index now, so that the first article does not wait for it; any thread may."""
        with self._loading:
            if self._loaded is None:
                index = self._load()
                index.decisions = self.decisions
                for decision in self._later:
                    index.decide(decision)
                self._loaded, self._later = index, []

    def decide(self, decisions: Iterable[PairDecision]) -> None:
        """Let decisions hold that were made after all before them."""
        decisions = list(decisions)
        with self._loading:
            for decision in decisions:
                self.decisions.take(decision)
            if self._loaded is None:
                self._later += decisions
                return
            for decision in decisions:
                self._loaded.decide(decision)

    def join(self, article_id: str, title: str, body: str, published: int | None, leader: str) -> str | None:
        """Put an article into its story; later ones may join it.

        Args:
            article_id: of the article.
            title: of it.
            body: of it, or its beginning.
            published: ms; None where unknown.
            leader: id of the first copy of its text.

        Returns:
            Id of an article of its story, its own where it begins one; None: where it was, if it was anywhere.
        """
        index = self._index
        copy_of = None if leader == article_id else leader
        published = None if published is None else min(published, now_ms())
        placed = index.place(article_id, title, body, published, copy_of)
        if copy_of is not None and index.story_of(copy_of) == placed.story:
            return copy_of
        if placed.is_new:
            return article_id
        return index.neighbour(article_id) if index.came >= LEAST_ARTICLES else None

    @property
    def _index(self) -> StoryIndex:
        while self._loaded is None:
            self.read_ahead()
        return self._loaded

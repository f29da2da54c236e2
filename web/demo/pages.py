"""Pages: what the demo site shows, and what it asks of the service.

Reads nothing; produces the shapes of cards, articles and tags, and ``Newsroom``, which ``web.demo.newsroom``
answers from the live state.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from recsys.tags import Tag, Tags
from web.demo.making import ListFacts

NO_TAGS = Tags()


@dataclass(frozen=True, slots=True)
class Card:
    """One article in a list.

    ``summary`` is the opening of the body, some 300 characters of plain text; the page cuts it to a few lines.
    ``published_at`` is int milliseconds UTC. ``clicks`` is set only in the list of today.
    """

    id: str
    title: str
    summary: str = ""
    image: str | None = None
    source: str | None = None
    language: str | None = None
    category: str | None = None
    published_at: int | None = None
    clicks: int | None = None


@dataclass(frozen=True, slots=True)
class MoreOnStory:
    """The newest other articles of the story that an article belongs to, and the story's id."""

    id: str
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class ArticlePage:
    """One article in full.

    ``given`` says whether the category came with the article; otherwise it was sorted by machine, as sure of it as the
    bar of ``tags`` says; it is None when none was likely enough. ``story`` is None where it is the only article of its
    story.
    """

    id: str
    title: str
    body: tuple[str, ...]
    url: str | None = None
    image: str | None = None
    source: str | None = None
    language: str | None = None
    category: str | None = None
    given: bool = False
    tags: Tags = NO_TAGS
    published_at: int | None = None
    story: MoreOnStory | None = None


@dataclass(frozen=True, slots=True)
class TagPage:
    """One page of the articles that bear a tag.

    ``tag`` is written as most of the newest articles write it. ``articles`` is how many there are on all pages.
    """

    tag: Tag
    cards: tuple[Card, ...]
    articles: int
    page: int
    pages: int
    related: tuple[Tag, ...] = ()


@dataclass(frozen=True, slots=True)
class StoryPage:
    """The articles of one event.

    ``title`` is the editors' name of it where it is ``named``, else the headline of the newest article. ``cards`` are
    the newest ones, newest first. ``articles`` is how many there are. ``first`` and ``last`` are int milliseconds UTC,
    None where nobody knows.
    """

    id: str
    title: str
    cards: tuple[Card, ...]
    articles: int
    first: int | None = None
    last: int | None = None
    tags: tuple[Tag, ...] = ()
    named: bool = False


class Newsroom(Protocol):
    """The service as the pages need it. Hidden and expired articles never come out of it."""

    @property
    def name(self) -> str:
        """The site's name, for the masthead."""

    @property
    def timezone(self) -> str:
        """The site's time zone, an IANA name."""

    @property
    def language(self) -> str:
        """Code of the site's own language: that of a reader whose browser asks for none that the pages know."""

    @property
    def simulated(self) -> bool:
        """True where any click that is counted came from a simulated reader."""

    @property
    def list_facts(self) -> ListFacts:
        """Facts that decide this site's lists."""

    @property
    def release(self) -> str | None:
        """The release that is served, None before the first one."""

    def front(self, lang: str, now: int) -> Sequence[Card]:
        """The front page's articles, lead first; those in ``lang`` before the others."""

    def by_category(self, category: str, lang: str, now: int) -> Sequence[Card]:
        """A category's articles, newest first; empty when there is no such category."""

    def categories(self, lang: str) -> Sequence[str]:
        """The categories with articles to show, those with any in ``lang`` first, largest first."""

    def article(self, id: str) -> ArticlePage | None:
        """One article, or None when it is unknown, hidden or expired."""

    def story(self, id: str) -> StoryPage | None:
        """The story by that id, or of the article by that id; None when nothing of it may be shown."""

    def tagged(self, tag: str, lang: str, page: int, now: int) -> TagPage | None:
        """A page, counted from 1, of the articles that bear a tag, newest first; None when there is no such page."""

    def tags(self, lang: str, now: int) -> Sequence[Tag]:
        """The tags of the newest articles, most frequent first."""

    def meant(self, tag: str, lang: str, now: int) -> Sequence[str]:
        """Tags that somebody may have meant who asked for a tag that no article bears."""

    def today(self, lang: str) -> Sequence[Card]:
        """The most clicked articles of today in the site's time zone, most first, with ``clicks``."""

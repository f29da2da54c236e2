"""The newsroom behind the demo site: what ``web.demo.site`` asks for, answered from the live state.

Reads the catalogue, the store and the recommender's fallback lists; produces cards and article pages.
"""

import time
from collections.abc import Iterable

import numpy as np

from recsys.catalogue.catalogue import Catalogue
from recsys.recommend.exploration import SHARE
from recsys.simulate import READER_PREFIX
from recsys.store import DecisionKind
from recsys.tags import Tag
from recsys.units import now_ms
from web.demo.making import ListFacts
from web.demo.pages import ArticlePage, Card, MoreOnStory, StoryPage, TagPage
from web.installation import Installation
from web.stories import others_of, story_list
from web.tagging import instead, tag_list, tags_now

FRONT = 60  # articles that the front page chooses from
SECTION = 60  # articles of a category's page
TODAY = 10
STORY = 100  # articles of a story's page
MORE_ON_STORY = 3  # of them, on the page of one
TAGGED = 30  # articles of a tag's page
CLOUD = 60  # tags on the page of tags
FIRST_READERS = 20  # simulated readers that are looked for: if none of these clicked, none did
LOOK_SECONDS = 60.0  # how often, while none was found


class LiveNewsroom:
    """The site's newsroom over one worker's installation; see ``web.demo.pages.Newsroom``."""

    def __init__(self, here: Installation) -> None:
        self._here = here
        self._simulated = False
        self._look_again = 0.0

    @property
    def name(self) -> str:
        """The site's name."""
        return self._here.settings.site.name

    @property
    def timezone(self) -> str:
        """The site's time zone, an IANA name."""
        return self._here.settings.site.timezone

    @property
    def language(self) -> str:
        """The site's own language."""
        return self._here.settings.site.language

    @property
    def release(self) -> str | None:
        """The release that is served."""
        return self._here.live.release

    @property
    def list_facts(self) -> ListFacts:
        """Facts that decide this site's lists, as they are now."""
        settings, live, now = self._here.settings, self._here.live, now_ms()
        pins = [one for one in live.catalogue.decisions if one.kind is DecisionKind.PIN and one.until > now]
        return ListFacts(
            clicks=settings.readers.max_history,
            half_life_clicks=settings.readers.half_life_clicks,
            fresh_hours=settings.recommend.fresh_hours,
            max_per_category=settings.recommend.max_per_category,
            explored_share=SHARE if settings.recommend.explore_impressions else 0.0,
            pins=len(pins),
            is_trained=live.release is not None,
            keep_days=settings.events.keep_days,
        )

    @property
    def simulated(self) -> bool:
        """True where any click that is counted came from a simulated reader."""
        if not self._simulated and time.monotonic() >= self._look_again:
            site, store = self._here.settings.site.id, self._here.store
            names = (f"{READER_PREFIX}{number:04d}" for number in range(FIRST_READERS))
            self._simulated = any(store.clicks_of(site, name, 1) for name in names)
            self._look_again = time.monotonic() + LOOK_SECONDS
        return self._simulated

    def front(self, lang: str, now: int) -> list[Card]:
        """The front page's articles, newest first, so that the page is not the widget's list once more."""
        catalogue = self._here.live.catalogue
        return _cards(catalogue, catalogue.latest(now, FRONT, lang).tolist())

    def by_category(self, category: str, lang: str, now: int) -> list[Card]:
        """A category's articles, newest first."""
        catalogue = self._here.live.catalogue
        allowed = catalogue.of_category(category, now)
        return _cards(catalogue, catalogue.newest(allowed, SECTION, lang).tolist())

    def categories(self, lang: str) -> list[str]:
        """The categories with articles to show, those of one language before the others, largest first."""
        catalogue = self._here.live.catalogue
        rows = np.flatnonzero(catalogue.eligible(now_ms()).showable).astype(np.int32)
        parts = catalogue.by_preference(rows, lang)
        return list(dict.fromkeys(name for part in parts for name in catalogue.category_sizes(part)))

    def article(self, id: str) -> ArticlePage | None:
        """One article, or None when it is unknown, hidden, expired or not yet published."""
        catalogue, now = self._here.live.catalogue, now_ms()
        row = catalogue.row_of.get(id)
        if row is None or not catalogue.eligible(now).showable[row]:
            return None
        stored = self._here.store.article(self._here.settings.site.id, id)
        if stored is None or stored.hidden:
            return None
        entry = catalogue.article(row)
        story, others = others_of(catalogue, row, now, MORE_ON_STORY)
        return ArticlePage(
            id=id,
            title=stored.title,
            body=tuple(part.strip() for part in stored.body.splitlines() if part.strip()),
            url=stored.url,
            image=stored.image,
            source=stored.source,
            language=entry.language,
            category=entry.category,
            given=entry.given,
            tags=entry.tags,
            published_at=stored.published_at,
            story=MoreOnStory(story, tuple(_cards(catalogue, others.tolist()))) if len(others) else None,
        )

    def story(self, id: str) -> StoryPage | None:
        """A story's newest articles."""
        catalogue = self._here.live.catalogue
        told = story_list(catalogue, id, now_ms(), STORY)
        if told is None:
            return None
        cards = tuple(_cards(catalogue, told.rows.tolist()))
        return StoryPage(told.id, told.title, cards, told.articles, told.first, told.last, tuple(told.tags), told.named)

    def tagged(self, tag: str, lang: str, page: int, now: int) -> TagPage | None:
        """A page, counted from 1, of the articles that bear a tag."""
        catalogue = self._here.live.catalogue
        bearers = tag_list(catalogue, tag, lang, now, TAGGED * (page - 1), TAGGED) if page > 0 else None
        if bearers is None or not bearers.bearing:
            return None
        pages = -(-bearers.articles // TAGGED)
        cards = tuple(_cards(catalogue, (row for row, _ in bearers.bearing)))
        return TagPage(bearers.tag, cards, bearers.articles, page, pages, tuple(bearers.related))

    def tags(self, lang: str, now: int) -> list[Tag]:
        """The most frequent tags of the newest articles."""
        return tags_now(self._here.live.catalogue, lang, now, CLOUD)

    def meant(self, tag: str, lang: str, now: int) -> list[str]:
        """Tags that may have been meant by an unknown one."""
        return instead(self._here.live.catalogue, tag, lang, now)

    def today(self, lang: str) -> list[Card]:
        """The most clicked articles of today."""
        clicked = self._here.live.today(TODAY, lang)
        clicks = [number for _, number in clicked.ranked]
        return _cards(clicked.catalogue, (row for row, _ in clicked.ranked), clicks)


def _cards(catalogue: Catalogue, rows: Iterable[int], clicks: list[int] | None = None) -> list[Card]:
    cards: list[Card] = []
    for place, row in enumerate(rows):
        entry = catalogue.article(row)
        cards.append(
            Card(
                id=catalogue.ids[row],
                title=entry.title,
                summary=entry.summary,
                image=entry.image,
                source=entry.source,
                language=entry.language,
                category=entry.category,
                published_at=entry.published_at,
                clicks=clicks[place] if clicks else None,
            )
        )
    return cards

"""The catalogue: every article of a site by row, and what may be shown of them at any moment.

Reads articles of the store with their annotations; produces rows and, for a moment, an ``Eligibility``. One thread
writes. Any may read meanwhile: an answer takes one ``Eligibility``, which never changes, and cards, each of which is
replaced whole.
"""

import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.catalogue.articles import CatalogueArticle
from recsys.catalogue.cards import ShownFields
from recsys.catalogue.columns import CatalogueColumns
from recsys.catalogue.eligibility import NEWEST, Eligibility, newest_of
from recsys.catalogue.released import ReleasedCatalogue
from recsys.store import Decision, StoryName
from recsys.store.addresses import aliases_of
from recsys.stories.decisions import PairDecision
from recsys.tags.index import Rows, TagIndex
from recsys.units import UNKNOWN_ROW


class Catalogue:
    """The articles of one site by row; A rows of room, of which the first ``len(ids)`` are taken.

    Attributes:
        ids: article id by row.
        row_of: article id -> row; also by the id that is made from its address.
        articles: the article of each row, None for one known only from clicks, unpacked when it is asked for.
        columns: dates, languages, categories.
        category_names: by code.
        tags: rows by tag.
    """

    def __init__(
        self,
        ids: Sequence[str] = (),
        capacity: int | None = None,
        own: str = "",
        released: ReleasedCatalogue | None = None,
    ) -> None:
        """The articles of a release, and others of which nothing is known but their ids.

        Args:
            ids: of the others, by row, after those of the release.
            capacity: A; the number of ids without it.
            own: name of the site, which is the source of its own articles.
            released: taken over as it is, and written on; without it there are only the others.
        """
        released = released or ReleasedCatalogue.empty()
        size = len(released) + len(ids)
        self.capacity = size if capacity is None else capacity
        if self.capacity < size:
            raise ValueError(f"capacity {self.capacity} is less than {size} articles")
        self.ids, self.row_of, self.articles = released.ids, released.row_of, released.cards
        self.columns = CatalogueColumns(self.capacity)
        self.columns.take_over(released.columns)
        self.tags = TagIndex(self.capacity, released.postings)
        self._own = own.casefold()
        self.category_names = list(released.categories)
        self._codes = {name: code for code, name in enumerate(self.category_names)}
        self._languages = {name: code for code, name in enumerate(released.languages)}
        self._language_names = list(released.languages)
        self._sources = {name: code for code, name in enumerate(released.sources)}
        self._version = 0
        self._decisions: tuple[Decision, ...] = ()
        self._lock = threading.Lock()  # held while rows are written, and while an eligibility is made
        self._eligible: Eligibility | None = None
        for article_id in ids:
            self._append(article_id)

    @property
    def room(self) -> int:
        """Rows that are still free."""
        return self.capacity - len(self.ids)

    @property
    def published(self) -> npt.NDArray[np.int64]:
        """Publication times: int64 (A,), ms, NEVER_MS when unknown."""
        return self.columns.published

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Several changes that answers see together, at the end."""
        with self._lock:
            yield
            self._version += 1

    def put(
        self, article_id: str, article: CatalogueArticle, leader: str | None = None, story: str | None = None
    ) -> int:
        """Add an article, or replace what is known of it; see ``place``."""
        with self.changing():
            return self.place(article_id, article, leader, story)

    def place(
        self, article_id: str, article: CatalogueArticle, leader: str | None = None, story: str | None = None
    ) -> int:
        """Add an article, or replace what is known of it, inside ``changing``.

        Args:
            article_id: of the article.
            article: as it is now.
            leader: id of the first copy of its text; None: as it was; one that is unknown: there is no other copy.
            story: id of an article of its story, its own where it begins one; the same.

        Returns:
            Its row.

        Raises:
            IndexError: the article is new and there is no room left.
        """
        row = self.row_of.get(article_id)
        is_new = row is None
        if row is None:
            row = self._append(article_id)
        for alias in aliases_of(article_id, article.url):
            if (other := self.row_of.get(alias)) is None or not self.articles.known(other):
                self.row_of[alias] = row  # clicks on its address that came before it
        self.articles[row] = article
        self.columns.put(
            row,
            published=article.published_at,
            expires=article.expires_at,
            shown=not article.hidden,
            language=self._language(article.language),
            category=self._code(article.category) if article.category else UNKNOWN_ROW,
            source=self._source(article.source),
            own=(article.source or "").casefold() == self._own,
            length=article.length,
            leader=None if leader is None else self.row_of.get(leader, row),
            story=None if story is None else self.row_of.get(story, row),
        )
        self.tags.put(row, article.found_under)
        if is_new and article_id in self.columns.stories.names:
            self.columns.stories.call((), self.row_of.get)
        return row

    def take_down(self, *article_ids: str) -> None:
        """Stop showing articles, as far as they are here; their rows, vectors and what their cards show stay.

        An answer that was made a moment ago and is still being written finds the article as it was.
        """
        with self.changing():
            for article_id in article_ids:
                row = self.row_of.get(article_id)
                if row is not None:
                    self.columns.shown[row] = False

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """Decisions of editors, the first one first; also those that are over, and of articles to come."""
        return self._decisions

    def decide(self, decisions: Iterable[Decision]) -> None:
        """Let other decisions of editors hold than before, the first one first."""
        decisions = tuple(decisions)
        if decisions != self._decisions:
            with self.changing():
                self._decisions = decisions

    def decide_stories(self, decisions: Iterable[PairDecision]) -> None:
        """Join and part stories as editors say who came after all that spoke before."""
        with self.changing():
            self.columns.stories.decide(decisions, self.row_of.get)

    def call_stories(self, names: Iterable[StoryName]) -> None:
        """Let stories have names that were given after all before them."""
        with self.changing():
            self.columns.stories.call(names, self.row_of.get)

    def story_of(self, row: int) -> str:
        """Id of the story of a row."""
        return self.ids[int(self.columns.stories.labels[row])]

    def _append(self, article_id: str) -> int:
        if not self.room:
            raise IndexError(f"the catalogue has room for {self.capacity} articles and is full")
        row = self.articles.append()
        self.ids.append(article_id)
        self.row_of[article_id] = row
        return row

    def _code(self, category: str) -> int:
        if category not in self._codes:
            self.category_names.append(category)
            self._codes[category] = len(self._codes)
        return self._codes[category]

    def _language(self, language: str) -> int:
        if language not in self._languages:
            self._language_names.append(language)
            self._languages[language] = len(self._languages)
        return self._languages[language]

    def _source(self, source: str | None) -> int:
        name = (source or "").casefold()
        return self._sources.setdefault(name, len(self._sources)) if name and name != self._own else UNKNOWN_ROW

    def article(self, row: int) -> CatalogueArticle:
        """The article of a row that may be shown.

        Raises:
            LookupError: it is known only from clicks.
        """
        return self.articles_of([row])[0]

    def articles_of(self, rows: Iterable[int]) -> list[CatalogueArticle]:
        """The articles of some rows; see ``article``."""
        articles = []
        for row in rows:
            if (article := self.articles[row]) is None:
                raise LookupError(f"article {self.ids[row]!r} is known only from clicks")
            articles.append(article)
        return articles

    def shown(self, row: int) -> ShownFields:
        """The fields that every list shows of an article; see ``article``."""
        if (shown := self.articles.shown(row)) is None:
            raise LookupError(f"article {self.ids[row]!r} is known only from clicks")
        return shown

    def category(self, row: int) -> str | None:
        """The category of a row, None for none."""
        code = self.columns.category[row]
        return None if code == UNKNOWN_ROW else self.category_names[code]

    def category_codes(self, categories: Iterable[str]) -> list[int]:
        """The codes of those of some categories that any article has had."""
        return [self._codes[name] for name in categories if name in self._codes]

    def language_code(self, language: str | None) -> int | None:
        """The code of a language, None for one of which no article is."""
        return self._languages.get(language or "")

    def language_of_all(self, rows: Collection[int]) -> str | None:
        """The one language of some rows; None when there are several, or none."""
        known = self.columns.language[np.fromiter(rows, np.int64, len(rows))]
        codes = set(known[known != UNKNOWN_ROW].tolist())
        return self._language_names[codes.pop()] if len(codes) == 1 else None

    def eligible(self, now: int) -> Eligibility:
        """Eligibility at ``now`` (ms). Mostly there already; made anew after a change, and when a time has come.

        An answer waits for nobody: while a change is being written, it is given what was eligible before. So is the
        row of an article that expires meanwhile: see ``showable_at``.
        """
        eligible = self._eligible
        if eligible is not None and self._is_current(eligible, now):
            return eligible
        if eligible is None or not self._is_between(eligible, now) or not self._lock.locked():
            self._lock.acquire()
        elif not self._lock.acquire(blocking=False):
            return eligible
        try:
            eligible = self._eligible
            if eligible is None or not self._is_current(eligible, now):
                eligible = self._eligible = Eligibility.at(
                    now, self._version, self.columns, self._decisions, self.row_of.get
                )
            return eligible
        finally:
            self._lock.release()

    def _is_current(self, eligible: Eligibility, now: int) -> bool:
        return eligible.version == self._version and self._is_between(eligible, now)

    def _is_between(self, eligible: Eligibility, now: int) -> bool:
        return eligible.since <= now < eligible.until

    def quotable(self, row: int, now: int) -> bool:
        """True where an article may be spoken of: it may be shown, or might be before it expired."""
        return bool(self.columns.shown[row] and self.columns.published[row] <= now)

    def of_category(self, category: str, now: int) -> Rows:
        """The rows of a category that may stand in a list, one of each text: int32 (N,), rising."""
        codes = self.category_codes([category])
        wanted = self.columns.category == (codes[0] if codes else UNKNOWN_ROW - 1)
        return self.columns.copies.best_of(np.flatnonzero(self.eligible(now).showable & wanted).astype(np.int32))

    def tagged(self, tags: Iterable[str], now: int) -> Rows:
        """The rows that bear any of some folded tags and may stand in a list, one of each text: int32 (N,), rising."""
        rows = np.unique(np.concatenate([np.empty(0, np.int32), *(self.tags.rows(tag) for tag in tags)]))
        return self.columns.copies.best_of(rows[self.eligible(now).showable[rows]])

    def by_preference(self, rows: Rows, language: str | None) -> list[Rows]:
        """Some rows, those in a language, then the others: a language is a preference, which excludes nothing.

        Returns:
            One or two times int32 rows; none that is empty, unless there are none at all.
        """
        code = self.language_code(language)
        spoken = self.columns.language[rows] == (UNKNOWN_ROW - 1 if code is None else code)
        return [part for part in (rows[spoken], rows[~spoken]) if len(part)] or [rows]

    def category_sizes(self, rows: Rows) -> dict[str, int]:
        """The number of some rows by category, largest first; only categories that have any."""
        codes = self.columns.category[rows]
        counts = np.bincount(codes[codes >= 0], minlength=len(self._codes)).tolist()
        sizes = {name: counts[code] for name, code in self._codes.items() if counts[code]}
        return dict(sorted(sizes.items(), key=lambda item: (-item[1], item[0])))

    def latest(self, now: int, n: int, language: str | None = None) -> Rows:
        """The newest articles that may stand in a list, those of a language first: int32 (≤ n,); see ``newest``."""
        eligible = self.eligible(now)
        first = self.newest(eligible.newest, n, language)
        code = self.language_code(language)
        spoken = len(first) if code is None else int((self.columns.language[first] == code).sum())
        if spoken == n or len(eligible.newest) < NEWEST:
            return first
        return self.newest(np.flatnonzero(eligible.listed.mask()), n, language)

    def newest(self, rows: npt.NDArray[Any], n: int, language: str | None = None) -> Rows:
        """The newest of some rows, those of a language first.

        Args:
            rows: int (N,).
            n: how many at most.
            language: None for no preference.

        Returns:
            int32 (≤ n,), each group newest first; ties by row.
        """
        code = self.language_code(language)
        if code is None:
            return newest_of(rows, self.published, n)
        spoken = self.columns.language[rows] == code
        groups = [newest_of(part, self.published, n) for part in (rows[spoken], rows[~spoken])]
        return np.concatenate(groups)[:n]

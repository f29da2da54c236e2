"""The catalogue: every article of the site as columns, and masks that say which of them may be shown now.

Reads articles of the store; produces boolean masks over the shared row space. An article that is known only from
clicks has a row, because its vector counts for its readers, and no content, so that it is never shown.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from recsys.recommend.entries import CatalogueArticle
from recsys.recommend.stories import Stories
from recsys.store.addresses import aliases_of
from recsys.tags.index import Rows, TagIndex

NONE = -1

Mask = npt.NDArray[np.bool_]


class Catalogue:
    """The articles of one site by row; A rows of room, of which the first ``len(ids)`` are taken.

    Attributes:
        ids: article id by row.
        row_of: article id -> row; also by the id that is made from its address.
        entries: what is known of each row, None for an article known only from clicks.
        published: int64 (A,), ms, -1 when unknown.
        expires: int64 (A,), ms, -1 for never.
        tags: which rows bear a tag.
        stories: which rows are copies of one text.
    """

    def __init__(self, ids: Sequence[str] = (), capacity: int | None = None, own: str = "") -> None:
        self.capacity = len(ids) if capacity is None else capacity
        if self.capacity < len(ids):
            raise ValueError(f"capacity {self.capacity} is less than {len(ids)} articles")
        self.ids: list[str] = list(ids)
        self.row_of: dict[str, int] = {article_id: row for row, article_id in enumerate(self.ids)}
        self.entries: list[CatalogueArticle | None] = [None] * len(self.ids)
        self.published = np.full(self.capacity, NONE, np.int64)
        self.expires = np.full(self.capacity, NONE, np.int64)
        self.tags = TagIndex(self.capacity)
        self.stories = Stories(self.capacity, self.entries, own)
        self._shown = np.zeros(self.capacity, np.bool_)  # has content and is not hidden
        self._languages: dict[str, Mask] = {}
        self._codes: dict[str, int] = {}  # category name -> code
        self._category = np.full(self.capacity, NONE, np.int32)

    @property
    def room(self) -> int:
        """Rows that are still free."""
        return self.capacity - len(self.ids)

    def put(self, article_id: str, entry: CatalogueArticle, leader: str | None = None) -> int:
        """Add an article, or replace what is known of it.

        Args:
            article_id: of the article.
            entry: what is known of it.
            leader: id of the first copy of its text; None: as it was; one that is unknown: there is no other copy.

        Returns:
            Its row.

        Raises:
            IndexError: the article is new and there is no room left.
        """
        row = self.row_of.get(article_id)
        if row is None:
            row = self._append(article_id)
        for alias in aliases_of(article_id, entry.url):
            if (other := self.row_of.get(alias)) is None or self.entries[other] is None:
                self.row_of[alias] = row  # clicks on its address that came before it
        self.entries[row] = entry
        self.published[row] = NONE if entry.published_at is None else entry.published_at
        self.expires[row] = NONE if entry.expires_at is None else entry.expires_at
        self._shown[row] = not entry.hidden
        self._category[row] = self._codes.setdefault(entry.category, len(self._codes)) if entry.category else NONE
        self._languages.setdefault(entry.language, np.zeros(self.capacity, np.bool_))
        for language, mask in self._languages.items():
            mask[row] = language == entry.language
        self.tags.put(row, entry.found_under)
        self.stories.put(row, None if leader is None else self.row_of.get(leader, row))
        return row

    def take_down(self, article_id: str) -> None:
        """Stop showing an article, if it is here; its row, its vector and its entry stay.

        An answer that was made a moment ago and is still being written finds the entry as it was.
        """
        row = self.row_of.get(article_id)
        if row is not None and (entry := self.entries[row]) is not None:
            self.entries[row] = replace(entry, hidden=True)
            self._shown[row] = False

    def _append(self, article_id: str) -> int:
        if not self.room:
            raise IndexError(f"the catalogue has room for {self.capacity} articles and is full")
        self.ids.append(article_id)
        self.entries.append(None)
        self.row_of[article_id] = len(self.ids) - 1
        return len(self.ids) - 1

    def entry(self, row: int) -> CatalogueArticle:
        """What is known of a row that may be shown.

        Raises:
            LookupError: the article is known only from clicks.
        """
        entry = self.entries[row]
        if entry is None:
            raise LookupError(f"article {self.ids[row]!r} is known only from clicks")
        return entry

    def category(self, row: int) -> str | None:
        """An article's category, or None when it has none or is known only from clicks."""
        entry = self.entries[row]
        return entry.category if entry else None

    def quotable(self, row: int, now: int) -> bool:
        """Whether anything may be said of an article: it may be shown, or might be before it expired."""
        return bool(self._shown[row] and self.published[row] <= now)

    def showable(self, now: int) -> Mask:
        """Say which articles may be shown: with content, published, neither hidden nor expired.

        Args:
            now: ms.

        Returns:
            bool (A,), the caller's own.
        """
        mask: Mask = self._shown & (self.published <= now) & ((self.expires == NONE) | (self.expires > now))
        return mask

    def in_language(self, language: str | None) -> Mask:
        """Which articles are in a language, shown or not: bool (A,)."""
        return self._languages.get(language or "", np.zeros(self.capacity, np.bool_))

    def by_preference(self, allowed: Mask, language: str | None) -> list[Mask]:
        """The allowed articles in a language, then the others: a language is a preference, which excludes nothing.

        Args:
            allowed: bool (A,).
            language: None for no preference.

        Returns:
            One or two masks, bool (A,); none that is empty, unless nothing is allowed.
        """
        spoken = self.in_language(language)
        return [part for part in (allowed & spoken, allowed & ~spoken) if part.any()] or [allowed]

    def listed(self, now: int) -> Mask:
        """Say which articles may stand in a list: of copies of one text the best one that may be shown."""
        return self.stories.one_of_each(self.showable(now))

    def of_category(self, category: str, now: int) -> Mask:
        """Say which articles of a category may stand in a list; see ``listed``."""
        mask: Mask = self.showable(now) & (self._category == self._codes.get(category, NONE - 1))
        return self.stories.one_of_each(mask)

    def tagged(self, tags: Iterable[str], now: int) -> Mask:
        """Say which articles that bear any of some tags may stand in a list; see ``listed``.

        Args:
            tags: folded.
            now: ms.

        Returns:
            bool (A,), the caller's own.
        """
        mask = np.zeros(self.capacity, np.bool_)
        for tag in tags:
            mask[self.tags.rows(tag)] = True
        mask &= self.showable(now)
        return self.stories.one_of_each(mask)

    def outside(self, categories: Iterable[str], allowed: Mask) -> Mask:
        """The allowed articles that are in none of some categories."""
        codes = [self._codes[name] for name in categories]
        mask: Mask = allowed & ~np.isin(self._category, codes)
        return mask

    def category_sizes(self, allowed: Mask) -> dict[str, int]:
        """How many allowed articles each category has, largest first; only categories that have any."""
        codes = self._category[: len(allowed)][allowed]
        counts = np.bincount(codes[codes >= 0], minlength=len(self._codes)).tolist()
        sizes = {name: counts[code] for name, code in self._codes.items() if counts[code]}
        return dict(sorted(sizes.items(), key=lambda item: (-item[1], item[0])))

    def newest(
        self, allowed: Mask, n: int, *, since: int = NONE, liked: Iterable[str] = (), language: str | None = None
    ) -> Rows:
        """The newest allowed articles, those of a language first, among these those of liked categories.

        Args:
            allowed: bool (A,).
            n: how many at most.
            since: only articles published at this ms or later.
            liked: categories.
            language: None for no preference.

        Returns:
            int32 (≤ n,), each group newest first; ties by row.
        """
        if language is not None:
            parts = (self.newest(part, n, since=since, liked=liked) for part in self.by_preference(allowed, language))
            return np.concatenate(list(parts))[:n]
        rows = np.flatnonzero(allowed & (self.published >= since))
        known = [self._codes[name] for name in liked if name in self._codes]
        first = np.isin(self._category[rows], known)
        return np.concatenate([self._latest(rows[first], n), self._latest(rows[~first], n)])[:n].astype(np.int32)

    def _latest(self, rows: npt.NDArray[np.int64], n: int) -> npt.NDArray[np.int64]:
        times = self.published[rows]
        if len(rows) > n > 0:  # sort only what can be among the newest n
            keep = times >= np.partition(times, len(rows) - n)[len(rows) - n]
            rows, times = rows[keep], times[keep]
        return rows[np.lexsort((rows, -times))][:n]

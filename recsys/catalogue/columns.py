"""The columns of the catalogue: every article of the site by row, and the masks of what may be shown now.

Reads articles of the store; produces boolean masks over the shared row space. An article that is known only from
clicks has a row, because its vector counts for its readers, and no content, so that it is never shown.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from recsys.catalogue.articles import CatalogueArticle
from recsys.catalogue.copies import CopyGroups
from recsys.store.addresses import aliases_of
from recsys.tags.index import Rows, TagIndex
from recsys.units import FOREVER_MS, NEVER_MS, UNKNOWN_ROW

Mask = npt.NDArray[np.bool_]


class Catalogue:
    """The articles of one site by row; A rows of room, of which the first ``len(ids)`` are taken.

    Attributes:
        ids: article id by row.
        row_of: article id -> row; also by the id that is made from its address.
        articles: the article of each row, None for one known only from clicks.
        categories: the category of each row, None for none.
        published: int64 (A,), ms, NEVER_MS when unknown.
        expires: int64 (A,), ms, FOREVER_MS for never.
        tags: rows by tag.
        copies: rows of one text.
    """

    def __init__(self, ids: Sequence[str] = (), capacity: int | None = None, own: str = "") -> None:
        self.capacity = len(ids) if capacity is None else capacity
        if self.capacity < len(ids):
            raise ValueError(f"capacity {self.capacity} is less than {len(ids)} articles")
        self.ids: list[str] = list(ids)
        self.row_of: dict[str, int] = {article_id: row for row, article_id in enumerate(self.ids)}
        self.articles: list[CatalogueArticle | None] = [None] * len(self.ids)
        self.categories: list[str | None] = [None] * len(self.ids)
        self.published = np.full(self.capacity, NEVER_MS, np.int64)
        self.expires = np.full(self.capacity, FOREVER_MS, np.int64)
        self.tags = TagIndex(self.capacity)
        self.copies = CopyGroups(self.capacity, self.articles, own)
        self._shown = np.zeros(self.capacity, np.bool_)  # has content and is not hidden
        self._languages: dict[str, Mask] = {}
        self._codes: dict[str, int] = {}  # category name -> code
        self._category = np.full(self.capacity, UNKNOWN_ROW, np.int32)

    @property
    def room(self) -> int:
        """Rows that are still free."""
        return self.capacity - len(self.ids)

    def put(self, article_id: str, article: CatalogueArticle, leader: str | None = None) -> int:
        """Add an article, or replace what is known of it.

        Args:
            article_id: of the article.
            article: as it is now.
            leader: id of the first copy of its text; None: as it was; one that is unknown: there is no other copy.

        Returns:
            Its row.

        Raises:
            IndexError: the article is new and there is no room left.
        """
        row = self.row_of.get(article_id)
        if row is None:
            row = self._append(article_id)
        for alias in aliases_of(article_id, article.url):
            if (other := self.row_of.get(alias)) is None or self.articles[other] is None:
                self.row_of[alias] = row  # clicks on its address that came before it
        self.articles[row], self.categories[row] = article, article.category
        self.published[row] = NEVER_MS if article.published_at is None else article.published_at
        self.expires[row] = FOREVER_MS if article.expires_at is None else article.expires_at
        self._shown[row] = not article.hidden
        code = self._codes.setdefault(article.category, len(self._codes)) if article.category else UNKNOWN_ROW
        self._category[row] = code
        self._languages.setdefault(article.language, np.zeros(self.capacity, np.bool_))
        for language, mask in self._languages.items():
            mask[row] = language == article.language
        self.tags.put(row, article.found_under)
        self.copies.put(row, None if leader is None else self.row_of.get(leader, row))
        return row

    def take_down(self, article_id: str) -> None:
        """Stop showing an article, if it is here; its row, its vector and what its card shows stay.

        An answer that was made a moment ago and is still being written finds the article as it was.
        """
        row = self.row_of.get(article_id)
        if row is not None and (article := self.articles[row]) is not None:
            self.articles[row] = replace(article, hidden=True)
            self._shown[row] = False

    def _append(self, article_id: str) -> int:
        if not self.room:
            raise IndexError(f"the catalogue has room for {self.capacity} articles and is full")
        self.ids.append(article_id)
        self.articles.append(None)
        self.categories.append(None)
        self.row_of[article_id] = len(self.ids) - 1
        return len(self.ids) - 1

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

    def quotable(self, row: int, now: int) -> bool:
        """True where an article may be spoken of: it may be shown, or might be before it expired."""
        return bool(self._shown[row] and self.published[row] <= now)

    def showable(self, now: int) -> Mask:
        """The articles that may be shown: with content, published, neither hidden nor expired.

        Args:
            now: ms.

        Returns:
            bool (A,), the caller's own.
        """
        mask: Mask = self._shown & (self.published <= now) & (self.expires > now)
        return mask

    def in_language(self, language: str | None) -> Mask:
        """The articles in a language, shown or not: bool (A,)."""
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
        """The articles that may stand in a list, bool (A,): of copies of one text the best one that may be shown."""
        return self.without(self.showable(now), ())

    def without(self, showable: Mask, excluded: Collection[int]) -> Mask:
        """The articles that may stand in a list beside some excluded ones: no copy of these, and one of each text.

        Args:
            showable: bool (A,), stays as it is.
            excluded: rows.

        Returns:
            bool (A,).
        """
        allowed = showable.copy()
        allowed[self.copies.of(excluded)] = False
        return self.copies.one_of_each(allowed)

    def of_category(self, category: str, now: int) -> Mask:
        """The articles of a category that may stand in a list; see ``listed``."""
        mask: Mask = self.showable(now) & (self._category == self._codes.get(category, UNKNOWN_ROW - 1))
        return self.copies.one_of_each(mask)

    def tagged(self, tags: Iterable[str], now: int) -> Mask:
        """The articles that bear any of some tags and may stand in a list; see ``listed``.

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
        return self.copies.one_of_each(mask)

    def outside(self, categories: Iterable[str], allowed: Mask) -> Mask:
        """The allowed articles that are in none of some categories."""
        codes = [self._codes[name] for name in categories]
        mask: Mask = allowed & ~np.isin(self._category, codes)
        return mask

    def category_sizes(self, allowed: Mask) -> dict[str, int]:
        """The number of allowed articles by category, largest first; only categories that have any."""
        codes = self._category[: len(allowed)][allowed]
        counts = np.bincount(codes[codes >= 0], minlength=len(self._codes)).tolist()
        sizes = {name: counts[code] for name, code in self._codes.items() if counts[code]}
        return dict(sorted(sizes.items(), key=lambda item: (-item[1], item[0])))

    def newest(
        self, allowed: Mask, n: int, *, since: int = NEVER_MS, liked: Iterable[str] = (), language: str | None = None
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
        liked_codes = [self._codes[name] for name in liked if name in self._codes]
        first = np.isin(self._category[rows], liked_codes)
        return np.concatenate([self._latest(rows[first], n), self._latest(rows[~first], n)])[:n].astype(np.int32)

    def _latest(self, rows: npt.NDArray[np.int64], n: int) -> npt.NDArray[np.int64]:
        times = self.published[rows]
        if len(rows) > n > 0:  # sort only what can be among the newest n
            keep = times >= np.partition(times, len(rows) - n)[len(rows) - n]
            rows, times = rows[keep], times[keep]
        return rows[np.lexsort((rows, -times))][:n]

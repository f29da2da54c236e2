"""The catalogue: articles in, articles out in the order of their identifiers."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, and_, bindparam, insert, or_, select, text, update

from recsys.store import schema
from recsys.store.engine import Database
from recsys.store.merging import FIELDS, Key, Plan, Row, plan_of
from recsys.store.records import Article, ArticleName, ArticlePatch, Merged, StoredArticle, Written
from recsys.units import now_ms

_NAMES_CHUNK = 5_000  # names per query: they are short
_CHUNK = 500  # rows per query: far below SQLite's limit of variables, large enough to hide the round trip
articles, deleted, changes = schema.articles, schema.deleted_articles, schema.changes
_COLUMNS = [articles.c[field.name] for field in fields(StoredArticle)]


class ArticleStore(Database):
    """The tables of articles, of what was deleted, and of the number of the last change."""

    def merge_articles(self, patches: Sequence[ArticlePatch]) -> Merged:
        """Add articles, or change those fields of known ones that a patch has; equal identifiers merge in order.

        An article that is deleted is left out. What an operator hid or showed stays so until a file says of ``hidden``
        what it did not say before.

        Raises:
            StoreError: the database refused; then none of the articles was written.
        """
        with self.writing() as connection:
            plan = _plan(connection, patches)
            numbers = dict[str, int]()
            for row in (*plan.new, *plan.changed):
                if row["site"] not in numbers:
                    numbers[row["site"]] = next_change(connection, row["site"])
                row["change"] = numbers[row["site"]]
            write_rows(connection, plan.new, plan.changed, plan.noted)
        return plan.merged

    def preview_merge(self, patches: Sequence[ArticlePatch]) -> Merged:
        """The answer of ``merge_articles`` without its writing."""
        with self.reading() as connection:
            return _plan(connection, patches).merged

    def put_articles(self, records: Sequence[Article]) -> Written:
        """Add whole articles, or make known ones equal to them; ``hidden`` false says nothing.

        Returns:
            ``stored`` new ones, ``updated`` ones that differ from what was there, ``duplicate`` ones that do not.

        Raises:
            StoreError: the database refused; then none of the articles was written.
        """
        return self.merge_articles([_patch(record) for record in records]).written

    def preview_articles(self, records: Sequence[Article]) -> Written:
        """The answer of ``put_articles`` without its writing."""
        return self.preview_merge([_patch(record) for record in records]).written

    def last_change(self, site: str) -> int:
        """The number of the site's last change, 0 before the first one."""
        with self.reading() as connection:
            return connection.scalar(select(changes.c.last).where(changes.c.site == site)) or 0

    def articles(self, site: str, *, changed_after: int | None = None) -> Iterator[StoredArticle]:
        """Stream a site's articles in the order of their identifiers, hidden ones included.

        Args:
            site: the site.
            changed_after: only articles with a change after this number. Ask for ``last_change`` before, and pass it
                the next time: nothing is missed, and what changes meanwhile comes once more.
        """
        last: str | None = None
        while True:
            query = select(*_COLUMNS).where(articles.c.site == site).order_by(articles.c.id).limit(_CHUNK)
            if last is not None:
                query = query.where(articles.c.id > last)
            if changed_after is not None:
                query = query.where(articles.c.change > changed_after)
            with self.reading() as connection:  # one short transaction per chunk: no reader holds up a checkpoint
                rows = connection.execute(query).all()
            yield from map(_stored, rows)
            if len(rows) < _CHUNK:
                return
            last = rows[-1].id

    def count_changed(self, site: str, changed_after: int) -> int:
        """The number of a site's articles with a change after a number; see ``articles``."""
        is_changed = (articles.c.site == site) & (articles.c.change > changed_after)
        with self.reading() as connection:
            return connection.scalar(select(sa.func.count()).where(is_changed)) or 0

    def taken_down(self, site: str, *, changed_after: int) -> list[str]:
        """The articles that were hidden or deleted with a change after a number, and are still; see ``articles``."""
        is_hidden = (articles.c.site == site) & (articles.c.change > changed_after) & articles.c.hidden
        was_deleted = (deleted.c.site == site) & (deleted.c.change > changed_after)
        query = sa.union_all(select(articles.c.id).where(is_hidden), select(deleted.c.id).where(was_deleted))
        with self.reading() as connection:
            return list(connection.scalars(query))

    def article(self, site: str, id: str) -> StoredArticle | None:
        """One article, or None."""
        with self.reading() as connection:
            row = connection.execute(select(*_COLUMNS).where(is_article(site, id))).first()
        return _stored(row) if row else None

    def articles_named(self, site: str, ids: Sequence[str]) -> list[StoredArticle]:
        """Those of some articles that are there, hidden ones included, in no order."""
        found: list[StoredArticle] = []
        for start in range(0, len(ids), _CHUNK):
            named = articles.c.id.in_(ids[start : start + _CHUNK])
            with self.reading() as connection:
                found += map(_stored, connection.execute(select(*_COLUMNS).where(articles.c.site == site, named)))
        return found

    def editors_tags(self, site: str) -> dict[str, tuple[str, ...]]:
        """The tags that editors gave to articles, by article id; see ``StoredArticle.tags``."""
        said = select(articles.c.id, articles.c.tags).where(articles.c.site == site, articles.c.tags.is_not(None))
        with self.reading() as connection:
            return {row.id: tuple(json.loads(row.tags)) for row in connection.execute(said.order_by(articles.c.id))}

    def article_names(self, site: str) -> Iterator[ArticleName]:
        """Stream what a site's articles can be found by, in the order of their identifiers."""
        last = ""
        while True:
            query = select(articles.c.id, articles.c.url, articles.c.title)
            query = query.where(articles.c.site == site, articles.c.id > last).order_by(articles.c.id)
            with self.reading() as connection:
                rows = connection.execute(query.limit(_NAMES_CHUNK)).all()
            yield from (ArticleName(*row) for row in rows)
            if len(rows) < _NAMES_CHUNK:
                return
            last = rows[-1].id

    def find_articles(self, site: str, text: str, limit: int) -> list[StoredArticle]:
        """The newest articles whose title holds a text, in either case, or whose id it is; hidden ones included."""
        # SQLite's LIKE minds no case by itself; ILIKE would be lower() of every title there, three times as slow.
        like = articles.c.title.ilike if self.is_postgresql else articles.c.title.like
        holds = or_(articles.c.id == text, *(like(f"%{_escaped(form)}%", escape="\\") for form in _cases(text)))
        named = select(articles.c.id).where(articles.c.site == site, holds)
        newest = named.order_by(articles.c.published_at.desc().nulls_last(), articles.c.id).limit(limit)
        with self.reading() as connection:
            ids = list(connection.scalars(newest))
        order = {id: place for place, id in enumerate(ids)}
        return sorted(self.articles_named(site, ids), key=lambda article: order[article.id])

    def first_published(self, site: str) -> int | None:
        """Publication time of the site's first article, in ms UTC; None without a dated one."""
        with self.reading() as connection:
            first = connection.scalar(select(sa.func.min(articles.c.published_at)).where(articles.c.site == site))
        return None if first is None else int(first)


def is_article(site: str, id: str) -> ColumnElement[bool]:
    """The condition that finds one article."""
    return and_(articles.c.site == site, articles.c.id == id)


def next_change(connection: Connection, site: str) -> int:
    """Count one more change of a site, inside a transaction that writes."""
    one_more = text(
        "INSERT INTO changes (site, last) VALUES (:site, 1) ON CONFLICT (site) DO UPDATE SET last = changes.last + 1 "
        "RETURNING last"
    )
    return int(connection.execute(one_more, {"site": site}).scalar_one())


def write_rows(connection: Connection, new: Sequence[Row], changed: Sequence[Row], noted: Sequence[Row]) -> None:
    """Write whole rows of articles, each with the number of its change, inside a transaction that writes.

    Args:
        connection: of the transaction.
        new: rows that are not there yet.
        changed: rows that are shown otherwise than before.
        noted: rows in which only what a file said is another; they keep their number.
    """
    now = now_ms()
    if new:
        connection.execute(insert(articles), [row | {"created_at": now, "updated_at": now} for row in new])
    this = (articles.c.site == bindparam("of_site")) & (articles.c.id == bindparam("of_id"))
    for rows, times in ((changed, {"updated_at": now}), (noted, {})):
        if rows:
            named = [{"of_site": row["site"], "of_id": row["id"]} | row | times for row in rows]
            connection.execute(update(articles).where(this), named)


def known_rows(connection: Connection, keys: Sequence[Key]) -> dict[Key, Row]:
    """The rows of those articles that are there, without their times."""
    left_out = ("created_at", "updated_at")
    columns = [column for column in articles.c if column.name not in left_out]
    stored: dict[Key, Row] = {}
    for site, ids in _chunks(keys):
        rows = connection.execute(select(*columns).where(articles.c.site == site, articles.c.id.in_(ids))).mappings()
        stored |= {(site, row["id"]): dict(row) for row in rows}
    return stored


def tombstones(connection: Connection, keys: Sequence[Key]) -> dict[Key, str]:
    """Of those articles that are deleted: by whom."""
    deleted_by: dict[Key, str] = {}
    for site, ids in _chunks(keys):
        query = select(deleted.c.id, deleted.c.deleted_by).where(deleted.c.site == site, deleted.c.id.in_(ids))
        deleted_by |= {(site, row.id): row.deleted_by for row in connection.execute(query)}
    return deleted_by


def _plan(connection: Connection, patches: Sequence[ArticlePatch]) -> Plan:
    keys = list(dict.fromkeys((patch.site, patch.id) for patch in patches))
    return plan_of(patches, known_rows(connection, keys), tombstones(connection, keys))


def _chunks(keys: Sequence[Key]) -> Iterator[tuple[str, list[str]]]:
    ids_of: dict[str, list[str]] = {}
    for site, id in keys:
        ids_of.setdefault(site, []).append(id)
    for site, ids in ids_of.items():
        for start in range(0, len(ids), _CHUNK):
            yield site, ids[start : start + _CHUNK]


def _patch(record: Article) -> ArticlePatch:
    fields = {name: getattr(record, name) for name in FIELDS if name not in ("id", "site")}
    if not record.hidden:
        del fields["hidden"]
    return ArticlePatch(record.id, record.site, fields)


def _stored(row: sa.Row[Any]) -> StoredArticle:
    values = dict(row._mapping)
    try:
        values["entities"] = tuple(json.loads(values["entities"]))
    except (TypeError, ValueError):  # no importer wrote that; the article is worth showing all the same
        values["entities"] = ()
    values["tags"] = None if values["tags"] is None else tuple(json.loads(values["tags"]))
    return StoredArticle(**values)


def _cases(text: str) -> Iterable[str]:
    """A text as titles may have it: databases know the two cases of ASCII, and may know none of other letters."""
    forms = (text, text.lower(), text.upper(), text.capitalize(), text.title())
    return forms[:1] if text.isascii() else dict.fromkeys(forms)


def _escaped(text: str) -> str:
    """A text that means itself in a pattern of LIKE."""
    return "".join(f"\\{letter}" if letter in "\\%_" else letter for letter in text)

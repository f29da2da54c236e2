"""The catalogue: articles in, articles out in the order of their identifiers."""

import dataclasses
import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, and_, func, insert, select, update

from recsys.store import schema
from recsys.store.engine import Database, now_ms
from recsys.store.records import Article, StoredArticle, Written, compact_json

CHUNK = 500  # rows per query: far below SQLite's limit of variables, large enough to hide the round trip
articles = schema.articles
FIELDS = tuple(field.name for field in dataclasses.fields(Article))


class _Plan(NamedTuple):
    new: list[dict[str, Any]]
    changed: list[dict[str, Any]]
    written: Written


class ArticleStore(Database):
    """The table of articles."""

    def put_articles(self, records: Sequence[Article]) -> Written:
        """Add articles, or change those whose identifier is known; of equal identifiers in one call the last one wins.

        An article that an editor hid stays hidden however often it is sent again; only ``hide`` shows it again.

        Returns:
            ``stored`` new ones, ``updated`` ones that differ from what was there, ``duplicate`` ones that do not.

        Raises:
            StoreError: the database refused; then none of the articles was written.
        """
        with self.writing() as connection:
            plan = _plan(connection, records)
            stamp = _next_stamp(connection) if plan.new or plan.changed else 0
            if plan.new:
                stamps = {"created_at": stamp, "updated_at": stamp}
                connection.execute(insert(articles), [row | stamps for row in plan.new])
            for row in plan.changed:
                connection.execute(
                    update(articles).where(_is(row["site"], row["id"])).values(row | {"updated_at": stamp})
                )
        return plan.written

    def preview_articles(self, records: Sequence[Article]) -> Written:
        """What ``put_articles`` would answer, without writing."""
        with self.reading() as connection:
            return _plan(connection, records).written

    def articles(self, site: str, *, changed_since: int | None = None) -> Iterator[StoredArticle]:
        """Stream a site's articles in the order of their identifiers, hidden ones included.

        Args:
            site: the site.
            changed_since: int ms UTC; only articles with ``updated_at`` at or after it. ``updated_at`` never runs
                backwards, so a reader that passes the highest one it has seen misses nothing.
        """
        last: str | None = None
        while True:
            query = select(articles).where(articles.c.site == site).order_by(articles.c.id).limit(CHUNK)
            if last is not None:
                query = query.where(articles.c.id > last)
            if changed_since is not None:
                query = query.where(articles.c.updated_at >= changed_since)
            with self.reading() as connection:  # one short transaction per chunk: no reader holds up a checkpoint
                rows = connection.execute(query).all()
            yield from map(_stored, rows)
            if len(rows) < CHUNK:
                return
            last = rows[-1].id

    def article(self, site: str, id: str) -> StoredArticle | None:
        """One article, or None."""
        with self.reading() as connection:
            row = connection.execute(select(articles).where(_is(site, id))).first()
        return _stored(row) if row else None

    def hide(self, site: str, id: str, hidden: bool) -> bool:
        """Take an article out of every answer, or put it back.

        Returns:
            Whether the article exists.
        """
        with self.writing() as connection:
            row = connection.execute(select(articles.c.hidden).where(_is(site, id))).first()
            if row is not None and row.hidden != hidden:
                values = {"hidden": hidden, "updated_at": _next_stamp(connection)}
                connection.execute(update(articles).where(_is(site, id)).values(values))
        return row is not None


def _is(site: str, id: str) -> ColumnElement[bool]:
    return and_(articles.c.site == site, articles.c.id == id)


def _plan(connection: Connection, records: Sequence[Article]) -> _Plan:
    wanted: dict[tuple[str, str], dict[str, Any]] = {}
    repeated = 0
    for record in records:
        repeated += (record.site, record.id) in wanted
        wanted[record.site, record.id] = _row(record)
    known = _known(connection, list(wanted))
    new, changed, same = [], [], repeated
    for key, row in wanted.items():
        old = known.get(key)
        if old is None:
            new.append(row)
            continue
        row["hidden"] = row["hidden"] or old["hidden"]
        if row == old:
            same += 1
        else:
            changed.append(row)
    return _Plan(new, changed, Written(len(new), len(changed), same))


def _known(connection: Connection, keys: list[tuple[str, str]]) -> dict[tuple[str, str], dict[str, Any]]:
    ids_of: dict[str, list[str]] = {}
    for site, id in keys:
        ids_of.setdefault(site, []).append(id)
    columns = [column for column in articles.c if column.name not in ("created_at", "updated_at")]
    known: dict[tuple[str, str], dict[str, Any]] = {}
    for site, ids in ids_of.items():
        for start in range(0, len(ids), CHUNK):
            some = articles.c.id.in_(ids[start : start + CHUNK])
            rows = connection.execute(select(*columns).where(articles.c.site == site, some)).mappings()
            known |= {(site, row["id"]): dict(row) for row in rows}
    return known


def _next_stamp(connection: Connection) -> int:
    """Now, or the last change's time if the clock was set back since."""
    return max(now_ms(), connection.scalar(select(func.max(articles.c.updated_at))) or 0)


def _row(record: Article) -> dict[str, Any]:
    return {name: getattr(record, name) for name in FIELDS} | {"entities": compact_json(record.entities)}


def _stored(row: Row[Any]) -> StoredArticle:
    values = dict(row._mapping)
    values["entities"] = tuple(json.loads(values["entities"]))
    return StoredArticle(**values)

"""Verbs of editors on one article's category: file it under one, or take that back.

Reads and writes the tables of articles and of the audit; each verb and its entry are one transaction. An editor's word
outlives what a file repeats, and holds until a file says of the category what it did not say before (see ``merging``).
It is what trainings learn from, as every category that an article came with.
"""

from typing import Any

from sqlalchemy import Connection, select, update

from recsys.store import schema
from recsys.store.articles import is_article, next_change
from recsys.store.audit import write_audit
from recsys.store.engine import Database
from recsys.store.operators import Allows, Outcome, any_version, article_row
from recsys.store.stories import checked_name
from recsys.units import now_ms

articles = schema.articles


class FilingStore(Database):
    """The verbs on categories."""

    def file_article(self, site: str, id: str, category: str, by: str, allows: Allows = any_version) -> Outcome:
        """File an article under a category.

        Args:
            site: the site.
            id: of the article.
            category: 1 to 200 characters on one line; see ``checked_name``.
            by: who says so.
            allows: whether its current version may be changed.

        Raises:
            InputError: that is no category.
            UnknownArticle: there is none by that id.
            DeletedArticle: it is deleted.
            EditConflict: its version is not allowed.
        """
        category = checked_name(category)
        with self.writing() as connection:
            row = _filed(connection, site, id, allows)
            if row.category == category and row.filed_by is not None:
                return Outcome.UNCHANGED
            declared = row.category if row.filed_by is None else row.declared_category
            _write(connection, site, id, by, row, (category, str(by), declared))
        return Outcome.FILED

    def unfile_article(self, site: str, id: str, by: str, allows: Allows = any_version) -> Outcome:
        """Take an editor's category back: what its file said holds again; see ``file_article``."""
        with self.writing() as connection:
            row = _filed(connection, site, id, allows)
            if row.filed_by is None:
                return Outcome.UNCHANGED
            _write(connection, site, id, by, row, (row.declared_category, None, None))
        return Outcome.ENDED


def _filed(connection: Connection, site: str, id: str, allows: Allows) -> Any:
    article_row(connection, site, id, allows)
    columns = articles.c.title, articles.c.category, articles.c.filed_by, articles.c.declared_category
    return connection.execute(select(*columns).where(is_article(site, id))).one()


def _write(
    connection: Connection, site: str, id: str, by: str, row: Any, filed: tuple[str | None, str | None, str | None]
) -> None:
    values: dict[str, Any] = dict(zip(("category", "filed_by", "declared_category"), filed, strict=True))
    values |= {"updated_at": now_ms(), "change": next_change(connection, site)}
    connection.execute(update(articles).where(is_article(site, id)).values(values))
    before = {"category": row.category, "filed_by": row.filed_by}
    after = {name: values[name] for name in before}
    write_audit(connection, site, by, "file", id, before=before, after=after, title=row.title)

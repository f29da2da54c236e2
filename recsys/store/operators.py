"""Verbs of operators on articles: hide, show, delete.

Reads and writes the tables of articles and of the audit; each verb and its entry in the audit are one transaction.
"""

import enum
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from recsys.errors import DeletedArticle, EditConflict, UnknownArticle
from recsys.store import schema
from recsys.store.articles import is_article, next_change
from recsys.store.audit import write_audit
from recsys.store.engine import Database
from recsys.store.merging import IMPORT
from recsys.units import now_ms

articles, deleted, editorial = schema.articles, schema.deleted_articles, schema.editorial
Allows = Callable[[int | None], bool]  # whether an article's current version may be changed; None: there is none


def any_version(_version: int | None) -> bool:
    """Yes, whoever wrote what meanwhile."""
    return True


class Outcome(enum.StrEnum):
    """Outcome of a verb."""

    HIDDEN = "hidden"
    SHOWN = "shown"
    DELETED = "deleted"
    LIFTED = "tombstone lifted"
    ENDED = "ended"
    JOINED = "joined"
    SPLIT = "split"
    NAMED = "named"
    FILED = "filed"
    TAGGED = "tagged"
    UNCHANGED = "as before"


class OperatorStore(Database):
    """The verbs on articles."""

    def hide_article(self, site: str, id: str, by: str, allows: Allows = any_version) -> Outcome:
        """Take an article out of every answer until somebody shows it again.

        Raises:
            UnknownArticle: there is none by that id.
            DeletedArticle: it is deleted.
            EditConflict: its version is not allowed.
        """
        with self.writing() as connection:
            row = article_row(connection, site, id, allows)
            if row.hidden and row.hidden_by not in (None, IMPORT):
                return Outcome.UNCHANGED
            _set_hidden(connection, site, id, by)
            before = {"hidden": row.hidden, "hidden_by": row.hidden_by}
            after = {"hidden": True, "hidden_by": by}
            write_audit(connection, site, by, "hide", id, before=before, after=after, title=row.title)
        return Outcome.HIDDEN

    def show_article(self, site: str, id: str, by: str, allows: Allows = any_version) -> Outcome:
        """Put a hidden article back; of a deleted one lift the tombstone, so that the next import brings it again.

        Raises:
            UnknownArticle: there is none by that id, and none was deleted.
            EditConflict: its version is not allowed.
        """
        tombstone = (deleted.c.site == site) & (deleted.c.id == id)
        with self.writing() as connection:
            if connection.execute(delete(deleted).where(tombstone)).rowcount:
                write_audit(connection, site, by, "show", id, before={"deleted": True}, lifted=True)
                return Outcome.LIFTED
            row = article_row(connection, site, id, allows)
            if not row.hidden:
                return Outcome.UNCHANGED
            _set_hidden(connection, site, id, None)
            before = {"hidden": True, "hidden_by": row.hidden_by}
            after = {"hidden": False, "hidden_by": None}
            write_audit(connection, site, by, "show", id, before=before, after=after, title=row.title)
        return Outcome.SHOWN

    def delete_article(self, site: str, id: str, by: str, allows: Allows = any_version) -> Outcome:
        """Remove an article and leave a tombstone, so that no import brings it back; what readers did with it stays.

        Raises:
            UnknownArticle: there is none by that id.
            EditConflict: its version is not allowed.
        """
        tombstone = (deleted.c.site == site) & (deleted.c.id == id)
        with self.writing() as connection:
            if connection.scalar(select(deleted.c.id).where(tombstone)) is not None:
                return Outcome.UNCHANGED
            row = article_row(connection, site, id, allows)
            connection.execute(delete(articles).where(is_article(site, id)))
            connection.execute(delete(editorial).where(editorial.c.site == site, editorial.c.article == id))
            facts = {"deleted_at": now_ms(), "deleted_by": by, "change": next_change(connection, site)}
            connection.execute(insert(deleted).values(site=site, id=id, **facts))
            before = {"title": row.title, "hidden": row.hidden, "version": row.change}
            write_audit(connection, site, by, "delete", id, before=before, title=row.title)
        return Outcome.DELETED


def deleted_article(id: str, by: str) -> DeletedArticle:
    """The error of an article that an operator deleted."""
    return DeletedArticle(
        "an article that is there", f"{id!r:.300}, which was deleted by {by}", "`show` lifts the tombstone."
    )


def article_row(connection: Connection, site: str, id: str, allows: Allows) -> Any:
    """The title, the hiding and the version of an article that is there.

    Raises:
        UnknownArticle: there is none by that id.
        DeletedArticle: it is deleted.
        EditConflict: its version is not allowed.
    """
    query = select(articles.c.title, articles.c.hidden, articles.c.hidden_by, articles.c.change)
    row = connection.execute(query.where(is_article(site, id))).first()
    if row is not None:
        if not allows(row.change):
            raise EditConflict(id, row.change)
        return row
    remedy = "Check the id, and the site: `site.id` in config.yaml."
    by = connection.scalar(select(deleted.c.deleted_by).where((deleted.c.site == site) & (deleted.c.id == id)))
    if by is not None:
        raise deleted_article(id, by)
    raise UnknownArticle(f"an article of the site {site!r}", f"{id!r:.300}", remedy)


def _set_hidden(connection: Connection, site: str, id: str, by: str | None) -> None:
    values = {"hidden": by is not None, "hidden_by": by, "updated_at": now_ms()}
    values["change"] = next_change(connection, site)
    connection.execute(update(articles).where(is_article(site, id)).values(values))

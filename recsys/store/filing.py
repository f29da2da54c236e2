"""Verbs of editors on one article's category and tags: say them, or take that back.

Reads and writes the tables of articles and of the audit; each verb and its entry are one transaction. An editor's word
outlives what a file repeats, and holds until a file says of the category what it did not say before (see ``merging``).
It is what trainings learn from, as every category that an article came with. No file says anything of tags: those that
an editor gave stay until an editor takes them back.
"""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select, update

from recsys.errors import InputError
from recsys.store import schema
from recsys.store.articles import is_article, next_change
from recsys.store.audit import write_audit
from recsys.store.engine import Database
from recsys.store.operators import Allows, Outcome, any_version, article_row
from recsys.store.records import compact_json
from recsys.store.stories import checked_name
from recsys.units import now_ms

MAX_ARTICLE_TAGS = 12  # that an article shows; those after them would say nothing

articles = schema.articles


class FilingStore(Database):
    """The verbs on categories and tags."""

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

    def tag_article(self, site: str, id: str, tags: Sequence[str], by: str, allows: Allows = any_version) -> Outcome:
        """Give an article its tags, in place of those that the models find.

        Args:
            site: the site.
            id: of the article.
            tags: at most ``MAX_ARTICLE_TAGS``, the most telling first; of two that differ in capitals the first holds.
            by: who says so.
            allows: whether its current version may be changed.

        Raises:
            InputError: there are too many, or one is no name; see ``checked_name``.
            UnknownArticle: there is none by that id.
            DeletedArticle: it is deleted.
            EditConflict: its version is not allowed.
        """
        if len(tags) > MAX_ARTICLE_TAGS:
            raise InputError(f"at most {MAX_ARTICLE_TAGS} tags", f"{len(tags)}", "Leave out those that say the least.")
        named = dict[str, str]()
        for name in map(checked_name, tags):
            named.setdefault(name.casefold(), name)
        return self._tag(site, id, list(named.values()), by, allows)

    def untag_article(self, site: str, id: str, by: str, allows: Allows = any_version) -> Outcome:
        """Take an editor's tags back; the next night the models' hold again. See ``tag_article``."""
        return self._tag(site, id, None, by, allows)

    def _tag(self, site: str, id: str, tags: list[str] | None, by: str, allows: Allows) -> Outcome:
        with self.writing() as connection:
            title = article_row(connection, site, id, allows).title
            this = is_article(site, id)
            old = connection.execute(select(articles.c.tags, articles.c.tagged_by).where(this)).one()
            said = None if tags is None else compact_json(tags)
            if said == old.tags:
                return Outcome.UNCHANGED
            who = None if tags is None else str(by)
            values = {"tags": said, "tagged_by": who, "updated_at": now_ms(), "change": next_change(connection, site)}
            connection.execute(update(articles).where(this).values(values))
            before = {"tags": None if old.tags is None else json.loads(old.tags), "tagged_by": old.tagged_by}
            after = {"tags": tags, "tagged_by": who}
            write_audit(connection, site, by, "tag", id, before=before, after=after, title=title)
        return Outcome.ENDED if tags is None else Outcome.TAGGED


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

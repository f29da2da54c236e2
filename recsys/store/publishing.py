"""Edits of a publisher: whole articles and named fields, each on the version that its editor saw.

Reads and writes the tables of articles and of the audit by the same merge as an import; each edit has its own outcome,
and all edits of a call, with their lines in the audit, are one transaction.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert

from recsys.errors import EditConflict, InputError, UnknownArticle
from recsys.store import schema
from recsys.store.articles import known_rows, next_change, tombstones, write_rows
from recsys.store.audit import audit_row
from recsys.store.engine import Database
from recsys.store.merging import Key, Row, plan_of
from recsys.store.operators import Allows, any_version, deleted_article
from recsys.store.records import ArticlePatch, compact_json

_MAX_SHOWN = 200  # characters of a text before and after an edit that the audit keeps


class EditVerb(enum.StrEnum):
    """Kind of an edit, as the audit names it."""

    PUT = "put"  # the whole article, which may be new
    PATCH = "patch"  # named fields of one that is there


class EditOutcome(enum.StrEnum):
    """Outcome of an edit."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


class ArticleEdit(NamedTuple):
    """Edit of one article.

    Attributes:
        verb: put or patch.
        patch: the fields; of a put all those that are not to be kept.
        allows: says whether the version that is there may be changed.
    """

    verb: EditVerb
    patch: ArticlePatch
    allows: Allows = any_version


class Published(NamedTuple):
    """Answer to an edit.

    Attributes:
        id: of the article.
        outcome: what became of it.
        version: of the article from now on.
        repaired: by field, what was done to a value beyond its bounds.
    """

    id: str
    outcome: EditOutcome
    version: int
    repaired: tuple[str, ...] = ()


@dataclass
class _Desk:
    """Edits of one transaction while they are applied one after the other."""

    connection: Connection
    site: str
    rows: dict[Key, Row]
    deleted: dict[Key, str]
    number: int = 0
    new: dict[Key, Row] = field(default_factory=dict)
    changed: dict[Key, Row] = field(default_factory=dict)
    noted: dict[Key, Row] = field(default_factory=dict)
    audited: list[dict[str, Any]] = field(default_factory=list)

    def apply(self, edit: ArticleEdit) -> Published:
        """Apply one edit to the rows.

        Raises:
            InputError: it cannot be done; nothing of it is.
        """
        key = (self.site, edit.patch.id)
        old = self.rows.get(key)
        self._check(edit, key, old)
        plan = plan_of([edit.patch], {} if old is None else {key: old}, ())
        if plan.merged.untitled:
            raise InputError("an article with a title, or a body to take one from", "neither", "Send its title.")
        repaired = tuple(plan.merged.repaired)
        if not (shown := plan.new or plan.changed):
            for row in plan.noted:
                self.rows[key] = row
                (self.new if key in self.new else self.changed if key in self.changed else self.noted)[key] = row
            return Published(edit.patch.id, EditOutcome.UNCHANGED, self.rows[key]["change"], repaired)
        (row,) = shown
        self.number = self.number or next_change(self.connection, self.site)
        row["change"] = self.number
        outcome = EditOutcome.CREATED if plan.new else EditOutcome.UPDATED
        self._note(edit, old, row, list(plan.merged.changed))
        self.rows[key] = row
        self.noted.pop(key, None)
        (self.new if plan.new or key in self.new else self.changed)[key] = row
        return Published(edit.patch.id, outcome, self.number, repaired)

    def _check(self, edit: ArticleEdit, key: Key, old: Row | None) -> None:
        if key in self.deleted:
            raise deleted_article(edit.patch.id, self.deleted[key])
        if old is None and edit.verb is EditVerb.PATCH:
            raise UnknownArticle("an article that is there", f"{edit.patch.id!r:.300}", "PUT adds a new one.")
        version = None if old is None else old["change"]
        if not edit.allows(version):
            raise EditConflict(edit.patch.id, version)

    def _note(self, edit: ArticleEdit, old: Row | None, row: Row, changed: list[str]) -> None:
        outcome = EditOutcome.CREATED if old is None else EditOutcome.UPDATED
        details = {"outcome": outcome.value, "title": row["title"]} | ({"changed": changed} if changed else {})
        entry: dict[str, Any] = {"verb": edit.verb.value, "object": edit.patch.id, "details": compact_json(details)}
        entry["before"] = None if old is None else compact_json(_state(old, changed))
        entry["after"] = compact_json(_state(row, changed or ["title"]))
        self.audited.append(entry)


def _state(row: Row, names: list[str]) -> dict[str, Any]:
    """Some fields of an article as the audit shows them: of a text the beginning."""
    shown = {name: row[name] for name in names}
    return {name: text[:_MAX_SHOWN] if isinstance(text, str) else text for name, text in shown.items()}


class PublisherStore(Database):
    """The edits of publishers."""

    def publish_articles(self, site: str, edits: Sequence[ArticleEdit], by: str) -> list[Published | InputError]:
        """Apply edits in their order, each by itself: one that cannot be done leaves the others as they are.

        Args:
            site: whose articles they are.
            edits: of this site.
            by: whom the audit names.

        Returns:
            For each edit its answer, or the ``UnknownArticle``, ``DeletedArticle``, ``EditConflict`` or ``InputError``
            for which it was not done.

        Raises:
            StoreError: the database refused; then none of the edits was done.
        """
        keys = list(dict.fromkeys((site, edit.patch.id) for edit in edits))
        answers: list[Published | InputError] = []
        with self.writing() as connection:
            desk = _Desk(connection, site, known_rows(connection, keys), tombstones(connection, keys))
            for edit in edits:
                try:
                    answers.append(desk.apply(edit))
                except InputError as error:
                    answers.append(error)
            write_rows(connection, list(desk.new.values()), list(desk.changed.values()), list(desk.noted.values()))
            if desk.audited:
                facts = audit_row(site, by)
                connection.execute(insert(schema.audit), [facts | line for line in desk.audited])
        return answers

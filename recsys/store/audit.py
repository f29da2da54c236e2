"""The audit: who did what to which object, what it was before and after, when, and from where.

Reads and writes its table; each change and its entry are one transaction, so that there is never one without the other.
"""

import json
from typing import Any, NamedTuple, Self

from sqlalchemy import Connection, Row, insert, select

from recsys.store import schema
from recsys.store.engine import Database
from recsys.store.records import compact_json
from recsys.units import now_ms

_audit = schema.audit
EVERY_SITE = "*"  # site of an entry that concerns all sites of a database


class Actor(str):
    """Name of whoever changes something, such as ``token NAME``, with the place from which it is done.

    A plain ``str`` does wherever an actor is asked for; its entry in the audit then names no place.

    Attributes:
        origin: address of the request, or machine of the command; None where it is not known.
    """

    origin: str | None

    def __new__(cls, name: str, origin: str | None = None) -> Self:
        """An actor of a name."""
        actor = super().__new__(cls, name)
        actor.origin = origin
        return actor


class AuditEntry(NamedTuple):
    """One entry of the audit.

    Attributes:
        number: counts up.
        site: whose object it is; ``EVERY_SITE`` for one of all sites.
        time: int ms UTC.
        actor: ``token NAME``, ``person NAME`` or ``command USER``.
        verb: what was done.
        object: to what: an article's id, a reader's digest, ``token NAME``, ``person NAME``, ``job NAME``,
            ``release NAME``.
        details: what else there is to say.
        origin: from where, see ``Actor``.
        before: what was changed, as it was; None where there was nothing.
        after: as it is now; None where nothing is left.
    """

    number: int
    site: str
    time: int
    actor: str
    verb: str
    object: str
    details: dict[str, Any]
    origin: str | None = None
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


class AuditStore(Database):
    """The table of the audit."""

    def audit(
        self,
        site: str,
        limit: int,
        *,
        below: int | None = None,
        since: int | None = None,
        object: str | None = None,
        actor: str | None = None,
    ) -> list[AuditEntry]:
        """The newest entries of a site and of all sites together, newest first.

        Args:
            site: the site.
            limit: how many at most.
            below: only with a smaller number: the last one of a page leads to the next page.
            since: only from this time on, int ms UTC.
            object: only of this object.
            actor: only of this actor, as the entries name it.
        """
        query = select(*(_audit.c[name] for name in AuditEntry._fields)).where(_audit.c.site.in_((site, EVERY_SITE)))
        if below is not None:
            query = query.where(_audit.c.number < below)
        if since is not None:
            query = query.where(_audit.c.time >= since)
        if object is not None:
            query = query.where(_audit.c.object == object)
        if actor is not None:
            query = query.where(_audit.c.actor == actor)
        with self.reading() as connection:
            rows = connection.execute(query.order_by(_audit.c.number.desc()).limit(limit)).all()
        return [_entry(row) for row in rows]

    def record(
        self,
        site: str,
        by: str,
        verb: str,
        object: str,
        *,
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
        **details: Any,
    ) -> None:
        """Add an entry on what is done outside of the database, such as the start of a job; see ``write_audit``."""
        with self.writing() as connection:
            write_audit(connection, site, by, verb, object, before=before, after=after, **details)


def write_audit(
    connection: Connection,
    site: str,
    by: str,
    verb: str,
    object: str,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    **details: Any,
) -> None:
    """Add an entry to the audit, inside the transaction that does what it says; see ``AuditEntry``."""
    values = audit_row(site, by) | {"verb": verb, "object": object, "details": compact_json(details)}
    states = {name: None if state is None else compact_json(state) for name, state in _states(before, after)}
    connection.execute(insert(_audit).values(values | states))


def audit_row(site: str, by: str) -> dict[str, Any]:
    """The columns of an entry that say who did it, when and from where."""
    return {"site": site, "time": now_ms(), "actor": str(by), "origin": getattr(by, "origin", None)}


def _states(before: dict[str, Any] | None, after: dict[str, Any] | None) -> tuple[tuple[str, Any], ...]:
    return ("before", before), ("after", after)


def _entry(row: Row[Any]) -> AuditEntry:
    values = dict(row._mapping)
    for name in ("details", "before", "after"):
        values[name] = None if values[name] is None else json.loads(values[name])
    return AuditEntry(**values)

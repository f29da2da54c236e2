"""Tokens of the admin API and of publishers: random secrets, of which only the SHA-256 is kept.

A hash without salt or stretching is enough for 256 random bits, and it can be looked up by an index.
"""

import enum
import hashlib
import secrets
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert, or_, select, update

from recsys.errors import InputError, LastOwner, UnknownName
from recsys.store import schema
from recsys.store.audit import EVERY_SITE, write_audit
from recsys.store.engine import Database
from recsys.store.records import identifier
from recsys.units import MINUTE_MS, now_ms

tokens, people = schema.tokens, schema.people
_SECRET_BYTES = 32


class Scope(enum.StrEnum):
    """Extent of a caller's rights; of the four roles each has those of the ones before it."""

    VIEWER = "viewer"  # sees what goes on
    EDITOR = "editor"  # decides on lists: hides, pins, boosts, buries
    OPERATOR = "operator"  # runs jobs and moves releases, deletes articles, sees and forgets readers
    OWNER = "owner"  # gives rights and takes them
    WRITE = "write"  # a publisher's key: the articles of its site, and nothing else


ROLES = (Scope.VIEWER, Scope.EDITOR, Scope.OPERATOR, Scope.OWNER)


def at_least(role: Scope) -> frozenset[Scope]:
    """A role and those that have its rights as well."""
    return frozenset(ROLES[ROLES.index(role) :])


class AccessToken(NamedTuple):
    """A valid token.

    Attributes:
        name: of its holder.
        scope: what it may be used for.
        site: the only site that it is for; None for every site.
        expires_at: int ms UTC; None for never.
        last_used_at: int ms UTC, to the minute; None for never.
    """

    name: str
    scope: Scope
    site: str | None
    expires_at: int | None = None
    last_used_at: int | None = None


class ListedToken(NamedTuple):
    """A token as it is listed: an ``AccessToken`` that may have ended, and when it was made and revoked."""

    name: str
    scope: Scope
    site: str | None
    expires_at: int | None
    last_used_at: int | None
    created_at: int
    revoked_at: int | None


class TokenStore(Database):
    """The table of tokens."""

    def add_token(
        self,
        name: str,
        scope: Scope = Scope.OWNER,
        site: str | None = None,
        *,
        expires_at: int | None = None,
        by: str = "command",
    ) -> str:
        """Make a token.

        Args:
            name: who holds it; a name whose token has ended may be used again.
            scope: what it may be used for.
            site: the only site that it is for; None: every site of this database.
            expires_at: int ms UTC, from when on it is not valid; None: never.
            by: whom the audit names.

        Returns:
            The secret, which nobody can ask for a second time.

        Raises:
            InputError: a valid token has that name, or the end is not in the future.
        """
        identifier(name, "token name")
        now = now_ms()
        if expires_at is not None and expires_at <= now:
            raise InputError("an end after now", f"{expires_at} ms UTC", "Name a later end, or none.")
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        rights = {"scope": scope.value, "site": site, "expires_at": expires_at}
        values = {"sha256": secret_digest(secret), "created_at": now, "revoked_at": None, "last_used_at": None} | rights
        with self.writing() as connection:
            old = connection.execute(select(tokens).where(tokens.c.name == name)).first()
            if old is not None and _is_valid(old, now):
                raise InputError("a name without a valid token", repr(name), "Revoke it first, or choose another name.")
            if old is None:
                connection.execute(insert(tokens).values(name=name, **values))
            else:
                connection.execute(update(tokens).where(tokens.c.name == name).values(values))
            write_audit(connection, site or EVERY_SITE, by, "token", f"token {name}", after=rights)
        return secret

    def token(self, secret: str) -> AccessToken | None:
        """The valid token of a secret, or None."""
        query = select(*(tokens.c[name] for name in AccessToken._fields), tokens.c.revoked_at)
        with self.reading() as connection:
            row = connection.execute(query.where(tokens.c.sha256 == secret_digest(secret))).first()
        if row is None or not _is_valid(row, now_ms()):
            return None
        return AccessToken(row.name, Scope(row.scope), row.site, row.expires_at, row.last_used_at)

    def tokens(self, site: str) -> list[ListedToken]:
        """The tokens that are, or were, for a site, in the order of their names."""
        query = select(*(tokens.c[name] for name in ListedToken._fields)).where(_reaches(tokens.c.site, site))
        with self.reading() as connection:
            rows = connection.execute(query.order_by(tokens.c.name)).all()
        return [ListedToken(*row)._replace(scope=Scope(row.scope)) for row in rows]

    def note_use(self, name: str, at: int) -> None:
        """Note when a token was used, unless a use less than a minute before is noted already."""
        older = or_(tokens.c.last_used_at.is_(None), tokens.c.last_used_at <= at - MINUTE_MS)
        with self.writing() as connection:
            connection.execute(update(tokens).where(tokens.c.name == name, older).values(last_used_at=at))

    def revoke_token(self, name: str, by: str = "command", *, site: str | None = None, last_owner: bool = True) -> bool:
        """Make a token invalid from now on.

        Args:
            name: of its holder.
            by: whom the audit names.
            site: only if it is for this site alone; None: whatever it is for.
            last_owner: whether it may be the last one of an owner.

        Returns:
            Whether there was a valid one of that name.

        Raises:
            UnknownName: it is for another site, or for more than this one.
            LastOwner: nobody would be left who can give rights.
        """
        now = now_ms()
        with self.writing() as connection:
            row = connection.execute(select(tokens).where(tokens.c.name == name)).first()
            if row is None or not _is_valid(row, now):
                return False
            if site is not None and row.site != site:
                raise UnknownName(f"a token of the site {site!r} alone", f"{name!r:.80}", "Revoke it by command.")
            connection.execute(update(tokens).where(tokens.c.name == name).values(revoked_at=now))
            if not last_owner and row.scope == Scope.OWNER:
                refuse_no_owner(connection, row.site, f"the token {name!r}")
            before = {"scope": row.scope, "site": row.site, "expires_at": row.expires_at}
            write_audit(connection, row.site or EVERY_SITE, by, "revoke", f"token {name}", before=before)
        return True


def refuse_no_owner(connection: Connection, site: str | None, what: str) -> None:
    """Refuse to leave a site without an owner, inside the transaction that has taken one.

    Writers take turns, so that of two owners who remove each other the second one is refused.

    Raises:
        LastOwner: no person and no valid token that is an owner's is left.
    """
    valid = (tokens.c.scope == Scope.OWNER.value) & tokens.c.revoked_at.is_(None)
    valid &= tokens.c.expires_at.is_(None) | (tokens.c.expires_at > now_ms())
    holders = select(tokens.c.name).where(valid, _reaches(tokens.c.site, site))
    persons = select(people.c.name).where(people.c.scope == Scope.OWNER.value, _reaches(people.c.site, site))
    if connection.execute(holders.union_all(persons).limit(1)).first() is None:
        remedy = "Make another owner first, or do it by command on the machine."
        raise LastOwner("somebody else who is an owner", f"{what}, the last one", remedy)


def _reaches(column: Any, site: str | None) -> Any:
    """The condition that rights are for a site, or for every site."""
    return column.is_(None) if site is None else column.is_(None) | (column == site)


def _is_valid(row: Any, now: int) -> bool:
    return row.revoked_at is None and (row.expires_at is None or now < row.expires_at)


def secret_digest(secret: str) -> str:
    """The form in which a random secret is kept: its SHA-256, in hexadecimal digits."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()

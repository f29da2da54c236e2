"""Tokens of the admin API and of publishers: random secrets, of which only the SHA-256 is kept.

A hash without salt or stretching is enough for 256 random bits, and it can be looked up by an index.
"""

import enum
import hashlib
import secrets
from typing import NamedTuple

from sqlalchemy import insert, select, update

from recsys.errors import InputError
from recsys.store import schema
from recsys.store.engine import Database
from recsys.store.records import identifier
from recsys.units import now_ms

tokens = schema.tokens
_SECRET_BYTES = 32


class Scope(enum.StrEnum):
    """Extent of a token's rights."""

    ADMIN = "admin"  # the admin API, and all that a publisher may
    WRITE = "write"  # a publisher's: the articles of its site, and nothing else


class AccessToken(NamedTuple):
    """A valid token: the name of its holder, its scope, and its site; None for every site."""

    name: str
    scope: Scope
    site: str | None


class TokenStore(Database):
    """The table of tokens."""

    def add_token(self, name: str, scope: Scope = Scope.ADMIN, site: str | None = None) -> str:
        """Make a token.

        Args:
            name: who holds it; a name that was revoked may be used again.
            scope: what it may be used for.
            site: the only site that it is for; None: every site of this database.

        Returns:
            The secret, which nobody can ask for a second time.

        Raises:
            InputError: a valid token has that name.
        """
        identifier(name, "token name")
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        with self.writing() as connection:
            old = connection.execute(select(tokens).where(tokens.c.name == name)).first()
            if old is not None and old.revoked_at is None:
                raise InputError("a name without a valid token", repr(name), "Revoke it first, or choose another name.")
            values = {"sha256": _digest(secret), "created_at": now_ms(), "revoked_at": None}
            values |= {"scope": scope.value, "site": site}
            if old is None:
                connection.execute(insert(tokens).values(name=name, **values))
            else:
                connection.execute(update(tokens).where(tokens.c.name == name).values(values))
        return secret

    def token(self, secret: str) -> AccessToken | None:
        """The valid token of a secret, or None."""
        query = select(tokens.c.name, tokens.c.scope, tokens.c.site)
        query = query.where(tokens.c.sha256 == _digest(secret), tokens.c.revoked_at.is_(None))
        with self.reading() as connection:
            row = connection.execute(query).first()
        return AccessToken(row.name, Scope(row.scope), row.site) if row else None

    def revoke_token(self, name: str) -> bool:
        """Make a token invalid from now on.

        Returns:
            Whether there was a valid one of that name.
        """
        valid = (tokens.c.name == name) & tokens.c.revoked_at.is_(None)
        with self.writing() as connection:
            return connection.execute(update(tokens).where(valid).values(revoked_at=now_ms())).rowcount > 0


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()

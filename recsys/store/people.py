"""People who sign in: accounts with a role and the hash of a password, and their sessions.

Reads and writes the tables ``people`` and ``sessions``. A session is a random secret, of which only the SHA-256 is
kept; it ends by itself, with the account, and when the password or the role is changed.
"""

import secrets
from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select, update

from recsys.errors import InputError, UnknownName
from recsys.store import schema
from recsys.store.audit import EVERY_SITE, write_audit
from recsys.store.engine import Database
from recsys.store.records import identifier
from recsys.store.tokens import ROLES, Scope, refuse_no_owner, secret_digest
from recsys.units import DAY_MS, HOUR_MS, now_ms

SESSION_HOURS = 12  # a working day, after which one signs in again
KNOWN_DAYS = 30  # that an address is remembered from which somebody has signed in

people, sessions = schema.people, schema.sessions


class Person(NamedTuple):
    """A person as listed; times are int ms UTC.

    Attributes:
        name: of the account.
        scope: a role.
        site: the only site that it is for; None for every site.
        created_at: when the account was made.
        changed_at: when its password or role was changed last.
    """

    name: str
    scope: Scope
    site: str | None
    created_at: int
    changed_at: int


class SignedIn(NamedTuple):
    """A person in a session that holds, until ``expires_at``, int ms UTC."""

    name: str
    scope: Scope
    site: str | None
    expires_at: int


class PeopleStore(Database):
    """The tables of people and their sessions."""

    def set_person(
        self,
        name: str,
        scope: Scope,
        site: str | None,
        password: str | None,
        by: str = "command",
        *,
        within: str | None = None,
        last_owner: bool = True,
    ) -> bool:
        """Make an account, or give one another role and password; its sessions end.

        Args:
            name: of the account.
            scope: its role.
            site: the only site that it is for; None: every site of this database.
            password: the hash of it; None: it stays.
            by: whom the audit names.
            within: an account that is there must be for this site alone; None: it may be for any.
            last_owner: whether it may be the last owner who becomes something else.

        Returns:
            Whether it is a new one.

        Raises:
            InputError: people have no such role, or a new one no password.
            UnknownName: the account is for another site, or for more than that.
            LastOwner: nobody would be left who can give rights.
        """
        identifier(name, "name of a person")
        if scope not in ROLES:
            raise InputError(f"one of {', '.join(ROLES)}", scope.value, "A publisher's key is a token: `token`.")
        now = now_ms()
        rights = {"scope": scope.value, "site": site}
        with self.writing() as connection:
            old = connection.execute(select(people.c.scope, people.c.site).where(people.c.name == name)).first()
            values = rights | {"changed_at": now} | ({} if password is None else {"password": password})
            if old is None:
                if password is None:
                    raise InputError("a password for a new person", "none", "Send one.")
                connection.execute(insert(people).values(name=name, created_at=now, **values))
            else:
                _check_within(name, old.site, within)
                connection.execute(update(people).where(people.c.name == name).values(values))
                _end_sessions(connection, name, now)
                if old.scope == Scope.OWNER and not last_owner:
                    refuse_no_owner(connection, old.site, f"the person {name!r:.80}")
            before = None if old is None else {"scope": old.scope, "site": old.site}
            write_audit(connection, site or EVERY_SITE, by, "person", f"person {name}", before=before, after=rights)
        return old is None

    def remove_person(
        self, name: str, by: str = "command", *, within: str | None = None, last_owner: bool = True
    ) -> bool:
        """Remove an account; its sessions end.

        Args:
            name: of the account.
            by: whom the audit names.
            within: it must be for this site alone; None: it may be for any.
            last_owner: whether it may be the last owner.

        Returns:
            Whether there was one of that name.

        Raises:
            UnknownName: it is for another site, or for more than that.
            LastOwner: nobody would be left who can give rights.
        """
        columns = people.c.scope, people.c.site
        with self.writing() as connection:
            old = connection.execute(delete(people).where(people.c.name == name).returning(*columns)).first()
            if old is None:
                return False
            _check_within(name, old.site, within)
            connection.execute(delete(sessions).where(sessions.c.person == name))
            if old.scope == Scope.OWNER and not last_owner:
                refuse_no_owner(connection, old.site, f"the person {name!r:.80}")
            before = {"scope": old.scope, "site": old.site}
            write_audit(connection, old.site or EVERY_SITE, by, "remove", f"person {name}", before=before)
        return True

    def people(self, site: str) -> list[Person]:
        """The people of a site and of all sites, in the order of their names."""
        query = select(*(people.c[name] for name in Person._fields))
        query = query.where(people.c.site.is_(None) | (people.c.site == site)).order_by(people.c.name)
        with self.reading() as connection:
            return [Person(*row)._replace(scope=Scope(row.scope)) for row in connection.execute(query)]

    def password_hash(self, name: str) -> str | None:
        """The hash of a person's password; None for nobody."""
        with self.reading() as connection:
            return connection.scalar(select(people.c.password).where(people.c.name == name))

    def knows_address(self, name: str, address: str) -> bool:
        """True where a person has signed in from an address within the last 30 days."""
        this = (sessions.c.person == name) & (sessions.c.address == address)
        query = select(sessions.c.sha256).where(this, sessions.c.created_at > now_ms() - KNOWN_DAYS * DAY_MS)
        with self.reading() as connection:
            return connection.execute(query.limit(1)).first() is not None

    def add_session(self, name: str, password: str, address: str, by: str) -> tuple[str, SignedIn] | None:
        """Begin a session.

        Args:
            name: of the person.
            password: the hash that the given password was compared with.
            address: from where.
            by: whom the audit names.

        Returns:
            Its secret, which nobody has seen before, and who is signed in; None if the account or its password was
            changed meanwhile.
        """
        secret, now = secrets.token_urlsafe(32), now_ms()
        with self.writing() as connection:
            person = connection.execute(select(people).where(people.c.name == name)).first()
            if person is None or person.password != password:
                return None
            connection.execute(delete(sessions).where(sessions.c.created_at <= now - KNOWN_DAYS * DAY_MS))
            end = now + SESSION_HOURS * HOUR_MS
            values = {"sha256": secret_digest(secret), "person": name, "address": address}
            connection.execute(insert(sessions).values(created_at=now, expires_at=end, **values))
            write_audit(connection, person.site or EVERY_SITE, by, "sign in", f"person {name}")
        return secret, SignedIn(name, Scope(person.scope), person.site, end)

    def session(self, secret: str) -> SignedIn | None:
        """The person of a session that holds, or None."""
        holds = sessions.c.ended_at.is_(None) & (sessions.c.expires_at > now_ms())
        query = select(people.c.name, people.c.scope, people.c.site, sessions.c.expires_at)
        query = query.join_from(sessions, people, sessions.c.person == people.c.name)
        with self.reading() as connection:
            row = connection.execute(query.where(sessions.c.sha256 == secret_digest(secret), holds)).first()
        return SignedIn(*row)._replace(scope=Scope(row.scope)) if row else None

    def end_session(self, secret: str) -> None:
        """End a session; nothing happens where there is none."""
        this = (sessions.c.sha256 == secret_digest(secret)) & sessions.c.ended_at.is_(None)
        with self.writing() as connection:
            connection.execute(update(sessions).where(this).values(ended_at=now_ms()))


def _check_within(name: str, site: str | None, within: str | None) -> None:
    if within is not None and site != within:
        raise UnknownName(f"a person of the site {within!r} alone", f"{name!r:.80}", "Take another name.")


def _end_sessions(connection: Connection, name: str, now: int) -> None:
    open_ones = (sessions.c.person == name) & sessions.c.ended_at.is_(None)
    connection.execute(update(sessions).where(open_ones).values(ended_at=now))

"""``python -m jobs person NAME`` and ``people``: accounts of people who sign in, made, changed, removed and listed.

Reads and writes the store's people; only an argon2id hash of a password is kept.
"""

import getpass
import secrets
import sys
from datetime import UTC, datetime

import typer

from jobs.runner import Context, open_store
from jobs.terminal import log, who
from recsys.errors import InputError, UnknownName
from recsys.store import ROLES, Scope, hashed_password
from recsys.store.passwords import NO_PASSWORD


def set_person(context: Context, name: str, role: Scope | None, site: str | None, *, password: bool = True) -> None:
    """Make an account, or give one another role and password; whoever is signed in with it is no longer.

    Args:
        context: the invocation.
        name: of the account.
        role: what the person may do.
        site: the only site that it is for; None: ``site.id``; ``*``: every site of the database.
        password: whether it has one; without, its name is what the claim of the provider says (``web.oidc``).

    Raises:
        InputError: no role is named, or the password is too short.
    """
    if role not in ROLES:
        wanted = f"Add --role {'|'.join(ROLES)}; docs/roles.md lists what each may do."
        raise InputError("a role of people", "none" if role is None else role.value, wanted)
    hash = hashed_password(_password()) if password else NO_PASSWORD
    store = open_store(context.settings)
    try:
        new = store.set_person(name, role, None if site == "*" else site or context.settings.site.id, hash, who())
    finally:
        store.close()
    log.info("made" if new else "changed", job="person", person=name, role=role.value)


def set_first_person(context: Context, name: str) -> None:
    """Make an owner with an invented password and print it, if nobody can sign in yet; else say who can.

    Args:
        context: the invocation.
        name: of the account.
    """
    store, password = open_store(context.settings), "-".join(secrets.token_hex(2) for _ in range(4))
    try:
        there = store.people(context.settings.site.id)
        if not there:
            site = context.settings.site.id
            store.set_person(name, Scope.OWNER, site, hashed_password(password), who())
    finally:
        store.close()
    if there:
        said = f"sign in as {there[0].name}; for another password: python -m jobs person {there[0].name} --role owner"
    else:
        said = f"sign in as {name} with the password {password}  (it is shown this once)"
    typer.echo(f"\n  The newsroom's console: http://127.0.0.1:{context.settings.web.port}/console\n  {said}\n")


def remove(context: Context, name: str) -> None:
    """Remove an account; whoever is signed in with it is no longer.

    Raises:
        UnknownName: there is none of that name.
    """
    store = open_store(context.settings)
    try:
        if not store.remove_person(name, who()):
            raise UnknownName("the name of a person", repr(name), "Run: python -m jobs people")
    finally:
        store.close()
    log.info("removed", job="person", person=name)


def show(context: Context) -> None:
    """Print the people of this site and of all sites."""
    store = open_store(context.settings)
    try:
        listed = store.people(context.settings.site.id)
    finally:
        store.close()
    if not listed:
        log.info("nobody yet", job="people", remedy="Run: python -m jobs person NAME --role ROLE")
        return
    typer.echo(f"{'name':20}  {'role':8}  {'site':12}  changed (UTC)")
    for one in listed:
        changed = datetime.fromtimestamp(one.changed_at / 1000, UTC)
        typer.echo(f"{one.name:20}  {one.scope:8}  {one.site or 'every':12}  {changed:%Y-%m-%d %H:%M}")


def _password() -> str:
    """A new password, asked for twice on a terminal, otherwise the first line that comes in.

    Raises:
        InputError: the two are not the same.
    """
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != first:
        raise InputError("the same password twice", "two different ones", "Run the command again.")
    return first

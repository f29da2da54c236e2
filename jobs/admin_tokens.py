"""``python -m jobs token [NAME]``: tokens of the admin API and of publishers made, revoked and listed.

Reads and writes the store's tokens; only a hash of a token is kept.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import typer

from jobs.runner import Context, open_store
from jobs.terminal import log, who
from recsys.errors import InputError, UnknownName
from recsys.store import Scope
from recsys.times.ends import read_end
from recsys.units import now_ms


def make(context: Context, name: str, role: Scope | None, site: str | None, expires: str | None) -> None:
    """Make a token and show it once.

    Args:
        context: the invocation.
        name: who holds it.
        role: what it may be used for.
        site: the only site that it is for; None: ``site.id``; ``*``: every site of the database.
        expires: the end, see ``read_end``; None: never.

    Raises:
        InputError: no role is named, the end is none, or a valid token has that name.
    """
    if role is None:
        raise InputError("a role", "none", f"Add --role {'|'.join(Scope)}; docs/roles.md lists what each may do.")
    end = None if expires is None else read_end(expires, ZoneInfo(context.settings.site.timezone))
    only = None if site == "*" else site or context.settings.site.id
    store = open_store(context.settings)
    try:
        secret = store.add_token(name, role, only, expires_at=end, by=who())
    finally:
        store.close()
    typer.echo(secret)
    typer.echo("Keep it: it is shown this once. Send it as: Authorization: Bearer <token>", err=True)


def revoke(context: Context, name: str) -> None:
    """Make a token invalid from the next request on.

    Raises:
        UnknownName: there is no valid token of that name.
    """
    store = open_store(context.settings)
    try:
        if not store.revoke_token(name, who()):
            raise UnknownName("the name of a valid token", repr(name), "python -m jobs token lists them.")
    finally:
        store.close()
    typer.echo(f"The token of {name!r} is no longer valid.")


def show(context: Context) -> None:
    """Print the tokens that are, or were, for this site."""
    store = open_store(context.settings)
    try:
        listed = store.tokens(context.settings.site.id)
    finally:
        store.close()
    if not listed:
        log.info("none yet", job="token", remedy="Run: python -m jobs token NAME --role ROLE")
        return
    typer.echo(f"{'name':20}  {'role':8}  {'site':12}  {'state':9}  {'until (UTC)':16}  last use (UTC)")
    now = now_ms()
    for one in listed:
        ended = one.expires_at is not None and one.expires_at <= now
        state = "revoked" if one.revoked_at is not None else "expired" if ended else "valid"
        site, until, used = one.site or "every", _minute(one.expires_at), _minute(one.last_used_at)
        typer.echo(f"{one.name:20}  {one.scope:8}  {site:12}  {state:9}  {until:16}  {used}")


def _minute(moment: int | None) -> str:
    return "-" if moment is None else f"{datetime.fromtimestamp(moment / 1000, UTC):%Y-%m-%d %H:%M}"

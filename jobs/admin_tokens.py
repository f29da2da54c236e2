"""``python -m jobs token NAME``: make or revoke a token of the admin API or of a publisher.

Reads and writes the store's tokens; only a hash of the token is kept.
"""

import typer

from jobs.runner import Context, open_store
from recsys.errors import InputError
from recsys.store import Scope


def command(context: Context, name: str, scope: Scope, site: str | None, *, revoke: bool) -> None:
    """Make a token and show it once, or make it invalid.

    Args:
        context: the invocation.
        name: who holds it.
        scope: what it may be used for.
        site: the only site that it is for; None: ``site.id``.
        revoke: make it invalid instead.

    Raises:
        InputError: there is no token of that name to revoke.
    """
    store = open_store(context.settings)
    try:
        if revoke:
            if not store.revoke_token(name):
                raise InputError("the name of a valid token", repr(name), "Names are given when a token is made.")
            typer.echo(f"The token of {name!r} is no longer valid.")
            return
        secret = store.add_token(name, scope, site or context.settings.site.id)
        typer.echo(secret)
        typer.echo("Keep it: it is shown this once. Send it as: Authorization: Bearer <token>", err=True)
    finally:
        store.close()

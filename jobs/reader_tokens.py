"""``python -m jobs reader-token ID``, ``rotate-reader-key``: what a site signs for its readers, and with which key.

Reads and writes ``readers.key`` in the data folder; the workers follow within a second.
"""

import typer

from jobs.operators import identified
from jobs.runner import Context
from jobs.terminal import log
from recsys.errors import InputError
from recsys.keys import rotate
from recsys.serving.reader_tokens import DAY_SECONDS, READERS_KEY, ReaderTokens


def make(context: Context, reader: str, days: float) -> None:
    """Print a token of a reader, as the site's server would sign it.

    Raises:
        BadReader: the id can be none.
        InputError: there is no key to sign with.
    """
    settings = context.settings
    seconds = int(days * DAY_SECONDS)
    token = ReaderTokens(settings.data_dir, settings.site.id).make(identified(reader, "a reader"), seconds)
    if token is None:
        file = settings.data_dir / READERS_KEY
        raise InputError("a key of 32 bytes", f"none in {file}", "Make the folder writable, or: rotate-reader-key.")
    typer.echo(token)


def rotate_key(context: Context, days: float) -> None:
    """Make a new key; see ``recsys.keys.rotate``."""
    file = context.settings.data_dir / READERS_KEY
    key = rotate(file, days)
    log.info("rotated", job="rotate-reader-key", key=key.id, file=str(file), old_keys_are_taken_for_days=days)

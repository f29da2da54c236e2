"""Identifiers of readers that are made here: random, so that nobody guesses one, and known by their form.

Whoever names such a reader must prove that it is they (``recsys.serving.reader_tokens``), on every site. Once they are
forgotten the identifier is never anybody's again.
"""

import re
import secrets

PREFIX = "gyl-"
_BYTES = 16  # 2^128 identifiers
_MADE = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{22}}")


def new_reader_id() -> str:
    """An identifier that nobody has: 26 characters that pass in an address."""
    return PREFIX + secrets.token_urlsafe(_BYTES)


def is_made_here(reader: str) -> bool:
    """True for an identifier of the form that ``new_reader_id`` gives."""
    return reader.startswith(PREFIX) and _MADE.fullmatch(reader) is not None

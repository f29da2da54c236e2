"""Reader tokens: the proof that a request comes from, or is made for, the reader that it names.

Reads and makes texts of five parts, ``1.KEY.EXPIRES.READER.MAC``: the version, the key's id, s UTC, the reader's
identifier in base64url, and the HMAC-SHA-256 of the site and of the parts before it. A site signs those of its own
readers on its server (docs/readers-rights.md); those of readers that are made here are signed here.

Source: RFC 2104, RFC 4648 section 5 without padding.
"""

import base64
import enum
import hmac
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from recsys.errors import RecsysError
from recsys.keys import Key, KeyRing
from recsys.store import normal_id
from recsys.units import DAY_MS, SECOND_MS

READERS_KEY = "readers.key"
DAY_SECONDS = DAY_MS // SECOND_MS
MAX_TOKEN_DAYS = 400  # until a token expires: a year and some; a reader who comes once a week renews theirs before that
OLD_KEY_DAYS = 30.0  # for which tokens of the key before are taken: who comes once a month has renewed theirs
MAX_TOKEN = 1_536  # characters: an identifier of 256 that take four bytes each
_FORM = re.compile(r"1\.([0-9a-f]{8})\.([0-9]{1,12})\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{43})", re.ASCII)


class TokenState(enum.StrEnum):
    """State of a token: what it proves."""

    VALID = "valid"
    EXPIRED = "expired"  # it was signed for this reader, and is over by this machine's clock
    INVALID = "invalid"  # forged, cut off, of another site, of a key that is not taken any more, or for too long


class Proof(NamedTuple):
    """Proof of a token.

    Attributes:
        state: of the token.
        reader: whose it is; None unless it is valid.
        expires: s UTC; 0 of an invalid one.
    """

    state: TokenState
    reader: str | None = None
    expires: int = 0


_INVALID = Proof(TokenState.INVALID)


class ReaderTokens:
    """Makes and checks tokens of a site's readers. Safe for threads.

    Args:
        folder: of data, where the key is, or is made.
        site: the site; a token of another one proves nothing here.
        clock: s UTC.
    """

    def __init__(self, folder: Path, site: str, clock: Callable[[], float] = time.time) -> None:
        self._site, self._clock = site, clock
        self._keys = KeyRing(folder / READERS_KEY, clock)

    def make(self, reader: str, seconds: int) -> str | None:
        """A token of a reader for so long; None where there is no key to sign it with, see ``recsys.keys``."""
        key = self._keys.current()
        if key is None:
            return None
        head = f"1.{key.id}.{int(self._clock()) + seconds}.{_text(reader.encode())}"
        return f"{head}.{self._mac(key, head)}"

    def check(self, token: str) -> Proof:
        """Proof of a token, whatever text it is."""
        parts = _FORM.fullmatch(token) if len(token) <= MAX_TOKEN else None
        key = None if parts is None else self._keys.find(parts[1])
        if (
            parts is None
            or key is None
            or not hmac.compare_digest(self._mac(key, token[: parts.start(4) - 1]), parts[4])
        ):
            return _INVALID
        expires, now = int(parts[2]), self._clock()
        if expires > now + (MAX_TOKEN_DAYS + 1) * DAY_SECONDS:  # a day for the clock of whoever signed it
            return _INVALID
        if expires <= now:
            return Proof(TokenState.EXPIRED, None, expires)
        reader = _reader(parts[3])
        return _INVALID if reader is None else Proof(TokenState.VALID, reader, expires)

    def _mac(self, key: Key, head: str) -> str:
        return _text(hmac.digest(key.secret, f"{self._site}\n{head}".encode(), "sha256"))


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _reader(text: str) -> str | None:
    """The identifier that a signed token holds, in its normal form; None where it can be none."""
    try:
        return normal_id(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode())
    except (ValueError, RecsysError):
        return None

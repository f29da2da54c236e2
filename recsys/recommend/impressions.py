"""Impression tokens: what was put into a list and with which probability, signed, as the list's identifier.

Writes at answer time what a log of lists would hold, without a write: the moment, the release, the explored article,
its place and its propensity. Whoever reports what a reader saw sends the token back, so that the store has it beside
the impression and the click, and ``read`` takes it apart again. A token that was not made here is only a name.

Source: RFC 2104 in the keyed form of BLAKE2 (RFC 7693, section 2.9).
"""

import base64
import hashlib
import hmac
import os
import re
import struct
from pathlib import Path
from typing import NamedTuple

from recsys.hashing import hashed
from recsys.keys import KEY_BYTES, folder_key

_BODY = struct.Struct("<BI6sIHqBf")  # version, s, nonce, release: s and suffix, article, place, propensity
_VERSION = 1
_MAC = 10  # bytes: a forger would send 2^79 events
_RELEASE = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-([0-9a-f]{4})")
_NOTHING = 0


class ImpressionFacts(NamedTuple):
    """The facts of a list that its token says.

    Attributes:
        second: when it was made, s UTC.
        release: name of the release; None for none.
        article: hashed id of the explored article, see ``article_key``; 0 for none.
        place: of it, from 0.
        propensity: probability with which it was put there.
    """

    second: int
    release: str | None
    article: int = 0
    place: int = 0
    propensity: float = 0.0


def article_key(article_id: str) -> int:
    """The number of an article in tokens."""
    return hashed("article", article_id)


class ImpressionTokens:
    """Makes and reads tokens.

    Args:
        key: the site's secret, 32 bytes.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def of(cls, folder: Path) -> "ImpressionTokens":
        """The tokens of a data folder, whose key is made when there is none; hosts that share one share the key.

        Where the folder cannot be written, or the file holds no whole key, which anybody could guess, the key lives as
        long as the process, and its tokens with it.
        """
        return cls(folder_key(folder / "impressions.key") or os.urandom(KEY_BYTES))

    def make(self, facts: ImpressionFacts) -> str:
        """Write a token: 54 characters that pass in an address."""
        body = _BODY.pack(
            _VERSION,
            facts.second & 0xFFFFFFFF,
            os.urandom(6),
            *_packed_release(facts.release),
            facts.article,
            facts.place,
            facts.propensity,
        )
        return base64.urlsafe_b64encode(body + self._mac(body)).rstrip(b"=").decode()

    def read(self, token: str) -> ImpressionFacts | None:
        """The facts that a token says; None of one that was not made with this key."""
        try:
            raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except ValueError:
            return None
        body, mac = raw[: _BODY.size], raw[_BODY.size :]
        if len(body) < _BODY.size or not hmac.compare_digest(mac, self._mac(body)):
            return None
        version, second, _, moment, suffix, article, place, propensity = _BODY.unpack(body)
        if version != _VERSION:
            return None
        return ImpressionFacts(second, _unpacked_release(moment, suffix), article, place, propensity)

    def _mac(self, body: bytes) -> bytes:
        return hashlib.blake2b(body, digest_size=_MAC, key=self._key).digest()


def _packed_release(name: str | None) -> tuple[int, int]:
    """A release's name as minutes-of-a-calendar number and suffix; zeros for none, or a name of another form."""
    matched = _RELEASE.fullmatch(name or "")
    if matched is None:
        return _NOTHING, _NOTHING
    year, month, day, hour, minute, second = map(int, matched.groups()[:6])
    return (((((year - 2000) * 13 + month) * 32 + day) * 24 + hour) * 60 + minute) * 60 + second, int(matched[7], 16)


def _unpacked_release(moment: int, suffix: int) -> str | None:
    if not moment:
        return None
    rest, second = divmod(moment, 60)
    rest, minute = divmod(rest, 60)
    rest, hour = divmod(rest, 24)
    rest, day = divmod(rest, 32)
    year, month = divmod(rest, 13)
    return f"{2000 + year}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z-{suffix:04x}"

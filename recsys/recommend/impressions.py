"""Impression tokens: what a list holds, for whom, and what was tried in it, signed, as the list's identifier.

Writes at answer time what a log of lists would hold, without a write: the moment, the release, for whom the list was
made, which article stands at which place, and what was explored with which propensity. Whoever reports what a reader
saw sends the token back, so that the store has it beside the impression and the click, and ``read`` takes it apart
again; ``ImpressionFacts.holds`` and ``is_for`` say whether an event is of that list. A token that was not made here is
only a name.

The site is part of what is signed and stands nowhere in it. Reader, session and articles stand in it as short hashes
with the key, salted by the list, so that a token says nothing of anybody to who does not ask for a name.

Source: RFC 2104 in the keyed form of BLAKE2 (RFC 7693, section 2.9).
"""

import base64
import hashlib
import hmac
import os
import re
import struct
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from recsys.hashing import hashed
from recsys.keys import KEY_BYTES, KeyRing
from recsys.units import HOUR_MS, SECOND_MS

_FIRST = struct.Struct("<BI6sIHqBf")  # of version 1: version, s, nonce, release, article, place, propensity
_HEAD = struct.Struct("<BI6sIHIHBBf")  # version, s, nonce, release, audience, beside, policy, place, propensity
_VERSION = 2
_MAC = 10  # bytes: a forger would send 2^79 events
_RELEASE = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-([0-9a-f]{4})")
_NOTHING = 0
POLICIES = ("", "thompson")  # what can explore, by its number in tokens
EXPIRY_HOURS = 48  # of a token: a page is left open overnight, and a day later its list is old news
MAX_LIST_TOKEN = 512  # characters: 154 articles; those beyond are not in the token, and their events are as without one
_MAX_ARTICLES = (MAX_LIST_TOKEN * 3 // 4 - _HEAD.size - _MAC) // 2
_NAME_BYTES = 2  # of an article at its place: one other in 65,536 passes for it, and nobody can tell which
ANYBODY = 0  # the audience of a list that was asked for without a reader and a session


class ImpressionFacts(NamedTuple):
    """The facts of a list that its token says.

    Attributes:
        second: when it was made, s UTC.
        release: name of the release; None for none.
        article: of a token of version 1, hashed id of the explored article, see ``article_key``; 0 for none.
        place: of the explored article, from 0.
        propensity: probability with which it was put there; 0 where nothing was explored.
        audience: for whom, a hash of the reader, else of the session; ``ANYBODY`` for nobody named.
        beside: name of the article that it stood beside, see ``ImpressionTokens``; 0 for none.
        names: of the articles, in the order of their places; empty in a token of version 1.
        policy: what chose the explored article, by its number in ``POLICIES``; 0 for nothing.
        nonce: of the list.
    """

    second: int
    release: str | None
    article: int = 0
    place: int = 0
    propensity: float = 0.0
    audience: int = ANYBODY
    beside: int = 0
    names: tuple[int, ...] = ()
    policy: int = 0
    nonce: bytes = b""

    @property
    def is_whole(self) -> bool:
        """True where the token names every article of its list."""
        return 0 < len(self.names) < _MAX_ARTICLES

    @property
    def made_at(self) -> int:
        """Time at which the list was made, ms UTC."""
        return self.second * SECOND_MS

    def is_expired(self, now: int) -> bool:
        """True from ``EXPIRY_HOURS`` after the list was made; ``now`` in ms."""
        return now - self.made_at >= EXPIRY_HOURS * HOUR_MS


def article_key(article_id: str) -> int:
    """The number of an article in tokens."""
    return hashed("article", article_id)


class ImpressionTokens:
    """Makes and reads tokens.

    Args:
        keys: the site's secrets, 32 bytes each: the first one signs, and what any of them signed can be read.
        site: whose lists they are; another site's are not read.
    """

    def __init__(self, *keys: bytes, site: str = "") -> None:
        self._own, self._site = keys, site
        self._ring: KeyRing | None = None

    @classmethod
    def of(cls, folder: Path, site: str = "") -> "ImpressionTokens":
        """The tokens of a data folder, whose key is made when there is none; hosts that share one share the key.

        After a rotation (``recsys.keys``) the new key signs, and what the old one signed is read as long as it is
        taken. Where the folder cannot be written, or the file holds no whole key, which anybody could guess, the key
        lives as long as the process, and its tokens with it.
        """
        tokens = cls(os.urandom(KEY_BYTES), site=site)
        tokens._ring = KeyRing(folder / "impressions.key")
        return tokens

    @property
    def _secrets(self) -> Sequence[bytes]:
        """The secrets that are taken now, the one that signs first."""
        return (self._ring.secrets() if self._ring is not None else ()) or self._own

    @property
    def _keys(self) -> list[bytes]:
        """The same for this site alone."""
        return [_site_key(secret, self._site) for secret in self._secrets]

    def make(
        self,
        facts: ImpressionFacts,
        articles: Sequence[str] = (),
        reader: str | None = None,
        session: str | None = None,
        beside: str | None = None,
    ) -> str:
        """Write a token: 52 characters and 8 for three articles, which pass in an address.

        Args:
            facts: moment, release, and what was explored.
            articles: ids, in the order of their places.
            reader: who asked for the list.
            session: in which session.
            beside: id of the article that it stands beside.
        """
        key, nonce = self._keys[0], os.urandom(6)
        named = _names(key, nonce, articles[:_MAX_ARTICLES])
        body = _HEAD.pack(
            _VERSION,
            facts.second & 0xFFFFFFFF,
            nonce,
            *_packed_release(facts.release),
            _audience(key, nonce, reader, session),
            0 if beside is None else _name(key, nonce, beside),
            facts.policy,
            facts.place,
            facts.propensity,
        )
        body += named
        return base64.urlsafe_b64encode(body + _mac(key, body)).rstrip(b"=").decode()

    def read(self, token: str) -> ImpressionFacts | None:
        """The facts that a token says; None of one that was not made with these keys, for this site."""
        raw = _raw(token)
        body, mac = raw[:-_MAC], raw[-_MAC:]
        if len(body) == _FIRST.size and body[0] == 1:
            signed = any(hmac.compare_digest(mac, _mac(key, body)) for key in self._secrets)  # for any site
            return _first_facts(body) if signed else None
        if len(body) < _HEAD.size or body[0] != _VERSION:
            return None
        if not any(hmac.compare_digest(mac, _mac(key, body)) for key in self._keys):
            return None
        _, second, nonce, moment, suffix, audience, beside, policy, place, propensity = _HEAD.unpack_from(body)
        names = struct.unpack_from(f"<{(len(body) - _HEAD.size) // _NAME_BYTES}H", body, _HEAD.size)
        release = _unpacked_release(moment, suffix)
        return ImpressionFacts(second, release, 0, place, propensity, audience, beside, names, policy, nonce)

    def is_for(self, facts: ImpressionFacts, reader: str | None, session: str | None) -> bool:
        """True where whoever is named by an event may have had the list.

        That is its reader, or the session in which it was asked for without one; anybody, of a list for nobody named;
        and nobody named, of whomever's list, as when consent is taken back after it was made.
        """
        if facts.audience == ANYBODY or (reader is None and session is None):
            return True
        named = ((reader, None), (None, session))
        return facts.audience in {_audience(key, facts.nonce, *one) for key in self._keys for one in named}

    def holds(self, facts: ImpressionFacts, article: str, place: int | None) -> bool:
        """True where an article stands in a list at a place, from 0; None: at any, or it stood beside the list."""
        names = facts.names if place is None else facts.names[place : place + 1]
        said = {_name(key, facts.nonce, article) for key in self._keys}
        return not said.isdisjoint(names) or (place is None and facts.beside in said)

    def shows(self, facts: ImpressionFacts, article: str) -> bool:
        """True for an article that is a card of a list, and not the page that it stands beside."""
        return any(_name(key, facts.nonce, article) in facts.names for key in self._keys)

    def explored(self, facts: ImpressionFacts, article: str) -> bool:
        """True for the article that was explored in a list."""
        if not facts.propensity > 0:
            return False
        return self.holds(facts, article, facts.place) if facts.names else facts.article == article_key(article)


def is_token(text: str) -> bool:
    """True for a text in the form of a token, whoever signed it; any other is only a name of a list."""
    raw = _raw(text)
    if raw[:1] == b"\x01":
        return len(raw) == _FIRST.size + _MAC
    return raw[:1] == b"\x02" and len(raw) >= _HEAD.size + _MAC and (len(raw) - _HEAD.size - _MAC) % _NAME_BYTES == 0


def _raw(token: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError:
        return b""


@lru_cache(64)
def _site_key(secret: bytes, site: str) -> bytes:
    return hashlib.blake2b(site.encode(), digest_size=KEY_BYTES, key=secret).digest()


def _mac(key: bytes, body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=_MAC, key=key).digest()


def _names(key: bytes, nonce: bytes, articles: Sequence[str]) -> bytes:
    """The articles of a list, two bytes each: of the list's own, so that no name stands for an article in all lists."""
    salted = hashlib.blake2b(digest_size=_NAME_BYTES, key=key, salt=nonce)
    said = []
    for article in articles:
        one = salted.copy()
        one.update(article.encode())
        said.append(one.digest())
    return b"".join(said)


def _name(key: bytes, nonce: bytes, article: str) -> int:
    return int.from_bytes(_names(key, nonce, (article,)), "little")


def _audience(key: bytes, nonce: bytes, reader: str | None, session: str | None) -> int:
    """For whom a list is, as a number: a reader, else a session; ``ANYBODY`` for nobody named."""
    if reader is None and session is None:
        return ANYBODY
    said = f"s{session}" if reader is None else f"r{reader}"
    return int.from_bytes(hashlib.blake2b(said.encode(), digest_size=4, key=key, salt=nonce).digest(), "little") or 1


def _first_facts(body: bytes) -> ImpressionFacts:
    """The facts of a token of version 1."""
    _, second, _, moment, suffix, article, place, propensity = _FIRST.unpack(body)
    return ImpressionFacts(second, _unpacked_release(moment, suffix), article, place, propensity)


@lru_cache(64)
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

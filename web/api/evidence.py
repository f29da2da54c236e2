"""Evidence: an event of the open door -> the same with its proof, or the reason for which it is ignored.

Reads the impression token that an event brings; produces what it counts for. A token is good for what its list showed,
to whom it was made for, until it expires, and once for each article and kind: the event's identity is made of the list,
so that a token used a thousand times is one impression and one click. An event without a token is known by its own
identifier together with who sent it, so that nobody can claim an identifier of somebody else.

What is ignored is not stored: it would never count, and whoever floods a site would fill its disk with it.
"""

import hashlib
from typing import NamedTuple

from recsys.events.config import Unsigned
from recsys.recommend.impressions import ImpressionFacts, ImpressionTokens, is_token
from recsys.store import Event, Evidence, Kind
from recsys.units import HOUR_MS
from web.api.event_ingestion import FUTURE_MS

MAX_AGE_MS = HOUR_MS  # of an event without a token: what is older could be spread over hours that nobody looks at


class Ignored(NamedTuple):
    """The reason for which an event counts for nothing: a stable code, and a detail."""

    code: str
    detail: str


FORGED = Ignored("forged", "impression: a token that this site did not sign")
EXPIRED = Ignored("expired", "impression: a token of a list that was made too long ago")
OTHER_ARTICLE = Ignored("other-article", "impression: a token of a list that does not hold the article at that place")
OTHER_READER = Ignored("other-reader", "impression: a token of a list for another reader or session")
UNSIGNED = Ignored("unsigned", "impression: none, or no token, and this site counts no event without one")
TOO_OLD = Ignored("too-old", f"time: more than {MAX_AGE_MS // HOUR_MS} h ago, without a token or a key")
TOO_MANY = Ignored("too-many", "reader or session: more events in a minute than a person sees")
STRANGERS = Ignored("strangers", "impression: none, or no token, and the site keeps no more of readers unknown to it")
REASONS = (FORGED, EXPIRED, OTHER_ARTICLE, OTHER_READER, UNSIGNED, TOO_OLD, TOO_MANY, STRANGERS)


def judged(event: Event, tokens: ImpressionTokens, unsigned: str, now: int) -> Event | Ignored:
    """An event as it counts, or why it does not.

    Args:
        event: checked; of any time.
        tokens: of the site.
        unsigned: what the site does with an event without a token, an ``Unsigned``.
        now: ms.
    """
    if event.impression is None or not is_token(event.impression):
        return _unsigned(event, unsigned, now)
    facts = tokens.read(event.impression)
    if facts is None:
        return FORGED
    if facts.is_expired(now):
        return EXPIRED
    if not facts.names or ((event.position or 0) >= len(facts.names) and not facts.is_whole):
        return _unsigned(event, unsigned, now)  # of a version, or of a place, that names no article
    if not tokens.is_for(facts, event.reader, event.session):
        return OTHER_READER
    if not tokens.holds(facts, event.article, event.position):
        return OTHER_ARTICLE
    signed = _signed(event, facts, now)
    return signed._replace(proof=None) if unsigned == Unsigned.TRUST else signed


def is_on_card(event: Event, tokens: ImpressionTokens) -> bool:
    """True for an event with a good token that is about a card of its list, and not the page beside which it stands."""
    if event.proof != Evidence.SIGNED or event.impression is None:
        return False
    facts = tokens.read(event.impression) if event.position is None else None
    return event.position is not None or (facts is not None and tokens.shows(facts, event.article))


def _signed(event: Event, facts: ImpressionFacts, now: int) -> Event:
    """An event of a list that was made here; a clock that is off by more than the list allows is not believed."""
    said = f"{facts.second} {facts.nonce.hex()} {event.article} {event.kind}"
    if event.kind is Kind.DWELL:  # reading goes on: each report is one
        said += f" {event.event_id}"
    time = event.time if event.time is not None and facts.made_at - FUTURE_MS <= event.time <= now + FUTURE_MS else now
    return event._replace(event_id=f"list-{_digest(said, 12)}", time=time, proof=Evidence.SIGNED.value)


def _unsigned(event: Event, unsigned: str, now: int) -> Event | Ignored:
    if unsigned == Unsigned.IGNORE:
        return UNSIGNED
    if unsigned == Unsigned.TRUST:
        return event
    if event.time is not None and event.time < now - MAX_AGE_MS:
        return TOO_OLD
    return event._replace(event_id=owned_id(event.event_id, event.reader, event.session), proof=Evidence.UNSIGNED.value)


def owned_id(event_id: str, reader: str | None, session: str | None) -> str:
    """The identifier of an event without a token, as it is stored: with a hash of who sent it."""
    owner = _digest(f"{reader}\0{session}", 6)
    return f"{event_id}~{owner}"


def _digest(text: str, size: int) -> str:
    return hashlib.blake2b(text.encode(), digest_size=size).hexdigest()

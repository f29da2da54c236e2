"""Rates: how many events an address, a reader and a session may send, and what one address adds to an article.

Reads who sends how much; produces waits, by ``web.attempts``, whose tables have a fixed size: when one is full those
who sent least begin anew, so that a flood of invented names costs no memory and locks nobody out. Each worker counts on
its own: of readers and addresses the service takes at most as many times more as it has workers; what an address adds
to an article, and what is kept of strangers, is divided among them.

Strangers are those whom nothing vouches for. What they send is stored, because it counts as soon as they see a card;
and since anybody can be any number of them, as much of it is stored as the site has made lists for, and a few more.
"""

import enum
import time
from collections.abc import Callable
from math import ceil

from recsys.store import Event, Evidence, Kind
from web.api.newcomers import Newcomers
from web.attempts import Attempts

MINUTE_S = 60.0
QUARTER_S = 900.0
UNSIGNED_COST = 4  # events of an address that one without a token counts as: a page view, against the cards of a list
VISITOR_EVENTS = 300  # a minute, of one reader or session: ten pages of twenty cards, each card seen
CROWD = {
    Kind.CLICK: 6,
    Kind.IMPRESSION: 90,
    Kind.DWELL: 18,  # a click's, in three stretches
    Kind.DISMISS: 3,  # hides are rare, so that few of them say much
}  # of one article from one address in a quarter: too few to be breaking news
NEWCOMER_COST = 3  # clicks on an article that one of a newcomer from elsewhere counts as, of those of an address
STRANGERS = 600  # events of strangers that are stored at once, whatever they are; an address may send a quarter of it
STRANGERS_S = 1.0  # for one more: 86,400 a day, 40 MB
LIST_EVENTS = 10  # that strangers may send for each list that was made: the cards of one that comes without a token
ADDRESSES, VISITORS, CROWDS = 50_000, 100_000, 100_000  # entries of each table: some 10 MB each at most


class Standing(enum.Enum):
    """Standing of whoever clicked: what speaks for them."""

    KNOWN = enum.auto()  # was here more than an hour ago, or clicked a card of our list
    NEWCOMER = enum.auto()  # came from elsewhere, and has seen a card
    STRANGER = enum.auto()  # came from elsewhere, and has not, yet


class EventRates:
    """The rates of one worker.

    Args:
        address_events: signed events of an address a minute; 0: addresses are not looked at.
        workers: of the service.
    """

    def __init__(self, address_events: int, workers: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._looks = address_events > 0
        self._addresses = Attempts(max(address_events, 1), MINUTE_S / max(address_events, 1), clock, ADDRESSES)
        self._visitors = Attempts(VISITOR_EVENTS, MINUTE_S / VISITOR_EVENTS, clock, VISITORS)
        shares = {kind: ceil(most / workers) for kind, most in CROWD.items()}
        self._crowds = {kind: Attempts(most, QUARTER_S / most, clock, CROWDS) for kind, most in shares.items()}
        self._strangers = Attempts(ceil(STRANGERS / workers), STRANGERS_S * workers, clock, 1)
        of_one = ceil(STRANGERS / workers / 4)
        self._strange_addresses = Attempts(of_one, STRANGERS_S * workers * 2, clock, ADDRESSES)
        self._newcomers = Newcomers(workers, clock)

    def admit(self, address: str | None, cost: int) -> float:
        """Seconds that an address has to wait before it may send so much; 0.0: it may now, as far as it is known."""
        return self._addresses.take(address, cost) if self._looks and address is not None else 0.0

    def has_too_many(self, event: Event) -> bool:
        """True for an event of a reader, or a session, who sends more than a person sees."""
        names = [f"r{event.reader}"] * (event.reader is not None) + [f"s{event.session}"] * (event.session is not None)
        waits = [self._visitors.take(name) for name in names]  # each counts, whatever the other says
        return any(waits)

    def made_list(self) -> None:
        """Note that a list was made, for which strangers may send something."""
        self._strangers.give_back("", LIST_EVENTS)

    def floods(self, address: str | None) -> bool:
        """True for an event of a stranger for which there is no room: others have sent too many, or this address."""
        if not self._looks or address is None:
            return False
        return self._strange_addresses.take(address) > 0 or self._strangers.take("") > 0

    def placed(self, event: Event, address: str | None, standing: Standing) -> Event:
        """The event, as ``CROWDED`` where its address, or newcomers, have added enough to the article."""
        is_new = event.kind is Kind.CLICK and standing is not Standing.KNOWN
        crowd = self._crowds.get(event.kind) if self._looks and address is not None else None
        crowded = crowd is not None and crowd.take(f"{address} {event.article}", NEWCOMER_COST if is_new else 1) > 0
        if is_new and not crowded:
            crowded = not self._newcomers.admit(event.article, held=standing is Standing.STRANGER)
        elif event.kind is Kind.CLICK and not crowded:
            self._newcomers.see_other(event.article)
        return event._replace(proof=Evidence.CROWDED.value) if crowded else event

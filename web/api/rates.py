"""Rates: how many events an address, a reader and a session may send, and what one address adds to an article.

Reads who sends how much; produces waits, by ``web.attempts``, whose tables have a fixed size: when one is full those
who sent least begin anew, so that a flood of invented names costs no memory and locks nobody out. Each worker counts on
its own: of readers and addresses the service takes at most as many times more as it has workers, and what an address
adds to an article is divided among them.
"""

import time
from collections.abc import Callable
from math import ceil

from recsys.store import Event, Evidence, Kind
from web.attempts import Attempts

MINUTE_S = 60.0
QUARTER_S = 900.0
UNSIGNED_COST = 4  # events of an address that one without a token counts as: a page view, against the cards of a list
VISITOR_EVENTS = 300  # a minute, of one reader or session: ten pages of twenty cards, each card seen
CROWD = {
    Kind.CLICK: 6,
    Kind.IMPRESSION: 90,
}  # of one article from one address in a quarter: too few to be breaking news
ADDRESSES, VISITORS, CROWDS = 50_000, 100_000, 100_000  # entries of each table: some 10 MB each at most


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

    def admit(self, address: str | None, cost: int) -> float:
        """Seconds that an address has to wait before it may send so much; 0.0: it may now, as far as it is known."""
        return self._addresses.take(address, cost) if self._looks and address is not None else 0.0

    def has_too_many(self, event: Event) -> bool:
        """True for an event of a reader, or a session, who sends more than a person sees."""
        names = [f"r{event.reader}"] * (event.reader is not None) + [f"s{event.session}"] * (event.session is not None)
        waits = [self._visitors.take(name) for name in names]  # each counts, whatever the other says
        return any(waits)

    def placed(self, event: Event, address: str | None) -> Event:
        """The event, as ``CROWDED`` where its address has added enough to the article."""
        crowd = self._crowds.get(event.kind)
        if crowd is None or not self._looks or address is None or not crowd.take(f"{address} {event.article}"):
            return event
        return event._replace(proof=Evidence.CROWDED.value)

"""Intake: the body of ``POST /api/v1/events`` -> events that the store takes.

Reads JSON, strictly; produces events, and for each one that cannot be used a code and a detail.
"""

from datetime import tzinfo
from typing import Any

from pydantic import ValidationError

from recsys.catalogue.catalogue import Catalogue
from recsys.missing import is_missing
from recsys.store import Event, compact_json
from recsys.store.addresses import address_id, looks_like_address
from recsys.times import EARLIEST, BadTime, believable, read_time
from web.api.problem_details import Refused
from web.api.schemas import MAX_EVENTS, EventIn

FUTURE_MS = 300_000  # how far a reader's clock may be ahead
FAR = 253_402_300_799_000  # the end of the year 9999, ms UTC: what a database can hold
MAX_CONTEXT = 2_048  # characters of an event's context


def event_list(body: Any) -> list[Any]:
    """The events of a body, not yet checked.

    Raises:
        Refused: it is neither one event nor a list of at most ``MAX_EVENTS``.
    """
    if isinstance(body, dict) and "events" not in body:
        return [body]
    sent = body.get("events") if isinstance(body, dict) else None
    if not isinstance(sent, list) or len(body) != 1:
        raise Refused(
            422, "invalid", 'Expected {"events": [event, …]} or one event object; got another shape.', "See /docs."
        )
    if len(sent) > MAX_EVENTS:
        raise Refused(
            422, "too-many-events", f"Expected at most {MAX_EVENTS} events; got {len(sent)}.", "Send several requests."
        )
    return sent


def checked_event(value: Any, site: str, now: int, zone: tzinfo) -> Event | tuple[str, str]:
    """One event as the store takes it, or the code and the detail of why not.

    Args:
        value: what was sent.
        site: the site.
        now: int ms UTC.
        zone: of times that name none.
    """
    event = read_event(value, site, now, zone)
    return in_time(event, now) if isinstance(event, Event) else event


def in_time(event: Event, now: int) -> Event | tuple[str, str]:
    """An event whose time does not lie ahead of the server's clock, or the code and the detail of why not."""
    if event.time is not None and event.time > now + FUTURE_MS:
        return "time-in-the-future", f"time: at most {FUTURE_MS // 1000} s ahead of the server, whose clock says {now}"
    return event


def read_event(value: Any, site: str, now: int, zone: tzinfo) -> Event | tuple[str, str]:
    """The same of any time."""
    if not isinstance(value, dict):
        return "invalid", "event: Expected a JSON object"
    try:
        event = EventIn.model_validate(value)
        context = None if event.context is None else compact_json(event.context)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        return "invalid", f"{'.'.join(str(part) for part in first['loc']) or 'event'}: {first['msg']}"
    except ValueError:  # 1e999 is JSON, and no number that a reader of the stored text could hold
        return "invalid", "context: Expected finite numbers"
    if context is not None and len(context) > MAX_CONTEXT:
        return "context-too-large", f"context: at most {MAX_CONTEXT} characters; got {len(context)}"
    try:
        time = now if is_missing(event.time) else believable(read_time(event.time, zone=zone), EARLIEST, FAR)
    except BadTime as reason:
        return "invalid", f"time: {str(reason).partition(';')[0]}"
    return Event(
        event_id=event.event_id,
        site=site,
        kind=event.kind,
        article=event.article,
        reader=event.reader,
        session=event.session,
        time=time,
        slot=event.slot,
        position=event.position,
        impression=event.impression,
        dwell_ms=event.dwell_ms,
        context=context,
    )


def resolved(catalogue: Catalogue, article: str) -> tuple[str, bool]:
    """The id of an article that was sent by its id or its address, and whether the catalogue has it.

    An address that is not known yet becomes the id by which its article will be found.
    """
    row = catalogue.row_of.get(article)
    if row is None and looks_like_address(article):
        article = address_id(article)
        row = catalogue.row_of.get(article)
    if row is None:
        return article, False
    return catalogue.ids[row], catalogue.articles.known(row)

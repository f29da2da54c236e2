"""The public API: recommendations, similar articles, today's clicks, events, and whether the service lives.

Reads requests that the schemas have checked; produces JSON. Any site may call it from its own pages (CORS), because the
widget runs there. No answer about a reader may be cached.
"""

import uuid
from typing import Any

from apiflask import APIBlueprint
from flask import Response, request
from pydantic import ValidationError
from pydantic_core import from_json

from recsys import __version__
from recsys.recommend.catalogue import Catalogue
from recsys.recommend.reasons import Reason, ReasonKind, text
from recsys.recommend.recommender import Card
from recsys.store import Event, compact_json
from web.installation import Installation, installation
from web.live import now_ms
from web.problems import Refused
from web.schemas import (
    MAX_EVENTS,
    Accepted,
    EventIn,
    Health,
    Item,
    ListQuery,
    Ready,
    Recommendations,
    RecommendationsQuery,
    Rejected,
    Similar,
    Today,
    TodayItem,
)
from web.schemas import Reason as ReasonOut
from web.texts import category_name
from web.today import todays_clicks

JSON_TYPES = ("application/json", "text/plain", "")  # text/plain: what navigator.sendBeacon sends without a preflight
FUTURE_MS = 300_000  # how far a reader's clock may be ahead
MAX_CONTEXT = 2_048  # characters of an event's context

blueprint = APIBlueprint("api", __name__, tag="site")


@blueprint.after_request
def for_any_site(response: Response) -> Response:
    """Let pages of other sites read the answers; no cookie is ever looked at."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    if request.method == "OPTIONS":
        response.headers["Access-Control-Allow-Methods"] = "GET, POST"
        response.headers["Access-Control-Allow-Headers"] = "Content-Type"
        response.headers["Access-Control-Max-Age"] = "86400"
    response.headers.setdefault("Cache-Control", "no-store")
    return response


@blueprint.get("/api/v1/recommendations")
@blueprint.input(RecommendationsQuery, location="query", arg_name="query")
@blueprint.output(Recommendations)
@blueprint.doc(summary="A list for a reader")
def recommendations(query: RecommendationsQuery) -> Recommendations:
    """The list "guess you like": articles with reasons; the tier says what it was made from."""
    here = installation()
    k = _length(here, query.k)
    answer = here.live.recommend(query.reader, query.session, article=query.article, k=k, lang=query.lang)
    made = answer.recommendation
    return Recommendations(
        impression_id=uuid.uuid4().hex,
        tier=made.tier,
        release=made.release,
        reader=query.reader,
        generated_at=now_ms(),
        items=_items(here, answer.catalogue, made.cards, query.lang),
    )


@blueprint.get("/api/v1/articles/<path:article_id>/similar", merge_slashes=False)
@blueprint.input(ListQuery, location="query", arg_name="query")
@blueprint.output(Similar)
@blueprint.doc(summary="Articles like one")
def similar(article_id: str, query: ListQuery) -> Similar:
    """The articles nearest to one, in its language; 404 for an unknown article."""
    here = installation()
    cards, catalogue, release = here.live.similar(article_id, _length(here, query.k), query.lang)
    return Similar(article=article_id, release=release, items=_items(here, catalogue, cards, query.lang))


@blueprint.get("/api/v1/today")
@blueprint.input(ListQuery, location="query", arg_name="query")
@blueprint.output(Today)
@blueprint.doc(summary="Today's most clicked articles")
def today(query: ListQuery) -> Today:
    """今日点击: the articles clicked most since midnight in the site's time zone."""
    here = installation()
    found = todays_clicks(here, _length(here, query.k), query.lang)
    popular = Reason(ReasonKind.POPULAR)
    cards = [Card(row, float(clicks), popular) for row, clicks in found.ranked]
    items = _items(here, found.catalogue, cards, query.lang)
    counted = [TodayItem(**dict(item), clicks=clicks) for item, (_, clicks) in zip(items, found.ranked, strict=True)]
    return Today(date=found.date, timezone=here.settings.site.timezone, items=counted)


@blueprint.post("/api/v1/events")
@blueprint.output(Accepted, status_code=202)
@blueprint.doc(summary="What readers did")
def events() -> Accepted:
    """Take events in, each ``event_id`` once: JSON, or text/plain that holds JSON; one event or ``{"events": […]}``."""
    here = installation()
    taken: list[Event] = []
    rejected: list[Rejected] = []
    now = now_ms()
    for index, value in enumerate(_event_list(_json_body())):
        checked = _checked(value, here.settings.site.id, now)
        if isinstance(checked, Event):
            taken.append(checked)
        else:
            rejected.append(Rejected(index=index, code=checked[0], detail=checked[1]))
    written = here.live.accept(taken)
    return Accepted(accepted=written.stored, duplicate=written.duplicate, rejected=rejected)


@blueprint.get("/healthz")
@blueprint.output(Health)
@blueprint.doc(summary="Is the process alive?", tags=["operator"])
def healthz() -> Health:
    """The process lives."""
    return Health(status="ok", version=__version__)


@blueprint.get("/readyz")
@blueprint.output(Ready)
@blueprint.doc(summary="Can it answer?", tags=["operator"])
def readyz() -> Ready:
    """It can answer: the database is in reach; the release is null before the first one. 503 otherwise."""
    here = installation()
    here.store.last_seq(here.settings.site.id)
    return Ready(status="ready", release=here.live.release, articles=len(here.live.catalogue.ids))


def _length(here: Installation, k: int | None) -> int:
    config = here.settings.recommend
    if k is not None and k > config.max_k:
        raise Refused(422, "invalid", f"Expected k of at most {config.max_k}; got {k}.", "Ask for fewer.")
    return k or config.k


def _items(here: Installation, catalogue: Catalogue, cards: list[Card], lang: str | None) -> list[Item]:
    spoken = lang or here.settings.site.language
    return [_item(catalogue, card, position, spoken) for position, card in enumerate(cards)]


def _item(catalogue: Catalogue, card: Card, position: int, lang: str) -> Item:
    entry, reason = catalogue.entry(card.row), card.reason
    read = catalogue.entry(reason.row) if reason.row >= 0 else None
    said = text(reason, lang, read.title if read else "", category_name(reason.category or "", lang))
    return Item(
        id=catalogue.ids[card.row],
        title=entry.title,
        url=entry.url,
        image=entry.image,
        source=entry.source,
        category=entry.category,
        category_name=category_name(entry.category, lang) if entry.category else None,
        language=entry.language,
        published_at=entry.published_at,
        keywords=list(entry.keywords),
        score=card.score,
        position=position,
        reason=ReasonOut(
            kind=reason.kind,
            text=said,
            article=catalogue.ids[reason.row] if read else None,
            keywords=list(reason.keywords),
        ),
    )


def _json_body() -> Any:
    """The body as JSON, strictly.

    Raises:
        Refused: another content type or character set, or no JSON.
        RequestEntityTooLarge: it is larger than ``web.max_body_bytes``.
    """
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype not in JSON_TYPES or charset not in ("utf-8", "utf8"):
        got = request.content_type or "none"
        raise Refused(
            415,
            "unsupported-media-type",
            f"Expected application/json in UTF-8; got {got!r:.100}.",
            "Send JSON in UTF-8.",
        )
    try:
        return from_json(request.get_data(cache=False), allow_inf_nan=False)
    except ValueError as error:
        raise Refused(400, "malformed-json", f"Expected JSON in UTF-8; {error}.", "Send valid JSON.") from None


def _event_list(body: Any) -> list[Any]:
    if isinstance(body, dict) and "events" not in body:
        return [body]
    found = body.get("events") if isinstance(body, dict) else None
    if not isinstance(found, list) or len(body) != 1:
        raise Refused(
            422, "invalid", 'Expected {"events": [event, …]} or one event object; got another shape.', "See /docs."
        )
    if len(found) > MAX_EVENTS:
        raise Refused(
            422, "too-many-events", f"Expected at most {MAX_EVENTS} events; got {len(found)}.", "Send several requests."
        )
    return found


def _checked(value: Any, site: str, now: int) -> Event | tuple[str, str]:
    """One event as the store takes it, or the code and the detail of why not."""
    try:
        event = EventIn.model_validate(value)
        context = None if event.context is None else compact_json(event.context)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        return "invalid", f"{'.'.join(str(part) for part in first['loc']) or 'event'}: {first['msg']}"
    if context is not None and len(context) > MAX_CONTEXT:
        return "context-too-large", f"context: at most {MAX_CONTEXT} characters; got {len(context)}"
    if event.time is not None and event.time > now + FUTURE_MS:
        return "time-in-the-future", f"time: at most {FUTURE_MS // 1000} s ahead of the server, whose clock says {now}"
    return Event(
        event_id=event.event_id,
        site=site,
        kind=event.kind,
        article=event.article,
        reader=event.reader,
        session=event.session,
        time=now if event.time is None else event.time,
        slot=event.slot,
        position=event.position,
        impression=event.impression,
        dwell_ms=event.dwell_ms,
        context=context,
    )

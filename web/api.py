"""The public API: recommendations, similar articles, today's clicks, events, and whether the service lives.

Reads requests that the schemas have checked; produces JSON. Any site may call it from its own pages (CORS), because the
widget runs there. No answer about a reader may be cached.
"""

import uuid

from apiflask import APIBlueprint
from flask import Response, request

from recsys import __version__
from recsys.recommend.lists import Card
from recsys.recommend.reasons import Reason, ReasonKind
from recsys.store import Event
from web.cards import items
from web.installation import Installation, installation
from web.intake import checked_event, event_list, json_body
from web.live import now_ms
from web.problems import Refused
from web.schemas import (
    Accepted,
    Health,
    ListQuery,
    Ready,
    Recommendations,
    RecommendationsQuery,
    Rejected,
    Similar,
    SimilarQuery,
    Today,
    TodayItem,
)
from web.today import todays_clicks

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
        items=items(here, answer.catalogue, made.cards, query.lang),
    )


@blueprint.get("/api/v1/articles/<path:article_id>/similar", merge_slashes=False)
@blueprint.input(SimilarQuery, location="query", arg_name="query")
@blueprint.output(Similar)
def similar(article_id: str, query: SimilarQuery) -> Similar:
    """The articles nearest to one, in its own language; 404 for an unknown article."""
    here = installation()
    cards, catalogue, release = here.live.similar(article_id, _length(here, query.k))
    return Similar(article=article_id, release=release, items=items(here, catalogue, cards, query.lang))


@blueprint.get("/api/v1/today")
@blueprint.input(ListQuery, location="query", arg_name="query")
@blueprint.output(Today)
def today(query: ListQuery) -> Today:
    """今日点击: the articles clicked most since midnight in the site's time zone."""
    here = installation()
    found = todays_clicks(here, _length(here, query.k), query.lang)
    popular = Reason(ReasonKind.POPULAR)
    cards = [Card(row, float(clicks), popular) for row, clicks in found.ranked]
    shown = items(here, found.catalogue, cards, query.lang)
    counted = [TodayItem(**dict(item), clicks=clicks) for item, (_, clicks) in zip(shown, found.ranked, strict=True)]
    return Today(date=found.date, timezone=here.settings.site.timezone, items=counted)


@blueprint.post("/api/v1/events")
@blueprint.output(Accepted, status_code=202)
def events() -> Accepted:
    """Take events in, each ``event_id`` once: JSON, or text/plain that holds JSON; one event or ``{"events": […]}``."""
    here = installation()
    taken: list[Event] = []
    rejected: list[Rejected] = []
    now = now_ms()
    for index, value in enumerate(event_list(json_body())):
        checked = checked_event(value, here.settings.site.id, now)
        if isinstance(checked, Event):
            taken.append(checked)
        else:
            rejected.append(Rejected(index=index, code=checked[0], detail=checked[1]))
    written = here.live.accept(taken)
    return Accepted(accepted=written.stored, duplicate=written.duplicate, rejected=rejected)


@blueprint.get("/healthz")
@blueprint.output(Health)
@blueprint.doc(tags=["operator"])
def healthz() -> Health:
    """The process lives."""
    return Health(status="ok", version=__version__)


@blueprint.get("/readyz")
@blueprint.output(Ready)
@blueprint.doc(tags=["operator"])
def readyz() -> Ready:
    """It can answer: the database is in reach; the release is null before the first one. 503 otherwise."""
    here = installation()
    here.live.check_store()
    return Ready(status="ready", release=here.live.release, articles=len(here.live.catalogue.ids))


def _length(here: Installation, k: int | None) -> int:
    config = here.settings.recommend
    if k is not None and k > config.max_k:
        raise Refused(422, "invalid", f"Expected k of at most {config.max_k}; got {k}.", "Ask for fewer.")
    return k or config.k

"""The public API: recommendations, articles, tags, today's clicks, events, and whether the service lives.

Reads requests that the schemas have checked; produces JSON. Any site may call it from its own pages (CORS), because the
widget runs there. No answer about a reader may be cached.
"""

from typing import Literal

from apiflask import APIBlueprint
from flask import Response, request

from recsys import __version__
from recsys.errors import StoreError
from recsys.recommend.impressions import ImpressionFacts
from recsys.recommend.rank import ScoreKind
from recsys.recommend.reasons import Card, Reason, ReasonKind
from recsys.units import SECOND_MS, now_ms
from web.access import bears_token, check_bearer
from web.addresses import PROXIES, reader_address
from web.api.bodies import json_body
from web.api.direct import LISTS, OPEN_HEADERS, list_length, recommended
from web.api.event_ingestion import event_list
from web.api.identity import HEADER, proven_in
from web.api.intake import Intake
from web.api.problem_details import Refused
from web.api.schemas import (
    Accepted,
    Article,
    Health,
    LangQuery,
    ListQuery,
    Ready,
    Recommendations,
    RecommendationsQuery,
    Similar,
    SimilarQuery,
    Story,
    StoryQuery,
    Tagged,
    TaggedQuery,
    Today,
)
from web.api.serialisers import article, document, items, tag_out
from web.attempts import network_of
from web.gateway.wsgi import CHEAP
from web.installation import installation
from web.roles import PUBLISHERS
from web.stories import story_list
from web.tagging import instead, tag_list
from web.texts import said_in

OWN_DATA = "/api/v1/reader"  # begins the addresses of what a reader may see and choose
_POPULAR, _SAME_STORY = Reason(ReasonKind.POPULAR), Reason(ReasonKind.SAME_STORY)

blueprint = APIBlueprint("api", __name__, tag="site")


@blueprint.after_request
def for_any_site(response: Response) -> Response:
    """Let pages of other sites read the answers; no cookie is ever looked at."""
    for name, value in OPEN_HEADERS.items():
        response.headers.setdefault(name, value)
    if request.method == "OPTIONS":
        own = request.path.startswith(OWN_DATA)  # a reader's choices, from the page of any site
        response.headers["Access-Control-Allow-Methods"] = "GET, POST, PUT, DELETE" if own else "GET, POST"
        response.headers["Access-Control-Allow-Headers"] = f"Content-Type, {HEADER}"
        response.headers["Access-Control-Max-Age"] = "86400"
    return response


@blueprint.get(LISTS)
@blueprint.input(RecommendationsQuery, location="query", arg_name="query")
@blueprint.output(Recommendations)
def recommendations(query: RecommendationsQuery) -> Response:
    """The list "guess you like": articles with reasons; the tier says what it was made from."""
    return _json(recommended(installation(), query, CHEAP in request.environ, request.headers.get(HEADER)))


@blueprint.get("/api/v1/articles/<path:article_id>/similar", merge_slashes=False)
@blueprint.input(SimilarQuery, location="query", arg_name="query")
@blueprint.output(Similar)
def similar(article_id: str, query: SimilarQuery) -> Response:
    """The articles nearest to one, those in its own language first; 404 for an unknown article."""
    here = installation()
    here.rates.made_list()
    cards, catalogue, release = here.live.similar(article_id, list_length(here, query.k))
    now = now_ms()
    written = items(catalogue, cards, query.lang, here.settings.site.language, query.include)
    token = here.tokens.make(_facts(now, release), [catalogue.ids[card.row] for card in cards], beside=article_id)
    return _json(document({"article": article_id, "release": release, "impression_id": token}, written))


@blueprint.get("/api/v1/articles/<path:article_id>", merge_slashes=False)
@blueprint.input(LangQuery, location="query", arg_name="query")
@blueprint.output(Article)
def read_article(article_id: str, query: LangQuery) -> Article:
    """One article with its tags; 404 for one that is unknown or may not be shown."""
    here = installation()
    return article(here.live.catalogue, article_id, now_ms(), query.lang, here.settings.site.language)


@blueprint.get("/api/v1/tags/<path:tag>", merge_slashes=False)
@blueprint.input(TaggedQuery, location="query", arg_name="query")
@blueprint.output(Tagged)
def tagged(tag: str, query: TaggedQuery) -> Response:
    """The articles that bear a tag: a keyword, a category by id or name, a label; case and English plurals are one."""
    here = installation()
    catalogue, now, lang = here.live.catalogue, now_ms(), said_in(query.lang or here.settings.site.language)
    bearers = tag_list(catalogue, tag, query.lang, now, query.offset, list_length(here, query.k))
    if bearers is None:
        near = ", ".join(map(repr, instead(catalogue, tag, query.lang, now)))
        raise Refused(404, "unknown-tag", f"No article bears the tag {tag!r:.80}.", f"Try: {near or 'later'}.")
    cards = [
        Card(row, tag.weight, Reason(ReasonKind.TAGGED, keywords=(tag_out(tag, lang).name,)), ScoreKind.TAG)
        for row, tag in bearers.bearing
    ]
    named, related = tag_out(bearers.tag, lang), [tag_out(tag, lang).model_dump() for tag in bearers.related]
    head = {"tag": named.tag, "name": named.name, "kind": named.kind, "articles": bearers.articles, "related": related}
    return _json(document(head, items(catalogue, cards, query.lang, here.settings.site.language, query.include)))


@blueprint.get("/api/v1/stories/<path:story_id>", merge_slashes=False)
@blueprint.input(StoryQuery, location="query", arg_name="query")
@blueprint.output(Story)
def story(story_id: str, query: StoryQuery) -> Response:
    """The articles of one event, newest first; 404 where there is none by that id that may be shown."""
    here = installation()
    catalogue, now, home = here.live.catalogue, now_ms(), here.settings.site.language
    told = story_list(catalogue, story_id, now, list_length(here, query.k))
    if told is None:
        found_by = "Send the id of the story, or of any article of it."
        raise Refused(404, "unknown-story", f"Expected a story that may be shown; got {story_id!r:.80}.", found_by)
    head = {
        "id": told.id,
        "title": told.title,
        "name": told.title if told.named else None,
        "tags": [tag_out(tag, said_in(query.lang or home)).model_dump() for tag in told.tags],
        "first_published_at": told.first,
        "last_published_at": told.last,
        "articles": told.articles,
    }
    cards = [Card(row, 0.0, _SAME_STORY) for row in told.rows.tolist()]
    return _json(document(head, items(catalogue, cards, query.lang, home, query.include)))


@blueprint.get("/api/v1/today")
@blueprint.input(ListQuery, location="query", arg_name="query")
@blueprint.output(Today)
def today(query: ListQuery) -> Response:
    """今日点击: the articles clicked most since midnight in the site's time zone."""
    here = installation()
    here.rates.made_list()
    clicked = here.live.today(list_length(here, query.k), query.lang)
    cards, clicks = [Card(row, 0.0, _POPULAR) for row, _ in clicked.ranked], [clicks for _, clicks in clicked.ranked]
    home, now = here.settings.site.language, now_ms()
    written = items(clicked.catalogue, cards, query.lang, home, query.include, clicks)
    token = here.tokens.make(_facts(now, here.live.release), [clicked.catalogue.ids[card.row] for card in cards])
    head = {"date": clicked.date, "timezone": here.settings.site.timezone, "impression_id": token}
    return _json(document(head, written))


@blueprint.post("/api/v1/events")
@blueprint.output(Accepted, status_code=202)
def events() -> Accepted:
    """Take events in, each once: JSON, or text/plain that holds JSON; one event or ``{"events": […]}``.

    An event counts by the token of its list, or because it comes with a write key of the site.
    """
    here, body = installation(), json_body()
    address = reader_address(request.environ, request.environ.get(PROXIES, 0))
    intake = Intake(
        here, None if address is None else network_of(address), proven_in(here, body, request.headers.get(HEADER))
    )
    if bears_token():
        check_bearer(PUBLISHERS)
        intake.is_trusted = True
    return intake.accept(event_list(body))


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
    """It can answer lists, with or without its database; the release is null before the first one."""
    live = installation().live
    try:
        live.check_store()
    except StoreError:  # the log says why: this worker's poll has met it, too
        database: Literal["in reach", "out of reach"] = "out of reach"
    else:
        database = "in reach"
    return Ready(
        status="ready",
        database=database,
        release=live.release,
        articles=len(live.catalogue.ids),
        behind_seconds=round(live.behind_seconds, 3),
        set_aside=live.set_aside,
    )


def _facts(now: int, release: str | None) -> ImpressionFacts:
    """The facts of a list that is the same for everybody, and tries nothing."""
    return ImpressionFacts(now // SECOND_MS, release)


def _json(body: bytes) -> Response:
    return Response(body, mimetype="application/json")

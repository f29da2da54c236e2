"""The front page for editors: the list as it stands, what they decided, and the verbs on an article."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request
from werkzeug.datastructures import Headers

from recsys.store import DecisionKind
from recsys.units import HOUR_MS, now_ms
from web.console.calls import ADMIN_API, Told, ask, part, read
from web.console.overview import recent_events
from web.console.pages import done, language, page, zone
from web.console.words import words
from web.installation import installation

LIST = "/api/v1/recommendations"
SPANS = ("1h", "3h", "today")  # how long a decision holds, by the buttons
DECISIONS = tuple(kind.value for kind in DecisionKind)
UNDOES = {"hide": "show", "show": "hide"} | {kind: f"un{kind}" for kind in DECISIONS}
FACTOR = 2.0  # of a boost by its button

blueprint = Blueprint("front", __name__)


@blueprint.get("/front")
def front_page() -> Response:
    """The list that a newcomer sees now, and what editors decided."""
    return _front()


@blueprint.post("/front")
def act_on_front() -> Response:
    """Pin, boost, bury, hide or show an article, or end that."""
    return _front(**acted(request.form))


def acted(form: Mapping[str, str]) -> dict[str, Any]:
    """Do what a form says to an article.

    Returns:
        The notice for the page: the outcome, of a pin its cost, and the verb that undoes it.
    """
    verb, id = form.get("verb", ""), form.get("article", "")
    told = _call(verb, id, form)
    title = form.get("title") or id
    said = done(told, f"did_{verb}", title=title)
    if told.ok:
        said["undo"] = {"verb": UNDOES.get(verb), "article": id, "title": title}
        if verb == DecisionKind.PIN.value:
            said["notice"]["remedy"] = " ".join(filter(None, (_cost(told.json["cost"]), told.json["note"])))
    return said


def end_of(span: str, now: int, zone: str) -> int:
    """The end of a span that a button names: ``1h``, ``3h``, or ``today`` for the next midnight of the zone, ms UTC."""
    if span != "today":
        return now + int(span.removesuffix("h") or 1) * HOUR_MS
    local = ZoneInfo(zone)
    day = datetime.fromtimestamp(now / 1000, local).date() + timedelta(days=1)
    return int(datetime.combine(day, time(), local).timestamp() * 1000)


def _call(verb: str, id: str, form: Mapping[str, str]) -> Told:
    address = f"{ADMIN_API}/articles/{part(id or ' ')}"
    if verb in ("hide", "show"):
        return ask("POST", f"{address}/{verb}")
    if verb not in (*DECISIONS, *(f"un{kind}" for kind in DECISIONS)):
        detail = f"Expected what to do with an article; got {verb!r:.40}."
        return Told(422, {"detail": detail, "remedy": "Choose one of the buttons."}, Headers())
    if verb not in DECISIONS:
        return ask("POST", f"{address}:{verb}")
    span = form.get("span", "")
    body: dict[str, Any] = {"until": end_of(span if span in SPANS else SPANS[0], now_ms(), zone())}
    if verb == DecisionKind.PIN.value:
        place = form.get("place", "")
        body["place"] = int(place) if place.isdecimal() else place
    if verb == DecisionKind.BOOST.value:
        body["factor"] = FACTOR
    return ask("POST", f"{address}:{verb}", body)


def _cost(cost: Mapping[str, Any] | None) -> str:
    t = words(language())
    if cost is None:
        return t["cost_unknown"]
    rates = {"usual": f"{cost['usual_rate']:.2%}", "own": f"{cost['own_rate']:.2%}"}
    return t["costs"].format(
        clicks=f"{cost['clicks_an_hour']:.2g}", shown=f"{cost['impressions_an_hour']:,.0f}", **rates
    )


def _front(**values: Any) -> Response:
    reads = request.args.get("reads") or language()
    listed = read(LIST, lang=reads)
    held = read(f"{ADMIN_API}/editorial")
    decisions: dict[str, list[dict[str, Any]]] = {}
    for one in held["decisions"]:
        decisions.setdefault(one["article"], []).append(one)
    here = installation()
    named = here.store.articles_named(here.live.site, list(decisions))
    return page(
        "front.html",
        titles={one.id: one.title for one in named},
        items=listed["items"],
        tier=listed["tier"],
        reads=reads,
        held=held["decisions"],
        k=held["k"],
        decisions=decisions,
        spans=SPANS,
        recent=recent_events(now_ms()),
        undoes=UNDOES,
        **values,
    )

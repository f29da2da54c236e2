"""The front page for editors: fixed, guaranteed, new; the list as it stands; verbs on an article.

A card is dragged from one column to another, or moved by its buttons; each move is a decision of the API.
"""

from collections.abc import Iterator, Mapping
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

LATEST = 20  # articles of the column of what is new
BREAKING = "breaking"  # the verb of a pin at the first place of every list
GUARANTEE = "guarantee"  # the verb of a pin without a place, and the column of these
SPANS = ("1h", "3h", "today")  # how long a decision holds, by the buttons
DECISIONS = tuple(kind.value for kind in DecisionKind)
UNDOES = {"hide": "show", "show": "hide", BREAKING: "unpin", GUARANTEE: "unpin"} | {
    kind: f"un{kind}" for kind in DECISIONS
}
FACTOR = 2.0  # of a boost by its button
_PIN = DecisionKind.PIN.value

blueprint = Blueprint("front", __name__)


@blueprint.get("/front")
def front_page() -> Response:
    """The list that a newcomer sees now, and what editors decided."""
    return _front()


@blueprint.post("/front")
def act_on_front() -> Response:
    """Pin, guarantee, boost, bury, hide or show an article, or end that."""
    return _front(**acted(request.form))


def acted(form: Mapping[str, str]) -> dict[str, Any]:
    """Do what a form says to an article.

    Returns:
        The notice for the page: the outcome, of a pin its cost, and the form that undoes it.
    """
    verb, id = form.get("verb", ""), form.get("article", "")
    told = _call(verb, id, form)
    title = form.get("title") or id
    said = done(told, f"did_{verb}", title=title)
    if told.ok:
        back = [("verb", UNDOES.get(verb, ""))]
        if verb in (_PIN, GUARANTEE) and form.get("was"):  # it stood elsewhere: there it goes again
            back = _pinned_again(form["was"], form.get("until", ""))
        elif verb == f"un{_PIN}" and form.get("until"):
            back = _pinned_again(form.get("place", ""), form["until"])
        elif verb.startswith("un") and form.get("until"):
            again = {name: form[name] for name in ("until", "factor") if form.get(name)}
            back = [("verb", verb.removeprefix("un")), *again.items()]
        said["undo_fields"] = [("article", id), ("title", title), *back]
        if verb in (_PIN, GUARANTEE, BREAKING):
            said["notice"]["remedy"] = " ".join((cost_said(told.json["cost"]), *_others(told.json["pins"])))
    return said


def _pinned_again(place: str, until: str) -> list[tuple[str, str]]:
    """The form of a pin as it was: at its place, or guaranteed where that is no number."""
    where = [("verb", _PIN), ("place", place)] if place.isdecimal() else [("verb", GUARANTEE)]
    return [*where, ("until", until)]


def end_of(span: str, now: int, zone: str) -> int:
    """The end of a span that a button names: ``1h``, ``3h``, or ``today`` for the next midnight of the zone, ms UTC."""
    if span != "today":
        return now + int(span.removesuffix("h") or 1) * HOUR_MS
    local = ZoneInfo(zone)
    day = datetime.fromtimestamp(now / 1000, local).date() + timedelta(days=1)
    return int(datetime.combine(day, time(), local).timestamp() * 1000)


def _call(verb: str, id: str, form: Mapping[str, str]) -> Told:
    address = f"{ADMIN_API}/articles/{part(id or ' ')}"
    if verb == BREAKING:
        form, verb = {"span": form.get("span", ""), "place": "1"}, _PIN
    if verb == GUARANTEE:
        form, verb = {name: form.get(name, "") for name in ("span", "until")}, _PIN
    if verb in ("hide", "show"):
        return ask("POST", f"{address}/{verb}")
    if verb not in (*DECISIONS, *(f"un{kind}" for kind in DECISIONS)):
        detail = f"Expected what to do with an article; got {verb!r:.40}."
        return Told(422, {"detail": detail, "remedy": "Choose one of the buttons."}, Headers())
    if verb not in DECISIONS:
        return ask("POST", f"{address}:{verb}")
    span, until = form.get("span", ""), form.get("until", "")
    end = int(until) if until.isdecimal() else end_of(span if span in SPANS else SPANS[0], now_ms(), zone())
    body: dict[str, Any] = {"until": end}
    if verb == _PIN and (place := form.get("place")) is not None:
        body["place"] = int(place) if place.isdecimal() else place
    if verb == DecisionKind.BOOST.value:
        body["factor"] = float(form.get("factor") or FACTOR)
    return ask("POST", f"{address}:{verb}", body)


def cost_said(cost: Mapping[str, Any] | None) -> str:
    """The cost of a pin in words; that it is not known, without one."""
    t = words(language())
    if cost is None:
        return t["cost_unknown"]
    rates = {"usual": f"{cost['usual_rate']:.2%}", "own": f"{cost['own_rate']:.2%}"}
    return t["costs"].format(
        clicks=f"{cost['clicks_an_hour']:.2g}", shown=f"{cost['impressions_an_hour']:,.0f}", **rates
    )


def _others(pins: list[dict[str, Any]]) -> Iterator[str]:
    """Effects of pins on each other in words: those that stand elsewhere, or nowhere."""
    t = words(language())
    for one in pins:
        if one["stands_at"] not in (None, one["place"]):
            yield t["pin_moved"].format(**one)
        elif one["stands_at"] is None and one["place"] is not None:
            yield t["pin_out"].format(**one)


def _front(**values: Any) -> Response:
    asked = {name: request.args.get(name, "").strip() for name in ("q", "category")}
    reads = request.args.get("reads") or language()
    front = read(f"{ADMIN_API}/front", lang=reads)
    latest = read(f"{ADMIN_API}/articles", lang=reads, last=LATEST, **asked)["articles"]
    held = read(f"{ADMIN_API}/editorial")["decisions"]
    decisions: dict[str, list[dict[str, Any]]] = {}
    for one in held:
        decisions.setdefault(one["article"], []).append(one)
    here = installation()
    named = here.store.articles_named(here.live.site, list(decisions))
    pins = [one for one in held if one["kind"] == _PIN and one["place"] is not None]
    first = [one for one in pins if one["place"] == 1 and one["slot"] is None and one["stands_at"] == 1]
    return page(
        "front.html",
        titles={one.id: one.title for one in named},
        front=front,
        reads=reads,
        asked=asked,
        latest=latest,
        categories=sorted(set(here.live.catalogue.category_names)),
        held=held,
        pins=sorted(pins, key=lambda one: (one["place"], -one["set_at"])),
        guaranteed=[one for one in held if one["kind"] == _PIN and one["place"] is None],
        breaking=first[0] if first else None,
        holders=_holders(held),
        decisions=decisions,
        spans=SPANS,
        recent=recent_events(now_ms()),
        cost_said=cost_said,
        **values,
    )


def _holders(held: list[dict[str, Any]]) -> list[tuple[str, int, int]]:
    """Holders of the front: each editor with how many decisions hold, and when the last of them was made."""
    by: dict[str, list[int]] = {}
    for one in held:
        by.setdefault(one["set_by"], []).append(one["set_at"])
    return sorted(((name, len(times), max(times)) for name, times in by.items()), key=lambda one: -one[2])

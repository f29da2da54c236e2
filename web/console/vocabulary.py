"""Pages of words: the nearest ones, analogies, new words to accept or refuse, drift; and the map of the catalogue."""

import json
from typing import Any

from flask import Blueprint, Response, request
from markupsafe import Markup

from web.console.calls import ADMIN_API, ask, part, read
from web.console.pages import done, page
from web.console.tables import csv_answer
from web.installation import installation

WORD_COLUMNS = ("entry", "language", "count", "npmi", "accepted", "set_by")
CHOICES = {"accept": True, "refuse": False}

blueprint = Blueprint("vocabulary", __name__)


@blueprint.get("/words")
def words_page() -> Response:
    """Words near others, and new words; these as CSV with ``?format=csv``."""
    return _words()


@blueprint.post("/words")
def decide_word() -> Response:
    """Accept or refuse a new word, or let it wait again."""
    form = request.form
    verb, entry, language = form.get("verb", ""), form.get("entry", ""), form.get("language", "")
    address = f"{ADMIN_API}/words/new/{part(language or ' ')}/{part(entry or ' ')}"
    told = ask("PUT", address, {"accepted": CHOICES[verb]}) if verb in CHOICES else ask("DELETE", address)
    said = done(told, f"word_{verb}" if verb in CHOICES else "word_wait", entry=entry)
    if told.ok:
        before = form.get("before") or "wait"
        said["undo_fields"] = [("entry", entry), ("language", language), ("verb", before)]
    return _words(**said)


@blueprint.get("/words/drift")
def drift_part() -> Response:
    """Words whose neighbours are others than in the release before: a part of its own, since it takes a moment."""
    releases = read(f"{ADMIN_API}/releases")["releases"]
    live = next((one for one in releases if one["name"] == installation().live.release), None)
    names = {one["name"] for one in releases}
    parent = live["parent"] if live and live["parent"] in names else None
    if not (live and parent):
        return page("drift.html", words=None)
    told = ask("GET", f"{ADMIN_API}/releases:compare", query={"before": parent, "after": live["name"]})
    if not told.ok:  # the one before is of an older format, or damaged: said in its place, the page stands
        return page("drift.html", words=None, refused=done(told, "")["notice"])
    return page("drift.html", words=told.json["words"], parent=parent)


@blueprint.get("/map")
def map_page() -> Response:
    """The catalogue on a plane."""
    wish = request.args.get("language", "")
    told = read(f"{ADMIN_API}/map", language=wish)
    points = [[one["x"], one["y"], one["category"], one["id"], one["title"]] for one in told["points"]]
    data = json.dumps(points, ensure_ascii=False, separators=(",", ":"))
    return page("map.html", map=told, data=_in_apostrophes(data))


def _in_apostrophes(text: str) -> Markup:
    """JSON as the value of an attribute between apostrophes: each of its thousands of quotes stays one byte."""
    for char in "<>&'":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return Markup(text)  # nosec B704: nothing is left in it that could end the value


def _words(**values: Any) -> Response:
    given = {name: request.args.get(name, "").strip() for name in ("like", "unlike")}
    new = read(f"{ADMIN_API}/words/new")
    if request.args.get("format") == "csv":
        return csv_answer("words", WORD_COLUMNS, ([one[name] for name in WORD_COLUMNS] for one in new["words"]))
    near = None
    if given["like"]:
        told = ask("GET", f"{ADMIN_API}/words/nearest", query=given)
        near = told.json if told.ok else None
        values = values if told.ok else values | done(told, "")
    return page("words.html", given=given, near=near, new=new, **values)

"""Pages of stories: found by words; one with its articles in time, joined with another, split, named, and undone.

Two editors at once: a form carries the version of the story that its page showed, and the API refuses to decide on
another one. Then the page shows the story as it is now, with all that was chosen and typed still in its fields.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from flask import Blueprint, Response, request
from werkzeug.datastructures import MultiDict

from recsys.units import now_ms
from web.api.problem_details import Refused
from web.console.calls import ADMIN_API, Told, ask, part, read
from web.console.overview import recent_events
from web.console.pages import done, language, moment, page
from web.console.tables import csv_answer
from web.console.words import words

STORY_COLUMNS = ("story", "title", "articles", "first_published_at", "last_published_at")
LISTED_COLUMNS = ("id", "title", "source", "category", "published_at", "hidden", "copy_of")
CANDIDATES = 8  # stories that a search offers to join

Form = MultiDict[str, str]
Fields = list[tuple[str, str]]

blueprint = Blueprint("stories", __name__)


class _Outcome(NamedTuple):
    """The answer of the API to a decision, the fields of a form that undoes it, and what the notice says of it."""

    told: Told
    undo: Fields
    facts: Mapping[str, Any]


@blueprint.get("/stories")
def stories_page() -> Response:
    """Stories that are looked for, or the newest; as CSV with ``?format=csv``."""
    wanted = request.args.get("q", "").strip()
    stories = read(f"{ADMIN_API}/stories", q=wanted)["stories"]
    if request.args.get("format") == "csv":
        return csv_answer("stories", STORY_COLUMNS, ([_cell(one, name) for name in STORY_COLUMNS] for one in stories))
    return page("stories.html", stories=stories, wanted=wanted)


@blueprint.get("/stories/one")
def story_page() -> Response:
    """One story; its id is a parameter, since it may hold anything."""
    return _story(request.args.get("id", ""))


@blueprint.post("/stories/one")
def decide_on_story() -> Response:
    """Join it with another one, let articles leave it, name it, or take the name back."""
    return _story(request.form.get("id", ""), **_decided(request.form))


def _story(id: str, **values: Any) -> Response:
    told = read(_address(id))
    if request.args.get("format") == "csv":
        rows = ([_cell(one, name) for name in LISTED_COLUMNS] for one in told["listed"])
        return csv_answer("story", LISTED_COLUMNS, rows)
    wanted = request.args.get("q", "").strip()
    found = read(f"{ADMIN_API}/stories", q=wanted, last=CANDIDATES + 1)["stories"] if wanted else []
    others = [one for one in found if one["story"] != told["story"]][:CANDIDATES]
    shown: dict[str, Any] = {
        "story": told,
        "wanted": wanted,
        "others": others,
        "typed": Form(),
        "recent": recent_events(now_ms()),
    }
    return page("story.html", **shown | values)


def _decided(form: Form) -> dict[str, Any]:
    """Do what a form says; what could not be done stays in the fields of the page."""
    verb, version = form.get("verb", ""), form.get("version", "")
    if verb not in _DECIDE:
        remedy = "Choose one of the buttons."
        raise Refused(422, "invalid", f"Expected {', '.join(_DECIDE)}; got {verb!r:.40}.", remedy)
    told, undo, facts = _DECIDE[verb](form, int(version) if version.isdecimal() else None)
    said = done(told, f"story_{verb}", **facts)
    if not told.ok:
        return said | {"typed": form}
    if told.json.get("against"):
        said["notice"]["remedy"] = words(language())["story_against"]
    return said | {"undo_fields": undo, "made": told.json["story"] if verb == "split" else None}


def _join(form: Form, seen: int | None) -> _Outcome:
    id, other = form.get("id", ""), form.get("other", "").strip()
    before = ask("GET", _address(other))
    told = ask("POST", f"{_address(id)}:join", {"with": other, "version": seen})
    undo: Fields = []
    if told.ok and told.json["outcome"] == "joined" and len(before.json["listed"]) == before.json["articles"]:
        undo = [("verb", "split"), ("id", id), *(("articles", one["id"]) for one in before.json["listed"])]
    return _Outcome(told, undo, {"title": before.json.get("title", other)})


def _split(form: Form, seen: int | None) -> _Outcome:
    leaving = form.getlist("articles")
    stays = next((one for one in form.getlist("every") if one not in leaving), None)
    told = ask("POST", f"{_address(form.get('id', ''))}:split", {"articles": leaving, "version": seen})
    undo = [] if stays is None or not told.ok else [("verb", "join"), ("id", stays), ("other", leaving[0])]
    return _Outcome(told, undo, {"n": len(leaving)})


def _name(form: Form, seen: int | None) -> _Outcome:
    """A name, or none: then the one that it has is taken back."""
    address, name = f"{_address(form.get('id', ''))}/name", form.get("name", "").strip()
    if name:
        told = ask("PUT", address, {"name": name, "version": seen})
    else:
        told = ask("DELETE", address, query={"version": seen})
    undo = [("verb", "name"), ("id", form.get("id", "")), ("name", form.get("before", ""))]
    return _Outcome(told, undo, {"name": name or words(language())["none"]})


_DECIDE: Mapping[str, Callable[[Form, int | None], _Outcome]] = {"join": _join, "split": _split, "name": _name}


def _address(id: str) -> str:
    return f"{ADMIN_API}/stories/{part(id or ' ')}"


def _cell(one: Mapping[str, Any], name: str) -> object:
    return moment(one[name]) if name.endswith("published_at") else one[name]

"""The readable page of ``/openapi.json`` at ``/docs``: plain HTML, without a script or a font from elsewhere.

Reads the application's OpenAPI document; produces one page. It also writes into that document what the
decorators cannot say: the body of ``POST /api/v1/events`` and the problem answers.
"""

from collections.abc import Callable
from typing import Any

from apiflask import APIFlask
from flask import Blueprint, current_app, render_template

from recsys.recommend.config import RecommendConfig
from web.api import publisher_docs
from web.api.schemas import EventsIn
from web.problem import MEDIA_TYPE

METHODS = ("get", "put", "patch", "post", "delete")
EVENTS = "/api/v1/events"
IN_PATH = {
    "article_id": "the article's id",
    "run_id": "the run's id, as the start of the job answered it",
    "name": "the name of the release, token, person, schedule or experiment",
    "story_id": "the id of the story, which is that of its first article, or of any article of it",
    "entry": "the new word, as its list has it",
    "language": "code of the language in which it was found",
    "tag": "the tag, percent-encoded; case and English plurals do not matter",
    "reader": "the reader's id, as in the events",
}
MEANINGS = {  # of the problems' statuses
    "400": "no JSON in UTF-8",
    "401": "no valid token",
    "403": "a token for something else, or of another site",
    "404": "there is none by that name",
    "408": "the body did not come in time",
    "409": "another run is active, or the release does not verify",
    "410": "the article was deleted; the remedy says how it may come back",
    "412": "somebody has written another version; the problem names the one that is there",
    "413": "the body is too large",
    "415": "not JSON, or compressed",
    "422": "a value that cannot be used; the detail names it",
    "429": "too many from one address, or too many that were wrong; try again after Retry-After",
    "503": "too busy, starting, ending, or without its database; try again after Retry-After",
}
PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail", "remedy"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "stable, for programs"},
        "detail": {"type": "string", "description": "what was expected and what came"},
        "remedy": {"type": "string", "description": "what to do about it"},
        "request_id": {"type": "string", "description": "of errors that the operator should look up in the log"},
    },
}

blueprint = Blueprint("docs", __name__)


@blueprint.get("/docs")
def page() -> str:
    """Every call on one page."""
    spec: dict[str, Any] = current_app.spec  # type: ignore[attr-defined]
    operations = [
        {"method": method.upper(), "path": path, **about}
        for path, methods in sorted(spec["paths"].items(), key=lambda item: _order(item[0]))
        for method, about in methods.items()
        if method in METHODS
    ]
    return render_template("docs.html", spec=spec, operations=operations, shape=shape)


def install(app: APIFlask, config: RecommendConfig) -> None:
    """Complete the OpenAPI document of an application.

    Args:
        app: whose calls are described.
        config: how long a list is and may be.
    """
    for answer in ("VALIDATION_ERROR", "404", "AUTH_ERROR"):  # one problem shape stands for all of them
        app.config[f"AUTO_{answer}_RESPONSE"] = False
    app.spec_processor(_completer(config))


def shape(schema: dict[str, Any]) -> str:
    """A schema in a few words: ``string``, ``array of Item``, ``integer or null``, ``zh | en``."""
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1].rsplit(".", 1)[-1]
    if "anyOf" in schema:
        return " or ".join(shape(part) for part in schema["anyOf"])
    if "oneOf" in schema:
        return " or ".join(shape(part) for part in schema["oneOf"])
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    if schema.get("type") == "array":
        return f"array of {shape(schema.get('items', {}))}"
    return str(schema.get("const", schema.get("type", "any"))) + bounds(schema)


def bounds(schema: dict[str, Any]) -> str:
    """The bounds of a value, in a few words: `` ≥ 1 and ≤ 50``, `` of 1 to 256 characters``; empty without a bound."""
    low, high = schema.get("minimum"), schema.get("maximum")
    if schema.get("type") == "string" and "maxLength" in schema:
        return f" of {schema.get('minLength', 0)} to {schema['maxLength']} characters"
    return " and".join(f" {sign} {value}" for sign, value in (("≥", low), ("≤", high)) if value is not None)


def _order(path: str) -> tuple[int, str]:
    """The site's calls first, then the admin's, then the operator's."""
    first = next((place for place, start in enumerate(("/api/", "/admin/")) if path.startswith(start)), 2)
    return first, path


def _completer(config: RecommendConfig) -> Callable[[dict[str, Any] | str], dict[str, Any] | str]:
    def completed(spec: dict[str, Any] | str) -> dict[str, Any] | str:
        if isinstance(spec, str):  # YAML, which this application never asks for
            return spec
        schemas = spec["components"].setdefault("schemas", {})
        schemas["Problem"] = PROBLEM
        events = EventsIn.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= events.pop("$defs") | {"EventsIn": events} | publisher_docs.schemas()
        for path, methods in spec["paths"].items():
            for method in set(methods) & set(METHODS):
                _complete(path, method, methods[method], config)
        return spec

    return completed


def _complete(path: str, method: str, about: dict[str, Any], config: RecommendConfig) -> None:
    """Add to one call all that the decorators cannot say: bodies that handlers read themselves, bounds, problems."""
    for parameter in about.get("parameters", []):
        if parameter["in"] == "path":
            parameter["description"] = IN_PATH[parameter["name"]]
        elif parameter["name"] == "k":
            parameter["schema"] |= {"default": config.k, "description": f"length of the list; default {config.k}"}
            parameter["schema"]["anyOf"][0]["maximum"] = config.max_k
    if path == EVENTS:
        of = [{"$ref": f"#/components/schemas/{name}"} for name in ("EventsIn", "EventIn")]
        body = {"schema": {"oneOf": of}}
        about["requestBody"] = {"required": True, "content": {"application/json": body, "text/plain": body}}
    publisher_docs.complete(path, method, about)
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for status in _problems(path, method, about):
        about["responses"][status] = {"description": MEANINGS[status], "content": content}
    about["responses"]["default"] = {"description": "any other problem", "content": content}


def _problems(path: str, method: str, about: dict[str, Any]) -> list[str]:
    """The problems that a client of one call should expect."""
    body, named, secured = "requestBody" in about, "{" in path, bool(about.get("security"))
    edits = named and about.get("tags") == ["publisher"] and method != "get"
    of_articles = named and method != "get" and path.startswith(("/admin/api/articles/", "/admin/api/stories/"))
    proven = secured or path.startswith(("/api/v1/reader/", "/api/v1/readers/", "/admin/api/session"))
    expected = {
        "400": body and path != publisher_docs.BULK,
        "401": proven or path == "/api/v1/reader",
        "403": secured,
        "404": named and method != "put",
        "408": body,
        "409": path.startswith("/admin/") and (body or path.endswith("/activate")),
        "410": (edits and not path.endswith(":show")) or (of_articles and not path.endswith("/show")),
        "412": edits,
        "413": body,
        "415": path in (EVENTS, publisher_docs.BULK) or (edits and body),
        "422": body or named or any(parameter["in"] == "query" for parameter in about.get("parameters", [])),
        "429": path == EVENTS or proven,
        "503": path != "/healthz",
    }
    return [status for status, possible in expected.items() if possible]

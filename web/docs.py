"""The readable page of ``/openapi.json`` at ``/docs``: plain HTML, without a script or a font from elsewhere.

Reads the application's OpenAPI document; produces one page. It also writes into that document what the
decorators cannot say: the body of ``POST /api/v1/events`` and the problem answers.
"""

from typing import Any

from apiflask import APIFlask
from flask import Blueprint, current_app, render_template

from web.problems import MEDIA_TYPE
from web.schemas import EventsIn

METHODS = ("get", "post", "put", "delete")
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


def install(app: APIFlask) -> None:
    """Complete the OpenAPI document of an application."""
    for answer in ("VALIDATION_ERROR", "404", "AUTH_ERROR"):  # one problem shape stands for all of them
        app.config[f"AUTO_{answer}_RESPONSE"] = False
    app.spec_processor(_completed)


def shape(schema: dict[str, Any]) -> str:
    """A schema in a few words: ``string``, ``array of Item``, ``integer or null``, ``zh | en``."""
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1].rsplit(".", 1)[-1]
    if "anyOf" in schema:
        return " or ".join(shape(part) for part in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    if schema.get("type") == "array":
        return f"array of {shape(schema.get('items', {}))}"
    return str(schema.get("const", schema.get("type", "any")))


def _order(path: str) -> tuple[int, str]:
    """The site's calls first, then the admin's, then the operator's."""
    first = next((place for place, start in enumerate(("/api/", "/admin/")) if path.startswith(start)), 2)
    return first, path


def _completed(spec: dict[str, Any] | str) -> dict[str, Any] | str:
    if isinstance(spec, str):  # YAML, which this application never asks for
        return spec
    schemas = spec["components"].setdefault("schemas", {})
    schemas["Problem"] = PROBLEM
    made = EventsIn.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= made.pop("$defs") | {"EventsIn": made}
    body = {"schema": {"$ref": "#/components/schemas/EventsIn"}}
    problem = {"description": "Problem", "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    for path, methods in spec["paths"].items():
        for method, about in methods.items():
            if method not in METHODS:
                continue
            about["responses"]["default"] = problem
            if path == "/api/v1/events":
                about["requestBody"] = {"required": True, "content": {"application/json": body, "text/plain": body}}
    return spec

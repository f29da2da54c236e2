"""Problems: every error that leaves the service, as ``application/problem+json`` with a stable ``code``.

Reads exceptions of the project, of Flask and of the validation; produces responses that say what was expected, what
came and what to do. No stack trace leaves: an unexpected error is logged with the id that the answer carries.
"""

from http import HTTPStatus
from typing import Any

import structlog
from apiflask import APIFlask, HTTPError
from flask import Response, current_app, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge

from recsys.errors import (
    Busy,
    CorruptArtefact,
    DeletedArticle,
    EditConflict,
    HiddenArticle,
    InputError,
    LastOwner,
    MissingArtefact,
    RecsysError,
    RefusedRelease,
    StaleArtefact,
    StoreError,
    StoryConflict,
    UnknownArticle,
    UnknownName,
    UnknownReader,
    UnknownStory,
)
from web.problem import MEDIA_TYPE, problem_members
from web.request_ids import request_id, route

STATUS: tuple[tuple[type[RecsysError], int, str], ...] = (  # the first class that fits
    (DeletedArticle, 410, "deleted-article"),
    (UnknownArticle, 404, "unknown-article"),
    (UnknownReader, 404, "unknown-reader"),
    (UnknownStory, 404, "unknown-story"),
    (UnknownName, 404, "unknown-name"),
    (LastOwner, 409, "last-owner"),
    (EditConflict, 412, "edit-conflict"),
    (StoryConflict, 412, "edit-conflict"),
    (HiddenArticle, 409, "hidden-article"),
    (RefusedRelease, 409, "refused-release"),
    (InputError, 422, "invalid"),
    (MissingArtefact, 404, "missing-artefact"),
    (CorruptArtefact, 409, "corrupt-artefact"),
    (StaleArtefact, 409, "stale-artefact"),
    (Busy, 409, "busy"),
    (StoreError, 503, "store-unavailable"),
)
CODES = {
    400: "bad-request",
    401: "unauthorized",
    404: "not-found",
    405: "method-not-allowed",
    413: "body-too-large",
    415: "unsupported-media-type",
    422: "invalid",
    429: "rate-limited",
}
REMEDIES = {
    400: "Send JSON in UTF-8 as application/json; /docs describes it.",
    404: "/docs lists every address.",
    405: "/docs lists every address with its methods.",
    422: "Correct the named fields; /docs describes them.",
}

WHOLE = "_schema"  # what APIFlask calls a body that is no object

log: structlog.stdlib.BoundLogger = structlog.get_logger("web")


class Refused(Exception):
    """A request that is refused, with everything that its answer says."""

    def __init__(self, status: int, code: str, detail: str, remedy: str, **headers: str) -> None:
        self.status, self.code, self.detail, self.remedy, self.headers = status, code, detail, remedy, headers
        super().__init__(detail)


UNAVAILABLE = Refused(
    503, "store-unavailable", "The database is out of reach.", "Try again in a moment.", Retry_After="1"
)


def problem(status: int, code: str, detail: str, remedy: str, **more: Any) -> Response:
    """Make a problem answer.

    Args:
        status: HTTP status.
        code: stable, for programs.
        detail: what was expected and what came, for people.
        remedy: what to do about it.
        more: further members, such as ``request_id``.
    """
    body = problem_members(status, code, detail, remedy, **more)
    response = Response(current_app.json.dumps(body) + "\n", status, mimetype=MEDIA_TYPE)
    response.headers["Cache-Control"] = "no-store"
    return response


def register(app: APIFlask) -> None:
    """Answer every error of an application with a problem."""
    app.error_processor(_of_validation)
    app.register_error_handler(Refused, _of_refusal)
    app.register_error_handler(RecsysError, _of_project)
    app.register_error_handler(HTTPException, _of_flask)
    app.register_error_handler(Exception, _of_surprise)


def _of_validation(error: HTTPError) -> Response:
    fields = [
        "Expected a JSON object" if field == WHOLE else f"{field}: {message}"
        for location in error.detail.values()
        for field, messages in location.items()
        for message in messages
    ]
    code = CODES.get(error.status_code, "refused")
    return problem(
        error.status_code, code, "; ".join(fields) or str(error.message), REMEDIES.get(error.status_code, "")
    )


def _of_refusal(error: Refused) -> Response:
    response = problem(error.status, error.code, error.detail, error.remedy)
    response.headers.update({name.replace("_", "-"): value for name, value in error.headers.items()})
    return response


def _of_project(error: RecsysError) -> Response:
    for kind, status, code in STATUS:
        if isinstance(error, kind):
            if status == HTTPStatus.SERVICE_UNAVAILABLE:
                return _unavailable(error)
            more = {"version": error.version} if isinstance(error, EditConflict) else {}
            return problem(status, code, said(error), error.remedy, **more)
    return _of_surprise(error)


def code_of(error: RecsysError) -> str:
    """The stable code of an error that a request can be answered with."""
    return next(code for kind, _, code in STATUS if isinstance(error, kind))


def said(error: RecsysError) -> str:
    """The detail of a problem: what was expected and what came."""
    return f"Expected {error.expected}; got {error.got}."


def _unavailable(error: RecsysError) -> Response:
    log.error("store unavailable", route=route(), error=str(error))  # it may name hosts: it goes to the log only
    said = UNAVAILABLE
    response = problem(said.status, said.code, said.detail, said.remedy, request_id=request_id())
    response.headers["Retry-After"] = said.headers["Retry_After"]
    return response


def _of_flask(error: HTTPException) -> Response:
    status = error.code or 500
    if isinstance(error, RequestEntityTooLarge):
        detail = f"Expected a body of at most {request.max_content_length} bytes."
        return problem(413, CODES[413], detail, "Send less at once.")
    response = problem(status, CODES.get(status, "refused"), _said(error, status), REMEDIES.get(status, ""))
    kept = {name: value for name, value in error.get_headers() if name not in ("Content-Type", "Content-Length")}
    response.headers.update(kept)
    return response


def _said(error: HTTPException, status: int) -> str:
    """The expected and the given value, where Flask's own words are about a browser."""
    if status == HTTPStatus.NOT_FOUND:
        return f"Expected an address of this service; got {request.path!r:.120}."
    if isinstance(error, MethodNotAllowed):
        return f"Expected {' or '.join(sorted(error.valid_methods or ()))}; got {request.method!r:.20}."
    if status == HTTPStatus.BAD_REQUEST:
        return f"Expected JSON in UTF-8; got another body, as {request.content_type or 'no type'!r:.100}."
    return error.description or error.name


def _of_surprise(error: Exception) -> Response:
    log.error("unexpected error", method=request.method, route=route(), exc_info=error)
    return problem(
        500, "internal", "The service made a mistake.", "Tell the operator the request id.", request_id=request_id()
    )

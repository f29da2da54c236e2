"""Request ids: what a refusal, its line in the log and the proxy's own log have in common.

A proxy may give one (``X-Request-ID``); otherwise it is made here. Answers of the admin API and all problems bear it.
"""

import re
import uuid
from collections.abc import Mapping
from typing import Any

import structlog
from flask import Flask, Response, g, request

from web.roles import ADMIN, READING

HEADER = "X-Request-ID"
_GIVEN = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_PROBLEM = 400  # the first status of a refusal

log: structlog.stdlib.BoundLogger = structlog.get_logger("web")


def install(app: Flask) -> None:
    """Give every request of an application an id."""
    app.before_request(_begin)
    app.after_request(_end)
    app.teardown_request(lambda _error: structlog.contextvars.clear_contextvars())


def request_id() -> str:
    """The id of the request that is handled."""
    id: str = g.request_id
    return id


def route() -> str:
    """The rule that answers: never the address, which may name a reader."""
    return "none" if request.url_rule is None else request.url_rule.rule


def id_of(environ: Mapping[str, Any]) -> str:
    """The id of a request, to which a proxy has given one perhaps; ``environ`` as in PEP 3333."""
    given = environ.get("HTTP_X_REQUEST_ID", "")
    return given if _GIVEN.fullmatch(given) else uuid.uuid4().hex


def _begin() -> None:
    g.request_id = id_of(request.environ)
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _end(response: Response) -> Response:
    id = g.get("request_id", "")
    if response.status_code >= _PROBLEM or request.path.startswith(ADMIN):
        response.headers[HEADER] = id
    caller = g.get("caller")
    if caller is not None and request.method not in READING:
        who = f"{caller.kind} {caller.name}"
        log.info("request", method=request.method, route=route(), status=response.status_code, actor=who)
    return response

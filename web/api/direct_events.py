"""Direct events: a plain request of events -> its answer, without Flask.

Stands in front of the application, as ``web.api.direct`` does for lists: routing, hooks and contexts cost more than
reading a beacon. Whatever is not plain (a key of the site, another type of content, a body that is no JSON or of an
unknown shape) goes on to Flask before anything of it was counted; from then on every answer is made here, since what
was counted must not be counted again.
"""

from collections.abc import Iterable
from http import HTTPStatus
from io import BytesIO
from typing import Any

import structlog
from pydantic_core import from_json

from recsys.errors import StoreError
from web.addresses import PROXIES, reader_address
from web.api.bodies import JSON_TYPES
from web.api.direct import OPEN_HEADERS
from web.api.event_ingestion import event_list
from web.api.identity import WSGI_HEADER, proven_in
from web.api.intake import Intake
from web.api.problem_details import UNAVAILABLE, Refused
from web.attempts import network_of
from web.gateway.wsgi import ROUTE, Application
from web.installation import SECURING_HEADERS, Installation
from web.problem import problem_reply
from web.request_ids import HEADER, id_of

EVENTS = "/api/v1/events"
_UTF8 = ("", "charset=utf-8", 'charset="utf-8"', "charset=utf8")
_HEADERS = [("Content-Type", "application/json"), *OPEN_HEADERS.items(), *SECURING_HEADERS.items()]

log: structlog.stdlib.BoundLogger = structlog.get_logger("web")


class DirectEvents:
    """WSGI application in front of another: takes plain events in, and hands all other requests on."""

    def __init__(self, application: Application, here: Installation) -> None:
        self._application, self._here = application, here

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer a request; PEP 3333."""
        if environ["PATH_INFO"] != EVENTS or environ["REQUEST_METHOD"] != "POST" or not _is_plain(environ):
            return self._application(environ, start_response)
        stream: BytesIO = environ["wsgi.input"]
        try:
            body = from_json(stream.getvalue(), allow_inf_nan=False)
            proven = proven_in(self._here, body, environ.get(WSGI_HEADER))
            values = event_list(body)
        except (ValueError, Refused):  # Flask's handler meets the same error, and says it
            return self._application(environ, start_response)
        environ[ROUTE] = EVENTS
        address = reader_address(environ, environ.get(PROXIES, 0))
        intake = Intake(self._here, None if address is None else network_of(address), proven)
        try:
            answer = intake.accept(values).model_dump_json().encode()
        except Refused as error:
            return _refused(environ, start_response, error)
        except StoreError as error:
            return _refused(environ, start_response, UNAVAILABLE, error)
        start_response("202 Accepted", [*_HEADERS, ("Content-Length", str(len(answer)))])
        return [answer]


def _is_plain(environ: dict[str, Any]) -> bool:
    """True for a body that is whole, not compressed, of a type and character set that are read, and bears no key."""
    kind, _, rest = environ.get("CONTENT_TYPE", "").lower().partition(";")
    return (
        kind.strip() in JSON_TYPES
        and rest.strip() in _UTF8
        and isinstance(environ["wsgi.input"], BytesIO)
        and "HTTP_AUTHORIZATION" not in environ
        and "HTTP_CONTENT_ENCODING" not in environ
    )


def _refused(
    environ: dict[str, Any], start_response: Any, refusal: Refused, cause: StoreError | None = None
) -> Iterable[bytes]:
    """The answer of a refusal, as Flask's handlers give it; its cause goes to the log alone: it may name hosts."""
    id = id_of(environ)
    if cause is not None:
        log.error("store unavailable", route=EVENTS, error=str(cause), request_id=id)
    status, code, detail, remedy = refusal.status, refusal.code, refusal.detail, refusal.remedy
    status, headers, body = problem_reply(status, code, detail, remedy, request_id=id, **refusal.headers)
    headers = list({**dict(headers), **SECURING_HEADERS, HEADER: id}.items())
    start_response(f"{status} {HTTPStatus(status).phrase}", headers)
    return [body]

"""Calls of the API by whoever asks for a page, within the same process.

Reads the proof of the caller from the request of the page; produces the answer of the API's own route. So a page has
the rights, the checks, the entries of the audit and the words of the API, and no second logic.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import quote

from flask import current_app, request
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Response

from web.api.problem_details import Refused

ADMIN_API = "/admin/api"
_PASSED_ON = (  # what says who calls, and from where
    "Authorization",
    "Cookie",
    "Origin",
    "Sec-Fetch-Site",
    "User-Agent",
    "X-Forwarded-For",
    "X-Forwarded-Proto",
)


class Told(NamedTuple):
    """An answer of the API.

    Attributes:
        status: of HTTP.
        json: its body, ``{}`` where it has none; of an error the members of a problem.
        headers: of the answer.
    """

    status: int
    json: dict[str, Any]
    headers: Headers

    @property
    def ok(self) -> bool:
        """True where the API did what it was asked for."""
        return self.status < HTTPStatus.BAD_REQUEST


def ask(
    method: str, path: str, body: Any = None, query: Mapping[str, Any] | None = None, *, file: bytes | None = None
) -> Told:
    """Call a route of this application as the caller of this request.

    Args:
        method: of HTTP.
        path: of the route, quoted.
        body: sent as JSON; None sends none.
        query: parameters; those that are None or empty are left out.
        file: sent as it is, in the place of JSON.
    """
    sent: dict[str, Any] = {} if body is None else {"json": body}
    passed = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
    builder = EnvironBuilder(
        path=path,
        method=method,
        base_url=request.host_url,
        query_string={name: value for name, value in (query or {}).items() if value not in (None, "")},
        headers=Headers(passed),
        environ_base={"REMOTE_ADDR": request.remote_addr or ""},
        **(sent if file is None else {"data": file}),
    )
    try:
        answer = Response.from_app(current_app.wsgi_app, builder.get_environ(), buffered=True)
    finally:
        builder.close()
    return Told(answer.status_code, current_app.json.loads(answer.get_data() or b"{}"), answer.headers)


def read(path: str, **query: Any) -> dict[str, Any]:
    """The JSON of a route that only reads; its refusal is the page's.

    Raises:
        Refused: the API has answered with a problem.
    """
    told = ask("GET", path, query=query)
    if not told.ok:
        raise Refused(told.status, told.json["code"], told.json["detail"], told.json["remedy"])
    return told.json


def part(name: str) -> str:
    """A name as one part of a path."""
    return quote(name, safe="")

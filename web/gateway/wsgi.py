"""WSGI: a complete request as granian hands it over -> the answer of a Flask application, as one piece.

Source: PEP 3333.
"""

import sys
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any, NamedTuple, Protocol

Headers = list[tuple[str, str]]
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

ROUTE = "recsys.route"  # key under which the application leaves the rule that answered
CHEAP = "recsys.cheap"  # key under which the application learns that there is little time for this answer

SAME_FOR_ALL = {
    "SCRIPT_NAME": "",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "wsgi.errors": sys.stderr,
    "wsgi.input_terminated": True,
    "wsgi.multiprocess": True,
    "wsgi.multithread": True,
    "wsgi.run_once": False,
    "wsgi.version": (1, 0),
}


class Scope(Protocol):
    """A request's head, as granian shows it; names of headers are in lower case."""

    method: str
    path: str
    query_string: str
    client: str
    server: str
    scheme: str
    headers: Any


class Reply(NamedTuple):
    """An answer, whole."""

    status: int
    headers: Headers
    body: bytes


def environ_of(scope: Scope, body: bytes) -> dict[str, Any]:
    """The environment that WSGI asks for; a header with an underscore is left out, as it could pass for another."""
    path = scope.path  # decoded as UTF-8; WSGI wants its bytes as Latin-1
    host, _, port = scope.server.rpartition(":")
    environ = SAME_FOR_ALL | {
        "REQUEST_METHOD": scope.method,
        "PATH_INFO": path if path.isascii() else path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "REMOTE_ADDR": scope.client.rpartition(":")[0],
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": BytesIO(body),
    }
    for name, value in scope.headers.items():
        if "_" in name:
            continue
        key = "HTTP_" + name.upper().replace("-", "_")
        if key in environ:
            value = f"{environ[key]}{'; ' if name == 'cookie' else ','}{value}"
        environ[key] = value
    kind = environ.pop("HTTP_CONTENT_TYPE", None)
    if kind is not None:
        environ["CONTENT_TYPE"] = kind
    environ.pop("HTTP_TRANSFER_ENCODING", None)  # the body is whole
    length = environ.pop("HTTP_CONTENT_LENGTH", None)
    if body or length is not None:
        environ["CONTENT_LENGTH"] = str(len(body))
    return environ


def call(application: Application, environ: dict[str, Any]) -> Reply:
    """The application's answer to one request, in one piece."""
    status, headers = 500, []

    def start_response(line: str, given: Headers, _error: Any = None) -> None:
        nonlocal status, headers
        status, headers = int(line[:3]), given

    parts = application(environ, start_response)
    try:
        body = b"".join(parts)
    finally:
        close = getattr(parts, "close", None)
        if close is not None:
            close()
    return Reply(status, headers, body)

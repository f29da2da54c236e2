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
SPOOLED = "recsys.spooled"  # key under which the application says that its answer is too long to be held whole
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
    """An answer: its body whole, or, of one that is spooled, empty and in ``parts``, which are closed after use."""

    status: int
    headers: Headers
    body: bytes
    parts: Iterable[bytes] | None = None


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
    """The application's answer to one request, in one piece unless it says that it is to be spooled."""
    status, headers = 500, []

    def start_response(line: str, given: Headers, _error: Any = None) -> None:
        nonlocal status, headers
        status, headers = int(line[:3]), given

    parts = application(environ, start_response)
    if SPOOLED in environ and environ["REQUEST_METHOD"] != "HEAD":
        return Reply(status, headers, b"", parts)
    try:
        body = b"".join(parts)
    finally:
        close_parts(parts)
    return Reply(status, headers, body)


def close_parts(parts: Iterable[bytes]) -> None:
    """Let an application know that nobody reads on; PEP 3333."""
    close = getattr(parts, "close", None)
    if close is not None:
        close()

"""Forwarding: what a proxy in front says of a request (path prefix, TLS) -> the addresses that answers bear.

Reads ``X-Forwarded-Prefix`` and ``X-Forwarded-Proto``; produces a WSGI environment in which the application stands
below the prefix (``SCRIPT_NAME``), whether the proxy has taken it off the path or passes it, and answers over https.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

from web.addresses import PROXIES, is_proxy

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
MAX_PREFIX = 200  # characters
_PREFIX = re.compile(r"(?:/(?!\.+(?:/|$))[\w.~-]+)+", re.ASCII)  # never //, which would begin another host


class Forwarded:
    """A WSGI application behind a proxy.

    Args:
        application: the one that stands behind it.
        proxies: how many stand between a reader and the service, see ``web.addresses.reader_address``.
    """

    def __init__(self, application: Application, proxies: int) -> None:
        self._application, self._proxies = application, proxies

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        environ[PROXIES] = self._proxies
        if environ.get("HTTP_X_FORWARDED_PROTO", "").lower() == "https":
            environ["wsgi.url_scheme"] = "https"  # whoever lies about it harms nobody else
        said = environ.get("HTTP_X_FORWARDED_PREFIX")
        if said and is_proxy(environ, self._proxies) and (prefix := clean_prefix(said)):
            environ["SCRIPT_NAME"] = prefix
            environ["PATH_INFO"] = without_prefix(environ.get("PATH_INFO", ""), prefix)
        return self._application(environ, start_response)


def clean_prefix(said: str) -> str:
    """A prefix in the form ``/news``; empty for a text that is none."""
    prefix = f"/{said.strip('/ ')}"
    return prefix if len(prefix) <= MAX_PREFIX and _PREFIX.fullmatch(prefix) else ""


def without_prefix(path: str, prefix: str) -> str:
    """A path of the service itself, whether or not the proxy has taken the prefix off."""
    rest = path.removeprefix(prefix)
    if rest == path or not prefix:
        return path
    return rest if rest.startswith("/") else "/" if not rest else path

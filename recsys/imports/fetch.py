"""A web address -> its bytes, within bounds of size, time, redirects and place.

Whoever can name an address must not reach what only this machine can reach: each host is resolved here, addresses that
are not public are refused, and the connection goes to the address that was looked at.
"""

import contextlib
import http.client
import ipaddress
import queue
import socket
import ssl
import threading
import time
import zlib
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from recsys.errors import ImportRefused

MAX_BYTES = 10_000_000  # a feed of full texts has some hundred kB
_MAX_SECONDS = 10.0  # for everything together
_MAX_REDIRECTS = 5
_CHUNK_BYTES = 1 << 16
_REDIRECTS = (301, 302, 303, 307, 308)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")  # all that IANA has given out of IPv6 for the internet
_PROTOCOLS = ipaddress.ip_network("192.0.0.0/24")  # for protocols' own use; Python 3.11 takes some of it for public
_HEADERS = {
    "User-Agent": "recsys-feed-import",
    "Accept": "application/rss+xml, application/atom+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5",
    "Accept-Encoding": "gzip",
}
Place = tuple[socket.AddressFamily, str, int]  # family, numeric address, port


@dataclass(frozen=True)
class Fetched:
    """Answer of an address.

    Attributes:
        url: after redirects.
        content: its bytes, empty if nothing has changed.
        etag: of this version, or None.
        modified: its Last-Modified, or None.
        is_unchanged: it is what the etag or the time given to ``fetch`` named.
    """

    url: str
    content: bytes
    etag: str | None
    modified: str | None
    is_unchanged: bool = False


class _Deadline(NamedTuple):
    """The moment, of the monotonic clock, at which it is too late."""

    at: float

    def left(self) -> float:
        """Seconds until then, never none at all: 0 would mean no bound."""
        return max(self.at - time.monotonic(), 0.001)

    def has_passed(self) -> bool:
        """True once it is too late."""
        return time.monotonic() >= self.at


def fetch(
    url: str,
    *,
    etag: str | None = None,
    modified: str | None = None,
    allow_private: bool = False,
    max_bytes: int = MAX_BYTES,
    max_seconds: float = _MAX_SECONDS,
) -> Fetched:
    """The bytes at an http or https address.

    Args:
        url: the address.
        etag: of the version that is known, for If-None-Match.
        modified: its Last-Modified, for If-Modified-Since.
        allow_private: hosts of this machine and its network may be asked, too.
        max_bytes: that the answer may have, unpacked.
        max_seconds: that it may take, redirects included.

    Raises:
        ImportRefused: the address is none or not public, or the answer is an error, too large or too slow.
    """
    deadline = _Deadline(time.monotonic() + max_seconds)
    conditions = {"If-None-Match": etag, "If-Modified-Since": modified}
    headers = _HEADERS | {name: value for name, value in conditions.items() if value}
    first = url
    for _ in range(_MAX_REDIRECTS + 1):
        parts = _parts(url)
        try:
            answer = _answer(parts, headers, deadline, allow_private, max_bytes)
        except (OSError, http.client.HTTPException, ValueError) as error:
            if deadline.has_passed():
                raise _refusal(url, f"nothing whole within {max_seconds:g} s") from None
            raise _refusal(url, str(error) or type(error).__name__) from None
        if answer.status == 304:
            return Fetched(url, b"", etag, modified, is_unchanged=True)
        if answer.status not in _REDIRECTS or not answer.location:
            break
        url = urljoin(url, answer.location)
    else:
        raise _refusal(first, f"more than {_MAX_REDIRECTS} redirects")
    if answer.status != 200:
        raise _refusal(url, f"status {answer.status}")
    return Fetched(url, answer.content, answer.etag, answer.modified)


class _Answer(NamedTuple):
    status: int
    location: str | None
    etag: str | None
    modified: str | None
    content: bytes


def _answer(
    parts: SplitResult, headers: dict[str, str], deadline: _Deadline, allow_private: bool, max_bytes: int
) -> _Answer:
    host = parts.hostname or ""
    place = _place(host, parts.port or (443 if parts.scheme == "https" else 80), deadline, allow_private)
    raw = socket.socket(place[0], socket.SOCK_STREAM)
    # A server that sends a byte now and then never runs into a socket's own bound.
    held: list[socket.socket] = [raw]
    watch = threading.Timer(deadline.left(), _shut, [held])
    watch.daemon = True
    try:
        raw.settimeout(deadline.left())
        raw.connect((place[1], place[2]))
        watch.start()
        https = parts.scheme == "https"
        connection = (http.client.HTTPSConnection if https else http.client.HTTPConnection)(host, parts.port)
        if https:
            context = ssl.create_default_context()
            held[0] = secure = context.wrap_socket(raw, server_hostname=host, do_handshake_on_connect=False)
            secure.do_handshake()
        connection.sock = held[0]
        target = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
        query = quote(parts.query, safe="/?%:@!$&'()*+,;=~-._")
        connection.request("GET", f"{target}?{query}" if query else target, headers=headers)
        response = connection.getresponse()
        wanted = response.status == 200
        content = _content(response, deadline, max_bytes) if wanted else b""
        header = response.getheader
        return _Answer(response.status, header("Location"), header("ETag"), header("Last-Modified"), content)
    finally:
        watch.cancel()
        held[0].close()


def _content(response: http.client.HTTPResponse, deadline: _Deadline, max_bytes: int) -> bytes:
    packed = (response.getheader("Content-Encoding") or "").strip().lower() in ("gzip", "x-gzip", "deflate")
    unpack = zlib.decompressobj(zlib.MAX_WBITS | 32) if packed else None
    content = bytearray()
    while chunk := response.read1(_CHUNK_BYTES):
        if deadline.has_passed():
            raise TimeoutError
        try:
            content += unpack.decompress(chunk, max_bytes + 1) if unpack else chunk
        except zlib.error as error:
            raise ValueError(f"damaged gzip: {error}") from None
        if len(content) > max_bytes:
            raise ValueError(f"more than {max_bytes:,} bytes")
    if deadline.has_passed():
        raise TimeoutError
    if response.length:  # what the server announced and did not send
        raise ValueError(f"an answer cut short by {response.length:,} bytes")
    return bytes(content)


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # raises when it is no number
    except ValueError:
        raise _refusal(url, "no web address") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _refusal(url, "no http or https address")
    return parts


def _place(host: str, port: int, deadline: _Deadline, allow_private: bool) -> Place:
    """A public address of a host.

    Raises:
        OSError: the host is not known.
        ImportRefused: it has none.
    """
    places = _resolved(host, port, deadline)
    allowed = [place for place in places if allow_private or is_public(place[1])]
    if not allowed:
        raise ImportRefused(
            "a feed on a public host",
            f"{host}, which is {places[0][1]}: an address of this machine or its network",
            "If it is to be read all the same, add --allow-private.",
        )
    return allowed[0]


def _resolved(host: str, port: int, deadline: _Deadline) -> list[Place]:
    answers: queue.Queue[list[Place] | OSError] = queue.Queue()

    def resolve() -> None:
        try:
            infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.put([(family, str(address[0]), port) for family, _, _, _, address in infos])
        except (OSError, UnicodeError) as error:
            answers.put(error if isinstance(error, OSError) else OSError("no name of a host"))

    threading.Thread(target=resolve, daemon=True).start()  # the resolver knows no bound of its own
    try:
        answer = answers.get(timeout=deadline.left())
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(answer, OSError):
        raise OSError(f"no such host: {host}")
    return answer


def is_public(address: str) -> bool:
    """True for a numeric address of the internet, whatever it is wrapped in."""
    ip = ipaddress.ip_address(address.split("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        return ip in _GLOBAL_UNICAST and ip.is_global
    return ip.is_global and not ip.is_multicast and ip not in _PROTOCOLS


def _shut(held: list[socket.socket]) -> None:
    with contextlib.suppress(OSError):  # it is closed already
        held[0].shutdown(socket.SHUT_RDWR)


def _refusal(url: str, got: str) -> ImportRefused:
    return ImportRefused(f"a feed at {url}", got, "Open the address in a browser, and check it.")

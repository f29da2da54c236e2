"""Addresses of callers, and whether they came over TLS."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

from flask import request

PROXIES = "recsys.proxies"  # key under which ``web.forwarding`` leaves how many the site says stand in front


def client_address() -> str:
    """The address of whoever sent this request, see ``reader_address``; this machine's for a program on it."""
    return reader_address(request.environ, request.environ.get(PROXIES, 0)) or request.remote_addr or ""


def is_https() -> bool:
    """True for a request over TLS, by itself or up to a proxy; a caller who lies about it harms nobody else."""
    return request.is_secure or request.headers.get("X-Forwarded-Proto", "").lower() == "https"


def reader_address(environ: Mapping[str, Any], proxies: int) -> str | None:
    """The address of the reader who sent a request, perhaps through proxies.

    A forwarded address is believed of a proxy alone: of so many as the site says stand in front, each of which adds the
    address that it saw, so that the reader's is that many places from the end. One on this machine is believed unsaid.

    Args:
        environ: of the request; PEP 3333.
        proxies: how many stand between a reader and the service; 0: none, or one on this machine.

    Returns:
        None for a program on this machine itself: whose readers these are it alone knows.
    """
    peer = str(environ.get("REMOTE_ADDR", "")).strip("[]")
    forwarded = [part.strip() for part in str(environ.get("HTTP_X_FORWARDED_FOR", "")).split(",") if part.strip()]
    is_here = not peer or _is_loopback(peer)  # a socket without an address is this machine's
    hops = proxies or int(is_here)
    if forwarded and hops:
        return _plain(forwarded[-min(hops, len(forwarded))])
    return None if is_here else _plain(peer)


def is_proxy(environ: Mapping[str, Any], proxies: int) -> bool:
    """True for a request of a proxy whose word on the reader's request is taken; arguments as ``reader_address``."""
    peer = str(environ.get("REMOTE_ADDR", "")).strip("[]")
    return proxies > 0 or not peer or _is_loopback(peer)


def _plain(text: str) -> str:
    """An address without its port; a text that is none stays as it is, as far as anybody would write one."""
    plain = text[1:].partition("]")[0] if text.startswith("[") else text
    if plain.count(":") == 1:
        plain = plain.partition(":")[0]
    try:
        mapped = getattr(ip_address(plain), "ipv4_mapped", None)
    except ValueError:
        return text[:64]
    return plain if mapped is None else str(mapped)


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False

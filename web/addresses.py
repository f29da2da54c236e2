"""Addresses of callers, and whether they came over TLS."""

from ipaddress import ip_address

from flask import request


def client_address() -> str:
    """The address of whoever sent this request.

    A proxy on this machine is believed: it adds the address that it saw to the end of ``X-Forwarded-For``. What stands
    before that anybody may have written.
    """
    peer = request.remote_addr or ""
    seen = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    return seen if _is_loopback(peer) and seen else peer


def is_https() -> bool:
    """True for a request over TLS, by itself or up to a proxy; a caller who lies about it harms nobody else."""
    return request.is_secure or request.headers.get("X-Forwarded-Proto", "").lower() == "https"


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False

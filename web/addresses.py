"""Addresses of callers, and whether they came over TLS."""

from flask import request


def client_address() -> str:
    """The address of whoever sent this request."""
    return request.remote_addr or ""


def is_https() -> bool:
    """True for a request over TLS, by itself or up to a proxy; a caller who lies about it harms nobody else."""
    return request.is_secure or request.headers.get("X-Forwarded-Proto", "").lower() == "https"

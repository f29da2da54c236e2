"""Sessions of people: signing in by a password, the cookie, and who may send a request with it.

Reads the store's people and sessions. Every sign-in makes a new session, whatever the browser had before, so that none
can be planted; a request that changes something is taken with a cookie only from a page of this address. Passwords are
compared two at a time, and in the lane that waits for the database: lists never wait for one.
"""

from urllib.parse import urlsplit

import structlog
from flask import request
from werkzeug.wrappers import Response as AnyResponse

from recsys.store import Actor, SignedIn, is_password
from web.addresses import client_address, is_https
from web.api.problem_details import Refused
from web.attempts import network_of
from web.installation import Installation
from web.roles import READING

COOKIE = "recsys_session"

log: structlog.stdlib.BoundLogger = structlog.get_logger("web")


def signed_in(here: Installation) -> SignedIn | None:
    """The person whose session the request names, or None.

    Raises:
        Refused: 403, it changes something and comes from another site's page, or says not from where.
    """
    secret = request.cookies.get(COOKIE)
    person = here.store.session(secret) if secret else None
    if person is not None and request.method not in READING:
        check_same_origin(said=True)
    return person


def check_same_origin(*, said: bool) -> None:
    """Make sure that a request comes from a page of this address.

    Args:
        said: whether it must say so; a browser does, a program that signs in may not.

    Raises:
        Refused: 403, another page has sent it.
    """
    fetched, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if fetched is not None:
        own = fetched == "same-origin"
    elif origin is not None:
        schemes = ("https",) if is_https() else ("http", "https")  # a proxy may not have said which
        own = urlsplit(origin).scheme in schemes and urlsplit(origin).netloc == request.host
    else:
        own = not said
    if not own:
        got = f"one from {origin or fetched or 'nowhere'!r:.100}"
        raise Refused(403, "wrong-origin", f"Expected a request from a page of {request.host!r:.100}; got {got}.",
                      "Send it from a page of this service, or with a bearer token.")  # fmt: skip


def sign_in(here: Installation, name: str, password: str) -> tuple[str, SignedIn]:
    """Begin a session: its secret and who is signed in.

    Raises:
        Refused: 401, the name or the password is wrong; 429, too many were; 503, too many are being compared.
    """
    address = network_of(client_address())
    known = here.store.knows_address(name, address)
    taken = _taken(here, name, address, known=known)
    if not here.bounds.hashing.acquire(blocking=False):
        _give_back(here, taken)
        detail = "Expected fewer people who sign in at this moment."
        raise Refused(503, "overloaded", detail, "Try again in a second.", Retry_After="1")
    try:
        hash = here.store.password_hash(name)
        right = is_password(hash, password)
    finally:
        here.bounds.hashing.release()
    begun = None
    if right and hash is not None:
        begun = here.store.add_session(name, hash, address, Actor(f"person {name}", client_address()))
    if begun is None:
        log.warning("sign-in refused", address=address)
        raise Refused(401, "wrong-password", "Expected the name and the password of an account; got others.",
                      "Try again, or have it set: python -m jobs person NAME --role ROLE")  # fmt: skip
    _give_back(here, taken)
    return begun


def set_cookie(response: AnyResponse, secret: str) -> None:
    """Let the browser keep a session until it is closed; no script can read it."""
    response.set_cookie(COOKIE, secret, httponly=True, samesite="Lax", secure=is_https(), path="/")


def clear_cookie(response: AnyResponse) -> None:
    """Let the browser forget its session."""
    response.delete_cookie(COOKIE, httponly=True, samesite="Lax", secure=is_https(), path="/")


def _taken(here: Installation, name: str, address: str, *, known: bool) -> list[tuple[str, str]]:
    """Count the attempt by address and, from an address that the account does not know, by account.

    Raises:
        Refused: 429, with the seconds after which it may be tried again.
    """
    taken: list[tuple[str, str]] = []
    for kind, key in [("addresses", address)] + ([] if known else [("accounts", name)]):
        if wait := getattr(here.bounds, kind).take(key):
            _give_back(here, taken)
            raise too_many(wait, "wrong passwords")
        taken.append((kind, key))
    return taken


def _give_back(here: Installation, taken: list[tuple[str, str]]) -> None:
    for kind, key in taken:
        getattr(here.bounds, kind).give_back(key)


def too_many(wait: float, what: str) -> Refused:
    """The refusal of somebody who has to wait."""
    seconds = int(wait) + 1
    detail = f"Expected fewer {what}."
    return Refused(429, "too-many-attempts", detail, f"Try again in {seconds} s.", Retry_After=str(seconds))

"""Access: who calls, by the bearer token of a request or the session of a person, and whether that is for the route.

Reads the Authorization header or the cookie, the store and the table of roles; produces the caller, or a refusal.
Secrets are looked up by their SHA-256, so that how long a refusal takes says nothing about any of them, and at each
request, so that one that was revoked is nowhere valid any more.
"""

from typing import Literal, NamedTuple

from flask import Flask, g, request

from recsys.errors import ConfigError
from recsys.store import ROLES, AccessToken, Actor, Scope
from web import roles
from web.addresses import client_address
from web.api.problem_details import Refused
from web.attempts import network_of
from web.installation import Installation, installation
from web.roles import Allowed
from web.sessions import signed_in, too_many

BEARER = "bearer "


def install(app: Flask) -> None:
    """Check the access of every request to an application whose routes are all there.

    Raises:
        ConfigError: a route stands in no table of roles: nobody has said whom it is for.
    """
    if missing := [str(route) for route in roles.unlisted(app.url_map)]:
        got = f"none for {', '.join(missing)}"
        raise ConfigError("an entry of web/roles.py for each route of the admin API", got, "Say there whom it is for.")
    app.before_request(check_access)


class Caller(NamedTuple):
    """Whoever sent a request.

    Attributes:
        kind: of its proof: a bearer token, or the session of a person.
        name: of the token or the person.
        scope: what it may do.
        site: the only site that it is for; None for every site.
        expires_at: int ms UTC, when the proof ends; None for never.
    """

    kind: Literal["token", "person"]
    name: str
    scope: Scope
    site: str | None
    expires_at: int | None


def check_access() -> None:
    """Let nobody in whom the route is not for; ``caller`` names them from then on.

    Raises:
        Refused: 401, there is no valid token and no session; 403, it is for something else, for another site, or sent
            by another site's page; 429, too many tokens from this address were wrong.
    """
    rule = request.url_rule
    allowed = None if rule is None else roles.allowed(request.method, rule.rule)
    if rule is not None and allowed:
        g.caller = _caller(rule.rule)  # the page of a refusal names them
        _check(g.caller, allowed)


def bears_token() -> bool:
    """True for a request with a bearer token, valid or not."""
    return request.headers.get("Authorization", "").lower().startswith(BEARER)


def check_bearer(allowed: Allowed) -> None:
    """Let the holder of a token pass on a route that is for others as well; ``caller`` names them from then on.

    Raises:
        Refused: 401, the token is not valid; 403, it is for something else or for another site; 429, as above.
    """
    g.caller = _caller("")
    _check(g.caller, allowed)


def caller() -> Caller:
    """The caller of a route that is not for anybody."""
    one: Caller = g.caller
    return one


def actor() -> Actor:
    """The caller for the audit."""
    return Actor(f"{caller().kind} {caller().name}", client_address())


def _caller(rule: str) -> Caller:
    here, given = installation(), request.headers.get("Authorization", "")
    if not given and rule.startswith((roles.ADMIN, roles.CONSOLE)) and (person := signed_in(here)) is not None:
        return Caller("person", *person)
    secret = given[len(BEARER) :].strip() if given.lower().startswith(BEARER) else ""
    if secret and (token := _token(here, secret)) is not None:
        return Caller("token", token.name, token.scope, token.site, token.expires_at)
    raise Refused(
        401,
        "unauthorized",
        "Expected a valid bearer token in the Authorization header; " + ("got another." if secret else "got none."),
        "Run: python -m jobs token NAME --role ROLE, and send the token that it shows.",
        WWW_Authenticate="Bearer",
    )


def _token(here: Installation, secret: str) -> AccessToken | None:
    """The valid token of a secret; wrong ones are counted, and looked at no more once there were too many.

    Raises:
        Refused: 429, too many from this address were wrong.
    """
    bounds, address = here.bounds, network_of(client_address())
    if not bounds.is_known(secret) and (wait := bounds.tokens.wait(address)):
        raise too_many(wait, "wrong tokens")
    token = here.store.token(secret)
    if token is None:
        bounds.tokens.take(address)
        return None
    bounds.remember(secret)
    here.last_use.note(token)
    return token


def _check(one: Caller, allowed: Allowed) -> None:
    site = installation().live.site
    if one.site not in (None, site):
        raise Refused(
            403,
            "wrong-site",
            f"Expected rights for the site {site!r}; got some for the site {one.site!r}.",
            "Send the token of this site, or call the service of the other one.",
        )
    if one.scope not in allowed:
        raise Refused(
            403,
            "wrong-scope",
            f"Expected the rights of {_named(allowed)}; got those of {one.scope}.",
            "Ask an owner for another role; docs/roles.md lists what each may do.",
        )


def _named(allowed: Allowed) -> str:
    """Those whom a route is for, in words: the least role, and the publisher's key."""
    least = next((role for role in ROLES if role in allowed), None)
    above = [] if least is None else [least if least is ROLES[-1] else f"{least} or above"]
    return " or ".join(above + [scope for scope in (Scope.WRITE,) if scope in allowed])

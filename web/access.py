"""Access: who calls, by the bearer token of a request, and whether the token is for that.

Reads the Authorization header, the store's tokens and the table of roles; produces the caller, or a refusal. Tokens are
looked up by their SHA-256, so that how long a refusal takes says nothing about any of them, and at each request, so
that a token that was revoked is nowhere valid any more.
"""

from flask import Flask, g, request

from recsys.errors import ConfigError
from recsys.store import ROLES, AccessToken, Actor, Scope
from web import roles
from web.api.problem_details import Refused
from web.installation import installation
from web.roles import Allowed

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


def check_access() -> None:
    """Let nobody in whom the route is not for; ``caller`` names them from then on.

    Raises:
        Refused: 401, there is no valid token; 403, it is for something else or for another site.
    """
    rule = request.url_rule
    allowed = None if rule is None else roles.allowed(request.method, rule.rule)
    if allowed:
        g.caller = _checked(_bearer(), allowed)


def caller() -> AccessToken:
    """The caller of a route that is not for anybody."""
    token: AccessToken = g.caller
    return token


def actor() -> Actor:
    """The caller for the audit."""
    return Actor(f"token {caller().name}", request.remote_addr)


def _bearer() -> AccessToken:
    given = request.headers.get("Authorization", "")
    secret = given[len(BEARER) :].strip() if given.lower().startswith(BEARER) else ""
    here = installation()
    token = here.store.token(secret) if secret else None
    if token is None:
        raise Refused(
            401,
            "unauthorized",
            "Expected a valid bearer token in the Authorization header; " + ("got another." if secret else "got none."),
            "Run: python -m jobs token NAME --role ROLE, and send the token that it shows.",
            WWW_Authenticate="Bearer",
        )
    here.last_use.note(token)
    return token


def _checked(token: AccessToken, allowed: Allowed) -> AccessToken:
    site = installation().live.site
    if token.site not in (None, site):
        raise Refused(
            403,
            "wrong-site",
            f"Expected a token of the site {site!r}; got one of the site {token.site!r}.",
            "Send the token of this site, or call the service of the other one.",
        )
    if token.scope not in allowed:
        raise Refused(
            403,
            "wrong-scope",
            f"Expected a token of {_named(allowed)}; got one of {token.scope}.",
            "Ask an owner for another role; docs/roles.md lists what each may do.",
        )
    return token


def _named(allowed: Allowed) -> str:
    """Those whom a route is for, in words: the least role, and the publisher's key."""
    least = next((role for role in ROLES if role in allowed), None)
    above = [] if least is None else [least if least is ROLES[-1] else f"{least} or above"]
    return " or ".join(above + [scope for scope in (Scope.WRITE,) if scope in allowed])

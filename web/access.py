"""Access: who calls, by the bearer token of a request, and whether the token is for that.

Reads the Authorization header and the store's tokens; produces the token, or a refusal. Tokens are looked up by their
SHA-256, so that how long a refusal takes says nothing about any of them.
"""

from flask import g, request

from recsys.store import AccessToken, Scope
from web.api.problem_details import Refused
from web.installation import installation

BEARER = "bearer "


def check_token(*scopes: Scope) -> AccessToken:
    """The caller's valid token; ``actor`` names it from then on.

    Args:
        scopes: any of them will do; the first one is what a refusal recommends.

    Raises:
        Refused: 401, there is none; 403, it is for something else or for another site.
    """
    given = request.headers.get("Authorization", "")
    secret = given[len(BEARER) :].strip() if given.lower().startswith(BEARER) else ""
    here = installation()
    token = here.store.token(secret) if secret else None
    if token is None:
        raise Refused(
            401,
            "unauthorized",
            "Expected a valid bearer token in the Authorization header; " + ("got another." if secret else "got none."),
            f"Run: {_command(scopes[0])}, and send the token that it shows.",
            WWW_Authenticate="Bearer",
        )
    if token.site not in (None, here.live.site):
        raise Refused(
            403,
            "wrong-site",
            f"Expected a token of the site {here.live.site!r}; got one of the site {token.site!r}.",
            "Send the token of this site, or call the service of the other one.",
        )
    if token.scope not in scopes:
        raise Refused(
            403,
            "wrong-scope",
            f"Expected a token with the scope {' or '.join(scopes)}; got one with the scope {token.scope}.",
            f"Run: {_command(scopes[0])}, and send the token that it shows.",
        )
    g.token = token
    return token


def actor() -> str:
    """The caller's name for the audit; call it after ``check_token``."""
    return f"token {g.token.name}"


def _command(scope: Scope) -> str:
    return f"python -m jobs token NAME{'' if scope is Scope.ADMIN else f' --scope {scope}'}"

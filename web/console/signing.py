"""Sign-in and sign-out: a form in front of the API's sessions."""

from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from web.console.calls import ADMIN_API, ask
from web.console.pages import SEE_OTHER, language, page, problem_said, root
from web.console.words import words
from web.installation import installation

OVERVIEW = "/console/"
SESSION = f"{ADMIN_API}/session"

blueprint = Blueprint("signing", __name__)


@blueprint.get("/sign-in")
def sign_in_page() -> Response:
    """The form; an installation without people says how to make the first one."""
    return sign_in_form(request.args.get("next", ""))


@blueprint.post("/sign-in")
def sign_in() -> AnyResponse:
    """Begin a session, and go where somebody wanted to go."""
    given = request.form
    told = ask("POST", SESSION, {"name": given.get("name", ""), "password": given.get("password", "")})
    if not told.ok:
        problem = problem_said(told.json["code"], told.json["detail"], told.json["remedy"])
        return sign_in_form(given.get("next", ""), told.status, problem)
    response = redirect(root() + inside(given.get("next", "")), SEE_OTHER)
    response.headers["Set-Cookie"] = told.headers["Set-Cookie"]
    return response


@blueprint.post("/sign-out")
def sign_out() -> AnyResponse:
    """End the session in all workers."""
    told = ask("DELETE", SESSION)
    response = redirect(f"{root()}/console/sign-in", SEE_OTHER)
    if told.ok:
        response.headers["Set-Cookie"] = told.headers["Set-Cookie"]
    return response


def sign_in_form(back: str, status: int = 200, notice: dict[str, Any] | str | None = None) -> Response:
    """The form, and the way to a provider where there is one.

    Args:
        back: where somebody wanted to go.
        status: of HTTP.
        notice: what went wrong: a problem of the API, or a word of the console.
    """
    here = installation()
    nobody, oidc = not here.store.people(here.live.site), here.settings.web.oidc
    provider = None if oidc is None else urlsplit(oidc.issuer).hostname
    if isinstance(notice, str):
        notice = {"good": False, "text": words(language())[notice]}
    return page("sign_in.html", status, back=inside(back), nobody=nobody, notice=notice, provider=provider)


def inside(address: str) -> str:
    """An address of the console, whatever a link asked for: no sign-in ends on another site."""
    parts = urlsplit(address.replace("\\", "/"))
    inside = not parts.scheme and not parts.netloc and address.startswith(OVERVIEW)
    return address if inside else OVERVIEW

"""Sign-in by an OpenID Connect provider, where ``web.oidc`` names one: there, back again, and a session as any other.

Reads the provider's answer through ``web.openid_provider``, which is loaded only where it is needed; writes a session.
What has to be known on the way back (state, nonce, PKCE verifier) waits in a cookie of ten minutes that no script
reads: it is the browser's own, and whoever forges it deceives nobody else.
"""

import importlib
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple, Protocol

import structlog
from flask import Blueprint, Response, current_app, redirect, request
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from recsys.errors import ConfigError, LastOwner, UnknownName
from recsys.settings import Settings
from recsys.settings.config import OidcProvider
from recsys.store import ROLES, Actor, Scope, SignedIn
from recsys.store.passwords import BY_CLAIM
from web.addresses import client_address, is_https
from web.attempts import network_of
from web.console.pages import SEE_OTHER, root
from web.console.signing import inside, sign_in_form
from web.installation import Installation, installation
from web.sessions import COOKIE, set_cookie, too_many

EXTENSION = "openid"
WAY_COOKIE, WAY_SECONDS = "recsys_oidc", 600
WAY_PATH = "/console/oidc"

blueprint = Blueprint("openid", __name__)
log: structlog.stdlib.BoundLogger = structlog.get_logger("web")


class Way(NamedTuple):
    """Memory of a sign-in while somebody is at the provider."""

    state: str
    nonce: str
    verifier: str
    back: str


class ProviderError(Exception):
    """The provider cannot be asked, or its answer proves nothing.

    Args:
        word: of ``web.console.words`` that says so.
        why: for the log.
    """

    def __init__(self, word: str, why: str) -> None:
        super().__init__(why)
        self.word = word


class Provider(Protocol):
    """The provider."""

    def begin(self, redirect_uri: str, back: str) -> tuple[str, Way]:
        """The address to go to, and what is to be remembered."""

    def claims(self, redirect_uri: str, way: Way, answer: Mapping[str, str]) -> dict[str, Any]:
        """Whoever has come back, proven."""


def provider_of(settings: Settings) -> Provider | None:
    """The provider that the settings name; None without one.

    Raises:
        ConfigError: what it needs is not installed.
    """
    if settings.web.oidc is None:
        return None
    try:
        module = importlib.import_module("web.openid_provider")
    except ModuleNotFoundError as error:
        remedy = "Run: pip install -c constraints.txt --editable '.[oidc]'"
        raise ConfigError("Authlib, for web.oidc", str(error), remedy) from None
    made: Provider = module.OpenIdProvider(settings.web.oidc)
    return made


@blueprint.get("/oidc")
def go() -> AnyResponse:
    """Send the browser to the provider."""
    provider = _provider()
    try:
        address, way = provider.begin(_redirect_uri(), inside(request.args.get("next", "")))
    except ProviderError as error:
        return _refused(error)
    response = redirect(address, SEE_OTHER)
    # Lax: the provider's answer is a link from another site
    response.set_cookie(
        WAY_COOKIE,
        json.dumps(way),
        max_age=WAY_SECONDS,
        path=f"{root()}{WAY_PATH}",
        httponly=True,
        samesite="Lax",
        secure=is_https(),
    )
    return response


@blueprint.get("/oidc/callback")
def come_back() -> AnyResponse:
    """Take the provider's answer, and begin a session for whom it proves."""
    provider, here = _provider(), installation()
    address = network_of(client_address())
    if wait := here.bounds.addresses.take(address):
        raise too_many(wait, "sign-ins that failed")
    try:
        way = _way()
        claims = provider.claims(_redirect_uri(), way, request.args.to_dict())
        secret, person = _session(here, claims, address)
    except ProviderError as error:
        return _refused(error)
    here.bounds.addresses.give_back(address)
    if before := request.cookies.get(COOKIE):
        here.store.end_session(before)
    log.info("signed in", person=person.name, by="oidc")
    response = redirect(root() + inside(way.back), SEE_OTHER)
    set_cookie(response, secret)
    _forget_way(response)
    return response


def _session(here: Installation, claims: Mapping[str, Any], address: str) -> tuple[str, SignedIn]:
    """A session of whom the claims name: an account that somebody made, or one whose role a claim gives.

    Raises:
        ProviderError: there is no such account, and no claim gives a role.
    """
    config = here.settings.web.oidc
    assert config is not None
    name, actor = _name(config, claims), Actor("sign-in by OpenID", client_address())
    hash = here.store.password_hash(name)
    if hash is None or hash == BY_CLAIM:
        _follow_claim(here, name, _role(config, claims), actor)
        hash = BY_CLAIM
    begun = here.store.add_session(name, hash, address, Actor(f"person {name}", client_address()))
    if begun is None:
        raise ProviderError("oidc_nobody", f"the account {name!r} was changed meanwhile")
    return begun


def _follow_claim(here: Installation, name: str, role: Scope | None, actor: Actor) -> None:
    """Give an account the role that its claims say; one whose claims say none any more is removed.

    Raises:
        ProviderError: they say none; it is the last owner's; or it is another site's.
    """
    store, site = here.store, here.live.site
    now = next((one for one in store.people(site) if one.name == name), None)
    try:
        if role is None:
            if now is not None:
                store.remove_person(name, actor, last_owner=False)
            raise ProviderError("oidc_nobody", f"no account {name!r}, and no claim that gives a role")
        if now is None or now.scope is not role:
            store.set_person(name, role, site, BY_CLAIM, actor, within=site, last_owner=False)
    except (LastOwner, UnknownName) as error:
        raise ProviderError("oidc_nobody", str(error)) from None


def _name(config: OidcProvider, claims: Mapping[str, Any]) -> str:
    """The name of the account that claims are for.

    Raises:
        ProviderError: they name none, or an address that nobody has verified.
    """
    name = claims.get(config.claim)
    if not isinstance(name, str) or not 0 < len(name) <= 256:
        raise ProviderError("oidc_nobody", f"no claim {config.claim!r} that is a name")
    if config.claim != "email":
        return name
    if claims.get("email_verified") is not True:
        raise ProviderError("oidc_nobody", "an e-mail address that the provider has not verified")
    return name.lower()


def _role(config: OidcProvider, claims: Mapping[str, Any]) -> Scope | None:
    """The highest role that the values of a claim give; None for none."""
    values = claims.get(config.roles_claim)
    named = {values} if isinstance(values, str) else {one for one in values or () if isinstance(one, str)}
    given = {config.roles[value] for value in named if value in config.roles}
    return next((role for role in reversed(ROLES) if role.value in given), None)


def _way() -> Way:
    """The memory of this browser's sign-in.

    Raises:
        ProviderError: nothing, or nothing of ours.
    """
    with suppress(ValueError, TypeError):
        way = Way(*json.loads(request.cookies.get(WAY_COOKIE, "")))
        if all(isinstance(part, str) for part in way):
            return way
    raise ProviderError("oidc_again", "an answer without the cookie of its question")


def _refused(error: ProviderError) -> Response:
    log.warning("sign-in refused", by="oidc", error=str(error))
    response = sign_in_form("", 401, error.word)
    _forget_way(response)
    return response


def _forget_way(response: AnyResponse) -> None:
    response.delete_cookie(WAY_COOKIE, path=f"{root()}{WAY_PATH}", httponly=True, samesite="Lax", secure=is_https())


def _provider() -> Provider:
    found: Provider | None = current_app.extensions[EXTENSION]
    if found is None:
        raise NotFound
    return found


def _redirect_uri() -> str:
    return f"{'https' if is_https() else 'http'}://{request.host}{root()}{WAY_PATH}/callback"

"""OpenID Connect: the way to a provider and back, by the authorization code flow with PKCE -> proven claims.

Reads the provider's discovery document and its keys, which are kept for an hour, and exchanges a code for an ID token.
Loaded only where ``web.oidc`` names a provider: Authlib and what it needs are 17 MiB of each worker.

Source: OpenID Connect Core 1.0, sections 3.1.2.1 and 3.1.3.7; RFC 7636 (PKCE); RFC 9207 (the issuer in the answer);
RFC 9700, section 2.1.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hmac import compare_digest
from typing import Any
from urllib.parse import urlsplit

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from recsys.settings.config import OidcProvider
from web.console.openid import ProviderError, Way

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA"]
PATIENCE_SECONDS = 5.0  # for each answer of the provider
KEPT_SECONDS = 3_600.0  # that its documents are taken for
KEYS_SECONDS = 30.0  # between two looks for a key that nobody knows
LEEWAY_SECONDS = 60  # between its clock and ours
AT_ONCE = 2  # sign-ins of a worker that wait for it; lists have threads of their own
_LOCAL = ("127.0.0.1", "localhost")


class OpenIdProvider:
    """A provider. Safe for threads.

    Args:
        config: who it is, and who we are there.
        seconds: a clock that never goes back.
    """

    def __init__(self, config: OidcProvider, seconds: Callable[[], float] = time.monotonic) -> None:
        self._config, self._seconds = config, seconds
        self._turn, self._lock = threading.BoundedSemaphore(AT_ONCE), threading.Lock()
        self._about: dict[str, Any] = {}
        self._keys = KeySet([])
        self._about_until = self._keys_until = self._keys_again = 0.0

    def begin(self, redirect_uri: str, back: str) -> tuple[str, Way]:
        """The provider's address for a sign-in, and what has to be remembered until it answers.

        Raises:
            ProviderError: it cannot be asked.
        """
        with self._asking():
            about = self._metadata()
            nonce, verifier = generate_token(32), generate_token(64)
            with self._session(about, redirect_uri) as session:
                address, state = session.create_authorization_url(
                    about["authorization_endpoint"], code_verifier=verifier, nonce=nonce
                )
            return address, Way(state, nonce, verifier, back)

    def claims(self, redirect_uri: str, way: Way, answer: Mapping[str, str]) -> dict[str, Any]:
        """The claims of whoever has come back.

        Args:
            redirect_uri: as it was at the beginning.
            way: what was remembered.
            answer: parameters of the provider's answer.

        Raises:
            ProviderError: it refused, or its answer does not prove who that is.
        """
        with self._asking():
            about = self._metadata()
            self._check_answer(way, answer)
            with self._session(about, redirect_uri) as session:
                token = session.fetch_token(
                    about["token_endpoint"],
                    grant_type="authorization_code",
                    code=answer["code"],
                    code_verifier=way.verifier,
                    timeout=PATIENCE_SECONDS,
                    allow_redirects=False,
                )
                claims = self._proven(token, way.nonce)
                missing = {self._config.claim, *([self._config.roles_claim] if self._config.roles else [])} - set(
                    claims
                )
                if missing and "userinfo_endpoint" in about:
                    told = session.get(about["userinfo_endpoint"], timeout=PATIENCE_SECONDS, allow_redirects=False)
                    told.raise_for_status()
                    more = told.json()
                    if more.get("sub") == claims["sub"]:  # Core, 5.3.2: another's claims must not be used
                        claims = more | claims
            return claims

    def _check_answer(self, way: Way, answer: Mapping[str, str]) -> None:
        if not compare_digest(answer.get("state", "").encode(), way.state.encode()):
            raise ProviderError("oidc_again", "an answer to another question (state)")
        if answer.get("iss", self._config.issuer) != self._config.issuer:
            raise ProviderError("oidc_again", "an answer of another provider (iss)")
        if "error" in answer:
            raise ProviderError("oidc_refused", f"the provider said {answer['error']!r:.80}")
        if not answer.get("code"):
            raise ProviderError("oidc_again", "an answer without a code")

    def _proven(self, token: Mapping[str, Any], nonce: str) -> dict[str, Any]:
        """The claims of an ID token: signed by the provider, for us, for this sign-in, and not over."""
        value, config = token.get("id_token"), self._config
        if not isinstance(value, str):
            raise ProviderError("oidc_refused", "an answer without an ID token")
        try:
            decoded = jwt.decode(value, self._known_keys(), algorithms=ALGORITHMS)
        except InvalidKeyIdError:  # the provider signs with a new key
            decoded = jwt.decode(value, self._known_keys(anew=True), algorithms=ALGORITHMS)
        wanted = {"iss": {"essential": True, "value": config.issuer}}
        wanted["aud"] = {"essential": True, "value": config.client_id}
        told = {"nonce": nonce, "client_id": config.client_id, "access_token": token.get("access_token")}
        CodeIDToken(decoded.claims, decoded.header, wanted, told).validate(leeway=LEEWAY_SECONDS)
        if not isinstance(decoded.claims.get("sub"), str):
            raise ProviderError("oidc_refused", "an ID token of nobody")
        return dict(decoded.claims)

    def _metadata(self) -> dict[str, Any]:
        """The discovery document."""
        with self._lock:
            if self._seconds() < self._about_until:
                return self._about
        about = self._document(f"{self._config.issuer.rstrip('/')}/.well-known/openid-configuration")
        if about.get("issuer") != self._config.issuer:
            raise ProviderError(
                "oidc_away", f"expected the issuer {self._config.issuer!r}; got {about.get('issuer')!r:.120}"
            )
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            _check_secure(about.get(name), name)
        with self._lock:
            self._about, self._about_until = about, self._seconds() + KEPT_SECONDS
        return about

    def _known_keys(self, *, anew: bool = False) -> KeySet:
        """The provider's keys; ``anew``: as they are now, as long as that was not asked a moment ago."""
        with self._lock:
            now = self._seconds()
            if now < (self._keys_again if anew else self._keys_until):
                return self._keys
            self._keys_again = now + KEYS_SECONDS
        keys = KeySet.import_key_set(self._document(self._metadata()["jwks_uri"]))
        with self._lock:
            self._keys, self._keys_until = keys, self._seconds() + KEPT_SECONDS
        return keys

    def _document(self, address: str) -> dict[str, Any]:
        answer = requests.get(address, timeout=PATIENCE_SECONDS, allow_redirects=False)
        answer.raise_for_status()
        found = answer.json()
        if not isinstance(found, dict):
            raise ProviderError("oidc_away", f"expected a JSON object at {address}")
        return found

    def _session(self, about: Mapping[str, Any], redirect_uri: str) -> OAuth2Session:
        config, secret = self._config, self._config.client_secret.get_secret_value()
        ways = about.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        method = "client_secret_basic" if "client_secret_basic" in ways else "client_secret_post"
        return OAuth2Session(
            config.client_id,
            secret or None,
            token_endpoint_auth_method=method if secret else "none",
            scope=config.scope,
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
        )

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """One of few who ask the provider now; whatever goes wrong is said in one way."""
        if not self._turn.acquire(blocking=False):
            raise ProviderError("oidc_away", "too many sign-ins wait for the provider")
        try:
            yield
        except requests.RequestException as error:
            raise ProviderError("oidc_away", f"the provider is out of reach: {error}") from None
        except (AuthlibBaseError, JoseError, KeyError, TypeError, ValueError) as error:
            raise ProviderError("oidc_refused", f"its answer proves nothing: {type(error).__name__}: {error}") from None
        finally:
            self._turn.release()


def _check_secure(address: object, name: str) -> None:
    parts = urlsplit(address if isinstance(address, str) else "")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOCAL):
        raise ProviderError("oidc_away", f"expected {name} as an https address; got {address!r:.120}")

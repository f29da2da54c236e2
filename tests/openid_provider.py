"""An OpenID Connect provider on this machine: discovery, keys, sign-in, tokens; what it says can be made wrong."""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

CLIENT, SECRET = "newsroom", "s3cret of the client"


class TestProvider:
    """A provider that signs everybody in as whoever ``claims`` names.

    Attributes:
        claims: of whoever signs in, beside those that every ID token has.
        token_claims: that stand in the ID token in the place of the right ones; None leaves one out.
        signing: the key that signs, of which ``published`` may lack the public part.
        asked: paths that were asked for.
        down: answers 500 to everything.
    """

    __test__ = False

    def __init__(self, port: int, key: RSAKey | None = None) -> None:
        self.issuer = f"http://127.0.0.1:{port}"
        self.signing: Any = key or RSAKey.generate_key(2048, {"kid": "first"})
        self.published = [self.signing]
        self.header: dict[str, Any] = {"alg": "RS256", "kid": "first"}
        self.claims: dict[str, Any] = {"sub": "1", "email": "Ann@example.org", "email_verified": True}
        self.token_claims: dict[str, Any] = {}
        self.told_elsewhere: dict[str, Any] = {}
        self.asked: list[str] = []
        self.down = False
        self._codes: dict[str, dict[str, str]] = {}

    def new_key(self) -> None:
        """Sign with another key from now on."""
        self.signing = RSAKey.generate_key(2048, {"kid": "second"})
        self.header = {"alg": "RS256", "kid": "second"}
        self.published = [self.signing]

    def sign_in(self, address: str) -> str:
        """What the browser does at the address to which it was sent: the address of the way back."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["client_id"] == CLIENT
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state'], 'iss': self.issuer})}"

    def answer(self, path: str, form: dict[str, str], authorization: str) -> tuple[int, Any]:
        """Status and JSON of an answer."""
        self.asked.append(path)
        if self.down:
            return 500, {}
        if path == "/.well-known/openid-configuration":
            about = {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys"}
            for name in ("authorization", "token", "userinfo"):
                about[f"{name}_endpoint"] = f"{self.issuer}/{name}"
            return 200, about
        if path == "/keys":
            return 200, KeySet(self.published).as_dict(private=False)
        if path == "/userinfo":
            return (200, self.told_elsewhere) if authorization == "Bearer access" else (401, {})
        assert path == "/token"
        return self._token(form, authorization)

    def _token(self, form: dict[str, str], authorization: str) -> tuple[int, Any]:
        asked = self._codes.pop(form.get("code", ""), None)
        basic = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if asked is None or authorization != basic or form["redirect_uri"] != asked["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != asked["code_challenge"]:
            return 400, {"error": "invalid_grant", "error_description": "PKCE"}
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        claims |= self.claims | self.token_claims
        kept = {name: value for name, value in claims.items() if value is not None}
        if self.header["alg"] == "none":
            parts = [base64.urlsafe_b64encode(json.dumps(one).encode()).decode() for one in (self.header, kept)]
            token = ".".join([*(part.rstrip("=") for part in parts), ""])
        else:
            token = jwt.encode(self.header, kept, self.signing, algorithms=[self.header["alg"]])
        return 200, {"access_token": "access", "token_type": "Bearer", "id_token": token}


@contextmanager
def provider() -> Iterator[TestProvider]:
    """Run a provider for the length of a block."""
    held: list[TestProvider] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            form = {name: values[0] for name, values in parse_qs(self.rfile.read(length).decode()).items()}
            status, told = held[0].answer(urlsplit(self.path).path, form, self.headers.get("Authorization", ""))
            body = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    held.append(TestProvider(server.server_address[1]))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield held[0]
    finally:
        server.shutdown()
        server.server_close()

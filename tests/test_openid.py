"""Sign-in by an OpenID Connect provider: who gets a session, and what proves nothing."""

import importlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from joserfc.jwk import OctKey, RSAKey
from pydantic import ValidationError

from recsys.config import plain
from recsys.errors import ConfigError
from recsys.settings import Settings
from recsys.store import Scope, is_password
from recsys.store.passwords import BY_CLAIM, NO_PASSWORD
from tests.newsroom import SITE
from tests.openid_provider import CLIENT, SECRET, TestProvider, provider
from tests.service import Service, plain_settings, serving
from web.console import openid
from web.console.words import words

CALLBACK = "/console/oidc/callback"
GROUPS = {"news-editors": "editor", "news-ops": "operator"}


@pytest.fixture(scope="module")
def running() -> Iterator[TestProvider]:
    with provider() as one:
        yield one


@pytest.fixture(scope="module")
def site(running: TestProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    about = {"issuer": running.issuer, "client_id": CLIENT, "client_secret": SECRET, "roles": GROUPS}
    with serving(plain_settings(tmp_path_factory.mktemp("openid"), oidc=about)) as service:
        service.store.set_person("boss", Scope.OWNER, SITE, "-")
        yield service


@pytest.fixture
def at(running: TestProvider, site: Service) -> Iterator[TestProvider]:
    """The provider as it is at first, and nobody who was made by another test."""
    key = running.signing
    running.__dict__ |= vars(TestProvider(int(running.issuer.rpartition(":")[2]), key))
    yield running
    running.signing = key
    known = site.client.application.extensions[openid.EXTENSION]
    known._keys_until = known._keys_again = known._about_until = 0.0
    for one in site.store.people(SITE):
        if one.name != "boss":
            site.store.remove_person(one.name)
    site.client.application.extensions["installation"].bounds.addresses._busy_until.clear()


def there(site: Service, at: TestProvider, back: str = "/console/runs") -> tuple[Any, str]:
    """A browser that was sent to the provider and signed in there, and the address that it is sent back to."""
    browser = site.client.application.test_client()
    sent = browser.get("/console/oidc", query_string={"next": back})
    assert sent.status_code == 303, sent.text
    assert "HttpOnly" in sent.headers["Set-Cookie"]
    assert "SameSite=Lax" in sent.headers["Set-Cookie"]
    address = urlsplit(at.sign_in(sent.location))
    return browser, f"{address.path}?{address.query}"


def come(site: Service, at: TestProvider, back: str = "/console/runs") -> Any:
    """The answer to a whole sign-in."""
    browser, address = there(site, at, back)
    return browser.get(address)


def refused(answer: Any, word: str) -> None:
    assert answer.status_code == 401
    assert words("en")[word] in answer.text
    assert "recsys_session" not in str(answer.headers.getlist("Set-Cookie"))


def test_whoever_an_owner_has_named_signs_in_and_is_what_the_owner_said(site: Service, at: TestProvider) -> None:
    site.store.set_person("ann@example.org", Scope.OPERATOR, SITE, NO_PASSWORD)
    at.claims["groups"] = ["news-editors"]  # an owner's word counts more
    browser, address = there(site, at)
    answer = browser.get(address, headers={"X-Forwarded-Proto": "http"})
    assert (answer.status_code, answer.location) == (303, "/console/runs")
    cookie = next(one for one in answer.headers.getlist("Set-Cookie") if one.startswith("recsys_session="))
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    told = browser.get("/admin/api/session").json
    assert (told["kind"], told["name"], told["role"], told["site"]) == ("person", "ann@example.org", "operator", SITE)
    assert browser.get("/console/runs").status_code == 200
    assert site.store.audit(SITE, 1)[0].verb == "sign in"
    assert browser.get(address).status_code == 401, "a code and a state are taken once"


def test_behind_tls_the_cookies_are_for_tls_and_the_way_back_too(site: Service, at: TestProvider) -> None:
    browser = site.client.application.test_client()
    sent = browser.get("/console/oidc", headers={"X-Forwarded-Proto": "https"})
    assert "Secure" in sent.headers["Set-Cookie"]
    (uri,) = parse_qs(urlsplit(sent.location).query)["redirect_uri"]
    assert uri == f"https://localhost{CALLBACK}"


def test_a_claim_gives_a_role_which_follows_it_and_goes_with_it(site: Service, at: TestProvider) -> None:
    at.claims["groups"] = ["sports", "news-editors"]
    assert come(site, at).status_code == 303
    (ann,) = [one for one in site.store.people(SITE) if one.name != "boss"]
    assert (ann.name, ann.scope, site.store.password_hash(ann.name)) == ("ann@example.org", Scope.EDITOR, BY_CLAIM)
    at.claims["groups"] = ["news-editors", "news-ops"]
    first, address = there(site, at)
    first.get(address)
    assert first.get("/admin/api/session").json["role"] == "operator"
    at.claims["groups"] = "sports"
    refused(come(site, at), "oidc_nobody")
    assert [one.name for one in site.store.people(SITE)] == ["boss"]
    assert first.get("/admin/api/session").status_code == 401, "the session of the account is over"


def test_nobody_else_signs_in(site: Service, at: TestProvider) -> None:
    refused(come(site, at), "oidc_nobody")
    site.store.set_person("ann@example.org", Scope.OWNER, SITE, NO_PASSWORD)
    for claims in (
        {"email_verified": False},
        {"email_verified": "true"},
        {"email": None},
        {"email": ["ann@example.org"]},
    ):
        at.token_claims = claims
        refused(come(site, at), "oidc_nobody")
    at.token_claims = {"email": "boss"}  # a name of another account that the provider has verified is that account
    assert come(site, at).status_code == 303


def test_an_account_without_a_password_takes_none(site: Service, at: TestProvider) -> None:
    for hash in (NO_PASSWORD, BY_CLAIM):
        assert not is_password(hash, hash)
        assert not is_password(hash, "")


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "http://127.0.0.1:1"},
        {"iss": None},
        {"aud": "another client"},
        {"aud": ["another client", CLIENT], "azp": "another client"},
        {"aud": None},
        {"exp": int(time.time()) - 3_600, "iat": int(time.time()) - 7_200},
        {"exp": None},
        {"nonce": "of another sign-in"},
        {"nonce": None},
        {"sub": None},
        {"at_hash": "of another token"},
    ],
)
def test_a_token_with_a_wrong_claim_proves_nothing(site: Service, at: TestProvider, wrong: dict[str, Any]) -> None:
    site.store.set_person("ann@example.org", Scope.OWNER, SITE, NO_PASSWORD)
    at.token_claims = wrong
    refused(come(site, at), "oidc_refused")


def test_a_token_of_another_key_or_of_none_proves_nothing(site: Service, at: TestProvider) -> None:
    site.store.set_person("ann@example.org", Scope.OWNER, SITE, NO_PASSWORD)
    assert come(site, at).status_code == 303
    own, public = at.signing, at.published[0].as_dict(private=False)
    at.signing = RSAKey.generate_key(2048, {"kid": own.kid})  # somebody else's, under the same name
    refused(come(site, at), "oidc_refused")
    at.signing, at.header = (
        OctKey.import_key(public["n"]),
        {"alg": "HS256", "kid": own.kid},
    )  # the public key as a password
    refused(come(site, at), "oidc_refused")
    at.header = {"alg": "none"}
    refused(come(site, at), "oidc_refused")


def test_a_new_key_of_the_provider_is_fetched_once(site: Service, at: TestProvider) -> None:
    site.store.set_person("ann@example.org", Scope.OWNER, SITE, NO_PASSWORD)
    assert come(site, at).status_code == 303
    site.client.application.extensions[openid.EXTENSION]._keys_again = 0.0
    at.new_key()
    assert come(site, at).status_code == 303
    before = at.asked.count("/keys")
    at.header["kid"] = "third"
    refused(come(site, at), "oidc_refused")
    assert at.asked.count("/keys") == before, "nobody can have the keys fetched again and again"


def test_only_the_browser_that_was_sent_comes_back(site: Service, at: TestProvider) -> None:
    site.store.set_person("ann@example.org", Scope.OWNER, SITE, NO_PASSWORD)
    _, address = there(site, at)
    refused(site.client.application.test_client().get(address), "oidc_again")
    other, _ = there(site, at)
    refused(other.get(address), "oidc_again")
    browser, address = there(site, at)
    code = parse_qs(urlsplit(address).query)["code"][0]
    refused(browser.get(f"{CALLBACK}?{urlencode({'code': code})}"), "oidc_again")
    browser, address = there(site, at)
    state = parse_qs(urlsplit(address).query)["state"][0]
    for said, word in (
        ({"iss": "http://evil", "code": "x"}, "oidc_again"),
        ({"error": "access_denied"}, "oidc_refused"),
    ):
        browser, address = there(site, at)
        state = parse_qs(urlsplit(address).query)["state"][0]
        refused(browser.get(f"{CALLBACK}?{urlencode(said | {'state': state})}"), word)


def test_a_code_of_another_sign_in_is_refused_by_its_verifier(site: Service, at: TestProvider) -> None:
    site.store.set_person("ann@example.org", Scope.OWNER, SITE, NO_PASSWORD)
    _, stolen = there(site, at)
    mine, address = there(site, at)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    asked["code"] = parse_qs(urlsplit(stolen).query)["code"][0]
    refused(mine.get(f"{CALLBACK}?{urlencode(asked)}"), "oidc_refused")


def test_what_the_token_leaves_out_the_provider_says_of_the_same_person_alone(site: Service, at: TestProvider) -> None:
    site.store.set_person("ann@example.org", Scope.OWNER, SITE, NO_PASSWORD)
    at.token_claims = {"email": None, "email_verified": None}
    at.told_elsewhere = {"sub": "2", "email": "ann@example.org", "email_verified": True}
    refused(come(site, at), "oidc_nobody")
    at.told_elsewhere["sub"] = "1"
    assert come(site, at).status_code == 303


def test_a_provider_that_is_away_is_said_and_passwords_go_on(site: Service, at: TestProvider) -> None:
    at.down = True
    site.client.application.extensions[openid.EXTENSION]._about_until = 0.0
    refused(site.client.get("/console/oidc"), "oidc_away")
    assert site.client.get("/console/sign-in").status_code == 200


def test_failed_ways_back_are_bounded_by_address_and_none_ends_elsewhere(site: Service, at: TestProvider) -> None:
    answers = [site.client.get(f"{CALLBACK}?code=x&state=y").status_code for _ in range(12)]
    assert answers[:10] == [401] * 10
    assert answers[-1] == 429
    site.client.application.extensions["installation"].bounds.addresses._busy_until.clear()
    site.store.set_person("ann@example.org", Scope.OWNER, SITE, NO_PASSWORD)
    assert come(site, at, "https://evil.example/console/").location == "/console/"


def test_the_sign_in_page_leads_to_the_provider_only_where_there_is_one(
    site: Service, at: TestProvider, tmp_path: Path
) -> None:
    page = site.client.get("/console/sign-in?next=/console/runs&lang=en").text
    assert 'href="/console/oidc?next=/console/runs"' in page
    assert "Sign in with 127.0.0.1" in page
    with serving(plain_settings(tmp_path)) as plainly:
        assert "/console/oidc" not in plainly.client.get("/console/sign-in").text
        assert plainly.client.get("/console/oidc").status_code == 404
        assert plainly.client.get(CALLBACK).status_code == 404


def test_an_owner_may_add_somebody_without_a_password(site: Service, at: TestProvider) -> None:
    owner = {"Authorization": f"Bearer {site.store.add_token('owner', Scope.OWNER, SITE)}"}
    answer = site.client.put("/admin/api/people/cy@example.org", json={"role": "viewer"}, headers=owner)
    assert answer.status_code == 200, answer.text
    assert site.store.password_hash("cy@example.org") == NO_PASSWORD


@pytest.mark.parametrize(
    "about",
    [
        {"issuer": "http://login.example.org", "client_id": "x"},
        {"issuer": "https://login.example.org"},
        {"issuer": "https://login.example.org", "client_id": "x", "roles": {"all": "king"}},
        {"issuer": "https://login.example.org", "client_id": "x", "secret": "y"},
    ],
)
def test_a_provider_that_cannot_be_is_refused_at_the_start(about: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings(web={"oidc": about})


def test_the_client_s_secret_stands_in_no_manifest_and_no_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECSYS_WEB__OIDC", '{"issuer": "https://a.org", "client_id": "x", "client_secret": "hush!"}')
    settings = Settings()
    assert settings.web.oidc is not None
    assert settings.web.oidc.client_secret.get_secret_value() == "hush!"
    assert "hush!" not in str(plain(settings)) + repr(settings)


def test_without_authlib_the_start_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> None:
        raise ModuleNotFoundError("No module named 'authlib'")

    monkeypatch.setattr(importlib, "import_module", missing)
    settings = Settings(web={"oidc": {"issuer": "https://a.org", "client_id": "x"}})
    with pytest.raises(ConfigError, match=r"\[oidc\]"):
        openid.provider_of(settings)

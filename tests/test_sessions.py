"""People: accounts and their sessions, the cookie, who may send it, and what wrong passwords and tokens cost."""

import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from typer.testing import CliRunner

from jobs.__main__ import app as commands
from recsys.errors import InputError, LastOwner
from recsys.store import Scope, Store, hashed_password, is_password, passwords
from recsys.store import people as people_room
from recsys.units import DAY_MS, HOUR_MS, now_ms
from tests.newsroom import SITE, toy_settings
from tests.service import Service, for_children, plain_settings, problem, serving
from tests.stores import server, store
from web.attempts import MAX_KEYS, Attempts, Bounds, network_of
from web.installation import KEY, Installation

__all__ = ["server", "store"]

WORDS = "correct horse battery"
PAGE = {"Origin": "http://localhost"}
SESSION = "/admin/api/session"


class Clock:
    """Seconds that only a test moves."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes that cost next to nothing."""
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    passwords._nobody.cache_clear()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def site(tmp_path: Path, clock: Clock) -> Iterator[Service]:
    with serving(plain_settings(tmp_path)) as service:
        application = service.client.application
        here: Installation = application.extensions[KEY]
        application.extensions[KEY] = replace(here, bounds=Bounds(clock))
        service.store.set_person("ann", Scope.EDITOR, SITE, hashed_password(WORDS))
        yield service


def sign_in(site: Service, password: str = WORDS, name: str = "ann", address: str = "192.0.2.1", **headers: str) -> Any:
    return site.client.post(
        SESSION,
        json={"name": name, "password": password},
        headers=headers,
        environ_overrides={"REMOTE_ADDR": address},
    )


def cookie(site: Service) -> str | None:
    held = site.client.get_cookie("recsys_session")
    return None if held is None else held.value


def test_a_password_is_kept_as_argon2id_and_no_two_hashes_are_alike() -> None:
    first, second = hashed_password(WORDS), hashed_password(WORDS)
    assert first.startswith("$argon2id$")
    assert first != second
    assert is_password(first, WORDS)
    assert not is_password(first, WORDS + "x")
    assert not is_password(None, "")
    assert not is_password("no hash", WORDS)
    assert is_password(
        hashed_password("cafe\u0301 au lait bien"), "caf\u00e9 au lait bien"
    )  # typed on another keyboard
    for wrong in ("", "eleven char", "x" * 257):
        with pytest.raises(InputError):
            hashed_password(wrong)


def test_the_real_parameters_are_those_that_the_source_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    hasher = passwords.HASHER
    assert (hasher.time_cost, hasher.memory_cost, hasher.parallelism) == (2, 19_456, 1)


def test_a_person_signs_in_does_what_the_role_may_and_signs_out(site: Service) -> None:
    answer = sign_in(site)
    assert (answer.status_code, answer.json["kind"], answer.json["role"]) == (200, "person", "editor")
    set_cookie = answer.headers["Set-Cookie"]
    assert all(word in set_cookie for word in ("HttpOnly", "SameSite=Lax", "Path=/"))
    assert "Secure" not in set_cookie
    assert "Secure" in sign_in(site, **{"X-Forwarded-Proto": "https"}).headers["Set-Cookie"]
    sign_in(site)
    assert site.get(SESSION)["name"] == "ann"
    assert site.client.get("/admin/api/editorial").status_code == 200
    problem(site.client.get("/admin/api/audit"), 403, "wrong-scope")
    secret = cookie(site)
    assert secret is not None
    assert site.client.delete(SESSION, headers=PAGE).status_code == 204
    assert cookie(site) is None
    site.client.set_cookie("recsys_session", secret)  # a copy is worth nothing any more
    problem(site.client.get(SESSION), 401, "unauthorized")
    assert site.store.audit(SITE, 1)[0][3:6] == ("person ann", "sign in", "person ann")


def test_a_session_is_never_one_that_was_there_before(site: Service) -> None:
    planted = "planted-by-somebody-else"
    site.client.set_cookie("recsys_session", planted)
    sign_in(site)
    first = cookie(site)
    assert first not in (None, planted)
    sign_in(site)
    second = cookie(site)
    assert second != first
    assert site.store.session(str(second)) is not None
    assert site.store.session(str(first)) is None
    assert site.store.session(planted) is None


def test_a_session_ends_with_its_time_its_password_its_role_and_its_account(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    hash = hashed_password(WORDS)

    def begin() -> str:
        begun = store.add_session("ann", hash, "192.0.2.1", "person ann")
        assert begun is not None
        assert store.session(begun[0]) is not None
        return begun[0]

    assert store.set_person("ann", Scope.OWNER, SITE, hash)
    secret, now = begin(), now_ms()
    with store.reading() as connection:
        assert secret not in str(connection.exec_driver_sql("SELECT * FROM sessions").all())
    monkeypatch.setattr(people_room, "now_ms", lambda: now + 12 * HOUR_MS)
    assert store.session(secret) is None
    monkeypatch.undo()
    assert not store.set_person("ann", Scope.OWNER, SITE, hash)
    assert store.session(secret) is None
    secret = begin()
    assert store.add_session("ann", hashed_password("another password"), "x", "y") is None  # changed meanwhile
    assert store.remove_person("ann")
    assert store.session(secret) is None
    assert not store.remove_person("ann")
    assert store.add_session("ann", hash, "192.0.2.1", "person ann") is None
    assert [entry.verb for entry in store.audit(SITE, 9)] == ["remove", "sign in", "person", "sign in", "person"]


def test_an_owner_who_is_a_person_is_an_owner_and_publishers_are_none(store: Store) -> None:
    store.add_token("boss", Scope.OWNER, SITE)
    with pytest.raises(LastOwner):
        store.revoke_token("boss", site=SITE, last_owner=False)
    store.set_person("ann", Scope.OWNER, SITE, hashed_password(WORDS))
    assert [one[:3] for one in store.people(SITE)] == [("ann", Scope.OWNER, SITE)]
    assert store.people("weekly") == []
    assert store.revoke_token("boss", site=SITE, last_owner=False)
    with pytest.raises(InputError, match="viewer"):
        store.set_person("cms", Scope.WRITE, SITE, "x")


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"}, True),  # only a browser writes the first
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Origin": "http://localhost"}, True),
        ({"Origin": "https://localhost"}, True),
        ({"Origin": "http://localhost", "X-Forwarded-Proto": "https"}, False),
        ({"Origin": "http://localhost.evil.example"}, False),
        ({"Origin": "http://localhost:81"}, False),
        ({"Origin": "null"}, False),
        ({}, False),
    ],
)
def test_a_cookie_changes_something_only_from_a_page_of_this_address(
    site: Service, headers: dict[str, str], allowed: bool
) -> None:
    sign_in(site)
    answer = site.client.delete(SESSION, headers=headers)
    assert answer.status_code == (204 if allowed else 403)
    if not allowed:
        problem(answer, 403, "wrong-origin")
        assert site.client.get(SESSION, headers=headers).status_code == 200  # reading changes nothing


def test_another_site_s_page_signs_nobody_in_and_a_token_needs_no_page(site: Service) -> None:
    problem(sign_in(site, Origin="https://evil.example"), 403, "wrong-origin")
    assert cookie(site) is None
    token = site.store.add_token("desk", Scope.EDITOR, SITE)
    headers = {"Authorization": f"Bearer {token}", "Origin": "https://evil.example"}
    assert site.client.post("/admin/api/articles/no/hide", headers=headers).status_code == 404
    sign_in(site)
    wrong = {"Authorization": "Bearer wrong"} | PAGE
    problem(site.client.post("/admin/api/articles/no/hide", headers=wrong), 401, "unauthorized")


def test_a_cookie_opens_the_admin_api_alone(site: Service) -> None:
    site.store.set_person("ann", Scope.OWNER, SITE, hashed_password(WORDS))
    sign_in(site)
    problem(site.client.put("/api/v1/articles/x", json={"title": "T"}, headers=PAGE), 401, "unauthorized")


def test_wrong_names_and_wrong_passwords_are_answered_alike(site: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str] = []
    verify = PasswordHasher.verify

    def watched(hasher: PasswordHasher, hash: str, password: str) -> bool:
        compared.append(password)
        return verify(hasher, hash, password)

    monkeypatch.setattr(PasswordHasher, "verify", watched)
    wrong, unknown = sign_in(site, "no"), sign_in(site, "no", "nobody")
    problem(wrong, 401, "wrong-password")
    assert wrong.data == unknown.data
    assert len(compared) == 2
    assert "Set-Cookie" not in wrong.headers


def test_an_address_that_fails_waits_longer_and_longer_and_is_never_locked_out(site: Service, clock: Clock) -> None:
    for n in range(10):
        assert sign_in(site, "no", f"name {n}").status_code == 401
    answer = sign_in(site)  # not even the right one
    problem(answer, 429, "too-many-attempts")
    assert answer.headers["Retry-After"] == "11"
    assert sign_in(site, address="192.0.2.2").status_code == 200
    clock.now += 10.1
    assert sign_in(site).status_code == 200  # does not count as a failure
    assert sign_in(site, "no").status_code == 401
    problem(sign_in(site), 429, "too-many-attempts")


def test_others_who_guess_lock_the_owner_out_from_nowhere_known(site: Service, clock: Clock) -> None:
    assert sign_in(site, address="198.51.100.7").status_code == 200
    for n in range(20):
        assert sign_in(site, "no", address=f"203.0.113.{n}").status_code == 401
    problem(sign_in(site, "no", address="203.0.113.99"), 429, "too-many-attempts")
    problem(sign_in(site, address="192.0.2.9"), 429, "too-many-attempts")  # from a new address she has to wait
    assert sign_in(site, address="198.51.100.7").status_code == 200  # from home she does not
    clock.now += 30.1
    assert sign_in(site, address="192.0.2.9").status_code == 200
    assert sign_in(site, "no", "bob", address="203.0.113.99").status_code == 401  # another account, another bound


def test_an_address_is_known_for_thirty_days(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.set_person("ann", Scope.OWNER, SITE, "hash")
    store.add_session("ann", "hash", "192.0.2.1", "person ann")
    assert store.knows_address("ann", "192.0.2.1")
    assert not store.knows_address("ann", "192.0.2.2")
    assert not store.knows_address("bob", "192.0.2.1")
    later = now_ms() + 30 * DAY_MS + 1
    monkeypatch.setattr(people_room, "now_ms", lambda: later)
    assert not store.knows_address("ann", "192.0.2.1")


def test_two_passwords_are_compared_at_a_time_and_a_third_is_told_to_come_back(
    site: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, go = threading.Semaphore(0), threading.Event()

    def slow(*_: object) -> bool:
        inside.release()
        return go.wait(10.0)

    monkeypatch.setattr("web.sessions.is_password", slow)
    clients = [site.client.application.test_client() for _ in range(2)]
    body = {"name": "ann", "password": WORDS}
    threads = [threading.Thread(target=client.post, args=(SESSION,), kwargs={"json": body}) for client in clients]
    for thread in threads:
        thread.start()
    assert all(inside.acquire(timeout=10.0) for _ in threads)
    answer = sign_in(site)
    problem(answer, 503, "overloaded")
    assert answer.headers["Retry-After"] == "1"
    go.set()
    for thread in threads:
        thread.join()
    assert sign_in(site).status_code == 200


def test_a_thousand_wrong_tokens_are_looked_at_no_more_and_a_valid_one_goes_on(
    site: Service, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    look_up = site.store.token

    def watched(secret: str) -> Any:
        asked.append(secret)
        return look_up(secret)

    monkeypatch.setattr(site.store, "token", watched)

    def ask(secret: str, address: str = "192.0.2.1") -> Any:
        headers = {"Authorization": f"Bearer {secret}"}
        return site.client.get("/admin/api/runs", headers=headers, environ_overrides={"REMOTE_ADDR": address})

    valid = site.store.add_token("desk", Scope.VIEWER, SITE)
    assert ask(valid).status_code == 200
    answers = [ask(f"wrong {n}") for n in range(1_000)]
    assert [answer.status_code for answer in answers] == [401] * 20 + [429] * 980
    assert answers[-1].headers["Retry-After"] == "2"
    assert len(asked) == 21
    assert ask(valid).status_code == 200
    site.store.revoke_token("desk")
    assert ask(valid).status_code == 401
    fresh = site.store.add_token("new", Scope.VIEWER, SITE)
    assert ask(fresh).status_code == 429
    assert ask(fresh, "192.0.2.2").status_code == 200
    clock.now += 3.0
    assert ask("wrong").status_code == 401


def test_attempts_are_counted_before_they_are_made_and_remember_no_more_than_so_many(clock: Clock) -> None:
    attempts = Attempts(2, 10.0, clock)
    assert [attempts.take("a") for _ in range(3)] == [0.0, 0.0, 10.0]
    attempts.give_back("a")
    attempts.give_back("nobody")
    assert attempts.take("a") == 0.0
    clock.now += 9.0
    assert attempts.wait("a") == 1.0
    clock.now += 1.0
    assert attempts.take("a") == 0.0
    for n in range(MAX_KEYS + 5):
        attempts.take(f"key {n}")
    assert len(attempts._busy_until) <= MAX_KEYS + 1
    assert attempts.take("a") > 0  # who has failed most is remembered


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("127.0.0.1", "6.6.6.6, 192.0.2.7", "192.0.2.7"),  # the first was written by the caller
        ("::1", "192.0.2.7", "192.0.2.7"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("203.0.113.5", "192.0.2.7", "203.0.113.5"),
    ],
)
def test_a_proxy_on_this_machine_is_believed_and_nobody_else(
    site: Service, peer: str, forwarded: str, address: str
) -> None:
    assert sign_in(site, address=peer, **{"X-Forwarded-For": forwarded}).status_code == 200
    assert site.store.audit(SITE, 1)[0].origin == address


def test_an_ipv6_household_counts_as_one_address() -> None:
    assert network_of("2001:db8:1:2::1") == network_of("2001:db8:1:2:ffff::9") != network_of("2001:db8:1:3::1")
    assert network_of("192.0.2.1") == "192.0.2.1"
    assert network_of("") == ""


def test_accounts_are_made_changed_listed_and_removed_by_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = toy_settings(tmp_path)
    for_children(settings, monkeypatch)

    def run(*words: str, input: str = "") -> Any:
        return CliRunner().invoke(commands, list(words), input=input)

    assert run("person", "ann", "--role", "owner", input=WORDS + "\n").exit_code == 0
    store = Store.open(settings.database_url)
    assert is_password(store.password_hash("ann"), WORDS)
    assert run("person", "ann", "--role", "viewer", input="another password\r\n").exit_code == 0
    assert is_password(store.password_hash("ann"), "another password")
    shown = run("people").stdout.splitlines()
    assert shown[1].split()[:3] == ["ann", "viewer", SITE]
    for words, input in [
        (("person", "bob", "--role", "owner"), "short\n"),
        (("person", "bob"), WORDS),
        (("person", "bob", "--role", "write"), WORDS),
        (("person", "bob", "--remove"), ""),
    ]:
        assert isinstance(run(*words, input=input).exception, InputError), words
    assert run("person", "ann", "--remove").exit_code == 0
    assert store.people(SITE) == []
    entry = store.audit(SITE, 1)[0]
    assert (entry.verb, entry.before) == ("remove", {"scope": "viewer", "site": SITE})
    assert entry.actor.startswith("command")
    assert entry.origin

    said = run("person", "editor", "--first").stdout
    password = re.search(r"sign in as editor with the password (\S+)", said)
    assert "/console" in said
    assert password is not None
    assert is_password(store.password_hash("editor"), password[1])
    again = run("person", "eve", "--first").stdout
    assert "sign in as editor" in again
    assert "password editor" not in again
    assert [(one.name, one.scope) for one in store.people(SITE)] == [("editor", Scope.OWNER)]
    store.close()

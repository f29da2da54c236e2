"""Tokens: their ends, their last use, and their removal, by the API, by command and in every worker at once."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from recsys.errors import InputError, LastOwner, StoreError, UnknownName
from recsys.store import Scope, Store
from recsys.store import tokens as tokens_room
from recsys.units import DAY_MS, MINUTE_MS, now_ms
from tests.newsroom import SITE
from tests.service import Service, plain_settings, problem, serving
from tests.stores import server, store, watched
from web import last_use
from web.last_use import LastUse

__all__ = ["server", "store"]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Service]:
    with serving(plain_settings(tmp_path)) as service:
        yield service


def ask(site: Service, secret: str, path: str = "/runs", method: str = "GET", body: Any = None) -> Any:
    headers = {"Authorization": f"Bearer {secret}"}
    return site.client.open(f"/admin/api{path}", method=method, headers=headers, json=body)


def test_a_token_ends_at_its_time_and_its_name_is_free_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    now = now_ms()
    secret = store.add_token("guest", Scope.VIEWER, SITE, expires_at=now + MINUTE_MS)
    with pytest.raises(InputError):
        store.add_token("guest", Scope.VIEWER, SITE)
    monkeypatch.setattr(tokens_room, "now_ms", lambda: now + MINUTE_MS - 1)
    assert store.token(secret) is not None
    monkeypatch.setattr(tokens_room, "now_ms", lambda: now + MINUTE_MS)
    assert store.token(secret) is None
    with pytest.raises(InputError, match="end after now"):
        store.add_token("guest", Scope.VIEWER, SITE, expires_at=now + MINUTE_MS)
    assert not store.revoke_token("guest")
    again = store.add_token("guest", Scope.EDITOR, SITE)
    assert store.token(secret) is None
    assert store.token(again) is not None


def test_the_last_use_is_written_once_a_minute(store: Store) -> None:
    store.add_token("desk", Scope.OWNER, SITE)
    now = now_ms()

    def used() -> int | None:
        return store.tokens(SITE)[0].last_used_at

    assert used() is None
    for at, expected in [(now, now), (now + MINUTE_MS - 1, now), (now + MINUTE_MS, now + MINUTE_MS)]:
        store.note_use("desk", at)
        assert used() == expected


def test_workers_share_the_minute_and_a_locked_database_holds_up_nobody(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = store.add_token("desk", Scope.OWNER, SITE)
    first, second = LastUse(store), LastUse(store)
    token = store.token(secret)
    assert token is not None
    with watched(store) as statements:
        first.note(token)
        first.note(token)
        first.close()
        again = store.token(secret)
        assert again is not None
        second.note(again)
        second.close()
    assert sum(statement.startswith("UPDATE tokens") for statement, _ in statements) == 1
    waiting = threading.Event()
    monkeypatch.setattr(store, "note_use", lambda *_: waiting.wait(5.0))
    monkeypatch.setattr(last_use, "now_ms", lambda: now_ms() + DAY_MS)
    slow = LastUse(store)
    slow.note(token)  # comes back although nothing can be written
    waiting.set()
    slow.close()


def test_a_database_out_of_reach_ends_no_note_for_ever(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/store.db")
    secret = store.add_token("desk", Scope.OWNER, SITE)
    token, written = store.token(secret), []

    def note_use(name: str, at: int) -> None:
        written.append(name)
        if len(written) == 1:
            raise StoreError("a database", "none", "Wait.")

    monkeypatch.setattr(store, "note_use", note_use)
    assert token is not None
    notes = LastUse(store)
    notes.note(token)
    notes.note(token._replace(name="other"))
    notes.close()
    store.close()
    assert written == ["desk", "other"]


def test_an_owner_makes_lists_and_revokes_tokens(site: Service) -> None:
    boss = site.store.add_token("boss", Scope.OWNER, SITE)
    made = ask(site, boss, "/tokens", "POST", {"name": "desk", "role": "editor", "expires": "90d"})
    assert made.status_code == 201
    assert now_ms() + 89 * DAY_MS < made.json["expires_at"] < now_ms() + 91 * DAY_MS
    secret = made.json["token"]
    assert (len(secret), made.json["site"]) == (43, SITE)  # 256 bits
    assert ask(site, secret, "/editorial").status_code == 200
    listed = {one["name"]: one for one in ask(site, boss, "/tokens").json["tokens"]}
    assert (listed["desk"]["role"], listed["desk"]["valid"], "token" in listed["desk"]) == ("editor", True, False)
    assert secret not in ask(site, boss, "/tokens").text
    assert ask(site, boss, "/tokens/desk", "DELETE").status_code == 204
    problem(ask(site, secret, "/editorial"), 401, "unauthorized")
    problem(ask(site, boss, "/tokens/desk", "DELETE"), 404, "unknown-name")
    listed = {one["name"]: one for one in ask(site, boss, "/tokens").json["tokens"]}
    assert (listed["desk"]["valid"], listed["desk"]["revoked_at"] is None) == (False, False)
    entries = [(entry.verb, entry.object, entry.actor) for entry in site.store.audit(SITE, 2)]
    assert entries == [("revoke", "token desk", "token boss"), ("token", "token desk", "token boss")]


def test_what_makes_no_token_is_named(site: Service) -> None:
    boss = site.store.add_token("boss", Scope.OWNER, SITE)
    for body, named in [
        ({"name": "x"}, "role"),
        ({"name": "x", "role": "god"}, "owner"),
        ({"name": "", "role": "editor"}, "name"),
        ({"name": "x", "role": "editor", "expires": "soon"}, "soon"),
        ({"name": "x", "role": "editor", "expires": "0d"}, "end after now"),
        ({"name": "boss", "role": "editor"}, "boss"),
        ({"name": "x", "role": "editor", "scope": "all"}, "scope"),
    ]:
        assert named in problem(ask(site, boss, "/tokens", "POST", body), 422, "invalid")
    every = {"name": "x", "role": "editor", "every_site": True}
    problem(ask(site, boss, "/tokens", "POST", every), 403, "wrong-site")
    assert len(ask(site, boss, "/tokens").json["tokens"]) == 1


def test_an_owner_of_one_site_sees_and_revokes_nothing_of_another(site: Service) -> None:
    boss = site.store.add_token("boss", Scope.OWNER, SITE)
    site.store.add_token("theirs", Scope.OWNER, "weekly")
    root = site.store.add_token("root", Scope.OWNER, None)
    assert [one["name"] for one in ask(site, boss, "/tokens").json["tokens"]] == ["boss", "root"]
    for name in ("theirs", "root"):
        problem(ask(site, boss, f"/tokens/{name}", "DELETE"), 404, "unknown-name")
    made = ask(site, root, "/tokens", "POST", {"name": "all", "role": "viewer", "every_site": True})
    assert (made.status_code, made.json["site"]) == (201, None)
    for name in ("theirs", "boss"):  # an owner of every site is left
        assert ask(site, root, f"/tokens/{name}", "DELETE").status_code == 204
    problem(ask(site, root, "/tokens/root", "DELETE"), 409, "last-owner")


@contextmanager
def two_owners(store: Store) -> Iterator[None]:
    store.add_token("ann", Scope.OWNER, SITE)
    store.add_token("bob", Scope.OWNER, SITE)
    store.add_token("eve", Scope.OPERATOR, SITE)
    yield


def test_of_two_owners_who_remove_each_other_one_stays(store: Store) -> None:
    with two_owners(store):
        outcomes: list[object] = []

        def remove(name: str, by: str) -> None:
            try:
                outcomes.append(store.revoke_token(name, by, site=SITE, last_owner=False))
            except LastOwner as error:
                outcomes.append(type(error))

        threads = [threading.Thread(target=remove, args=pair) for pair in (("ann", "token bob"), ("bob", "token ann"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(map(str, outcomes)) == sorted(map(str, [True, LastOwner]))
        valid = [one for one in store.tokens(SITE) if one.revoked_at is None]
        assert len([one for one in valid if one.scope is Scope.OWNER]) == 1
        assert [entry.verb for entry in store.audit(SITE, 9)].count("revoke") == 1
        assert store.revoke_token("eve", "token bob", site=SITE, last_owner=False)
        with pytest.raises(UnknownName):
            store.revoke_token("bob" if valid[0].name == "bob" else "ann", "x", site="weekly")


def test_an_owner_whose_token_has_ended_is_none(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    now = now_ms()
    store.add_token("guest", Scope.OWNER, SITE, expires_at=now + MINUTE_MS)
    store.add_token("ann", Scope.OWNER, SITE)
    monkeypatch.setattr(tokens_room, "now_ms", lambda: now + MINUTE_MS)
    with pytest.raises(LastOwner):
        store.revoke_token("ann", site=SITE, last_owner=False)
    assert store.revoke_token("ann")  # by command, on the machine


def test_a_token_that_is_revoked_in_one_worker_is_refused_by_all(site: Service) -> None:
    boss = site.store.add_token("boss", Scope.OWNER, SITE)
    ask(site, boss, "/tokens", "POST", {"name": "spare", "role": "owner"})
    with serving(site.settings) as other:
        assert ask(other, boss).status_code == 200
        assert ask(site, boss, "/tokens/boss", "DELETE").status_code == 204
        problem(ask(other, boss), 401, "unauthorized")

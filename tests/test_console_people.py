"""People for owners: added, changed and removed over HTTP; of two owners who remove each other one stays."""

import html
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from recsys.errors import InputError, LastOwner, UnknownName
from recsys.store import Scope, Store, hashed_password, passwords
from tests.newsroom import SITE
from tests.service import Service, four, problem
from tests.stores import server, store
from tests.test_console import PAGE, WORDS
from tests.test_story_edits import ask, done

__all__ = ["server", "store"]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """Four articles and two owners."""
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    with four(tmp_path) as service:
        for name in ("ann", "bob"):
            service.store.set_person(name, Scope.OWNER, SITE, hashed_password(WORDS))
        yield service


def enter(site: Service, name: str) -> Any:
    browser: Any = site.client.application.test_client()
    browser.post("/console/sign-in", data={"name": name, "password": WORDS}, headers=PAGE)
    return browser


def send(browser: Any, path: str, **form: str) -> str:
    answer = browser.post(path, data=form, headers=PAGE)
    assert answer.status_code == 200, answer.text
    return html.unescape(answer.text)


def test_the_last_owner_stays_and_an_account_of_more_sites_is_not_for_an_owner_of_one(store: Store) -> None:
    for name, where in (("ann", "s"), ("bob", "s"), ("root", None), ("eve", "t")):
        store.set_person(name, Scope.OWNER, where, "hash")
    store.remove_person("root")
    assert store.remove_person("ann", within="s", last_owner=False)
    with pytest.raises(LastOwner):
        store.remove_person("bob", within="s", last_owner=False)
    with pytest.raises(LastOwner):
        store.set_person("bob", Scope.EDITOR, "s", None, within="s", last_owner=False)
    with pytest.raises(UnknownName):
        store.remove_person("eve", within="s")
    with pytest.raises(UnknownName):
        store.set_person("eve", Scope.VIEWER, "s", "hash", within="s")
    assert [(one.name, one.scope) for one in store.people("s")] == [("bob", Scope.OWNER)]
    assert store.set_person("bob", Scope.OWNER, "s", None, last_owner=False) is False
    assert store.password_hash("bob") == "hash", "a change of role keeps the password"
    with pytest.raises(InputError):
        store.set_person("new", Scope.VIEWER, "s", None)
    assert store.remove_person("bob"), "by command everything can be done"


def test_people_are_added_changed_and_removed_on_the_page(site: Service) -> None:
    browser = enter(site, "ann")
    assert "carl is editor" in send(browser, "/console/people?lang=en", name="carl", role="editor", password=WORDS)
    carl = enter(site, "carl")
    assert carl.get("/console/stories").status_code == 200
    assert "carl is viewer" in send(browser, "/console/people", name="carl", role="viewer")
    assert carl.get("/console/stories").status_code == 303, "a session ends with its role"
    assert enter(site, "carl").get("/console/front").status_code == 200, "the password stays"
    assert "12 to 256 characters" in send(browser, "/console/people", name="dora", role="editor", password="short")
    assert "carl is removed" in send(browser, "/console/people/remove", name="carl")
    assert [one["name"] for one in done(site, "GET", "/people")["people"]] == ["ann", "bob"]
    said = site.store.audit(SITE, 9, object="person carl")
    assert [(one.verb, one.actor) for one in said if one.verb != "sign in"] == [
        ("remove", "person ann"),
        ("person", "person ann"),
        ("person", "person ann"),
    ]
    assert WORDS not in str(site.store.audit(SITE, 99))


def test_of_two_owners_who_remove_each_other_one_stays(site: Service) -> None:
    ann, bob = enter(site, "ann"), enter(site, "bob")
    assert "bob is removed" in send(ann, "/console/people/remove?lang=en", name="bob")
    late = bob.post("/console/people/remove", data={"name": "ann"}, headers=PAGE)
    assert late.status_code == 303, "whoever was removed is signed out"
    assert 'class="notice bad"' in send(ann, "/console/people/remove", name="ann")
    assert 'class="notice bad"' in send(ann, "/console/people", name="ann", role="editor")
    assert [one.name for one in site.store.people(SITE)] == ["ann"]


def test_what_cannot_be_is_refused(site: Service) -> None:
    problem(ask(site, "DELETE", "/people/nobody"), 404, "unknown-name")
    problem(ask(site, "PUT", "/people/carl", {"role": "write", "password": WORDS}), 422, "invalid")
    problem(ask(site, "PUT", "/people/carl", {"role": "editor"}), 422, "invalid")
    site.store.set_person("root", Scope.OWNER, None, "hash")
    secret = site.store.add_token("of one site", Scope.OWNER, SITE)
    headers = {"Authorization": f"Bearer {secret}"}
    for body in ({"role": "viewer"}, {"role": "viewer", "password": WORDS}):
        answer: Any = site.client.put("/admin/api/people/root", headers=headers, json=body)
        problem(answer, 404, "unknown-name")
    answer = site.client.put("/admin/api/people/x", headers=headers, json={"role": "viewer", "every_site": True})
    problem(answer, 403, "wrong-site")
    assert site.store.password_hash("root") == "hash"

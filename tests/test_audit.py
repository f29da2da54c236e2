"""The audit: who, what, before, after and from where, in pages and by object, actor and time, in both databases."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from recsys.store import Actor, ArticleEdit, ArticlePatch, EditVerb, Scope, Store
from recsys.store import audit as audit_room
from recsys.store.audit import EVERY_SITE
from recsys.units import HOUR_MS, now_ms
from tests.newsroom import SITE
from tests.service import Service, article, four, problem
from tests.stores import server, store

__all__ = ["server", "store"]

ANN = Actor("token ann", "192.0.2.7")


def test_an_actor_is_its_name_and_the_entry_says_from_where(store: Store) -> None:
    store.put_articles([article("a")])
    store.hide_article(SITE, "a", ANN)
    hidden = store.audit(SITE, 1)[0]
    assert (hidden.actor, hidden.origin, hidden.verb) == ("token ann", "192.0.2.7", "hide")
    assert hidden.before == {"hidden": False, "hidden_by": None}
    assert hidden.after == {"hidden": True, "hidden_by": "token ann"}
    store.show_article(SITE, "a", "bob")
    shown = store.audit(SITE, 1)[0]
    assert (shown.origin, shown.before, shown.after) == (None, hidden.after, hidden.before)
    store.delete_article(SITE, "a", ANN)
    gone = store.audit(SITE, 1)[0]
    assert gone.before is not None
    assert (gone.before["title"], gone.after) == ("Title of a", None)


def test_a_decision_that_another_one_ends_is_what_was_before(store: Store) -> None:
    store.put_articles([article("a")])
    until = now_ms() + HOUR_MS
    store.boost_article(SITE, "a", ANN, factor=2.0, until=until)
    store.bury_article(SITE, "a", ANN, until=until + 1)
    entry = store.audit(SITE, 1)[0]
    assert (entry.before, entry.after) == ({"boost": {"until": until, "factor": 2.0}}, {"until": until + 1})


def test_an_edit_shows_the_fields_that_it_changed_and_of_a_text_the_beginning(store: Store) -> None:
    def put(verb: EditVerb, **fields: Any) -> None:
        store.publish_articles(SITE, [ArticleEdit(verb, ArticlePatch("a", SITE, fields))], ANN)

    put(EditVerb.PUT, title="Old", body="b" * 900)
    put(EditVerb.PATCH, title="New", source="S")
    changed, new = store.audit(SITE, 2)
    assert (new.before, new.after) == (None, {"title": "Old"})
    assert (changed.before, changed.after) == ({"source": None, "title": "Old"}, {"source": "S", "title": "New"})
    put(EditVerb.PATCH, body="c" * 900)
    after = store.audit(SITE, 1)[0].after
    assert after == {"body": "c" * 200}


def test_entries_are_found_by_object_actor_and_time_and_in_pages(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(7):
        monkeypatch.setattr(audit_room, "now_ms", lambda n=n: 1_000 + n)
        store.record(SITE, ["ann", "bob"][n % 2], "start", f"job {n % 3}", after={"n": n}, why="asked")
    store.record("weekly", "ann", "start", "job 0")
    pages, below = [], None
    while entries := store.audit(SITE, 3, below=below):
        pages.append([entry.after["n"] for entry in entries if entry.after])
        below = entries[-1].number
    assert pages == [[6, 5, 4], [3, 2, 1], [0]]
    assert [entry.after for entry in store.audit(SITE, 9, object="job 1")] == [{"n": 4}, {"n": 1}]
    assert [entry.after for entry in store.audit(SITE, 9, actor="bob", since=1_003)] == [{"n": 5}, {"n": 3}]
    assert store.audit(SITE, 1)[0].details == {"why": "asked"}


def test_what_concerns_every_site_is_in_the_audit_of_each(store: Store) -> None:
    store.add_token("all", Scope.OWNER, None, by=ANN)
    store.add_token("one", Scope.VIEWER, "weekly", expires_at=now_ms() + HOUR_MS, by=ANN)
    assert [entry.object for entry in store.audit(SITE, 9)] == ["token all"]
    one, every = store.audit("weekly", 9)
    assert (every.site, one.site) == (EVERY_SITE, "weekly")
    assert one.after is not None
    assert (one.after["scope"], one.after["site"]) == ("viewer", "weekly")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Service]:
    with four(tmp_path) as service:
        yield service


def test_the_api_pages_and_names_the_address_of_the_request(site: Service) -> None:
    headers = {"Authorization": f"Bearer {site.store.add_token('desk')}"}

    def ask(path: str, method: str = "GET", **more: Any) -> Any:
        return site.client.open(f"/admin/api{path}", method=method, headers=headers, **more)

    for n in (1, 2, 3):
        ask(f"/articles/a{n}/hide", "POST", environ_overrides={"REMOTE_ADDR": "203.0.113.9"})
    first = ask("/audit?last=2&actor=token+desk").json
    assert [(entry["object"], entry["origin"]) for entry in first["entries"]] == [
        ("a3", "203.0.113.9"),
        ("a2", "203.0.113.9"),
    ]
    rest = ask(f"/audit?last=2&actor=token+desk&below={first['next']}").json
    assert ([entry["object"] for entry in rest["entries"]], rest["next"]) == (["a1"], None)
    assert ask(f"/audit?since={now_ms() + HOUR_MS}").json["entries"] == []
    assert ask("/audit?since=1970-01-02T00:00:00Z&last=1").json["entries"][0]["object"] == "a3"
    assert "yesterday" in problem(ask("/audit?since=yesterday"), 422, "invalid")

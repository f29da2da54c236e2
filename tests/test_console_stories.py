"""Stories for editors: found, read with hidden articles, joined, split, named, undone, and decided by two at once."""

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from recsys.errors import StoryConflict
from recsys.store import Article, Scope, Store, hashed_password, passwords
from tests.newsroom import SITE
from tests.service import Service, four
from tests.stores import server, store
from tests.test_console import PAGE, WORDS
from tests.test_story_edits import ask, done, join

__all__ = ["server", "store"]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """Four articles, newest first a1, a2, a3, a4, and an editor."""
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    with four(tmp_path) as service:
        service.store.set_person("editor", Scope.EDITOR, SITE, hashed_password(WORDS))
        yield service


class Desk:
    """An editor's browser on the page of one story."""

    def __init__(self, site: Service) -> None:
        self.browser: Any = site.client.application.test_client()
        self.browser.post("/console/sign-in", data={"name": "editor", "password": WORDS}, headers=PAGE)
        self.page = ""

    def open(self, id: str) -> str:
        self.page = self.browser.get("/console/stories/one", query_string={"id": id, "lang": "en"}).text
        return self.page

    def send(self, id: str, **form: Any) -> str:
        """Send a form with the version of the page that stands open."""
        seen = re.search(r'name="version" value="(\d+)"', self.page)
        assert seen is not None
        data = {"id": id, "version": seen[1]} | form
        answer = self.browser.post("/console/stories/one", data=data, headers=PAGE)
        assert answer.status_code == 200, answer.text
        self.page = html.unescape(answer.text)
        return self.page

    def undo(self) -> str:
        """Send the form of the undo button."""
        form = self.page.split('class="undone')[1].split("</form>")[0]
        fields = re.findall(r'name="(\w+)" value="([^"]*)"', form)
        data: dict[str, list[str]] = {}
        for name, value in fields:
            data.setdefault(name, []).append(value)
        self.page = html.unescape(self.browser.post("/console/stories/one", data=data, headers=PAGE).text)
        return self.page


def ids(site: Service, story: str) -> list[str]:
    return [one["id"] for one in done(site, "GET", f"/stories/{story}")["listed"]]


def test_stories_are_found_by_title_name_and_id_and_the_newest_are_those_of_several_articles(site: Service) -> None:
    assert done(site, "GET", "/stories")["stories"] == []
    join(site, "a4", "a3")
    join(site, "a2", "a1")
    listed = done(site, "GET", "/stories")["stories"]
    assert [(one["story"], one["articles"], one["title"]) for one in listed] == [
        ("a2", 2, "Title of a1"),
        ("a4", 2, "Title of a3"),
    ]
    done(site, "PUT", "/stories/a4/name", {"name": "The harbour fire"})
    found = {
        q: [one["story"] for one in done(site, "GET", f"/stories?q={q}")["stories"]] for q in ("HARBOUR", "of a1", "a3")
    }
    assert found == {"HARBOUR": ["a4"], "of a1": ["a2"], "a3": ["a4"]}
    assert done(site, "GET", "/stories?last=1")["stories"] == listed[:1]


def test_an_editor_sees_hidden_articles_of_a_story_and_what_was_decided(site: Service) -> None:
    join(site, "a4", "a1")
    site.store.hide_article(SITE, "a1", "person x")
    story = done(site, "GET", "/stories/a4")
    assert [(one["id"], one["hidden"], one["shown"]) for one in story["listed"]] == [
        ("a1", True, False),
        ("a4", False, True),
    ]
    assert [(one["kind"], one["articles"]) for one in story["decisions"]] == [("join", ["a1"])]
    assert ask(site, "GET", "/stories/nobody").status_code == 404


def test_a_decision_on_a_story_that_another_editor_has_changed_is_refused(site: Service) -> None:
    join(site, "a4", "a1")
    seen = done(site, "GET", "/stories/a4")["version"]
    site.store.put_articles([Article("a9", SITE, title="An import in between", body="")])
    done(site, "POST", "/stories/a4:join", {"with": "a2", "version": seen})
    for method, path, body in (
        ("POST", "/stories/a4:join", {"with": "a3", "version": seen}),
        ("POST", "/stories/a3:join", {"with": "a1", "version": seen}),
        ("POST", "/stories/a4:split", {"articles": ["a1"], "version": seen}),
        ("PUT", "/stories/a4/name", {"name": "x", "version": seen}),
        ("DELETE", f"/stories/a4/name?version={seen}", None),
    ):
        answer = ask(site, method, path, body, by="bob")
        assert (answer.status_code, answer.json["code"]) == (412, "edit-conflict"), path
        assert "token ann" in answer.json["detail"]
    assert ids(site, "a4") == ["a1", "a2", "a4"]
    assert done(site, "PUT", "/stories/a3/name", {"name": "x", "version": seen})["name"] == "x", "no word on this one"


def test_a_version_holds_in_both_databases(store: Store) -> None:
    store.put_articles([Article(f"a{n}", "s", title="t", body="") for n in range(4)])
    seen = store.last_change("s")
    store.join_stories("s", ["a0"], ["a1"], "ann", seen)
    seen = store.last_change("s")
    store.name_story("s", ["a2"], "x", "bob", seen)
    for refused in (
        lambda: store.name_story("s", ["a2", "a3"], "y", "ann", seen),
        lambda: store.unname_story("s", ["a2"], "ann", seen),
        lambda: store.split_story("s", ["a2"], ["a3"], "ann", seen),
        lambda: store.join_stories("s", ["a3"], ["a1"], "ann", 0),
    ):
        with pytest.raises(StoryConflict):
            refused()
    assert store.join_stories("s", ["a0"], ["a3"], "ann", seen).together
    assert [one.name for one in store.story_names("s")] == ["x"]


def test_a_story_is_joined_split_and_named_on_its_page_and_each_is_undone(site: Service) -> None:
    desk = Desk(site)
    assert "one article" in desk.open("a4")
    assert "Joined with “Title of a1”" in desk.send("a4", verb="join", other="a1")
    desk.undo()
    assert (ids(site, "a4"), ids(site, "a1")) == (["a4"], ["a1"])
    join(site, "a4", "a1")
    join(site, "a4", "a2")
    desk.open("a4")
    desk.send("a4", verb="split", articles=["a1", "a2"], every=["a1", "a2", "a4"])
    assert (ids(site, "a4"), ids(site, "a1")) == (["a4"], ["a1", "a2"])
    assert "id=a1" in desk.page.split('class="undone')[1].split("</div>")[0], "the way to those that left"
    desk.undo()
    assert ids(site, "a4") == ["a1", "a2", "a4"]
    desk.send("a4", verb="name", name="The harbour fire", before="")
    assert site.get("/api/v1/stories/a4")["name"] == "The harbour fire"
    desk.undo()
    assert site.get("/api/v1/stories/a4")["name"] is None


def test_of_two_editors_the_second_is_told_and_keeps_what_was_chosen(site: Service) -> None:
    join(site, "a4", "a1")
    ann, bob = Desk(site), Desk(site)
    ann.open("a4")
    bob.open("a4")
    ann.send("a4", verb="join", other="a2")
    told = bob.send("a4", verb="split", articles=["a1"], every=["a1", "a4"])
    assert "person editor has decided since: 'a2' joined 'a4'" in told
    assert "Nothing of yours was written" in told
    box = re.search(r'<input type="checkbox" name="articles" value="a1"[^>]*>', told)
    assert box is not None
    assert "checked" in box[0]
    assert ids(site, "a4") == ["a1", "a2", "a4"]
    bob.send("a4", verb="split", articles=["a1"], every=["a1", "a2", "a4"])
    assert ids(site, "a4") == ["a2", "a4"], "the page had the new version"
    ann.send("a4", verb="name", name="Fire", before="")
    assert 'value="Fire"' in ann.page, "nothing that was typed is lost"
    assert site.get("/api/v1/stories/a4")["name"] is None


def test_a_form_without_a_known_verb_changes_nothing(site: Service) -> None:
    desk = Desk(site)
    answer = desk.browser.post("/console/stories/one", data={"id": "a4", "verb": "burn"}, headers=PAGE)
    assert (answer.status_code, "Choose one of the buttons" in answer.text) == (422, True)

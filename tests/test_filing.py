"""Categories and tags that editors say: kept over imports, taken back, undone, and not written over one another."""

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from recsys.errors import EditConflict, InputError
from recsys.keywords import TagRanks, editors_tags, load_editors_tags, save_editors_tags
from recsys.store import Article, ArticlePatch, Outcome, Scope, Store, hashed_password, passwords
from tests.newsroom import SITE
from tests.service import Service, four, problem
from tests.stores import server, store
from tests.test_console import PAGE, WORDS
from tests.test_story_edits import ask, done

__all__ = ["server", "store"]


def category(store: Store) -> tuple[str | None, str | None]:
    article = store.article("s", "a")
    assert article is not None
    return article.category, article.filed_by


def test_an_editors_category_outlives_what_a_file_repeats_and_not_what_it_says_anew(store: Store) -> None:
    store.put_articles([Article("a", "s", title="t", body="", category="city")])
    assert store.file_article("s", "a", " sports ", "ann") is Outcome.FILED
    assert category(store) == ("sports", "ann")
    before = store.last_change("s")
    assert store.file_article("s", "a", "sports", "bob") is Outcome.UNCHANGED
    store.put_articles([Article("a", "s", title="t", body="", category="city")])
    store.merge_articles([ArticlePatch("a", "s", {"title": "t"})])
    assert (category(store), store.last_change("s")) == (("sports", "ann"), before)
    assert store.file_article("s", "a", "culture", "bob") is Outcome.FILED
    assert store.unfile_article("s", "a", "ann") is Outcome.ENDED
    assert category(store) == ("city", None), "the file's word, not the first editor's"
    assert store.unfile_article("s", "a", "ann") is Outcome.UNCHANGED
    store.file_article("s", "a", "sports", "ann")
    store.put_articles([Article("a", "s", title="t", body="", category="world")])
    assert category(store) == ("world", None)
    verbs = [(one.verb, one.before, one.after) for one in store.audit("s", 9)]
    assert verbs[-1] == ("file", {"category": "city", "filed_by": None}, {"category": "sports", "filed_by": "ann"})


def test_an_article_without_a_category_goes_back_to_none(store: Store) -> None:
    store.put_articles([Article("a", "s", title="t", body="")])
    store.file_article("s", "a", "sports", "ann")
    store.put_articles([Article("a", "s", title="other", body="")])
    assert category(store) == ("sports", "ann")
    store.unfile_article("s", "a", "ann")
    assert category(store) == (None, None)
    for wrong in ("", "  ", "x" * 201, "two\nlines"):
        with pytest.raises(InputError):
            store.file_article("s", "a", wrong, "ann")
    with pytest.raises(EditConflict):
        store.file_article("s", "a", "sports", "ann", lambda version: version == 1)


def test_an_editors_tags_outlive_imports_and_are_taken_back(store: Store) -> None:
    store.put_articles([Article("a", "s", title="t", body=""), Article("b", "s", title="t", body="")])
    assert store.tag_article("s", "a", [" Harbour ", "ferry", "HARBOUR"], "ann") is Outcome.TAGGED
    before = store.last_change("s")
    assert store.tag_article("s", "a", ["Harbour", "ferry"], "bob") is Outcome.UNCHANGED
    store.put_articles([Article("a", "s", title="another", body="x")])
    tagged = store.article("s", "a")
    assert tagged is not None
    assert (tagged.title, tagged.tags, tagged.tagged_by) == ("another", ("Harbour", "ferry"), "ann")
    assert store.editors_tags("s") == {"a": ("Harbour", "ferry")}
    assert tagged.change > before
    for wrong in (["x"] * 13, ["x" * 201], ["two\nlines"], [""]):
        with pytest.raises(InputError):
            store.tag_article("s", "a", wrong, "ann")
    with pytest.raises(EditConflict):
        store.tag_article("s", "a", ["x"], "ann", lambda version: version == before)
    assert store.tag_article("s", "b", [], "ann") is Outcome.TAGGED
    assert store.editors_tags("s")["b"] == (), "none at all is a word of an editor, too"
    assert store.untag_article("s", "a", "bob") is Outcome.ENDED
    assert store.untag_article("s", "a", "bob") is Outcome.UNCHANGED
    assert store.editors_tags("s") == {"b": ()}
    verbs = [(one.verb, one.before, one.after) for one in store.audit("s", 9)]
    assert verbs[0] == (
        "tag",
        {"tags": ["Harbour", "ferry"], "tagged_by": "ann"},
        {"tags": None, "tagged_by": None},
    )


def test_tags_take_the_place_of_keywords_with_the_weights_of_these(tmp_path: Path) -> None:
    ranked = TagRanks(("new york", "ferry", "pier"), (0.4, 0.2, 0.1), ("new_york", "ferry", "pier"))
    said = editors_tags(["Ferry", "New York", "Old Harbour", "quay"], ranked)
    assert said.names == ("Ferry", "New York", "Old Harbour", "quay")
    assert said.weights == (0.4, 0.2, 0.1, 0.1)
    assert said.parts == ("ferry", "new_york", "old harbour", "quay")
    assert editors_tags(["a", "b"], TagRanks((), (), ())).weights == (0.5, 0.5)
    assert editors_tags([], ranked) == ((), (), ())
    assert load_editors_tags(tmp_path) == {}
    save_editors_tags({"a": ("x",), "b": ()}, tmp_path)
    assert load_editors_tags(tmp_path) == {"a": ("x",), "b": ()}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """Four articles and an editor."""
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    with four(tmp_path) as service:
        service.store.set_person("editor", Scope.EDITOR, SITE, hashed_password(WORDS))
        yield service


def test_a_category_that_was_said_is_served_in_the_very_next_answer(site: Service) -> None:
    def told() -> Any:
        return next(item for item in site.get("/api/v1/recommendations")["items"] if item["id"] == "a1")

    version = site.store.article(SITE, "a1").change  # type: ignore[union-attr]
    made = done(site, "PUT", "/articles/a1/category", {"category": "harbour", "version": version})
    assert made == {"article": "a1", "outcome": "filed"}
    assert told()["category"] == "harbour"
    late = ask(site, "PUT", "/articles/a1/category", {"category": "city", "version": version}, by="bob")
    problem(late, 412, "edit-conflict")
    problem(ask(site, "DELETE", f"/articles/a1/category?version={version}"), 412, "edit-conflict")
    problem(ask(site, "PUT", "/articles/nobody/category", {"category": "city"}), 404, "unknown-article")
    assert done(site, "DELETE", "/articles/a1/category")["outcome"] == "ended"
    assert told()["category"] == "x"


def test_the_page_of_an_article_files_it_undoes_that_and_keeps_what_was_typed(site: Service) -> None:
    browser: Any = site.client.application.test_client()
    browser.post("/console/sign-in", data={"name": "editor", "password": WORDS}, headers=PAGE)
    form = {"article": "a1", "title": "T", "before": ""}

    def send(**more: str) -> str:
        answer = browser.post("/console/articles/one?lang=en", data=form | more, headers=PAGE)
        assert answer.status_code == 200
        return html.unescape(answer.text)

    told = send(verb="file", category="harbour", version="")
    assert "Filed under harbour: T." in told
    assert "person editor said the category" in told
    assert re.search(r'name="verb" value="unfile".*undo', told), "the undo of a first word takes it back"
    again = send(verb="file", category="city", before="harbour")
    assert re.search(r'name="category" value="harbour".*undo', again)
    refused = send(verb="file", category="typed by hand", version="1")
    assert 'class="notice bad"' in refused
    assert 'value="typed by hand"' in refused
    send(verb="unfile")
    assert site.store.article(SITE, "a1").category == "x"  # type: ignore[union-attr]


def test_tags_that_were_said_are_shown_at_once_and_found(site: Service) -> None:
    def tags(id: str) -> list[str]:
        items = site.get("/api/v1/recommendations", include="tags")["items"]
        return [tag["name"] for tag in next(item for item in items if item["id"] == id)["tags"]["stem"]]

    assert done(site, "PUT", "/articles/a1/tags", {"tags": ["Old Harbour", "ferry"]})["outcome"] == "tagged"
    assert tags("a1") == ["Old Harbour", "ferry"]
    assert [item["id"] for item in site.get("/api/v1/tags/old%20harbour")["items"]] == ["a1"]
    problem(ask(site, "PUT", "/articles/a1/tags", {"tags": ["x"] * 13}), 422, "invalid")
    problem(ask(site, "PUT", "/articles/a1/tags", {"tags": ["x"], "version": 1}), 412, "edit-conflict")
    assert done(site, "DELETE", "/articles/a1/tags")["outcome"] == "ended"
    assert tags("a1") == []


def test_the_page_of_an_article_takes_tags_undoes_that_and_keeps_what_was_typed(site: Service) -> None:
    browser: Any = site.client.application.test_client()
    browser.post("/console/sign-in", data={"name": "editor", "password": WORDS}, headers=PAGE)

    def send(**form: str) -> str:
        answer = browser.post(
            "/console/articles/one?lang=en", data={"article": "a1", "title": "T"} | form, headers=PAGE
        )
        assert answer.status_code == 200
        return html.unescape(answer.text)

    told = send(verb="tag", tags="harbour, ferry，港口、 pier")
    assert "The tags are said: T." in told
    assert "person editor said the tags" in told
    assert site.store.editors_tags(SITE) == {"a1": ("harbour", "ferry", "港口", "pier")}
    again = send(verb="tag", tags="quay", before="harbour, ferry")
    assert re.search(r'name="tags" value="harbour, ferry".*undo', again)
    refused = send(verb="tag", tags=",".join("abcdefghijklmn"))
    assert 'class="notice bad"' in refused
    assert 'value="a,b,c,d,e,f,g,h,i,j,k,l,m,n"' in refused
    assert 'value="tag"' in send(verb="untag", before="quay")
    assert site.store.editors_tags(SITE) == {}

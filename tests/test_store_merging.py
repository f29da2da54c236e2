"""Articles merged field by field: what a file does not say is left alone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from recsys.store import Article, ArticlePatch, Merged, Store
from tests.postgres_server import fresh_database, postgresql_server

SITE = "daily"
FULL = Article(
    "p", SITE, "Bridge closed", "It rains.\n\nAgain.", "/p", "/p.jpg", "wire", "en", "city", "roads", ("Q1",), 5, 9
)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgresql_server() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "sqlite":
        opened = Store.open(f"sqlite:///{tmp_path}/store.db")
        yield opened
        opened.close()
        return
    with fresh_database(request.getfixturevalue("server"), "recsys_merging") as url:
        opened = Store.open(url)
        yield opened
        opened.close()


def says(id: str, **fields: Any) -> ArticlePatch:
    return ArticlePatch(id, SITE, fields)


def article(store: Store, id: str) -> Article:
    stored = store.article(SITE, id)
    assert stored is not None
    return Article(*(getattr(stored, name) for name in Article.__slots__))


def test_a_field_that_is_not_said_is_left_alone_and_what_changed_is_counted(store: Store) -> None:
    store.put_articles([FULL])
    patches = [says("p", category="transport"), says("q", title="new")]
    expected = Merged(stored=1, updated=1, changed={"category": 1})
    assert store.preview_merge(patches) == expected
    assert article(store, "p") == FULL
    assert store.merge_articles(patches) == expected
    assert article(store, "p").category == "transport"
    assert article(store, "p").body == FULL.body
    assert store.merge_articles(patches) == Merged(duplicate=2)


def test_an_explicit_empty_value_empties_but_a_title_cannot_be_emptied(store: Store) -> None:
    store.put_articles([FULL])
    empty = {name: None for name in Article.__slots__ if name not in ("id", "site", "hidden")}
    merged = store.merge_articles([says("p", **empty)])
    assert (merged.updated, set(merged.changed)) == (1, set(empty) - {"title"})
    assert article(store, "p") == Article("p", SITE, "Bridge closed")
    store.put_articles([FULL])
    store.merge_articles([says("p", url="", entities=(), body="")])
    assert (article(store, "p").url, article(store, "p").entities, article(store, "p").body) == (None, (), "")


def test_equal_identifiers_of_one_call_merge_in_their_order(store: Store) -> None:
    merged = store.merge_articles([says("n", category="a", url="/n"), says("n", title="t", category="b")])
    assert merged == Merged(stored=1, duplicate=1)
    assert article(store, "n") == Article("n", SITE, "t", url="/n", category="b")


def test_a_new_article_takes_its_title_from_its_body_and_without_both_is_none(store: Store) -> None:
    long = "word " * 40
    merged = store.merge_articles(
        [says("n", body="\n First line \nmore"), says("none", category="x"), says("l", body=long)]
    )
    assert merged == Merged(stored=2, untitled=[1])
    assert article(store, "n").title == "First line"
    assert article(store, "l").title == ("word " * 23).strip() + "…"
    assert store.article(SITE, "none") is None


def test_a_draft_that_a_file_hid_is_shown_when_the_file_says_so(store: Store) -> None:
    store.merge_articles([says("d", title="Interview (draft)", hidden=True)])
    merged = store.merge_articles([says("d", title="Interview")])
    assert merged.stays_hidden == [("d", "as an import said")]
    assert store.merge_articles([says("d", hidden=True)]).hidden == 0  # as the file says: nothing to tell
    merged = store.merge_articles([says("d", hidden=False)])
    assert (merged.hidden, merged.changed) == (0, {"hidden": 1})
    assert not article(store, "d").hidden


def test_what_an_editor_hid_outlives_a_file_that_repeats_itself(store: Store) -> None:
    nightly = says("a", title="t", hidden=False)
    store.merge_articles([nightly])
    store.hide_article(SITE, "a", "token ann")
    assert store.merge_articles([nightly]) == Merged(duplicate=1, stays_hidden=[("a", "as token ann said")])
    assert article(store, "a").hidden
    store.merge_articles([says("a", hidden=True)])
    store.merge_articles([nightly])  # now the file says something that it did not say before
    assert not article(store, "a").hidden


def test_an_editor_s_hide_is_undone_by_the_first_file_that_says_hidden_false(store: Store) -> None:
    store.merge_articles([says("a", title="t")])
    store.hide_article(SITE, "a", "token ann")
    store.merge_articles([says("a", title="u")])
    assert article(store, "a").hidden
    assert store.merge_articles([says("a", hidden=False)]).changed == {"hidden": 1}
    assert not article(store, "a").hidden


def test_a_shown_article_of_which_a_file_first_says_so_is_no_change(store: Store) -> None:
    store.put_articles([FULL])
    before = store.last_change(SITE)
    assert store.merge_articles([says("p", hidden=False)]) == Merged(duplicate=1)
    assert store.last_change(SITE) == before


def test_patches_of_two_sites_do_not_meet(store: Store) -> None:
    store.merge_articles([says("a", title="t"), ArticlePatch("a", "weekly", {"title": "w"})])
    assert (store.last_change(SITE), store.last_change("weekly")) == (1, 1)
    assert article(store, "a").title == "t"

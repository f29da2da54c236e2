"""Editors' decisions on stories, on SQLite and on PostgreSQL: what is kept, in what order, and what is refused."""

import threading

import pytest
from alembic import command

from recsys.errors import DeletedArticle, InputError, UnknownArticle
from recsys.store import Article, Outcome, Store
from recsys.store import stories as stories_room
from recsys.store.migrate import alembic_config
from recsys.store.stories import MAX_NAME, checked_name
from tests.stores import server, store, watched

__all__ = ["server", "store"]
SITE = "daily"


@pytest.fixture
def articles(store: Store) -> Store:
    """A store with five articles."""
    store.put_articles([Article(name, SITE, f"Title {name}") for name in "abcde"])
    return store


def pairs(store: Store, *, asked: bool = False, after: int = 0) -> list[tuple[str, str, bool, bool]]:
    return [pair[:4] for pair in store.story_decisions(SITE, asked=asked, changed_after=after)]


def test_a_join_ties_all_articles_of_both_stories_to_the_first(articles: Store) -> None:
    before = articles.last_change(SITE)
    made = articles.join_stories(SITE, ["a", "b"], ["c", "d"], "ann")
    assert made[:4] == ("c", "a", True, True)
    assert (made.change, made.set_by, articles.last_change(SITE)) == (before + 1, "ann", before + 1)
    assert pairs(articles) == [("c", "a", True, True), ("b", "a", True, False), ("d", "a", True, False)]
    assert pairs(articles, asked=True) == [("c", "a", True, True)]
    assert articles.story_decisions("weekly") == []
    (entry,) = articles.audit(SITE, 9)
    assert (entry.verb, entry.object, entry.actor, entry.details) == (
        "join",
        "a",
        "ann",
        {"joined": "c", "articles": 4},
    )


def test_a_split_keeps_what_stays_and_what_leaves_together(articles: Store) -> None:
    articles.join_stories(SITE, ["a"], ["b"], "ann")
    before = articles.last_change(SITE)
    articles.split_story(SITE, ["d", "e"], ["a", "b", "c"], "bob")
    assert pairs(articles, after=before) == [
        ("b", "a", True, False),
        ("c", "a", True, False),
        ("d", "a", False, True),
        ("e", "a", False, True),
        ("e", "d", True, False),
    ]
    assert pairs(articles, after=before + 1) == []
    entry = articles.audit(SITE, 1)[0]
    assert (entry.verb, entry.object, entry.details) == ("split", "d", {"left": "a", "articles": 2, "with": ["e"]})


def test_what_is_deleted_is_left_out_and_what_is_not_there_refused(articles: Store) -> None:
    articles.hide_article(SITE, "b", "ann")
    articles.delete_article(SITE, "c", "ann")
    assert articles.join_stories(SITE, ["c", "a"], ["b"], "ann")[:2] == ("b", "a")
    with pytest.raises(DeletedArticle):
        articles.join_stories(SITE, ["a"], ["c"], "ann")
    with pytest.raises(UnknownArticle):
        articles.join_stories(SITE, ["nobody"], ["a"], "ann")
    with pytest.raises(DeletedArticle):
        articles.split_story(SITE, ["c"], ["a"], "ann")
    with pytest.raises(UnknownArticle):
        articles.split_story(SITE, ["a", "nobody"], ["b"], "ann")
    with pytest.raises(DeletedArticle):
        articles.name_story(SITE, ["c"], "The fire", "ann")
    assert len(articles.story_decisions(SITE)) == 1
    assert [entry.verb for entry in articles.audit(SITE, 9)] == ["join", "delete", "hide"]


def test_a_story_is_not_joined_with_itself_and_not_split_whole(
    articles: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for one, other in [("a", "a"), ("ab", "bc")]:
        with pytest.raises(InputError, match="two stories"):
            articles.join_stories(SITE, list(one), list(other), "ann")
    for leaving, staying in [("", "a"), ("a", ""), ("ab", "bc")]:
        with pytest.raises(InputError):
            articles.split_story(SITE, list(leaving), list(staying), "ann")
    monkeypatch.setattr(stories_room, "MAX_SPLIT", 2)
    with pytest.raises(InputError, match="2 articles"):
        articles.split_story(SITE, ["a", "b", "c"], ["d"], "ann")
    articles.split_story(SITE, ["a", "b"], ["d"], "ann")
    assert {pair[:2] for pair in articles.story_decisions(SITE)} == {("a", "d"), ("b", "d"), ("b", "a")}


def test_names_are_given_taken_back_and_followed(articles: Store) -> None:
    first = articles.name_story(SITE, ["nobody", "b"], " The fire ", "ann")
    assert (first.article, first.name, first.set_by) == ("b", "The fire", "ann")
    second = articles.name_story(SITE, ["a"], "The flood", "bob")
    assert articles.story_names(SITE) == [first, second]
    again = articles.name_story(SITE, ["b"], "The great fire", "bob")
    assert articles.story_names(SITE) == [second, again]
    assert articles.story_names(SITE, changed_after=second.change) == [again]
    assert articles.unname_story(SITE, ["a", "b", "c"], "ann") is Outcome.ENDED
    assert [(one.article, one.name) for one in articles.story_names(SITE, changed_after=again.change)] == [
        ("a", None),
        ("b", None),
    ]
    change = articles.last_change(SITE)
    assert articles.unname_story(SITE, ["a", "b", "c"], "ann") is Outcome.UNCHANGED
    assert articles.last_change(SITE) == change
    verbs = [(entry.verb, entry.object) for entry in articles.audit(SITE, 5)]
    assert sorted(verbs[:2]) == [("unname-story", "a"), ("unname-story", "b")]
    assert verbs[2:] == [("name-story", "b"), ("name-story", "a"), ("name-story", "b")]


@pytest.mark.parametrize(
    "name", ["", " \t", "a\nb", "a\x00", "\x7f", "a\u2028b", "a\u202eb", "\ud800", "x" * (MAX_NAME + 1)]
)
def test_a_name_is_one_line(name: str) -> None:
    with pytest.raises(InputError, match="name"):
        checked_name(name)


@pytest.mark.parametrize("name", ["x", "x" * MAX_NAME, "  blanks around  ", "港口大火 🔥", "می\u200cخواهم"])
def test_a_name_is_of_any_script(name: str) -> None:
    assert checked_name(name) == name.strip()


def test_two_editors_at_once_decide_one_after_the_other(articles: Store) -> None:
    ready = threading.Barrier(2)

    def join() -> None:
        ready.wait()
        articles.join_stories(SITE, ["a"], ["b", "c"], "ann")

    def split() -> None:
        ready.wait()
        articles.split_story(SITE, ["b"], ["a", "c"], "bob")

    threads = [threading.Thread(target=one) for one in (join, split)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    made = articles.story_decisions(SITE)
    by = [(pair.change, pair.set_by) for pair in made]
    assert by == sorted(by, key=lambda one: one[0])
    assert len(set(by)) == 2, "the pairs of one decision have one number, and stand together"


def test_a_large_story_takes_few_statements(articles: Store) -> None:
    many = [f"n{number:04}" for number in range(1_200)]
    articles.put_articles([Article(name, SITE, "Title") for name in many])
    with watched(articles) as statements:
        articles.join_stories(SITE, ["a"], many, "ann")
    assert len(statements) < 12


def test_earlier_databases_gain_the_tables(articles: Store) -> None:
    with articles.writing() as connection:
        command.downgrade(alembic_config(connection), "0008")
    articles.migrate()
    articles.join_stories(SITE, ["a"], ["b"], "ann")
    assert pairs(articles) == [("b", "a", True, True)]

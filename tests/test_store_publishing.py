"""Edits of publishers and the bounds of fields in the store, on both databases."""

import threading
from typing import Any

import pytest

from recsys.errors import DeletedArticle, EditConflict, InputError, UnknownArticle
from recsys.store import Article, ArticleEdit, ArticlePatch, EditOutcome, EditVerb, Published, Store
from recsys.store.bounds import MAX_ADDRESS, MAX_BODY, MAX_ENTITIES, MAX_LANGUAGE, MAX_NAME, MAX_TITLE, bounded
from tests.stores import server, store, watched

__all__ = ["server", "store"]
SITE = "daily"


def put(id: str, version: int | None = None, **fields: Any) -> ArticleEdit:
    return ArticleEdit(EditVerb.PUT, ArticlePatch(id, SITE, {"title": f"Title of {id}"} | fields), allows(version))


def patch(id: str, version: int | None = None, **fields: Any) -> ArticleEdit:
    return ArticleEdit(EditVerb.PATCH, ArticlePatch(id, SITE, fields), allows(version))


def allows(version: int | None) -> Any:
    return lambda current: version is None or current == version


def publish(store: Store, *edits: ArticleEdit) -> list[Any]:
    return [
        (answer.outcome.value, answer.version) if isinstance(answer, Published) else type(answer)
        for answer in store.publish_articles(SITE, edits, "token cms")
    ]


def test_each_edit_has_its_own_outcome_and_one_that_cannot_be_done_harms_no_other(store: Store) -> None:
    store.put_articles([Article("old", SITE, "Old"), Article("dead", SITE, "Dead"), Article("same", "weekly", "W")])
    store.delete_article(SITE, "dead", "ann")
    first = store.last_change(SITE) + 1
    assert publish(
        store,
        put("new"),
        put("dead"),
        patch("old", url="/o"),
        patch("nobody", url="/n"),
        put("old", version=99, url="/late"),
        put("untitled", title=""),
        patch("new", version=first, category="c"),
        patch("new", category="c"),
    ) == [
        *(("created", first), DeletedArticle, ("updated", first), UnknownArticle, EditConflict, InputError),
        *(("updated", first), ("unchanged", first)),
    ]
    assert [(article.id, article.url, article.category) for article in store.articles(SITE)] == [
        ("new", None, "c"),
        ("old", "/o", None),
    ]
    assert [(entry.verb, entry.object) for entry in store.audit(SITE, 3)] == [
        ("patch", "new"),
        ("patch", "old"),
        ("put", "new"),
    ]
    weekly = store.article("weekly", "same")
    assert weekly is not None
    assert (weekly.title, store.last_change("weekly")) == ("W", 1)


def test_a_version_grows_with_every_change_and_with_nothing_else(store: Store) -> None:
    def version() -> int:
        stored = store.article(SITE, "a")
        assert stored is not None
        return stored.change

    publish(store, put("a"))
    seen = [version()]
    store.hide_article(SITE, "a", "ann", allows(seen[0]))
    seen.append(version())
    store.merge_articles([ArticlePatch("a", SITE, {"source": "Paper"})])
    seen.append(version())
    assert seen == sorted(set(seen)), "each is larger than the one before"
    publish(store, put("other"), put("a", source="Paper"))
    store.merge_articles([ArticlePatch("a", SITE, {"hidden": False})])  # noted, and it is shown again
    shown = version()
    store.merge_articles([ArticlePatch("a", SITE, {"hidden": False}), ArticlePatch("b", SITE, {"title": "t"})])
    assert version() == shown > seen[-1]
    for verb in (store.hide_article, store.show_article, store.delete_article):
        with pytest.raises(EditConflict) as caught:
            verb(SITE, "a", "bob", allows(seen[0]))
        assert caught.value.version == shown
    publish(store, put("c"))
    store.delete_article(SITE, "a", "ann", allows(shown))
    store.show_article(SITE, "a", "ann")
    assert publish(store, put("a"))[0][1] > shown, "a version never comes back"


def test_what_a_file_is_noted_to_say_does_not_turn_an_editor_away(store: Store) -> None:
    publish(store, put("a"))
    stored = store.article(SITE, "a")
    assert stored is not None
    assert publish(store, put("a", hidden=False)) == [("unchanged", stored.change)]
    assert store.article(SITE, "a") == stored
    store.hide_article(SITE, "a", "ann")
    publish(store, put("a", hidden=False))  # says nothing new: what the editor hid stays hidden
    hidden = store.article(SITE, "a")
    assert hidden is not None
    assert hidden.hidden


def test_the_same_edit_of_many_threads_at_once_is_made_by_one(store: Store) -> None:
    together = threading.Barrier(6)
    outcomes: list[Any] = []

    def send() -> None:
        together.wait()
        outcomes.extend(publish(store, put("a")))

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcome for outcome, _ in outcomes) == ["created", *["unchanged"] * 5]
    assert len(store.audit(SITE, 9)) == 1


def test_of_two_editors_with_the_same_version_one_is_turned_away(store: Store) -> None:
    (first,) = publish(store, put("a"))
    together = threading.Barrier(2)
    answers: dict[str, Any] = {}

    def send(name: str) -> None:
        together.wait()
        (answers[name],) = publish(store, patch("a", first[1], title=name))

    threads = [threading.Thread(target=send, args=(name,)) for name in ("ann", "bob")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    won = next(name for name in answers if answers[name] is not EditConflict)
    stored = store.article(SITE, "a")
    assert stored is not None
    assert (stored.title, len(set(answers.values()))) == (won, 2)


def test_a_call_takes_as_many_statements_whatever_the_catalogue_holds(store: Store) -> None:
    counts = []
    for size in (1, 1_000):
        store.put_articles([Article(f"{size}-{n}", SITE, "t") for n in range(size)])
        with watched(store) as one:
            publish(store, put(f"new-{size}"))
        with watched(store) as many:
            publish(store, *[put(f"new-{size}-{n}") for n in range(40)], *[patch(f"{size}-0", title="u")])
        counts.append((len(one), len(many)))
    assert counts == [(5, 6), (5, 6)], "articles, tombstones, number, insert, (update,) audit"


OVER: dict[str, Any] = {
    "title": "t" * (MAX_TITLE + 1),
    "body": "b" * (MAX_BODY + 1),
    "url": "/" + "u" * MAX_ADDRESS,
    "image": "/" + "i" * MAX_ADDRESS,
    "source": "s" * (MAX_NAME + 1),
    "category": "c" * (MAX_NAME + 1),
    "subcategory": "d" * (MAX_NAME + 1),
    "language": "l" * (MAX_LANGUAGE + 1),
    "entities": tuple(f"{n}" for n in range(MAX_ENTITIES + 1)),
}


def test_every_field_has_a_bound_whatever_the_input(store: Store) -> None:
    texts = [name for name in Article.__slots__ if name not in ("id", "site", "published_at", "expires_at", "hidden")]
    assert sorted(OVER) == sorted(texts), "a new field needs a bound"
    merged = store.merge_articles([ArticlePatch("m", SITE, OVER), ArticlePatch("n", SITE, OVER)])
    assert sorted(merged.repaired) == sorted(f"{name}: {what}" for name, what in bounded(OVER).repaired.items())
    assert set(merged.repaired.values()) == {2}
    store.put_articles([Article("p", SITE, **OVER)])
    publish(store, put("e", **OVER))
    for id in "mnpe":
        stored = store.article(SITE, id)
        assert stored is not None
        assert [len(stored.title), len(stored.body)] == [MAX_TITLE, MAX_BODY]
        assert [len(name or "") for name in (stored.source, stored.category, stored.subcategory)] == [MAX_NAME] * 3
        assert (stored.url, stored.image, stored.language, len(stored.entities)) == (None, None, None, MAX_ENTITIES)


def test_what_is_at_its_bound_stays_as_it_is_and_what_was_cut_is_cut_the_same_again() -> None:
    at_bound = {name: value[:-1] for name, value in OVER.items()}
    assert bounded(at_bound) == (at_bound, {})
    once = bounded(OVER).fields
    assert bounded(once) == (once, {})
    assert set(OVER) - set(once) == {"url", "image", "language"}, "left out: what is stored stays"
    assert bounded({"title": None, "entities": (), "body": ""}).repaired == {}
    assert bounded({"entities": ("n" * 999, "n" * 998, "x")}).fields["entities"] == ("n" * MAX_NAME, "x")


def test_a_text_is_cut_at_a_blank_near_its_end_or_else_where_it_must() -> None:
    assert bounded({"title": "word " * 200}).fields["title"] == ("word " * 99).rstrip() + "…"
    assert bounded({"title": "标" * 600}).fields["title"] == "标" * 499 + "…"
    assert bounded({"title": " " * 600}).fields["title"] == "…"


def test_the_outcomes_have_the_words_of_the_api() -> None:
    assert [outcome.value for outcome in EditOutcome] == ["created", "updated", "unchanged"]

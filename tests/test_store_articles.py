"""Articles on SQLite and on PostgreSQL: merged field by field; what operators do to them and to readers."""

from pathlib import Path
from typing import Any

import pytest

from recsys.errors import UnknownArticle
from recsys.store import Article, ArticlePatch, Event, Kind, KindKept, Merged, Outcome, Store, Written, reader_digest
from tests.stores import server, store

__all__ = ["server", "store"]
SITE = "daily"
FULL = Article(
    "p", SITE, "Bridge closed", "It rains.\n\nAgain.", "/p", "/p.jpg", "wire", "en", "city", "roads", ("Q1",), 5, 9
)


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


def test_articles_are_found_by_a_part_of_the_title_or_the_whole_id_newest_first(store: Store) -> None:
    titles = {"a": "Bridge 100% closed", "b": "A BRIDGE opens", "c": "100 roads", "bridge": "Other"}
    store.put_articles([Article(id, SITE, title, published_at=n) for n, (id, title) in enumerate(titles.items())])
    store.put_articles([Article("d", "another", "Bridge")])
    store.hide_article(SITE, "a", "ann")

    def found(text: str, limit: int = 9) -> list[str]:
        return [one.id for one in store.find_articles(SITE, text, limit)]

    assert found("bridge") == ["bridge", "b", "a"]
    assert found("bridge", 2) == ["bridge", "b"]
    assert found("100%") == ["a"]
    assert found("100_") == []
    assert found("\\") == []


@pytest.mark.parametrize("typed", ["élections", "Élections", "ÉLECTIONS"])
def test_words_are_found_in_either_case_of_any_letters(store: Store, typed: str) -> None:
    titles = ("Élections : le second tour", "Les élections de mai", "ÉLECTIONS", "Elections")
    store.put_articles([Article(str(n), SITE, title, published_at=-n) for n, title in enumerate(titles)])
    assert [one.id for one in store.find_articles(SITE, typed, 9)] == ["0", "1", "2"]
    store.put_articles([Article("ru", SITE, "Новости Москвы"), Article("zh", SITE, "上海地铁")])
    assert [one.id for one in store.find_articles(SITE, "москвы", 9)] == ["ru"]
    assert [one.id for one in store.find_articles(SITE, "地铁", 9)] == ["zh"]


def test_whoever_looks_for_words_reads_no_bodies(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'store.db'}")
    looked = "SELECT id FROM articles WHERE site = 'x' AND title LIKE '%y%' ORDER BY published_at DESC, id LIMIT 9"
    with store.reading() as connection:
        plan = str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {looked}").all())
    store.close()
    assert "COVERING INDEX ix_articles_titles" in plan


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


def click(event_id: str, reader: str | None = "ann", time: int | None = 1, article: str = "a") -> Event:
    return Event(event_id, SITE, Kind.CLICK, article, reader, time=time)


def test_a_deleted_article_is_gone_and_no_import_brings_it_back_until_it_is_shown(store: Store) -> None:
    store.put_articles([Article("a", SITE, "t"), Article("b", SITE, "t")])
    before = store.last_change(SITE)
    assert store.delete_article(SITE, "a", "ann") is Outcome.DELETED
    assert store.article(SITE, "a") is None
    assert store.taken_down(SITE, changed_after=before) == ["a"]
    store.hide_article(SITE, "b", "ann")
    assert sorted(store.taken_down(SITE, changed_after=before)) == ["a", "b"]
    store.show_article(SITE, "b", "ann")
    assert store.taken_down(SITE, changed_after=before) == ["a"]
    assert store.delete_article(SITE, "a", "bob") is Outcome.UNCHANGED
    assert store.merge_articles([ArticlePatch("a", SITE, {"title": "t"})]) == Merged(deleted=1)
    assert store.put_articles([Article("a", SITE, "t"), Article("b", SITE, "t")]).duplicate == 2
    assert [article.id for article in store.articles(SITE)] == ["b"]
    assert store.show_article(SITE, "a", "ann") is Outcome.LIFTED
    assert store.merge_articles([ArticlePatch("a", SITE, {"title": "t"})]) == Merged(stored=1)


def test_what_a_reader_did_with_a_deleted_article_stays_theirs(store: Store) -> None:
    store.put_articles([Article("a", SITE, "t")])
    store.add_events([click("1")])
    store.delete_article(SITE, "a", "ann")
    assert [event.event_id for event in store.events_after(SITE, 0, 9)] == ["1"]


def test_verbs_on_what_is_not_there_name_it(store: Store) -> None:
    for verb in (store.hide_article, store.show_article, store.delete_article):
        with pytest.raises(UnknownArticle, match="'none'"):
            verb(SITE, "none", "ann")
    store.put_articles([Article("a", SITE, "t")])
    store.delete_article(SITE, "a", "token ann")
    with pytest.raises(UnknownArticle, match="deleted by token ann"):
        store.hide_article(SITE, "a", "bob")
    with pytest.raises(UnknownArticle):
        store.delete_article("weekly", "a", "ann")


def test_each_verb_that_changes_something_is_in_the_audit_newest_first(store: Store) -> None:
    store.put_articles([Article("a", SITE, "Title")])
    store.add_events([click("1")])
    assert store.hide_article(SITE, "a", "token ann") is Outcome.HIDDEN
    assert store.hide_article(SITE, "a", "token bob") is Outcome.UNCHANGED
    assert store.show_article(SITE, "a", "token ann") is Outcome.SHOWN
    assert store.show_article(SITE, "a", "token ann") is Outcome.UNCHANGED
    store.delete_article(SITE, "a", "command root")
    store.forget_reader(SITE, "ann", "command root")
    entries = store.audit(SITE, 9)
    assert [(entry.verb, entry.actor) for entry in entries] == [
        ("forget", "command root"),
        ("delete", "command root"),
        ("show", "token ann"),
        ("hide", "token ann"),
    ]
    assert entries[1].object == "a"
    assert entries[1].details == {"title": "Title"}
    assert "ann" not in entries[0].object
    assert store.audit(SITE, 1) == entries[:1]
    assert store.audit("weekly", 9) == []


def test_an_editor_s_hide_takes_over_what_an_import_hid(store: Store) -> None:
    store.merge_articles([ArticlePatch("a", SITE, {"title": "t", "hidden": True})])
    assert store.hide_article(SITE, "a", "token ann") is Outcome.HIDDEN
    assert store.merge_articles([ArticlePatch("a", SITE, {"url": "/a"})]).stays_hidden == [("a", "as token ann said")]


def test_a_forgotten_reader_leaves_a_hash_and_later_events_are_a_new_reader_s(store: Store) -> None:
    store.put_articles([Article("a", SITE, "t")])
    store.add_events([click("1"), click("2", time=5), click("3", "bob"), click("4", time=None)])
    assert store.kept_events(SITE, "ann") == {"click": KindKept(3, 1, 5)}
    clicks = store.kept_articles(SITE, "ann", Kind.CLICK, 2)
    assert [(one["article"], one["title"], one["time"]) for one in clicks] == [("a", "t", 5), ("a", "t", 1)]
    assert store.forget_reader(SITE, "ann", "ann") == 3
    assert (store.kept_events(SITE, "ann"), store.has_reader(SITE, "ann")) == ({}, False)
    assert [event.reader for event in store.events_after(SITE, 0, 9)] == ["bob"]
    gone = store.forgotten_reader(SITE, "ann")
    assert gone is not None
    assert (gone.digest, gone.through, gone.log_cleared_at) == (reader_digest(SITE, "ann"), 4, None)
    assert store.forgotten_through(SITE) == 4
    store.add_events([click("5", time=gone.forgotten_at + 1)])
    assert store.has_reader(SITE, "ann")
    assert store.last_seq(SITE) > 4


def test_what_happened_up_to_the_moment_of_forgetting_is_not_taken_in_again(store: Store) -> None:
    store.add_events([click("1")])
    store.forget_reader(SITE, "ann", "x")
    record = store.forgotten_reader(SITE, "ann")
    assert record is not None
    at = record.forgotten_at
    late = [click("2", time=at), click("3", time=None), click("4", time=at + 1), click("5", "bob", None)]
    assert store.preview_events(late) == store.add_events(late) == Written(2, 0, 0, 2)
    assert {event.event_id for event in store.events_after(SITE, 0, 9)} == {"4", "5"}


def test_a_reader_who_is_forgotten_twice_is_pending_again(store: Store) -> None:
    store.add_events([click("1")])
    store.forget_reader(SITE, "ann", "x")
    first = store.forgotten_readers(SITE, in_log=True)
    store.add_events([click("2", time=first[0].forgotten_at + 1)])
    store.forget_reader(SITE, "ann", "x")
    store.log_is_cleared(SITE, first)  # the first time only
    again = store.forgotten_readers(SITE, in_log=True)
    assert [one.through for one in again] == [2]
    store.log_is_cleared(SITE, again)
    assert store.forgotten_readers(SITE, in_log=True) == []
    assert [one.digest for one in store.forgotten_readers(SITE, changed_after=first[0].change)] == [first[0].digest]
    assert store.forgotten_readers(SITE, changed_after=store.last_forgotten(SITE)) == []

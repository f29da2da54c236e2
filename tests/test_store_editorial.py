"""Editors' decisions on SQLite and on PostgreSQL: what is refused, what ends what, what outlives what."""

import threading

import pytest
from alembic import command

from recsys.errors import Busy, DeletedArticle, HiddenArticle, InputError, UnknownArticle
from recsys.store import Article, Decision, DecisionKind, Outcome, Store
from recsys.store import editorial as editorial_room
from recsys.store.migrate import alembic_config
from recsys.units import DAY_MS, HOUR_MS, now_ms
from tests.stores import server, store

__all__ = ["server", "store"]
SITE = "daily"
PIN, BOOST, BURY = DecisionKind.PIN, DecisionKind.BOOST, DecisionKind.BURY


@pytest.fixture
def articles(store: Store) -> Store:
    """A store with three articles."""
    store.put_articles([Article(name, SITE, f"Title {name}") for name in "abc"])
    return store


def soon() -> int:
    return now_ms() + HOUR_MS


def pin(store: Store, id: str, place: int = 1, by: str = "ann", until: int | None = None) -> Decision:
    return store.pin_article(SITE, id, by, place=place, until=until or soon()).decision


def held(store: Store) -> list[tuple[str, DecisionKind]]:
    return [(one.article, one.kind) for one in store.decisions(SITE)]


def test_a_decision_comes_out_as_it_was_made_with_the_number_of_the_site_s_change(articles: Store) -> None:
    before, until = articles.last_change(SITE), soon()
    made = articles.pin_article(SITE, "a", "ann", place=2, until=until, slot="front").decision
    boosted = articles.boost_article(SITE, "b", "bob", factor=2.5, until=until + 1).decision
    assert articles.decisions(SITE) == [made, boosted]
    assert (made.place, made.slot, made.until, made.set_by, made.factor) == (2, "front", until, "ann", None)
    assert (boosted.kind, boosted.factor, boosted.until) == (BOOST, 2.5, until + 1)
    assert [made.change, boosted.change, articles.last_change(SITE)] == [before + 1, before + 2, before + 2]
    assert articles.decisions("weekly") == []
    assert [(entry.verb, entry.object, entry.actor) for entry in articles.audit(SITE, 9)] == [
        ("boost", "b", "bob"),
        ("pin", "a", "ann"),
    ]
    entry = articles.audit(SITE, 1)[0]
    assert (entry.details, entry.before) == ({"title": "Title b"}, None)
    assert entry.after == {"until": until + 1, "factor": 2.5}


def test_an_end_is_in_the_future_and_within_thirty_days(articles: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    now = now_ms()
    monkeypatch.setattr(editorial_room, "now_ms", lambda: now)
    for until in (now - 1, now, now + 30 * DAY_MS + 1):
        with pytest.raises(InputError):
            pin(articles, "a", until=until)
        with pytest.raises(InputError):
            articles.boost_article(SITE, "a", "ann", factor=2, until=until)
        with pytest.raises(InputError):
            articles.bury_article(SITE, "a", "ann", until=until)
    assert articles.decisions(SITE) == []
    pin(articles, "a", until=now + 1)
    pin(articles, "b", until=now + 30 * DAY_MS)


@pytest.mark.parametrize("factor", [1.0, 0.5, -2.0, 10.1, float("nan"), float("inf")])
def test_a_factor_is_above_one_and_at_most_ten(articles: Store, factor: float) -> None:
    with pytest.raises(InputError, match="factor"):
        articles.boost_article(SITE, "a", "ann", factor=factor, until=soon())
    articles.boost_article(SITE, "a", "ann", factor=10, until=soon())


def test_a_place_begins_at_one_and_a_slot_has_a_name(articles: Store) -> None:
    for place in (0, -1, 1001):
        with pytest.raises(InputError, match="place"):
            pin(articles, "a", place)
    with pytest.raises(InputError, match="slot"):
        articles.pin_article(SITE, "a", "ann", place=1, until=soon(), slot="")


def test_what_is_unknown_deleted_or_hidden_is_not_pinned(articles: Store) -> None:
    articles.hide_article(SITE, "a", "ann")
    articles.delete_article(SITE, "b", "ann")
    with pytest.raises(HiddenArticle, match="`show` it first"):
        pin(articles, "a")
    with pytest.raises(DeletedArticle):
        pin(articles, "b")
    with pytest.raises(UnknownArticle):
        pin(articles, "nobody")
    assert articles.bury_article(SITE, "a", "ann", until=soon()).ended == ()
    assert held(articles) == [("a", BURY)]


def test_the_later_of_a_pin_and_a_bury_wins_and_the_earlier_ends(articles: Store) -> None:
    pin(articles, "a")
    articles.boost_article(SITE, "a", "ann", factor=2, until=soon())
    assert articles.bury_article(SITE, "a", "bob", until=soon()).ended == (PIN, BOOST)
    assert held(articles) == [("a", BURY)]
    assert articles.audit(SITE, 1)[0].details["ends"] == ["pin", "boost"]
    decided = articles.pin_article(SITE, "a", "ann", place=1, until=soon())
    assert decided.ended == (BURY,)
    articles.boost_article(SITE, "a", "ann", factor=2, until=soon())
    assert held(articles) == [("a", PIN), ("a", BOOST)]


def test_an_article_has_one_pin_at_a_time(articles: Store) -> None:
    pin(articles, "a", 1)
    pin(articles, "b", 1)
    decided = articles.pin_article(SITE, "a", "bob", place=3, until=soon())
    assert decided.ended == ()
    assert [(one.article, one.place) for one in articles.decisions(SITE)] == [("b", 1), ("a", 3)]


def test_a_decision_ends_by_a_word_and_is_counted_as_a_change(articles: Store) -> None:
    pin(articles, "a")
    change = articles.last_change(SITE)
    assert articles.end_decision(SITE, "a", "bob", BURY) is Outcome.UNCHANGED
    assert articles.last_change(SITE) == change
    assert articles.end_decision(SITE, "a", "bob", PIN) is Outcome.ENDED
    assert (articles.decisions(SITE), articles.last_change(SITE)) == ([], change + 1)
    assert [entry.verb for entry in articles.audit(SITE, 2)] == ["unpin", "pin"]
    assert articles.end_decision(SITE, "a", "bob", PIN) is Outcome.UNCHANGED
    with pytest.raises(UnknownArticle):
        articles.end_decision(SITE, "nobody", "bob", PIN)


def test_what_is_over_is_not_ended_again_but_kept_for_a_clock_that_was_wrong(
    articles: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = pin(articles, "a")
    monkeypatch.setattr(editorial_room, "now_ms", lambda: made.until + 30 * DAY_MS)
    pin(articles, "b", until=made.until + 31 * DAY_MS - 1)
    assert held(articles) == [("a", PIN), ("b", PIN)]
    monkeypatch.setattr(editorial_room, "now_ms", lambda: made.until + 30 * DAY_MS + 1)
    pin(articles, "c", until=made.until + 31 * DAY_MS)
    assert held(articles) == [("b", PIN), ("c", PIN)]
    monkeypatch.setattr(editorial_room, "now_ms", lambda: made.until + 31 * DAY_MS)
    assert articles.bury_article(SITE, "b", "ann", until=made.until + 32 * DAY_MS).ended == ()


def test_imports_and_puts_leave_decisions_alone_and_a_deletion_ends_them(articles: Store) -> None:
    made = pin(articles, "a")
    articles.put_articles([Article("a", SITE, "Another title")])
    articles.hide_article(SITE, "a", "ann")
    articles.show_article(SITE, "a", "ann")
    assert articles.decisions(SITE) == [made]
    articles.delete_article(SITE, "a", "ann")
    assert articles.decisions(SITE) == []
    articles.show_article(SITE, "a", "ann")
    articles.put_articles([Article("a", SITE, "It is back")])
    assert articles.decisions(SITE) == []


def test_two_editors_who_pin_at_once_both_pin_one_after_the_other(articles: Store) -> None:
    ready = threading.Barrier(3)

    def one(name: str) -> None:
        ready.wait()
        pin(articles, name, by=name)

    threads = [threading.Thread(target=one, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    made = articles.decisions(SITE)
    assert {one.article for one in made} == {"a", "b", "c"}
    assert sorted({one.change for one in made}) == [one.change for one in made]


def test_so_many_hold_at_once_and_no_more(articles: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(editorial_room, "MAX_HELD", 2)
    pin(articles, "a")
    pin(articles, "b")
    pin(articles, "a", 2)  # the same again is not one more
    with pytest.raises(Busy, match="2 that hold"):
        pin(articles, "c")
    assert held(articles) == [("b", PIN), ("a", PIN)]


def test_a_database_of_before_gets_the_table_and_a_version_back_loses_it(articles: Store) -> None:
    pin(articles, "a")
    with articles.writing() as connection:
        command.downgrade(alembic_config(connection), "0003")
    articles.migrate()
    assert articles.decisions(SITE) == []
    pin(articles, "a")

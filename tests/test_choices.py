"""Readers' choices in the store, in both databases: what is kept, followed and left out."""

import pytest

from recsys.errors import InputError
from recsys.store import Event, Kind, ReaderChoices, Store, TagChoice, new_reader_id
from recsys.store import choices as choice_store
from tests.stores import server, store

__all__ = ["server", "store"]
SITE = "daily"
LATER = 4_000_000_000_000


def click(id: str, reader: str | None, time: int = 1) -> Event:
    return Event(id, SITE, Kind.CLICK, "a", reader, "s", time=time)


def test_a_choice_is_kept_and_followed_by_its_number(store: Store) -> None:
    assert store.choices_of(SITE, "ann") is None
    off = store.choose_personalisation(SITE, "ann", on=False)
    tag = store.choose_tag(SITE, "ann", "足球", TagChoice("足球", 0.0))
    other = store.choose_tag(SITE, "bob", "x", TagChoice("X", 0.5))
    store.choose_tag("weekly", "ann", "y", TagChoice("y", 0.0))
    assert off.change < tag.change < other.change
    assert store.choices_of(SITE, "ann") == tag
    assert (tag.personal, tag.tags) == (False, {"足球": TagChoice("足球", 0.0)})
    assert store.choices_after(SITE, 0) == [tag, other]
    assert store.choices_after(SITE, tag.change) == [other]
    undone = store.choose_tag(SITE, "ann", "足球", None)
    assert (undone.tags, undone.personal) == ({}, False)
    assert store.choices_after(SITE, other.change) == [undone], "undoing is followed as well"
    assert store.choose_tag(SITE, "bob", "x", TagChoice("X", 1.0)).tags == {}, "a weight of one is no choice"


def test_no_reader_chooses_without_end(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice_store, "MAX_TAGS", 2)
    for tag in "abab":
        store.choose_tag(SITE, "ann", tag, TagChoice(tag, 0.5))
    with pytest.raises(InputError, match="at most 2 tags"):
        store.choose_tag(SITE, "ann", "c", TagChoice("c", 0.5))
    assert sorted((store.choices_of(SITE, "ann") or ReaderChoices("ann")).tags) == ["a", "b"]


def test_off_what_comes_by_any_way_is_kept_without_the_reader(store: Store) -> None:
    store.add_events([click("1", "ann")])
    store.choose_personalisation(SITE, "ann", on=False)
    assert store.add_events([click("2", "ann"), click("3", "bob")]).stored == 2
    written = store.add_event_groups([[click("4", "ann")], [click("5", "bob"), click("5", "bob")]])
    assert [one.stored for one in written if not isinstance(one, Exception)] == [1, 1]
    kept = [(event.reader, event.session) for event in store.events_after(SITE, 0, 9)]
    assert kept == [("ann", "s"), (None, None), ("bob", "s"), (None, None), ("bob", "s")]
    store.choose_personalisation(SITE, "ann", on=True)
    store.add_events([click("6", "ann")])
    assert store.events_after(SITE, 0, 9)[-1].reader == "ann"


def test_forgetting_takes_the_choices_along(store: Store) -> None:
    store.choose_personalisation(SITE, "ann", on=False)
    assert store.has_reader(SITE, "ann"), "who chose something is known by it"
    store.forget_reader(SITE, "ann", "ops")
    assert store.choices_of(SITE, "ann") is None
    assert not store.has_reader(SITE, "ann")


def test_an_id_that_was_made_here_never_comes_back_and_a_sites_own_begins_anew(store: Store) -> None:
    made = new_reader_id()
    store.add_events([click("1", made), click("2", "ann")])
    for reader in (made, "ann"):
        store.forget_reader(SITE, reader, "the reader")
    written = store.add_events([click("3", made, LATER), click("4", "ann", LATER)])
    assert (written.stored, written.forgotten) == (1, 1)
    assert [event.reader for event in store.events_after(SITE, 0, 9)] == ["ann"]


def test_everything_a_reader_did_comes_out_in_parts(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recsys.store.forgetting.EXPORTED_AT_ONCE", 2)
    store.add_events([click(str(n), "ann" if n % 2 else "bob") for n in range(10)])
    parts = list(store.all_events_of(SITE, "ann"))
    assert [len(part) for part in parts] == [2, 2, 1]
    assert [event["event_id"] for part in parts for event in part] == ["1", "3", "5", "7", "9"]
    assert store.dwell_ms_of(SITE, "ann") == 0
    assert store.reader_since(SITE, "nobody") is None

"""Group commit of events, on both databases: one transaction for all that wait, and an answer of its own for each."""

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from recsys.errors import StoreError
from recsys.store import Event, EventWriter, Kind, Store, Written, event_writer
from tests.stores import server, store, watched
from tests.test_store import click

__all__ = ["server", "store"]
SITE = "daily"


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine a test's threads may need seconds to come so far; who is to be turned away says so."""
    monkeypatch.setattr(event_writer, "WRITE_SECONDS", 60.0)


class HeldStore:
    """A store whose first transaction lasts until it is let go, so that others must wait for it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.entered, self.free = threading.Event(), threading.Event()
        self.groups: list[int] = []

    def add_events(self, records: Sequence[Event]) -> Written:
        self.groups.append(1)
        if not self.entered.is_set():
            self.entered.set()
            assert self.free.wait(20)
        return self.store.add_events(records)

    def add_event_groups(self, groups: Sequence[Sequence[Event]]) -> list[Written | Exception]:
        self.groups.append(len(groups))
        return self.store.add_event_groups(groups)


class Callers:
    """Threads that add events through one writer, and what each was answered."""

    def __init__(self, store: Store) -> None:
        self.held = HeldStore(store)
        self.writer = EventWriter(self.held)  # type: ignore[arg-type]
        self.answers: dict[int, Written | Exception] = {}
        self._threads: list[threading.Thread] = []

    def start(self, *batches: Sequence[Event]) -> None:
        """Begin with each batch, and wait until it is in the queue or being written."""
        for batch in batches:
            number, before = len(self._threads), len(self.writer._waiting)
            thread = threading.Thread(target=self._add, args=(number, batch))
            self._threads.append(thread)
            thread.start()
            if number == 0:
                assert self.held.entered.wait(20)
            else:
                self._until_waiting(before + 1)

    def finish(self) -> list[Written | Exception]:
        """Let the first transaction go on, and wait for all answers."""
        self.held.free.set()
        for thread in self._threads:
            thread.join(20)
            assert not thread.is_alive()
        return [self.answers[number] for number in range(len(self._threads))]

    def _add(self, number: int, batch: Sequence[Event]) -> None:
        try:
            self.answers[number] = self.writer.add(batch)
        except Exception as error:
            self.answers[number] = error

    def _until_waiting(self, callers: int) -> None:
        for _ in range(4_000):
            if len(self.writer._waiting) >= callers:
                return
            threading.Event().wait(0.005)
        raise AssertionError("it did not come so far")


def test_all_that_wait_share_one_transaction_and_each_has_its_own_answer(store: Store) -> None:
    store.add_events([click("there")])
    callers = Callers(store)
    callers.start(
        [click("0")],
        [click("1"), click("2", "bob")],
        [click("1"), click("3", None)],  # the same event from two callers counts once: for the first of them
        [click("there")],
        [],
        [click("1")._replace(site="weekly")],
    )
    assert callers.finish() == [
        *(Written(1, 0, 0), Written(2, 0, 0), Written(1, 0, 1), Written(0, 0, 1), Written(0, 0, 0), Written(1, 0, 0)),
    ]
    assert callers.held.groups == [1, 5]
    assert [event.event_id for event in store.events_after(SITE, 0, 9)] == ["there", "0", "1", "2", "3"]
    assert store.has_reader(SITE, "bob")


def test_a_caller_whose_events_are_refused_harms_no_other(store: Store) -> None:
    callers = Callers(store)
    wrong = click("2")._replace(article=None)  # type: ignore[arg-type]
    too_large = click("3")._replace(time=2**70)
    callers.start([click("0")], [click("1")], [click("1b"), wrong], [too_large], [click("4")])
    answers = callers.finish()
    assert [answer for answer in answers if isinstance(answer, Written)] == [Written(1, 0, 0)] * 3
    assert isinstance(answers[2], StoreError)
    assert isinstance(answers[3], Exception)
    assert [event.event_id for event in store.events_after(SITE, 0, 9)] == ["0", "1", "4"]


def test_what_readers_did_before_they_were_forgotten_is_left_out_of_a_group(store: Store) -> None:
    store.add_events([click("old")])
    store.forget_reader(SITE, "ann", "x")
    groups = [[click("1"), click("2", "bob")], [click("3")], [click("4", None)]]
    expected = [Written(1, 0, 0, 1), Written(0, 0, 0, 1), Written(1, 0, 0)]
    assert store.add_event_groups(groups) == expected
    assert not store.has_reader(SITE, "ann")


def test_a_group_takes_as_many_statements_as_one_caller_however_many_wait(store: Store) -> None:
    store.add_events([click("a", "other")])
    store.forget_reader(SITE, "other", "x")
    counts = []
    for size in (2, 40):
        groups = [[click(f"{size}-{n}", f"r{size}-{n}")] for n in range(size)]
        with watched(store) as statements:
            assert store.add_event_groups(groups) == [Written(1, 0, 0)] * size
        counts.append(len(statements))
    assert counts == [6, 6], "is anybody forgotten, are these, who wants nothing kept, known events, readers, events"


def test_a_database_out_of_reach_is_said_to_all_and_not_tried_for_each(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    callers = Callers(store)
    callers.start([click("0")], [click("1")], [click("2")])
    monkeypatch.setattr(store, "add_event_groups", _out_of_reach)
    answers = callers.finish()
    assert answers[0] == Written(1, 0, 0)
    assert [type(answer) for answer in answers[1:]] == [StoreError, StoreError]
    assert callers.held.groups == [1, 2]


def _out_of_reach(*_: object) -> None:
    raise StoreError("a database that answers", "none", "Check it.")


def test_a_lost_database_fails_once_for_a_whole_group(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/s.db")
    store._engine.dispose()
    (tmp_path / "s.db").unlink()
    with watched(store) as statements, pytest.raises(StoreError, match="unable to open"):
        store.add_event_groups([[click("1")], [click("2")]])
    assert statements == []
    store.close()


def test_who_waits_too_long_is_turned_away_and_their_events_are_not_written(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    callers = Callers(store)
    callers.start([click("0")])
    monkeypatch.setattr(event_writer, "WRITE_SECONDS", 0.02)
    with pytest.raises(StoreError, match="locked"):
        callers.writer.add([click("late")])
    monkeypatch.setattr(event_writer, "WRITE_SECONDS", 20.0)
    callers.start([click("patient")])
    assert callers.finish() == [Written(1, 0, 0), Written(1, 0, 0)]
    assert [event.event_id for event in store.events_after(SITE, 0, 9)] == ["0", "patient"]


def test_the_queue_has_a_bound_and_a_group_too(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_writer, "MAX_WAITING_EVENTS", 4)
    monkeypatch.setattr(event_writer, "MAX_GROUP_EVENTS", 3)
    callers = Callers(store)
    callers.start([click("0")], [click("1"), click("2")], [click("3")], [click("4")])
    with pytest.raises(StoreError, match="too many"):
        callers.writer.add([click("5")])
    assert [type(answer) for answer in callers.finish()] == [Written] * 4
    assert callers.held.groups == [1, 2, 1]
    assert callers.writer._waiting_events == 0
    assert callers.writer.add([click(f"many-{n}") for n in range(9)]) == Written(9, 0, 0), "alone, any number goes"


def test_many_threads_lose_and_double_nothing(store: Store) -> None:
    writer = EventWriter(store)
    answers: list[Written] = []

    def beacons(thread: int) -> None:
        for n in range(25):
            own = Event(f"{thread}-{n}", SITE, Kind.CLICK, "a", f"r{thread}", time=n)
            answers.append(writer.add([own, click(f"shared-{n}")]))

    threads = [threading.Thread(target=beacons, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ids = [event.event_id for event in store.events_after(SITE, 0, 999)]
    assert len(ids) == len(set(ids)) == 8 * 25 + 25
    assert sum(answer.stored for answer in answers) == len(ids)
    assert {answer.total for answer in answers} == {2}

"""Counts of the last events for the console's pages: who waits for them, and who gets the last ones."""

import threading
import time
from collections.abc import Callable
from typing import Any, cast

import pytest

from recsys.errors import StoreError
from recsys.store import Store
from recsys.units import HOUR_MS
from web.console.recent import OLD_SECONDS, RECENT_SECONDS, RecentCounter, RecentEvents

NOW = 500_000 * HOUR_MS


class Events:
    """A store of clicks on one article, which may have to be waited for, or be away."""

    def __init__(self) -> None:
        self.clicks, self.asked = 1, 0
        self.there, self.is_away = threading.Event(), False
        self.there.set()

    def last_seq(self, _site: str) -> int:
        return self.clicks

    def event_columns_after(self, *_: Any) -> dict[str, tuple[Any, ...]]:
        self.asked += 1
        self.there.wait(60)
        if self.is_away:
            raise StoreError("a database that answers", "none", "Start it.")
        n = self.clicks
        return {"kind": ("click",) * n, "article": ("a",) * n, "time": (NOW - 1,) * n, "slot": (None,) * n}


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets the clock by which counts grow old, in seconds."""
    now = [1000.0]
    monkeypatch.setattr("web.console.recent.time", type("Clock", (), {"monotonic": staticmethod(lambda: now[0])}))
    return lambda seconds: now.__setitem__(0, 1000.0 + seconds)


def given(counter: RecentCounter, events: Events) -> int:
    made: RecentEvents = counter.now(cast(Store, events), "site", {"a"}, NOW, "UTC")
    return made.all_clicks


def test_counts_are_kept_then_made_beside_and_when_they_are_old_waited_for(at: Callable[[float], None]) -> None:
    counter, events = RecentCounter(), Events()
    assert given(counter, events) == 1
    events.clicks = 2
    at(RECENT_SECONDS - 0.1)
    assert (given(counter, events), events.asked) == (1, 1)
    at(RECENT_SECONDS)
    events.there.clear()
    assert given(counter, events) == 1, "nobody waits"
    events.there.set()
    deadline = time.monotonic() + 60
    while given(counter, events) == 1 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert given(counter, events) == 2
    events.clicks = 3
    at(RECENT_SECONDS + OLD_SECONDS)
    assert given(counter, events) == 3


def test_without_a_database_the_last_counts_are_given_until_they_are_old(at: Callable[[float], None]) -> None:
    counter, events = RecentCounter(), Events()
    assert given(counter, events) == 1
    events.is_away = True
    at(OLD_SECONDS - 1)
    assert given(counter, events) == 1
    at(OLD_SECONDS)
    while events.asked < 2 or counter._lock.locked():  # whoever counts beside gives up first
        time.sleep(0.01)
    with pytest.raises(StoreError):
        given(counter, events)

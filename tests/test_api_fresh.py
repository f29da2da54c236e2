"""How fresh one worker's answers are: articles and events that others wrote, and a database that does not answer."""

import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from recsys.errors import StoreError
from recsys.serving import live
from recsys.store import Event, Kind, Written
from recsys.units import now_ms
from tests.newsroom import SITE
from tests.service import Service, article, four, plain_settings, problem, serving


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Service]:
    """Four articles, no click, no release."""
    with four(tmp_path) as service:
        yield service


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The same for tests that leave it as it is."""
    with four(tmp_path_factory.mktemp("quiet")) as service:
        yield service


def test_a_hidden_article_is_gone_at_the_next_poll(tmp_path: Path) -> None:
    with four(tmp_path, poll_seconds=0.05) as service:
        assert "a2" in service.ids()
        service.store.hide_article(SITE, "a2", "ann")
        deadline = time.monotonic() + 1.0
        while "a2" in service.ids():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert service.client.get("/article/a2").status_code == 404


def test_an_article_changed_twice_within_a_moment_shows_its_last_title(site: Service) -> None:
    for title in ("First", "Second"):
        site.store.put_articles([article("a1", category="x", title=title)])
        site.live.refresh()
    assert site.get("/api/v1/recommendations", k=1)["items"][0]["title"] == "Second"


def test_more_new_articles_than_there_is_room_for_are_laid_out_anew(
    site: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = site.live.catalogue.room
    site.store.put_articles([article(f"n{n}") for n in range(room + 3)])
    site.live.refresh()
    assert site.live._builder is not None
    site.live._builder.join()
    assert len(site.live.catalogue.ids) == room + 7


def test_only_the_newest_articles_are_served_when_there_are_too_many(tmp_path: Path) -> None:
    with four(tmp_path, max_articles=2) as service:
        assert service.ids() == ["a1", "a2"]


def test_a_database_out_of_reach_is_503_for_events_and_no_history_for_readers(
    quiet: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise StoreError("a database that answers", "host db.internal is down", "Check it.")

    for name in ("add_events", "clicks_of", "last_seq"):
        monkeypatch.setattr(quiet.store, name, fail)
    event = {"event_id": "e", "kind": "click", "article": "a1"}
    assert "db.internal" not in problem(quiet.client.post("/api/v1/events", json=event), 503, "store-unavailable")
    problem(quiet.client.get("/readyz"), 503, "store-unavailable")
    assert quiet.client.get("/healthz").status_code == 200
    assert len(quiet.ids(reader="r")) == 4


def test_a_database_file_that_was_taken_away_takes_no_events_and_is_not_ready(tmp_path: Path) -> None:
    settings = plain_settings(tmp_path)
    event = {"event_id": "e", "kind": "click", "article": "a1"}
    with serving(settings) as service:
        file = next(tmp_path.glob("*.db"))
        away = file.rename(tmp_path / "away")
        problem(service.client.post("/api/v1/events", json=event), 503, "store-unavailable")
        problem(service.client.get("/readyz"), 503, "store-unavailable")
        assert service.client.get("/api/v1/recommendations?reader=r").status_code == 200
        away.rename(file)
        assert service.client.post("/api/v1/events", json=event).get_json()["accepted"] == 1


def test_a_database_that_stays_locked_holds_up_one_thread_and_not_all(
    site: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "WRITE_SECONDS", 0.05)
    free, entered = threading.Event(), threading.Event()
    add_events = site.store.add_events

    def slow(events: Sequence[Event]) -> Written:
        entered.set()
        assert free.wait(10)
        return add_events(events)

    monkeypatch.setattr(site.store, "add_events", slow)
    first = threading.Thread(target=site.live.accept, args=([Event("e0", SITE, Kind.CLICK, "a1", time=now_ms())],))
    first.start()
    try:
        assert entered.wait(10)
        answer = site.client.post("/api/v1/events", json={"event_id": "e1", "kind": "click", "article": "a1"})
        problem(answer, 503, "store-unavailable")
        assert answer.headers["Retry-After"] == "1"
        assert site.ids(reader="r")
    finally:
        free.set()
        first.join()
    assert [event.event_id for event in site.store.events_after(SITE, 0, 10)] == ["e0"]


def test_a_reader_is_loaded_once_and_then_follows_the_events(site: Service) -> None:
    site.store.add_events([Event("e0", SITE, Kind.CLICK, "a1", reader="r", time=now_ms())])
    assert "a1" not in site.ids(reader="r")  # loaded from the database before the events were followed
    site.live.catch_up()
    site.store.add_events([Event("e1", SITE, Kind.CLICK, "a2", reader="r", time=now_ms())])
    site.live.catch_up()
    assert site.ids(reader="r") == ["a3", "a4"]
    state = site.live._memory.reader("r")
    assert state is not None
    assert len(state.clicks) == 2


def test_what_another_worker_took_counts_in_the_readers_very_next_list(site: Service) -> None:
    assert "a1" in site.ids(reader="r", session="s")
    site.store.add_events([Event("e0", SITE, Kind.CLICK, "a1", reader="r", time=now_ms())])
    site.store.add_events([Event("e1", SITE, Kind.DISMISS, "a2", session="s", time=now_ms())])
    assert {"a1", "a2"}.isdisjoint(site.ids(reader="r", session="s"))


def test_the_reader_not_seen_for_longest_is_forgotten_and_comes_back(tmp_path: Path) -> None:
    with four(tmp_path, max_readers=2) as service:
        service.click("a1", reader="r0")
        for reader in ("r0", "r1", "r2"):
            service.ids(reader=reader)
        assert "r0" not in service.live._memory
        assert "a1" not in service.ids(reader="r0")

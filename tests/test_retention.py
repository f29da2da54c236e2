"""Retention: what is older than a site keeps its events goes from the store and the log, and everybody is told."""

from pathlib import Path

import pytest

from jobs.runner import Context, run_stages
from jobs.stages import stage_of
from recsys.events import EventLog
from recsys.store import Event, Kind, Store, forgetting
from recsys.units import DAY_MS, now_ms
from tests.newsroom import SITE
from tests.service import FOUR, fill, plain_settings, serving
from tests.stores import server as server
from tests.stores import store as store
from web.demo.making import notice

KEPT = 30  # days


def click(name: str, days_ago: float | None, site: str = SITE, reader: str = "ann") -> Event:
    time = None if days_ago is None else now_ms() - int(days_ago * DAY_MS)
    return Event(name, site, Kind.CLICK, "a1", reader, "s", time=time)


def stored(store: Store, site: str = SITE) -> list[str]:
    return [one.event_id for one in store.events_after(site, 0, 100)]


def logged(log: EventLog) -> list[str]:
    return sorted(map(str, log.read(["event_id"])["event_id"].to_pylist()))


def test_what_is_older_goes_and_the_undated_the_last_and_another_sites_stay(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "EXPIRED_AT_ONCE", 2)
    before = now_ms() - KEPT * DAY_MS
    old = [click(f"old-{n}", KEPT + 1 + n) for n in range(5)]
    store.add_events([*old, click("new", KEPT - 1), click("undated", None), click("other", 99, site="weekly")])
    log = EventLog(tmp_path / "log")
    log.append(store, SITE)
    assert store.expire_events(SITE, before) == 5
    assert stored(store) == ["new", "undated"]
    assert stored(store, "weekly") == ["other"]
    assert len(logged(log)) == 7
    assert log.expire(before) == 5
    assert logged(log) == ["new", "undated"]
    assert (store.expire_events(SITE, before), log.expire(before)) == (0, 0)
    store.add_events([click("next", 0)])
    assert log.append(store, SITE).events == 1, "it goes on where it was"
    store.add_events([click("last", 99)])
    assert store.expire_events(SITE, before) == 0
    assert log.append(store, SITE).events == 1, "the numbers never go back"


def test_half_a_part_stays(store: Store, tmp_path: Path) -> None:
    before = now_ms() - KEPT * DAY_MS
    day = before - before % DAY_MS
    events = [Event(f"e{n}", SITE, Kind.CLICK, "a1", time=day + n * 1_000) for n in range(4)]
    store.add_events(events)
    log = EventLog(tmp_path / "log")
    log.append(store, SITE)
    assert log.expire(day + 2_000) == 2
    assert logged(log) == ["e2", "e3"]


@pytest.mark.parametrize(("days", "left"), [(KEPT, ["new"]), (0, ["new", "old"])], ids=["kept", "no-end"])
def test_the_stage_of_every_night_does_it_and_readers_are_told(tmp_path: Path, days: int, left: list[str]) -> None:
    base = plain_settings(tmp_path)
    settings = base.model_copy(update={"events": base.events.model_copy(update={"keep_days": days})})
    fill(settings, *FOUR)
    opened = Store.open(settings.database_url, settings.store)
    clicked = now_ms() - DAY_MS
    opened.add_events([click("old", KEPT + 1), click("new", 1)])
    opened.close()
    context = Context(settings, seed=1)
    run_stages(context, [stage_of("events")])
    assert logged(context.event_log) == left
    with serving(settings) as site:
        known = site.of_reader("ann", "/api/v1/reader", lang="en")
        assert known["clicks"] == len(left)
        if days:
            assert known["kept_until"] == pytest.approx(clicked + KEPT * DAY_MS, abs=5_000)
            assert f"each for {KEPT} days" in known["says"]
            assert f"after {KEPT} days" in site.client.get("/about?lang=en").text
            assert f"保存 {KEPT} 天" in site.client.get("/about?lang=zh").text
        else:
            assert known["kept_until"] is None
            assert "no end is set" in known["says"]
            assert "until you have it deleted" in notice("en", 0)

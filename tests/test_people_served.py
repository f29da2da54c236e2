"""Robots, reloads and clocks that are wrong, as the service meets them."""

from pathlib import Path

import numpy as np

from recsys.releases import Releases
from recsys.serving.live import LiveState
from recsys.store import Event, Kind, Store
from recsys.units import now_ms
from tests.newsroom import SITE
from tests.service import FOUR, fill, four, plain_settings

DAY = 24 * 3_600_000
YEAR = 365 * DAY


def test_a_robot_of_four_hundred_clicks_and_a_reader_who_reloads_move_nothing(tmp_path: Path) -> None:
    with four(tmp_path) as service:
        for n in range(3):
            service.click("a3", reader=f"r{n}")
        service.click("a2", reader="r1")
        before = service.ids(k=4)
        for n in range(5):
            service.click("a4", reader="reloads", event_id=f"f{n}")
        robot = [{"event_id": f"b{n}", "kind": "click", "article": "a1", "reader": "robot"} for n in range(400)]
        for start in range(0, 400, 100):
            sent = service.client.post("/api/v1/events", json={"events": robot[start : start + 100]})
            assert sent.status_code == 202
        assert service.live.odd_readers == ["robot"]
        today = [(item["id"], item["clicks"]) for item in service.get("/api/v1/today")["items"]]
        assert today == [("a3", 3), ("a2", 1), ("a4", 1)]
        assert before[:2] == ["a3", "a2"]
        assert service.ids(k=4)[0] == "a3"
        assert service.ids(k=4)[-1] == "a1"


def test_what_was_imported_with_a_time_ahead_is_neither_popular_nor_today_s(tmp_path: Path) -> None:
    with four(tmp_path) as service:
        ahead = [Event(f"e{n}", SITE, Kind.CLICK, "a4", f"r{n}", time=now_ms() + YEAR) for n in range(9)]
        service.store.add_events(ahead)
        service.click("a3", reader="r1")
        service.live.catch_up()
        assert service.live._state.recommender.trends.odd["ahead"] == 9
        assert [item["id"] for item in service.get("/api/v1/today")["items"]] == ["a3"]
        assert service.ids(k=1, reader="stranger") == ["a3"]
        assert "a4" in service.ids(k=4, reader="r2")  # who has not opened it yet, as far as is known


def test_a_clock_that_was_a_year_ahead_for_a_night_leaves_no_damage(tmp_path: Path) -> None:
    settings, now = plain_settings(tmp_path), [now_ms()]
    fill(settings, *FOUR)
    store = Store.open(settings.database_url, settings.store)
    live = LiveState(settings, store, Releases(settings.data_dir / "releases", settings.releases), lambda: now[0])

    def click(name: str, article: str) -> None:
        live.accept([Event(name, SITE, Kind.CLICK, article, name, time=now[0])])

    def popular() -> list[int]:
        trends = live._state.recommender.trends
        clicks = trends.clicks(np.arange(len(trends), dtype=np.int32), now[0])
        return [int(count) for count in clicks[:, 1].round()]

    try:
        for n in range(5):
            click(f"before{n}", "a1")
        right = popular()
        now[0] += YEAR
        click("night", "a2")
        assert sum(popular()) == 1
        now[0] -= YEAR
        live._mend_counts()
        assert live._builder is not None
        live._builder.join()
        assert popular() == right
        assert live._state.recommender.trends.odd["ahead"] == 1
        builder = live._builder
        live._mend_counts()  # there is nothing left to mend
        assert live._builder is builder
        click("after", "a1")
        assert sum(popular()) == 6
    finally:
        live.close()
        store.close()

"""Clicks of the day: people counted as events come, over midnights, releases and restarts."""

from pathlib import Path

import numpy as np
import pytest

from recsys.releases import Releases
from recsys.serving.day_clicks import DayClick, DayClicks, HashSet, person, site_day
from recsys.serving.live import LiveState
from recsys.store import Event, Kind, Store
from recsys.units import HOUR_MS, MINUTE_MS, now_ms
from tests.newsroom import SITE
from tests.service import FOUR, fill, plain_settings

IDS = ["a", "b", "c"]
ROW_OF = {article: row for row, article in enumerate(IDS)}


def at(text: str) -> int:
    """Ms of a UTC time, YYYY-MM-DDTHH:MM."""
    return int(np.datetime64(text, "ms").astype(int))


NOON = at("2026-06-15T12:00")


def counted(day: DayClicks, *clicks: tuple[str, str, int]) -> list[int]:
    for click in clicks:
        day.add(DayClick(*click), ROW_OF[click[1]])
    return [int(people) for people in day.people]


@pytest.mark.parametrize(
    ("timezone", "now", "date", "since", "hours"),
    [
        ("UTC", "2026-06-15T12:00", "2026-06-15", "2026-06-15T00:00", 24),
        ("Asia/Shanghai", "2026-06-15T16:00", "2026-06-16", "2026-06-15T16:00", 24),
        ("Asia/Shanghai", "2026-06-15T15:59", "2026-06-15", "2026-06-14T16:00", 24),
        ("Europe/Zurich", "2026-03-29T12:00", "2026-03-29", "2026-03-28T23:00", 23),
        ("Europe/Zurich", "2026-10-25T12:00", "2026-10-25", "2026-10-24T22:00", 25),
    ],
)
def test_a_day_begins_at_the_site_s_midnight_also_where_the_clocks_change(
    timezone: str, now: str, date: str, since: str, hours: int
) -> None:
    day = site_day(at(now), timezone)
    assert (day.date, day.since, day.until - day.since) == (date, at(since), hours * HOUR_MS)


def test_a_person_counts_once_for_an_article_and_only_on_the_day() -> None:
    day = DayClicks(NOON, "UTC", 3)
    clicks = [("r1", "a", NOON), ("r1", "a", NOON + 5), ("r2", "a", NOON), ("r1", "b", NOON)]
    assert counted(day, *clicks) == [2, 1, 0]
    assert counted(day, ("r3", "a", day.day.since - 1), ("r4", "c", day.day.since)) == [2, 1, 1]


@pytest.mark.parametrize("seed", range(5))
def test_many_clicks_counted_at_once_are_those_that_are_counted_one_by_one(seed: int) -> None:
    rng, one, all_at_once = np.random.default_rng(seed), DayClicks(NOON, "UTC", 2), DayClicks(NOON, "UTC", 2)
    for n in (0, 40, 1, 200):
        days = rng.integers(-20, 20, n) * HOUR_MS
        clicks = [
            (DayClick(f"r{rng.integers(9)}", f"a{row}", int(NOON + day)), row)
            for day, row in zip(days, rng.integers(-1, 7, n).tolist(), strict=True)
        ]
        for click in clicks:
            one.add(*click)
        all_at_once.add_all(clicks)
    assert (one.people[:7].tolist(), len(one._pairs)) == (all_at_once.people[:7].tolist(), len(all_at_once._pairs))
    one.turn(one.day.until, {f"a{row}": row for row in range(7)})
    all_at_once.turn(all_at_once.day.until, {f"a{row}": row for row in range(7)})
    assert one.people[:7].tolist() == all_at_once.people[:7].tolist()


def test_a_click_of_nobody_is_that_of_a_minute_and_a_context() -> None:
    minute = NOON // MINUTE_MS * MINUTE_MS
    names = [person(None, minute + late, said) for late, said in ((0, "{}"), (MINUTE_MS - 1, "{}"), (MINUTE_MS, "{}"))]
    assert (names[0] == names[1], names[1] == names[2]) == (True, False)
    assert person(None, minute, "{}") != person(None, minute, None)
    assert person("r1", minute, "{}") == "r1"


def test_what_is_dated_after_midnight_counts_when_midnight_has_struck() -> None:
    day = DayClicks(NOON, "UTC", 3)
    until = day.day.until
    assert counted(day, ("r1", "a", until - 1), ("r2", "b", until)) == [1, 0, 0]
    assert not day.turn(until - 1, ROW_OF)
    assert not day.turn(until, ROW_OF)
    assert (day.day.date, day.people.tolist()) == ("2026-06-16", [0, 1, 0])


def test_nothing_of_yesterday_is_shown_before_anybody_has_turned_the_day() -> None:
    day = DayClicks(NOON, "UTC", 3)
    counted(day, ("r1", "a", NOON))
    assert day.at(day.day.until - 1)[1].tolist() == [1, 0, 0]
    assert day.at(day.day.until)[0] == "2026-06-16"
    assert not day.at(day.day.until)[1].any()


def test_a_clock_that_was_ahead_asks_for_the_day_to_be_counted_anew() -> None:
    day = DayClicks(NOON + 48 * HOUR_MS, "UTC", 3)
    assert day.turn(NOON, ROW_OF)
    assert day.day.date == "2026-06-15"


def test_what_somebody_clicked_is_taken_back_and_nothing_else() -> None:
    day = DayClicks(NOON, "UTC", 3)
    counted(day, ("bot", "a", NOON), ("bot", "b", NOON), ("ann", "a", NOON), ("bot", "c", day.day.until))
    day.take_back("bot", IDS)
    day.take_back("stranger", IDS)
    assert day.people.tolist() == [1, 0, 0]
    day.turn(day.day.until, ROW_OF)
    assert not day.people.any()


def test_the_day_goes_on_over_the_rows_of_another_release() -> None:
    day = DayClicks(NOON, "UTC", 3)
    counted(day, ("r1", "a", NOON), ("r2", "a", NOON), ("r1", "b", NOON))
    moved = day.moved(IDS, {"a": 4, "c": 0}, 5)
    for who, article, row in (("r1", "a", 4), ("r3", "a", 4), ("r3", "d", 7)):
        moved.add(DayClick(who, article, NOON), row)
    assert moved.people[:8].tolist() == [0, 0, 0, 0, 3, 0, 0, 1]
    assert day.people.tolist() == [2, 1, 0]
    moved.take_back("r2", ["c", "", "", "", "a", "", "", "d"])
    assert moved.people[4] == 2


def test_a_set_of_hashes_says_what_it_holds_whether_sorted_in_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recsys.serving.day_clicks._RECENT", 7)
    rng, hashes, expected = np.random.default_rng(0), HashSet(), set[int]()
    for number in rng.integers(-60, 60, 300).tolist():
        assert hashes.add(number << 55) == (number not in expected)
        expected.add(number)
    gone = np.array([-60 << 55, 3 << 55, 70 << 55, 59 << 55], np.int64)
    assert hashes.discard(gone).tolist() == [number >> 55 in expected for number in gone.tolist()]
    expected -= {-60, 3, 59}
    assert {number for number in range(-70, 70) if number << 55 in hashes} == expected
    assert len(hashes) == len(expected)


def test_a_million_clicks_take_forty_megabytes_at_most() -> None:
    hashes = HashSet()
    for number in range(100_000):
        hashes.add(hash((number, "")))
    assert hashes._sorted.nbytes <= 8 * len(hashes)
    assert len(hashes._recent) < 16_384  # of some 100 bytes


class Site:
    """A site whose clock is set by hand."""

    def __init__(self, folder: Path) -> None:
        self.settings = plain_settings(folder)
        self.now = (now_ms() // (24 * HOUR_MS) + 1) * 24 * HOUR_MS + 12 * HOUR_MS  # tomorrow's noon
        fill(self.settings, *FOUR)
        self.store = Store.open(self.settings.database_url, self.settings.store)

    def start(self) -> LiveState:
        releases = Releases(self.settings.data_dir / "releases", self.settings.releases)
        return LiveState(self.settings, self.store, releases, lambda: self.now)

    def click(self, name: str, article: str, reader: str, late: int = 0) -> Event:
        return Event(name, SITE, Kind.CLICK, article, reader, time=self.now + late)

    def today(self, live: LiveState) -> list[tuple[str, int]]:
        ranked = live.today(9, None).ranked
        return [(live.catalogue.ids[row], people) for row, people in ranked]


def test_a_worker_that_starts_again_counts_the_day_as_the_one_that_followed_it(tmp_path: Path) -> None:
    site = Site(tmp_path)
    live = site.start()
    live.accept([site.click(f"e{n}", "a1", f"r{n}") for n in range(3)])
    live.accept(
        [
            site.click("e3", "a2", "r1"),
            site.click("e4", "a2", "r1", 60_000),
            site.click("old", "a4", "r1", -13 * HOUR_MS),
        ]
    )
    assert site.today(live) == [("a1", 3), ("a2", 1)]
    assert site.today(site.start()) == site.today(live)


def test_what_a_release_has_counted_already_is_read_once_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(tmp_path)
    live = site.start()
    live.accept([site.click(f"e{n}", "a1", f"r{n}") for n in range(3)])
    live.accept([site.click("bot", "a1", "robot")])
    live._frame.state.visitors.odd["rrobot"] = None
    day = DayClicks(site.now, "UTC", 9)
    live._feed.count_today(live._frame.state, day)
    assert day.people.sum() == 3
    monkeypatch.setattr(site.store, "reading", lambda: pytest.fail("the database is asked"))
    assert site.today(live) == [("a1", 4)]


def test_today_is_empty_after_midnight_and_counts_on(tmp_path: Path) -> None:
    site = Site(tmp_path)
    live = site.start()
    live.accept([site.click("e1", "a1", "r1")])
    site.now += 12 * HOUR_MS
    assert site.today(live) == []
    live.accept([site.click("e2", "a2", "r1"), site.click("e3", "a3", "r1", -MINUTE_MS)])
    assert site.today(live) == [("a2", 1)]
    site.now -= 12 * HOUR_MS  # the clock is put right
    live.catch_up()
    assert site.today(live) == [("a1", 1)]


def test_a_forgotten_reader_is_not_counted_any_more(tmp_path: Path) -> None:
    site = Site(tmp_path)
    live = site.start()
    live.accept([site.click("e1", "a1", "r1"), site.click("e2", "a1", "r2")])
    site.store.forget_reader(SITE, "r1", "test")
    live.forget()
    assert site.today(live) == [("a1", 1)]

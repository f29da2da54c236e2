"""Schedules: what five fields mean, at the turn of the clocks too; each time queued once, whoever looks."""

from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from recsys.errors import InputError
from recsys.runs.schedules import CronTimes
from recsys.runs.setting import FROM_CONFIGURATION, checked_schedule, take_over_schedules
from recsys.runs.worker import Worker
from recsys.store import Run, Schedule, Store
from recsys.units import DAY_MS, HOUR_MS, MINUTE_MS
from recsys.workspace import Workspace
from tests.stores import server, store

__all__ = ["server", "store"]
SITE = "daily"
BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str, zone: ZoneInfo = BERLIN) -> int:
    """A local time as ms UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000)


def due(cron: str, after: str, n: int = 3, timezone: str = "Europe/Berlin") -> list[str]:
    """The next times of a schedule, as the clocks there show them."""
    zone = ZoneInfo(timezone)
    times = CronTimes(cron, timezone).upcoming(at(after, zone), n)
    return [f"{datetime.fromtimestamp(time / 1000, zone):%a %m-%d %H:%M}" for time in times]


@pytest.mark.parametrize(
    ("cron", "times"),
    [
        ("30 3 * * *", ["Wed 07-01 03:30", "Thu 07-02 03:30"]),
        ("*/20 * * * *", ["Tue 06-30 12:20", "Tue 06-30 12:40"]),
        ("0 6 * * 0", ["Sun 07-05 06:00", "Sun 07-12 06:00"]),  # in a crontab 0 and 7 are Sunday
        ("0 6 * * 7", ["Sun 07-05 06:00", "Sun 07-12 06:00"]),
        ("0 6 * * 1", ["Mon 07-06 06:00", "Mon 07-13 06:00"]),
        ("0 6 * * mon-fri", ["Wed 07-01 06:00", "Thu 07-02 06:00"]),
        ("0 6 * * 5-1", ["Fri 07-03 06:00", "Sat 07-04 06:00"]),
        ("0 6 * * */3", ["Wed 07-01 06:00", "Sat 07-04 06:00"]),  # Sunday, Wednesday, Saturday
        ("0 6 1 * *", ["Wed 07-01 06:00", "Sat 08-01 06:00"]),
        ("0 6 29 2 *", ["Tue 02-29 06:00", "Sun 02-29 06:00"]),
        ("0 6 * * FRI", ["Fri 07-03 06:00", "Fri 07-10 06:00"]),
    ],
)
def test_the_fields_mean_what_they_mean_in_a_crontab(cron: str, times: list[str]) -> None:
    assert due(cron, "2026-06-30 12:00", 2) == times


def test_a_time_that_the_clocks_skip_is_due_after_the_gap_and_one_that_comes_twice_once() -> None:
    assert due("30 2 * * *", "2026-03-28 12:00") == ["Sun 03-29 03:30", "Mon 03-30 02:30", "Tue 03-31 02:30"]
    assert due("30 2 * * *", "2026-10-24 12:00") == ["Sun 10-25 02:30", "Mon 10-26 02:30", "Tue 10-27 02:30"]
    every_hour = CronTimes("0 * * * *", "Europe/Berlin").upcoming(at("2026-10-25 00:30"), 5)
    assert {later - time for time, later in pairwise(every_hour)} == {HOUR_MS}


@pytest.mark.parametrize(
    ("cron", "timezone", "said"),
    [
        ("30 3 * *", "UTC", "five fields"),
        ("0 30 3 * * *", "UTC", "five fields"),
        ("61 3 * * *", "UTC", "five fields of cron"),
        ("a b * d *", "UTC", "five fields of cron"),
        ("0 0 30 2 *", "UTC", "never comes"),
        ("0 0 1 * 1", "UTC", "a day of the month or a day of the week"),
        ("0 0 * * 8", "UTC", "no day of the week"),
        ("0 0 * * mon-", "UTC", "no day of the week"),
        ("0 0 * * */0", "UTC", "step of 0"),
        ("0 0 * * *", "Mars/Olympus", "time zone"),
        ("0 0 * * *", "../../etc/passwd", "time zone"),
        ("", "UTC", "five fields"),
    ],
)
def test_what_cannot_be_is_refused_with_what_was_expected(cron: str, timezone: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        CronTimes(cron, timezone)


class Site:
    """A worker over schedules, whose program is never called: its workspace is held by another run."""

    def __init__(self, store: Store, folder: Path, now: int) -> None:
        self.store, self.now = store, now
        arguments = (store, SITE, Workspace(folder / "work"), ("false",), folder / "runs")
        self.worker = Worker(*arguments, clock=lambda: self.now, seconds=lambda: 0.0)
        self.other = Worker(*arguments, clock=lambda: self.now, seconds=lambda: 0.0)

    def set(self, cron: str = "0 * * * *", name: str = "hourly", job: str = "trends", jitter: int = 0) -> Schedule:
        schedule = checked_schedule(SITE, name, job, {"seed": 3}, cron, "UTC", jitter, False, "ann", self.now)
        self.store.put_schedule(schedule)
        return schedule

    def look(self, now: int | None = None) -> list[str]:
        """Let both workers look after the schedules; the jobs that wait then, which are cleared away."""
        self.now = self.now if now is None else now
        self.worker._fire()
        self.other._fire()
        queued = self.store.active_runs(SITE)
        for run in queued:
            self.store.cancel_run(run.id, "the test", self.now)
        return [f"{run.job} by {run.asked_by}" for run in queued]

    @property
    def schedule(self) -> Schedule:
        (only,) = self.store.schedules(SITE)
        return only


NOON = at("2026-06-30 12:00", ZoneInfo("UTC"))


@pytest.fixture
def site(store: Store, tmp_path: Path) -> Site:
    return Site(store, tmp_path, NOON)


def test_a_schedule_queues_its_run_when_it_is_due_and_once_for_all_workers(site: Site) -> None:
    site.set()
    assert site.look() == []
    assert site.look(NOON + HOUR_MS - 1) == []
    assert site.look(NOON + HOUR_MS) == ["trends by schedule hourly"]
    assert site.look(NOON + HOUR_MS + 1) == []
    assert (site.schedule.last_at, site.schedule.next_at) == (NOON + HOUR_MS, NOON + 2 * HOUR_MS)
    (run,) = site.store.runs(9)
    assert (run.id, run.params, run.attempt) == (site.schedule.last_run, {"seed": 3}, 1)


def test_what_was_missed_runs_once_however_often(site: Site) -> None:
    site.set()
    assert site.look(NOON + 2 * DAY_MS + 5 * MINUTE_MS) == ["trends by schedule hourly"]
    assert site.schedule.next_at == NOON + 2 * DAY_MS + HOUR_MS


def test_no_second_run_is_queued_while_one_waits(site: Site) -> None:
    site.set()
    site.now = NOON + HOUR_MS
    site.worker._fire()
    site.now = NOON + 2 * HOUR_MS
    site.worker._fire()
    assert len(site.store.active_runs(SITE)) == 1
    assert (site.schedule.last_run, site.schedule.next_at) == (None, NOON + 3 * HOUR_MS)


def test_a_paused_schedule_is_kept_and_not_followed(site: Site) -> None:
    site.store.put_schedule(replace(site.set(), paused=True, set_at=NOON + 1))
    assert site.look(NOON + DAY_MS) == []
    assert site.schedule.paused


def test_a_clock_that_was_ahead_does_not_put_a_schedule_off(site: Site) -> None:
    site.set()
    assert site.look(NOON + 365 * DAY_MS) == ["trends by schedule hourly"]
    assert site.look(NOON) == []
    assert site.schedule.next_at == NOON + HOUR_MS
    assert site.look(NOON + HOUR_MS) == ["trends by schedule hourly"]


def test_jitter_puts_off_by_at_most_so_many_seconds(site: Site) -> None:
    site.set(jitter=600)
    nexts = set()
    for hour in range(1, 12):
        site.look(NOON + hour * HOUR_MS + 700_000)
        late = site.schedule.next_at - (NOON + (hour + 1) * HOUR_MS)
        assert 0 <= late <= 600_000
        nexts.add(late)
    assert len(nexts) > 3


def test_a_schedule_that_was_changed_meanwhile_is_not_fired_as_it_was(site: Site) -> None:
    before = site.set()
    site.store.put_schedule(replace(before, cron="0 0 * * *", set_at=NOON + 1))
    assert site.store.fire_schedule(before, NOON + DAY_MS, Run.asked(SITE, "trends", {}, "x", NOON)) is None
    assert not site.store.move_schedule(before, NOON)


def test_of_two_workers_that_read_the_same_schedule_one_fires_it(site: Site) -> None:
    due = site.set()
    first = site.store.fire_schedule(due, NOON + DAY_MS, Run.asked(SITE, "trends", {}, "x", NOON))
    assert first is not None
    site.store.cancel_run(first.id, "x", NOON)
    assert site.store.fire_schedule(due, NOON + DAY_MS, Run.asked(SITE, "trends", {}, "x", NOON)) is None


def test_the_configuration_s_schedules_are_taken_over_and_what_somebody_set_stays(store: Store) -> None:
    take_over_schedules(store, SITE, {"all": "30 3 * * *", "items": "0 * * * *"}, "UTC", NOON)
    assert {one.name: one.set_by for one in store.schedules(SITE)} == dict.fromkeys(("all", "items"), "config")
    store.put_schedule(checked_schedule(SITE, "all", "all", {}, "0 5 * * *", "UTC", 0, False, "ann", NOON))
    take_over_schedules(store, SITE, {"all": "45 3 * * *"}, "Asia/Shanghai", NOON)
    (left,) = store.schedules(SITE)
    assert (left.name, left.cron, left.set_by) == ("all", "0 5 * * *", "ann")
    assert store.delete_schedule(SITE, "all", "ann")
    assert not store.delete_schedule(SITE, "all", "ann")
    take_over_schedules(store, SITE, {"all": "45 3 * * *"}, "Asia/Shanghai", NOON)
    (again,) = store.schedules(SITE)
    assert (again.cron, again.timezone, again.set_by) == ("45 3 * * *", "Asia/Shanghai", FROM_CONFIGURATION)
    verbs = [(entry.verb, entry.actor) for entry in store.audit(SITE, 99)]
    assert verbs.count(("schedule", "ann")) == verbs.count(("unschedule", "ann")) == 1
    with pytest.raises(InputError, match="five fields"):
        take_over_schedules(store, SITE, {"all": "at night"}, "UTC", NOON)
    with pytest.raises(InputError, match="name of a job"):
        take_over_schedules(store, SITE, {"nights": "45 3 * * *"}, "UTC", NOON)

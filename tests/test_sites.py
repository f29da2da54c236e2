"""Two sites in one installation whose ids are all the same: nothing of one is ever the other's."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from recsys.store import Run, Scope, Store
from recsys.units import HOUR_MS, now_ms
from tests.newsroom import toy_settings
from tests.postgres_server import fresh_database
from tests.service import Service, article, problem, serving
from tests.stores import server  # noqa: F401  # a fixture

DAILY, WEEKLY = "daily", "weekly"
READER = "ann"


class Pair(NamedTuple):
    """The services of two sites over one database, and the key of each with every right."""

    daily: Service
    weekly: Service
    keys: dict[str, str]

    def call(self, to: Service, method: str, path: str, key: str, **more: Any) -> Any:
        return to.client.open(path, method=method, headers={"Authorization": f"Bearer {self.keys[key]}"}, **more)


@pytest.fixture(params=["sqlite", "postgresql"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pair]:
    if request.param == "sqlite":
        with served(tmp_path, f"sqlite:///{tmp_path}/both.db") as both:
            yield both
        return
    with fresh_database(request.getfixturevalue("server"), "two_sites") as url, served(tmp_path, url) as both:
        yield both


class served:  # noqa: N801
    """The two services for the length of a block; each has its own folder, and the articles a1 … a4."""

    def __init__(self, folder: Path, url: str) -> None:
        self._settings = {
            name: toy_settings(
                folder / name,
                site={"id": name, "name": name, "timezone": "UTC", "language": "en"},
                store={"url": url},
                web={"poll_seconds": 60.0},
                events={"unsigned": "trust"},
            )
            for name in (DAILY, WEEKLY)
        }

    def __enter__(self) -> Pair:
        for name, settings in self._settings.items():
            settings.data_dir.mkdir()
            store = Store.open(settings.database_url, settings.store)
            mine = [article(f"a{n}", title=f"{name} {n}", published_at=now_ms() - n * HOUR_MS) for n in range(1, 5)]
            store.put_articles([replace(one, site=name) for one in mine])
            store.close()
        self._open = [serving(self._settings[name]) for name in (DAILY, WEEKLY)]
        daily, weekly = (one.__enter__() for one in self._open)
        keys = {name: daily.store.add_token(f"desk of {name}", Scope.OWNER, name) for name in (DAILY, WEEKLY)}
        return Pair(daily, weekly, keys)

    def __exit__(self, *error: Any) -> None:
        for one in self._open:
            one.__exit__(None, None, None)


def titles(service: Service, **query: Any) -> list[str]:
    return [item["title"] for item in service.get("/api/v1/recommendations", k=50, **query)["items"]]


def posted(service: Service, event: dict[str, Any]) -> Any:
    return service.client.post("/api/v1/events", json=event).json


def followed(*services: Service) -> None:
    for service in services:
        service.live.forget()
        service.live.catch_up()
        service.live.refresh()


def test_nothing_of_one_site_is_ever_the_others(pair: Pair) -> None:
    daily, weekly, _ = pair
    assert {title.split()[0] for title in titles(daily)} == {DAILY}
    assert {title.split()[0] for title in titles(weekly)} == {WEEKLY}

    # events: the same identifier, reader, session and article at both
    event = {"event_id": "e1", "kind": "click", "article": "a1", "reader": READER, "session": "s", "slot": "front"}
    assert posted(daily, event)["accepted"] == 1
    followed(daily, weekly)
    assert "daily 1" not in titles(daily, reader=READER)
    assert "weekly 1" in titles(weekly, reader=READER), "who is known at one is a stranger at the other"
    assert (len(daily.get("/api/v1/today")["items"]), len(weekly.get("/api/v1/today")["items"])) == (1, 0)
    assert posted(weekly, event)["accepted"] == 1, "no duplicate"
    followed(daily, weekly)
    assert [daily.store.kept_events(site, READER)["click"].events for site in (DAILY, WEEKLY)] == [1, 1]

    # takedowns, pins and corrections
    assert pair.call(daily, "POST", "/admin/api/articles/a2/hide", DAILY).status_code == 200
    patch = {"title": "daily corrected"}
    assert pair.call(daily, "PATCH", "/api/v1/articles/a3", DAILY, json=patch).status_code == 200
    pinned = {"place": 1, "until": now_ms() + HOUR_MS}
    assert pair.call(weekly, "POST", "/admin/api/articles/a4:pin", WEEKLY, json=pinned).status_code in (200, 201)
    followed(daily, weekly)
    assert (len(titles(daily)), len(titles(weekly))) == (3, 4)
    assert "daily corrected" in titles(daily)
    assert titles(weekly)[0] == "weekly 4" != titles(daily)[0].replace(DAILY, WEEKLY)

    # a reader who is forgotten at one
    assert pair.call(daily, "DELETE", f"/admin/api/readers/{READER}", DAILY).status_code in (200, 202)
    followed(daily, weekly)
    assert (daily.store.has_reader(DAILY, READER), daily.store.has_reader(WEEKLY, READER)) == (False, True)
    assert "weekly 1" not in titles(weekly, reader=READER)


def test_nobody_with_rights_at_one_site_has_any_at_the_other(pair: Pair) -> None:
    daily, weekly, _ = pair
    for service, key in ((daily, WEEKLY), (weekly, DAILY)):
        for method, path in (
            *(("GET", "/admin/api/runs"), ("GET", "/admin/api/audit"), ("GET", "/admin/api/tokens")),
            *(
                ("POST", "/admin/api/articles/a1/hide"),
                ("DELETE", "/api/v1/articles/a1"),
                ("GET", "/api/v1/articles/a1/source"),
            ),
        ):
            problem(pair.call(service, method, path, key), 403, "wrong-site")
    daily_list = daily.get("/api/v1/recommendations", k=5)["impression_id"]
    signed = {"event_id": "x", "kind": "click", "article": "a1", "impression": daily_list}
    answer = posted(weekly, signed)
    assert (answer["accepted"], len(answer["ignored"])) == (0, 1), "a token of the other site's list"
    stranger = weekly.client.get(f"/api/v1/readers/{READER}", headers=daily.proof(READER))
    assert stranger.status_code in (401, 403), "a reader's token"


def test_runs_schedules_releases_and_the_audit_are_of_one_site(pair: Pair) -> None:
    daily, weekly, _ = pair
    nightly = {"job": "all", "cron": "5 4 * * *"}
    for service, key in ((daily, DAILY), (weekly, WEEKLY)):
        assert pair.call(service, "PUT", "/admin/api/schedules/night", key, json=nightly).status_code in (200, 201)
        assert pair.call(service, "POST", "/admin/api/jobs", key, json={"job": "all"}).status_code == 202, (
            "not in the way"
        )
    changed = nightly | {"cron": "0 1 * * *"}
    assert pair.call(daily, "PUT", "/admin/api/schedules/night", DAILY, json=changed).status_code == 200
    crons = [
        pair.call(one, "GET", "/admin/api/schedules", key).json["schedules"]
        for one, key in ((daily, DAILY), (weekly, WEEKLY))
    ]
    assert [{one["name"]: one["cron"] for one in each}["night"] for each in crons] == ["0 1 * * *", "5 4 * * *"]
    runs = {
        key: pair.call(one, "GET", "/admin/api/runs", key).json["runs"]
        for one, key in ((daily, DAILY), (weekly, WEEKLY))
    }
    (ours,), (theirs,) = runs[DAILY], runs[WEEKLY]
    assert ours["id"] != theirs["id"]
    assert pair.call(weekly, "GET", f"/admin/api/runs/{ours['id']}", WEEKLY).status_code == 404
    assert pair.call(weekly, "DELETE", f"/admin/api/runs/{ours['id']}", WEEKLY).status_code == 404
    assert [run.site for run in daily.store.active_runs(DAILY)] == [DAILY]
    for key, one in ((DAILY, daily), (WEEKLY, weekly)):
        entries = pair.call(one, "GET", "/admin/api/audit", key).json["entries"]
        assert entries
        theirs_done = {entry["actor"] for entry in entries if entry["actor"].startswith("token ")}
        assert theirs_done == {f"token desk of {key}"}
    assert daily.store.queue_run(Run.asked(WEEKLY, "words", {}, "x", now_ms())).site == WEEKLY
    assert pair.call(daily, "GET", "/admin/api/releases", DAILY).json == {"current": None, "releases": []}


def test_one_site_whose_database_stands_still_does_not_slow_the_others_lists(pair: Pair) -> None:
    with pair.daily.store.writing():  # the write lock of both
        assert len(pair.weekly.get("/api/v1/recommendations", k=5)["items"]) == 4

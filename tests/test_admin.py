"""The admin API: nobody without a token; jobs are queued, seen and cancelled; schedules; releases by name."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse, create_environ

from recsys.runs.commands import JOBS
from recsys.runs.lifecycle import holder_of
from recsys.store import Place, Run
from tests.newsroom import SITE, Toy
from tests.service import Service, copy_of, plain_settings, problem, serving
from web.api.problem_details import Refused
from web.gateway.streams import STREAM
from web.gateway.wsgi import call


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Service]:
    with serving(plain_settings(tmp_path)) as service:
        yield service


class Admin:
    """A client that holds a token."""

    def __init__(self, service: Service) -> None:
        self.client = service.client
        self.headers = {"Authorization": f"Bearer {service.store.add_token('editor')}"}

    def get(self, path: str) -> TestResponse:
        return self.client.get(f"/admin/api{path}", headers=self.headers)

    def post(self, path: str, value: Any = None) -> TestResponse:
        return self.client.post(f"/admin/api{path}", json=value, headers=self.headers)

    def put(self, path: str, value: Any) -> TestResponse:
        return self.client.put(f"/admin/api{path}", json=value, headers=self.headers)

    def delete(self, path: str) -> TestResponse:
        return self.client.delete(f"/admin/api{path}", headers=self.headers)


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Bearer wrong", "Basic cm9vdDpyb290", "bearer \xe9"])
def test_nobody_gets_in_without_a_token(site: Service, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    for method, path in (("GET", "/runs"), ("POST", "/jobs"), ("GET", "/runs/x"), ("GET", "/releases")):
        answer = site.client.open(f"/admin/api{path}", method=method, headers=headers)
        problem(answer, 401, "unauthorized")
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_token_works_until_it_is_revoked(site: Service) -> None:
    admin = Admin(site)
    answer = admin.get("/runs")
    assert (answer.status_code, answer.json) == (200, {"runs": []})
    assert answer.headers["Cache-Control"] == "no-store"
    site.store.revoke_token("editor")
    problem(admin.get("/runs"), 401, "unauthorized")


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ({"job": "itms"}, "itms"),
        ({"job": "simulate"}, "simulate"),
        ({"job": "all; rm -rf /"}, "rm -rf"),
        ({"job": "all", "params": {"config": "/etc/passwd"}}, "config"),
        ({"job": "publish", "params": {"fresh": True}}, "fresh"),
        ({"job": "all", "params": {"seed": "1"}}, "seed"),
        ({"job": "all", "params": {"seed": -1}}, "seed"),
        ({"job": "all", "params": {"seed": True}}, "seed"),
        ({"job": "all", "params": {"fresh": 1}}, "fresh"),
        ({"job": "all", "parms": {}}, "parms"),
        ({}, "job"),
    ],
)
def test_a_wrong_job_or_parameter_is_named_and_nothing_starts(site: Service, value: Any, named: str) -> None:
    admin = Admin(site)
    answer = admin.post("/jobs", value)
    assert named in problem(answer, 422, "invalid")
    assert admin.get("/runs").json == {"runs": []}


@pytest.mark.parametrize(("body", "status"), [(b"{", 400), (b"[]", 422)])
def test_a_body_that_is_no_object_is_told_what_is_expected(site: Service, body: bytes, status: int) -> None:
    answer = site.client.post(
        "/admin/api/jobs", data=body, content_type="application/json", headers=Admin(site).headers
    )
    assert answer.json is not None
    assert (answer.status_code, "JSON" in answer.json["detail"]) == (status, True)
    assert answer.json["remedy"]


def test_an_unknown_job_is_answered_with_the_valid_names(site: Service) -> None:
    answer = Admin(site).post("/jobs", {"job": "itms"})
    assert answer.json is not None
    assert all(job in answer.json["remedy"] for job in JOBS)


def taken(service: Service) -> Run:
    """The run that a worker takes now."""
    run = service.store.claim_run(SITE, JOBS, holder_of(SITE), Place("w", "host-1"), 5)
    assert run is not None
    return run


def test_a_queued_job_is_seen_taken_and_ended_with_its_log(site: Service, tmp_path: Path) -> None:
    admin = Admin(site)
    queued = admin.post("/jobs", {"job": "tokens", "params": {"seed": 3, "fresh": True}})
    assert queued.status_code == 202, queued.text
    assert queued.json is not None
    run_id = queued.json["run_id"]
    run = taken(site)
    assert run.id == run_id
    log = tmp_path / "x.log"
    log.write_text('{"event": "start", "stage": "tokens"}\nTraceback\n')
    site.store.update_run(run_id, log=str(log), exit_code=1, peak_mib=7)
    site.store.beat(run, {"stage": "tokens", "stage_number": 1, "stages": 1}, 6)
    shown: Any = admin.get(f"/runs/{run_id}").json
    assert (shown["state"], shown["host"], shown["asked_by"], shown["attempt"]) == (
        "running",
        "host-1",
        "token editor",
        1,
    )
    assert shown["progress"]["stages"] == 1
    site.store.end_run(run, "failed", 9, error="no room")
    shown = admin.get(f"/runs/{run_id}").json
    assert (shown["state"], shown["error"], shown["params"]) == ("failed", "no room", {"seed": 3, "fresh": True})
    assert shown["log"] == [{"event": "start", "stage": "tokens"}, {"event": "Traceback"}]
    listed: Any = admin.get("/runs?last=1").json
    assert [one["id"] for one in listed["runs"]] == [run_id]
    for method in (admin.get, admin.delete):
        problem(method("/runs/nobody-knows"), 404, "unknown-run")


def test_a_job_is_queued_once_and_a_request_that_is_sent_again_gives_the_same_run(site: Service) -> None:
    admin = Admin(site)
    admin.headers |= {"Idempotency-Key": "tonight"}
    first, again = (admin.post("/jobs", {"job": "all"}).json for _ in range(2))
    assert first == again
    admin.headers |= {"Idempotency-Key": "x" * 129}
    assert "Idempotency-Key" in problem(admin.post("/jobs", {"job": "all"}), 422, "invalid")
    del admin.headers["Idempotency-Key"]
    assert first is not None
    assert first["run_id"] in problem(admin.post("/jobs", {"job": "all"}), 409, "busy")
    assert admin.post("/jobs", {"job": "events"}).status_code == 202


def test_a_run_is_cancelled_at_once_or_told(site: Service) -> None:
    admin = Admin(site)
    waits: Any = admin.post("/jobs", {"job": "all"}).json
    answer = admin.delete(f"/runs/{waits['run_id']}")
    assert answer.status_code == 202
    assert answer.json is not None
    assert (answer.json["state"], answer.json["cancelled_by"]) == ("cancelled", "token editor")
    admin.post("/jobs", {"job": "events"})
    goes_on: Any = admin.delete(f"/runs/{taken(site).id}").json
    assert (goes_on["state"], goes_on["cancelled_by"]) == ("running", "token editor")


def test_the_log_of_a_run_comes_as_it_is_written_until_the_run_or_the_token_ends(site: Service, tmp_path: Path) -> None:
    admin, log = Admin(site), tmp_path / "x.log"
    admin.post("/jobs", {"job": "all"})
    run = taken(site)
    site.store.update_run(run.id, log=str(log))

    def listen(**headers: str) -> Any:
        environ = create_environ(f"/admin/api/runs/{run.id}/log", headers=admin.headers | headers)
        assert ("Content-Type", "text/event-stream; charset=utf-8") in call(site.client.application, environ).headers
        return environ[STREAM]

    def told(stream: Any) -> list[tuple[str, Any]]:
        parts = [part.split("\n") for part in stream().decode().split("\n\n") if part]
        return [(part[0].removeprefix("event: "), json.loads(part[-1].removeprefix("data: "))) for part in parts]

    stream = listen()
    assert [name for name, _ in told(stream)] == ["run"]
    assert stream() == b""
    log.write_text('{"event": "start"}\n{"event": "half')
    assert told(stream) == [("line", {"event": "start"})]
    with log.open("a") as more:
        more.write('"}\n')
    assert told(stream) == [("line", {"event": "half"})]
    assert told(listen(**{"Last-Event-ID": "19"}))[0] == ("line", {"event": "half"})
    site.store.end_run(run, "succeeded", 9)
    last = told(stream)
    assert [name for name, _ in last] == ["run", "end"]
    assert (last[0][1]["state"], last[1][1]) == ("succeeded", {"state": "succeeded"})
    assert stream() is None
    late = listen()
    site.store.revoke_token("editor")
    with pytest.raises(Refused, match="valid bearer token"):
        late()


def test_a_run_of_another_site_is_nobody_s(site: Service) -> None:
    other = site.store.queue_run(Run.asked("weekly", "all", {}, "x", 1))
    admin = Admin(site)
    problem(admin.delete(f"/runs/{other.id}"), 404, "unknown-run")
    assert admin.get("/runs").json == {"runs": []}


def test_schedules_are_set_seen_and_removed(site: Service) -> None:
    admin = Admin(site)
    assert admin.get("/schedules").json == {"schedules": []}
    wanted = {"job": "items", "cron": "*/10 6-9 * * mon-fri", "timezone": "Asia/Shanghai", "jitter_seconds": 30}
    made = admin.put("/schedules/mornings", wanted)
    assert made.status_code == 200, made.text
    assert made.json is not None
    assert (len(made.json["upcoming"]), made.json["set_by"]) == (5, "token editor")
    assert made.json["upcoming"] == sorted(set(made.json["upcoming"]))
    listed: Any = admin.get("/schedules").json
    assert [one["name"] for one in listed["schedules"]] == ["mornings"]
    for changed, named in (
        ({"cron": "0 0 30 2 *"}, "never comes"),
        ({"timezone": "Mars/Olympus"}, "time zone"),
        ({"job": "itms"}, "itms"),
        ({"jitter_seconds": -1}, "jitter_seconds"),
        ({"params": {"config": "x"}}, "config"),
    ):
        assert named in problem(admin.put("/schedules/mornings", wanted | changed), 422, "invalid")
    assert admin.delete("/schedules/mornings").status_code == 204
    problem(admin.delete("/schedules/mornings"), 404, "unknown-schedule")
    verbs = [(entry.actor, entry.verb, entry.object) for entry in site.store.audit(SITE, 9)]
    assert verbs[:2] == [("token editor", "unschedule", "mornings"), ("token editor", "schedule", "mornings")]


def test_releases_are_listed_and_activated(toy: Toy, tmp_path: Path) -> None:
    settings = copy_of(toy, tmp_path)
    with serving(settings) as service:
        admin = Admin(service)
        listed: Any = admin.get("/releases").json
        name = listed["current"]
        assert [(one["current"], one["state"]) for one in listed["releases"]] == [(True, "live")]
        moved: Any = admin.post(f"/releases/{name}/activate?reason=the+best").json
        assert [(one["by"], one["reason"]) for one in moved["releases"]] == [("token editor", "the best")]
        problem(admin.post("/releases:rollback"), 404, "missing-artefact")
        entries: Any = admin.get("/audit").json
        assert tuple(entries["entries"][0][key] for key in ("verb", "object", "actor")) == (
            "promote",
            f"release {name}",
            "token editor",
        )
        problem(admin.post("/releases/nobody-knows/activate"), 404, "missing-artefact")
        problem(admin.post("/releases/..%2F..%2Fetc/activate"), 404, "not-found")
        victim = next((settings.data_dir / "releases" / name / "items").glob("*.npy"))
        victim.chmod(0o644)
        victim.write_bytes(victim.read_bytes()[:-1] + b"\x00")
        problem(admin.post(f"/releases/{name}/activate"), 409, "corrupt-artefact")

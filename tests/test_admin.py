"""The admin API: nobody without a token, one job at a time in a child process, releases by name."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from recsys.config import plain
from recsys.runs.launcher import JOBS
from recsys.runs.lifecycle import WORKSPACE
from recsys.settings import Settings
from recsys.store import Run
from recsys.store.runs import ACTIVE
from recsys.units import now_ms
from tests.newsroom import Toy
from tests.service import Service, copy_of, plain_settings, problem, serving


def for_children(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let child processes read the same settings, as they do in service."""
    file = settings.data_dir / "config.yaml"
    file.write_text(json.dumps(plain(settings)), encoding="utf-8")  # JSON is YAML
    monkeypatch.setenv("RECSYS_CONFIG", str(file))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    settings = plain_settings(tmp_path)
    for_children(settings, monkeypatch)
    with serving(settings) as service:
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

    def ended(self, run_id: str, seconds: float = 30.0) -> dict[str, Any]:
        """A run once it has ended."""
        deadline = time.monotonic() + seconds
        while True:
            run: Any = self.get(f"/jobs/{run_id}").json
            if run["state"] not in ACTIVE:
                return dict(run)
            assert time.monotonic() < deadline, run
            time.sleep(0.1)


def active(run_id: str, heartbeat_at: int | None, pid: int | None, **more: Any) -> Run:
    facts: dict[str, Any] = {"job": "all", "state": "running", "holder": WORKSPACE, "created_at": now_ms()}
    return Run(id=run_id, heartbeat_at=heartbeat_at, pid=pid, **(facts | more))


def gone() -> int:
    """The number of a process that has ended."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Bearer wrong", "Basic cm9vdDpyb290", "bearer \xe9"])
def test_nobody_gets_in_without_a_token(site: Service, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    for method, path in (("GET", "/jobs"), ("POST", "/jobs"), ("GET", "/jobs/x"), ("GET", "/releases")):
        answer = site.client.open(f"/admin/api{path}", method=method, headers=headers)
        problem(answer, 401, "unauthorized")
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_token_works_until_it_is_revoked(site: Service) -> None:
    admin = Admin(site)
    answer = admin.get("/jobs")
    assert (answer.status_code, answer.json) == (200, {"runs": []})
    assert answer.headers["Cache-Control"] == "no-store"
    site.store.revoke_token("editor")
    problem(admin.get("/jobs"), 401, "unauthorized")


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
    assert admin.get("/jobs").json == {"runs": []}


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


def test_a_job_that_fails_says_why_and_lets_go(site: Service) -> None:
    admin = Admin(site)
    started = admin.post("/jobs", {"job": "tokens", "params": {"seed": 3, "fresh": True}})
    assert started.status_code == 202, started.text
    assert started.json is not None
    run = admin.ended(started.json["run_id"])
    assert (run["job"], run["state"], run["params"]) == ("tokens", "failed", {"seed": 3, "fresh": True})
    assert "python -m jobs events" in run["error"]
    assert any("MissingArtefact" in line for line in run["log"])
    listed: Any = admin.get("/jobs").json
    assert [one["id"] for one in listed["runs"]] == [started.json["run_id"]]
    problem(admin.get("/jobs/nobody-knows"), 404, "unknown-run")


def test_a_second_job_is_refused_while_one_is_active(site: Service) -> None:
    admin = Admin(site)
    site.store.add_run(active("first", now_ms(), os.getpid()))
    answer = admin.post("/jobs", {"job": "all"})
    assert "first" in problem(answer, 409, "busy")


def test_a_run_whose_process_died_lets_go_of_the_workspace(site: Service) -> None:
    admin = Admin(site)
    site.store.add_run(active("dead", now_ms() - 20_000, gone()))
    answer = admin.post("/jobs", {"job": "tokens"})
    assert answer.status_code == 202, answer.text
    run: Any = admin.get("/jobs/dead").json
    assert (run["state"], run["error"]) == ("failed", "its process ended without a word")
    assert answer.json is not None
    admin.ended(answer.json["run_id"])


def test_a_killed_job_is_marked_as_failed_at_once(site: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")  # a process that ends before it says anything
    admin = Admin(site)
    started: Any = admin.post("/jobs", {"job": "all"}).json
    run = admin.ended(started["run_id"], 5.0)
    assert "exit code 1" in run["error"]


def test_a_program_that_cannot_be_started_does_not_hold_the_workspace(
    site: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    admin = Admin(site)
    problem(admin.post("/jobs", {"job": "all"}), 500, "internal")
    listed: Any = admin.get("/jobs").json
    assert [one["state"] for one in listed["runs"]] == ["failed"]


def test_releases_are_listed_and_activated(toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = copy_of(toy, tmp_path)
    for_children(settings, monkeypatch)
    with serving(settings) as service:
        admin = Admin(service)
        started: Any = admin.post("/jobs", {"job": "publish"}).json
        assert admin.ended(started["run_id"])["state"] == "done"
        listed: Any = admin.get("/releases").json
        name = listed["current"]
        assert [one["current"] for one in listed["releases"]] == [True]
        assert admin.post(f"/releases/{name}/activate").status_code == 200
        problem(admin.post("/releases/nobody-knows/activate"), 404, "missing-artefact")
        problem(admin.post("/releases/..%2F..%2Fetc/activate"), 404, "not-found")
        victim = next((settings.data_dir / "releases" / name / "items").glob("*.npy"))
        victim.chmod(0o644)
        victim.write_bytes(victim.read_bytes()[:-1] + b"\x00")
        problem(admin.post(f"/releases/{name}/activate"), 409, "corrupt-artefact")

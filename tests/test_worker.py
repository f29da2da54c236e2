"""A worker with real child processes: taken, watched, limited, cancelled, killed; nothing is lost or doubled by it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from jobs import worker as worker_job
from jobs.runner import Context, open_store
from recsys.errors import Busy, InputError, StoreError
from recsys.runs import lifecycle, worker
from recsys.runs.commands import tail
from recsys.runs.setting import take_over_schedules
from recsys.runs.stages import STAGES
from recsys.runs.worker import RunLimits, Worker
from recsys.store import Run, Store
from recsys.units import now_ms
from recsys.workspace import Workspace
from tests.newsroom import QUICK, SITE, fill_toy, toy_settings
from tests.service import for_children

ROOT = Path(__file__).resolve().parents[1]
# A program in place of ``python -m jobs``: it begins its run, does what its job's name says, and ends.
PROGRAM = """
import sys, time
from pathlib import Path
from recsys.runs.lifecycle import exclusive_run
from recsys.store import Store
from recsys.workspace import Workspace
import signal
from recsys.runs import lifecycle
lifecycle.HEARTBEAT_SECONDS = 0.05
folder, job, run_id = Path(sys.argv[1]), sys.argv[2], sys.argv[-1]
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
store = Store.open(f"sqlite:///{folder / 'store.db'}")
print('{"event": "begins", "job": "%s"}' % job, flush=True)
if job == "tokens":
    sys.exit(3)
if job == "words":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
held = bytearray(200 << 20) if job == "items" else b""
with exclusive_run(store, Workspace(folder / "work"), store.run(run_id), {"stage": job}):
    while job in ("words", "items", "trends"):
        time.sleep(0.02)
    if job == "index":
        raise ValueError("no vectors")
"""


class Site:
    """A database with a worker that is looked after step by step."""

    def __init__(self, folder: Path, limits: RunLimits = RunLimits()) -> None:  # noqa: B008
        self.folder = folder
        self.store = Store.open(f"sqlite:///{folder / 'store.db'}")
        program = (sys.executable, "-c", PROGRAM, str(folder))
        self.worker = Worker(self.store, SITE, Workspace(folder / "work"), program, folder / "runs", limits)

    def ask(self, job: str) -> Run:
        return self.store.queue_run(Run.asked(SITE, job, {}, "token desk", now_ms()))

    def row(self, run: Run) -> Run:
        found = self.store.run(run.id)
        assert found is not None
        return found

    def until(self, happened: Callable[[], bool]) -> None:
        """Let the worker do its work until something has happened."""
        deadline = time.monotonic() + 60
        while not happened():
            assert time.monotonic() < deadline
            self.worker.tick()
            time.sleep(0.02)

    def begun(self, run: Run) -> Run:
        self.until(lambda: self.row(run).pid is not None)
        return self.row(run)

    def ended(self, run: Run) -> Run:
        self.until(lambda: self.row(run).state not in ("queued", "running") and not self.worker.busy)
        return self.row(run)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "END_SECONDS", 1.5)
    monkeypatch.setattr(lifecycle, "HEARTBEAT_SECONDS", 0.05)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.worker.close()
    made.store.close()


def test_queued_runs_are_done_one_after_the_other_and_say_what_they_took(site: Site) -> None:
    first, second = site.ask("all"), site.ask("events")
    done = site.ended(second)
    assert (site.row(first).state, done.state, done.exit_code) == ("succeeded", "succeeded", 0)
    assert (done.started_at or 0) >= (site.row(first).finished_at or 0)
    assert (done.peak_mib or 0) > 10
    assert done.pid is not None
    assert tail(done.log) == [{"event": "begins", "job": "events"}]


def test_a_job_that_breaks_says_why_and_is_not_tried_again(site: Site) -> None:
    run = site.ended(site.ask("index"))
    assert (run.state, run.error, run.exit_code) == ("failed", "no vectors", 1)
    assert any("Traceback" in line["event"] for line in tail(run.log))
    dead = site.ended(site.ask("tokens"))
    assert (dead.state, dead.error) == ("failed", "its process ended with exit code 3 before it could say why")
    assert site.store.active_runs(SITE) == []


def test_a_program_that_is_not_there_fails_the_run_and_holds_nothing_up(site: Site) -> None:
    site.worker._program = ("/nowhere/python",)
    run = site.ended(site.ask("all"))
    assert run.state == "failed"
    assert "could not be started" in str(run.error)


def test_a_killed_child_is_seen_at_once_and_its_run_queued_again(site: Site) -> None:
    run = site.begun(site.ask("trends"))
    os.kill(run.pid or 0, signal.SIGKILL)
    killed = site.ended(run)
    assert (killed.state, killed.error, killed.exit_code) == ("interrupted", "its process was ended by signal 9", -9)
    (again,) = site.store.active_runs(SITE)
    assert (again.job, again.attempt, again.state) == ("trends", 2, "queued")
    assert (again.not_before or 0) > now_ms()


def test_a_cancelled_run_ends_also_one_that_does_not_listen(site: Site) -> None:
    for job in ("trends", "words"):
        run = site.begun(site.ask(job))
        site.store.cancel_run(run.id, "token desk", now_ms())
        ended = site.ended(run)
        assert (ended.state, ended.error) == ("cancelled", "cancelled by token desk")
    assert site.store.active_runs(SITE) == []


@pytest.mark.parametrize(
    ("job", "limits", "said"),
    [("items", RunLimits(memory_gib=0.15), "0.15 GiB of memory"), ("trends", RunLimits(hours=1e-6), "1e-06 hours")],
)
def test_a_run_that_takes_too_much_is_ended_with_the_limit_s_name(
    tmp_path: Path, job: str, limits: RunLimits, said: str
) -> None:
    site = Site(tmp_path, limits)
    ended = site.ended(site.ask(job))
    assert ended.state == "cancelled"
    assert said in str(ended.error)
    site.store.close()


def test_a_worker_that_ends_leaves_its_run_to_the_next_one(site: Site) -> None:
    run = site.begun(site.ask("trends"))
    site.worker.close()
    assert site.row(run).state == "interrupted"
    (again,) = site.store.active_runs(SITE)
    assert (again.attempt, (again.not_before or 0) <= now_ms()) == (2, True)


def test_a_child_outlives_a_worker_that_was_killed_and_the_next_worker_waits_for_it(site: Site, tmp_path: Path) -> None:
    code = (
        "import sys, time; sys.path.insert(0, '.'); from tests.test_worker import *; "
        "s = Site(Path(sys.argv[1])); s.begun(s.ask('trends')); os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, check=False)
    assert killed.returncode == -9
    (orphan,) = site.store.active_runs(SITE)
    site.ask("events")
    for _ in range(20):
        site.worker.tick()
        time.sleep(0.02)
    assert site.row(orphan).beats > orphan.beats
    assert sorted(run.state for run in site.store.active_runs(SITE)) == ["queued", "running"]
    site.store.cancel_run(orphan.id, "the test", now_ms())  # which the child hears by itself
    site.until(lambda: not site.store.active_runs(SITE) and not site.worker.busy)
    assert [run.state for run in site.store.runs(9)] == ["succeeded", "cancelled"]


def test_a_child_that_sleeps_beyond_its_lease_finds_its_row_gone_and_ends(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = site.begun(site.ask("trends"))
    os.kill(run.pid or 0, signal.SIGSTOP)
    monkeypatch.setattr(lifecycle, "LEASE_SECONDS", 0.3)
    site.until(lambda: site.row(run).state == "interrupted")
    os.kill(run.pid or 0, signal.SIGCONT)
    site.until(lambda: not site.worker.busy)
    assert site.row(run).state == "interrupted"
    (again,) = site.store.active_runs(SITE)
    assert (again.attempt, again.state) == (2, "queued")


def test_a_step_that_fails_is_said_once_and_holds_up_no_other(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def away(*_: Any) -> Any:
        raise StoreError("a database", "none", "Wait.")

    monkeypatch.setattr(site.store, "schedules", away)
    run = site.ended(site.ask("all"))
    assert run.state == "succeeded"
    assert capsys.readouterr().out.count("not done") == 1


def test_the_command_takes_what_is_queued_by_another_and_ends_when_it_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = toy_settings(tmp_path)
    fill_toy(settings)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(QUICK))
    env = {**os.environ, "RECSYS_DATA_DIR": str(tmp_path), "RECSYS_CONFIG": str(tmp_path / "config.yaml")}
    context = Context(settings, seed=1)
    with pytest.raises(InputError, match="Did you mean 'events'"):
        worker_job.queue(context, "evnts", {})
    worker_job.queue(context, "events", {"seed": 5})
    with pytest.raises(Busy, match="queued"):
        worker_job.queue(context, "events", {})
    worker_job.set_schedule(context, "often", "trends", "0 0 1 1 *", None, 0, paused=False)
    working = [sys.executable, "-m", "jobs", "worker"]
    with subprocess.Popen(working, cwd=ROOT, env=env, stderr=subprocess.PIPE, text=True) as process:
        store = open_store(settings)
        deadline = time.monotonic() + 60
        while store.active_runs(SITE) and time.monotonic() < deadline:
            time.sleep(0.1)
        process.terminate()
        assert process.stderr is not None
        said = process.stderr.read()
    assert process.returncode == 0, said
    assert "worker ended" in said
    (run,) = store.runs(9, SITE)
    store.close()
    assert (run.state, run.params, run.progress["stage"]) == ("succeeded", {"seed": 5}, "events")
    assert {"event": "done", "stage": "events"}.items() <= tail(run.log)[-1].items()
    worker_job.show_runs(context, 9)
    worker_job.show_schedules(context)
    shown = capsys.readouterr().out
    assert all(word in shown for word in ("succeeded", run.id[:12], "often", "0 0 1 1 *", "30 3 * * *", "config"))
    worker_job.remove_schedule(context, "often")
    with pytest.raises(InputError, match="name of a schedule"):
        worker_job.remove_schedule(context, "often")
    with pytest.raises(InputError, match="id of one run"):
        worker_job.cancel(context, "nobody")


@pytest.mark.slow
def test_a_night_begins_by_itself_at_half_past_three_publishes_and_does_so_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = toy_settings(tmp_path)
    fill_toy(settings)
    for_children(settings, monkeypatch)
    context, now = Context(settings, seed=1), [int(datetime(2026, 3, 1, 3, 29, 50, tzinfo=UTC).timestamp() * 1000)]
    store = open_store(settings)
    take_over_schedules(store, SITE, settings.jobs.schedules, settings.site.timezone, now[0])
    night = Worker(store, SITE, context.workspace, worker_job.PROGRAM, tmp_path / "runs", clock=lambda: now[0])
    try:
        night.tick()
        assert store.active_runs(SITE) == []
        now[0] += 15_000
        deadline = time.monotonic() + 500
        night.tick()
        assert night.busy
        while night.busy and time.monotonic() < deadline:
            night.tick()
            time.sleep(0.2)
        (run,) = store.runs(9, SITE)
        assert (run.job, run.asked_by, run.state, run.error) == ("all", "schedule all", "succeeded", None)
        assert context.releases.current() == run.release is not None
        assert run.progress["stages"] == len(STAGES)
        now[0] += 60_000
        night.tick()
        assert store.active_runs(SITE) == []
        (schedule,) = store.schedules(SITE)
        assert schedule.next_at == int(datetime(2026, 3, 2, 3, 30, tzinfo=UTC).timestamp() * 1000)
    finally:
        night.close()
        store.close()

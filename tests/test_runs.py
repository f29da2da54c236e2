"""The life of a run by a clock in hand: every limit at its edge, and what death, silence and a lost race leave."""

import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from recsys.errors import Busy, InputError, StoreError
from recsys.runs import launcher, lifecycle
from recsys.runs.lifecycle import QUIET_MS, SILENT_MS, STARTING_MS, WORKSPACE, exclusive_run, fail_dead, is_dead, queue
from recsys.runs.stages import STAGES
from recsys.store import Run, Store
from recsys.workspace import Workspace, exclusive

NOW = 1_800_000_000_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path / 'store.db'}")
    yield opened
    opened.close()


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "work")


class Clock:
    """A clock that stands until it is set."""

    def __init__(self, now: int = NOW) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


def a_run(state: str = "running", *, silent: int | None = 0, age: int = 0, **more: Any) -> Run:
    """An active run whose last heartbeat is ``silent`` ms old, queued ``age`` ms ago."""
    heartbeat = None if silent is None or state == "queued" else NOW - silent
    values: dict[str, Any] = {"id": "r", "job": "all", "created_at": NOW - age, "holder": WORKSPACE, "pid": 1}
    return Run(state=state, heartbeat_at=heartbeat, **(values | more))


@pytest.mark.parametrize(
    ("run", "process", "dead"),
    [
        (a_run(silent=QUIET_MS), False, False),
        (a_run(silent=QUIET_MS + 1), False, True),
        (a_run(silent=QUIET_MS + 1), True, False),
        (a_run(silent=SILENT_MS), True, False),
        (a_run(silent=SILENT_MS + 1), True, True),
        (a_run(silent=-5_000), False, False),  # its clock is ahead of this one's
        (a_run("queued", age=STARTING_MS), False, False),
        (a_run("queued", age=STARTING_MS + 1), False, True),
        (a_run("queued", age=STARTING_MS + 1), True, True),
        (a_run(silent=None, age=STARTING_MS), False, False),
        (a_run(silent=None, age=STARTING_MS + 1), True, True),
    ],
)
def test_a_run_is_dead_when_more_than_the_limit_has_passed(run: Run, process: bool, dead: bool) -> None:
    assert is_dead(run, NOW, exists=lambda pid: process) is dead


@pytest.mark.parametrize(
    ("run", "dead"),
    [
        (a_run(silent=0), True),
        (a_run(silent=0, holder=None), False),  # it does not claim the workspace
        (a_run(silent=None), True),
        (a_run("queued", age=STARTING_MS), False),  # its process has yet to take the lock
        (a_run("queued", age=STARTING_MS + 1), True),
    ],
)
def test_who_holds_the_lock_knows_that_no_other_run_goes_on(run: Run, dead: bool) -> None:
    assert is_dead(run, NOW, lock_held=True, exists=lambda pid: True) is dead


def test_the_limits_fit_the_heartbeat() -> None:
    assert (lifecycle.HEARTBEAT_SECONDS, QUIET_MS, STARTING_MS, SILENT_MS) == (2.0, 10_000, 60_000, 120_000)


def test_a_process_is_seen_until_it_has_ended() -> None:
    read, write = os.pipe()
    if not (pid := os.fork()):
        os.read(read, 1)
        os._exit(0)
    assert lifecycle.process_exists(pid)
    os.write(write, b"x")
    os.waitpid(pid, 0)
    assert not lifecycle.process_exists(pid)
    assert not lifecycle.process_exists(None)
    assert lifecycle.process_exists(1)  # another user's


def test_only_the_dead_are_failed_and_they_let_go(store: Store) -> None:
    store.add_run(a_run(id="alive", silent=1_000, holder=None))
    store.add_run(a_run(id="done", state="done", silent=SILENT_MS * 2, holder=None))
    store.add_run(a_run(id="dead", silent=SILENT_MS + 1))
    fail_dead(store, clock=Clock())
    runs = {run.id: run for run in store.runs(limit=10)}
    assert {name: run.state for name, run in runs.items()} == {"alive": "running", "done": "done", "dead": "failed"}
    dead = runs["dead"]
    assert (dead.holder, dead.finished_at, dead.error) == (None, NOW, "its process ended without a word")


def test_the_dead_are_found_however_many_runs_came_after_them(store: Store) -> None:
    store.add_run(a_run(id="dead", silent=SILENT_MS + 1, age=SILENT_MS * 2))
    for number in range(60):
        store.add_run(Run(id=f"later-{number}", job="events", created_at=NOW, state="done"))
    fail_dead(store, clock=Clock())
    assert store.active_runs() == []


def test_a_run_is_queued_behind_the_dead_and_not_behind_the_living(store: Store) -> None:
    clock = Clock()
    queue(store, "first", "all", {"seed": 3}, "first.log", clock=clock)
    clock.now += STARTING_MS
    with pytest.raises(Busy, match="first"):
        queue(store, "second", "all", {}, "second.log", clock=clock)
    clock.now += 1
    queue(store, "second", "all", {}, "second.log", clock=clock)
    first, second = store.run("first"), store.run("second")
    assert first is not None
    assert second is not None
    assert (first.state, first.holder, first.params, first.log) == ("failed", None, {"seed": 3}, "first.log")
    assert (second.state, second.holder, second.created_at) == ("queued", WORKSPACE, clock.now)


def test_a_queued_run_begins_ends_and_lets_go(store: Store, workspace: Workspace) -> None:
    clock = Clock()
    queue(store, "r", "all", {}, "r.log", clock=clock)
    clock.now += 700
    progress: dict[str, Any] = {"stage": "words"}
    with exclusive_run(store, workspace, "all", {}, "r", progress, clock=clock) as run:
        assert (run.state, run.pid, run.holder) == ("running", os.getpid(), WORKSPACE)
        assert (run.started_at, run.heartbeat_at) == (clock.now, clock.now)
        progress["done"] = 7
        clock.now += 50
    ended = store.run("r")
    assert ended is not None
    assert (ended.state, ended.holder, ended.finished_at, ended.error) == ("done", None, clock.now, None)
    assert ended.progress == {"stage": "words", "done": 7}


@pytest.mark.parametrize(
    ("problem", "state", "error"),
    [
        (ValueError("no room"), "failed", "no room"),
        (SystemExit(143), "cancelled", "ended by a signal"),
        (KeyboardInterrupt(), "cancelled", "ended by a signal"),
    ],
)
def test_the_row_says_how_a_run_ended(
    store: Store, workspace: Workspace, problem: BaseException, state: str, error: str
) -> None:
    with (
        pytest.raises(type(problem)),
        exclusive_run(store, workspace, "words", {"seed": 1}, None, {}, clock=Clock()) as run,
    ):
        raise problem
    ended = store.run(run.id)
    assert ended is not None
    assert (ended.state, ended.error, ended.holder, ended.params) == (state, error, None, {"seed": 1})


def test_the_heartbeat_tells_time_and_progress_and_outlives_a_refusal_of_the_database(
    store: Store, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle, "HEARTBEAT_SECONDS", 0.005)
    clock, progress, refused = Clock(), {"done": 0}, threading.Event()
    update = store.update_run

    def refusing(run_id: str, **fields: Any) -> bool:
        if "heartbeat_at" in fields and "state" not in fields and not refused.is_set():
            refused.set()
            raise StoreError("a database", "none", "Wait.")
        return update(run_id, **fields)

    monkeypatch.setattr(store, "update_run", refusing)
    with exclusive_run(store, workspace, "all", {}, None, progress, clock=clock) as run:
        clock.now, progress["done"] = NOW + 9, 5
        deadline = time.monotonic() + 10
        while (seen := store.run(run.id)) is not None and seen.heartbeat_at != NOW + 9:
            assert time.monotonic() < deadline
            time.sleep(0.005)
        assert refused.is_set()
        assert seen is not None
        assert (seen.progress, seen.state) == ({"done": 5}, "running")


def test_whoever_is_second_is_told_who_holds_the_workspace(store: Store, workspace: Workspace) -> None:
    with (
        exclusive_run(store, workspace, "all", {}, None, {}) as run,
        pytest.raises(Busy, match=f"'all' running in process {os.getpid()} .run {run.id}"),
        exclusive_run(store, workspace, "items", {}, None, {}),
    ):
        pass


def test_a_started_process_that_finds_the_workspace_taken_fails_its_own_row(store: Store, workspace: Workspace) -> None:
    queue(store, "late", "items", {}, "late.log")
    with (
        exclusive(workspace.lock_file, "the workspace"),
        pytest.raises(Busy),
        exclusive_run(store, workspace, "items", {}, "late", {}),
    ):
        pass
    late = store.run("late")
    assert late is not None
    assert (late.state, late.holder) == ("failed", None)
    assert "workspace" in str(late.error)


def test_a_command_waits_for_a_queued_run_and_takes_over_from_a_dead_one(store: Store, workspace: Workspace) -> None:
    clock = Clock()
    store.add_run(a_run("queued", id="queued"))
    with pytest.raises(Busy, match="queued"), exclusive_run(store, workspace, "all", {}, None, {}, clock=clock):
        pass
    store.update_run("queued", state="running", pid=os.getpid(), heartbeat_at=NOW)  # it beats, and yet has no lock
    with exclusive_run(store, workspace, "all", {}, None, {}, clock=clock):
        dead = store.run("queued")
    assert dead is not None
    assert (dead.state, dead.holder) == ("failed", None)


def test_a_run_that_was_given_up_and_comes_after_all_holds_the_workspace_again(
    store: Store, workspace: Workspace
) -> None:
    clock = Clock()
    queue(store, "slow", "all", {}, "slow.log", clock=clock)
    clock.now += STARTING_MS + 1
    fail_dead(store, clock=clock)
    with exclusive_run(store, workspace, "all", {}, "slow", {}, clock=clock) as run:
        assert (run.state, run.holder, run.error, run.finished_at) == ("running", WORKSPACE, None, None)
        with pytest.raises(Busy, match="slow"):
            queue(store, "next", "all", {}, "next.log", clock=clock)


def test_a_run_that_was_given_up_yields_to_the_one_that_was_queued_since(store: Store, workspace: Workspace) -> None:
    clock = Clock()
    queue(store, "slow", "all", {}, "slow.log", clock=clock)
    clock.now += STARTING_MS + 1
    queue(store, "next", "all", {}, "next.log", clock=clock)
    with pytest.raises(Busy), exclusive_run(store, workspace, "all", {}, "slow", {}, clock=clock):
        pass
    assert [run.id for run in store.active_runs()] == ["next"]


def test_a_run_without_a_row_does_not_begin(store: Store, workspace: Workspace) -> None:
    with pytest.raises(Busy, match="no such row"), exclusive_run(store, workspace, "all", {}, "nobody", {}):
        pass


def test_what_a_killed_run_left_in_the_workspace_is_removed(store: Store, workspace: Workspace) -> None:
    (workspace.root / ".tmp-words-1").mkdir(parents=True)
    with exclusive_run(store, workspace, "all", {}, None, {}):
        assert not list(workspace.root.glob(".tmp-*"))


def ended(store: Store, run_id: str) -> Run:
    """A run once it has ended."""
    deadline = time.monotonic() + 20
    while (run := store.run(run_id)) is None or run.state in ("queued", "running"):
        assert time.monotonic() < deadline, run
        time.sleep(0.01)
    return run


def test_a_child_that_dies_without_a_word_is_failed_with_its_exit_code(store: Store, tmp_path: Path) -> None:
    program = (sys.executable, "-c", "import sys; print(sys.argv[1:]); sys.exit(3)")
    run = ended(store, launcher.start(store, program, tmp_path / "runs", "all", {"seed": 5, "fresh": True}))
    assert (run.state, run.error) == ("failed", "its process ended with exit code 3 before it could say why")
    assert launcher.tail(run.log) == [f"['all', '--seed', '5', '--fresh', '--run-id', '{run.id}']"]


def test_a_program_that_is_not_there_leaves_no_run_behind(store: Store, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        launcher.start(store, ("/nowhere/python",), tmp_path, "all", {})
    assert store.active_runs() == []
    assert "could not be started" in str(store.runs(limit=1)[0].error)


def test_what_an_ended_child_wrote_itself_stays(store: Store, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    child = f"from recsys.store import Store; import sys; s = Store.open({url!r});"
    child += "s.update_run(sys.argv[-1], state='done', holder=None)"
    run_id = launcher.start(store, (sys.executable, "-c", child), tmp_path, "events", {})
    run = ended(store, run_id)
    for thread in threading.enumerate():
        if thread.name == f"reap-{run_id}":
            thread.join(20)
    assert (run.state, store.run(run_id)) == ("done", run)


@pytest.mark.parametrize("seed", [0, 2**32 - 1])
def test_seeds_at_the_edge_are_taken(seed: int) -> None:
    assert launcher.command_line("items", {"seed": seed, "fresh": False}) == ["items", "--seed", str(seed)]


@pytest.mark.parametrize(
    ("job", "params"),
    [
        *(("items", {"seed": seed}) for seed in (-1, 2**32, True, "1", 1.0, None)),
        *(("items", {"fresh": fresh}) for fresh in (1, "true", None)),
        ("publish", {"fresh": True}),
        ("all", {"config": "/etc/passwd"}),
        ("items_search", {}),
        ("import", {}),
        ("", {}),
    ],
)
def test_no_other_job_or_parameter_starts_a_process(job: str, params: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        launcher.command_line(job, params)


def test_the_jobs_that_can_be_started_are_all_publish_and_every_stage() -> None:
    assert ("all", *STAGES, "publish") == launcher.JOBS


def test_the_end_of_a_log_is_short(tmp_path: Path) -> None:
    file = tmp_path / "x.log"
    file.write_bytes(b"\xff broken\n" * 50_000)
    assert len(launcher.tail(str(file))) == 100
    assert launcher.tail(str(tmp_path / "none")) == []
    assert launcher.tail(None) == []

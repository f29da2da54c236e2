"""The life of a run by clocks in hand: taken once, given up when its counter stands, followed by one other."""

import os
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from recsys.errors import Busy, InputError, StoreError
from recsys.runs import commands, lifecycle
from recsys.runs.commands import JOBS, command_line, tail
from recsys.runs.lifecycle import (
    BACKOFF_MS,
    LEASE_SECONDS,
    MAX_ATTEMPTS,
    Watch,
    exclusive_run,
    give_up,
    holder_of,
    place_of,
)
from recsys.runs.stages import STAGES
from recsys.store import Place, Run, Store
from recsys.store.runs import FARTHEST_MS
from recsys.workspace import Workspace, exclusive
from tests.stores import server, store

__all__ = ["server", "store"]
SITE, NOW = "daily", 1_800_000_000_000
HERE, ELSEWHERE = Place("w-here", "here"), Place("w-elsewhere", "elsewhere")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "work")


class Clock:
    """A clock that stands until it is set, and time that passes by waiting alone."""

    def __init__(self, now: int = NOW) -> None:
        self.now, self.passed = now, 0.0
        self.while_waiting: list[Any] = []

    def __call__(self) -> int:
        return self.now

    def seconds(self) -> float:
        return self.passed

    def pause(self, seconds: float) -> None:
        self.passed += seconds
        for act in self.while_waiting:
            act()


def asked(job: str = "all", *, now: int = NOW, attempt: int = 1, site: str = SITE, **more: Any) -> Run:
    return replace(Run.asked(site, job, {}, "token desk", now, attempt=attempt), **more)


def claimed(store: Store, place: Place = ELSEWHERE, *, site: str = SITE, now: int = NOW) -> Run:
    run = store.claim_run(site, JOBS, holder_of(site), place, now)
    assert run is not None
    return run


def row(store: Store, run: Run) -> Run:
    found = store.run(run.id)
    assert found is not None
    return found


def running(store: Store, workspace: Workspace, run: Run, clock: Clock, **more: Any) -> Any:
    given: dict[str, Any] = {"clock": clock, "seconds": clock.seconds, "pause": clock.pause, "end": lambda: None}
    return exclusive_run(store, workspace, run, more.pop("progress", {}), **(given | more))


def test_a_queued_run_is_taken_by_one_worker_and_the_oldest_first(store: Store) -> None:
    first, second = asked("items"), asked("words", now=NOW + 1)
    for run in (second, first):
        store.queue_run(run)
    taken = claimed(store)
    assert (taken.id, taken.state, taken.fence, taken.host) == (first.id, "running", 1, "elsewhere")
    assert store.claim_run(SITE, JOBS, holder_of(SITE), HERE, NOW) is None, "the workspace is held"
    assert store.end_run(taken, "succeeded", NOW + 5)
    assert (row(store, first).state, row(store, first).holder) == ("succeeded", None)
    assert claimed(store).fence == 2


def test_a_job_is_queued_once_and_the_same_request_gives_the_same_run(store: Store) -> None:
    first = store.queue_run(asked(key="k"))
    assert store.queue_run(asked(key="k")) == first
    with pytest.raises(Busy, match=rf"run {first.id} \(all, queued\)"):
        store.queue_run(asked())
    store.queue_run(asked("items", now=NOW + 1))
    store.queue_run(asked(site="weekly"))
    claimed(store)
    with pytest.raises(Busy, match="running"):
        store.queue_run(asked())
    assert [run.job for run in store.active_runs("weekly")] == ["all"]


def test_sites_do_not_hold_each_other_up(store: Store) -> None:
    for site in (SITE, "weekly"):
        store.queue_run(asked(site=site))
    assert [claimed(store, site=site).fence for site in (SITE, "weekly")] == [1, 1]


def test_a_run_waits_for_its_time_and_not_for_what_a_wrong_clock_wrote(store: Store) -> None:
    store.queue_run(asked(not_before=NOW + 1))
    assert store.claim_run(SITE, JOBS, holder_of(SITE), HERE, NOW) is None
    late = claimed(store, now=NOW + 1)
    store.end_run(late, "failed", NOW)
    store.queue_run(asked(not_before=NOW + FARTHEST_MS + 1))
    assert claimed(store, now=NOW).fence == 2


def test_a_job_that_a_worker_does_not_know_is_left_to_others(store: Store) -> None:
    store.queue_run(asked("of a later version"))
    assert store.claim_run(SITE, JOBS, holder_of(SITE), HERE, NOW) is None


def test_a_run_is_given_up_when_its_counter_stands_whatever_the_clocks_say(store: Store) -> None:
    clock = Clock()
    store.queue_run(asked())
    run = claimed(store, now=NOW - 86_400_000)  # its host's clock is a day behind
    watch = Watch(store, SITE, clock.seconds)
    assert watch.standing() == []
    clock.passed = LEASE_SECONDS - 1
    assert watch.standing() == []
    assert store.beat(run, {"stage": "words"}, NOW + 86_400_000) is not None
    clock.passed += 2
    assert watch.standing() == []  # it has moved since
    clock.passed += LEASE_SECONDS
    assert [one.id for one in watch.standing()] == [run.id]


def test_who_is_given_up_is_tried_again_with_a_pause_three_times_in_all(store: Store) -> None:
    clock, seen = Clock(), []
    store.queue_run(asked())
    for attempt in range(1, MAX_ATTEMPTS + 1):
        clock.now += FARTHEST_MS
        run = claimed(store, now=clock.now)
        seen.append(run.attempt)
        assert give_up(store, run, "gone", clock=clock)
        assert (row(store, run).state, row(store, run).holder, row(store, run).error) == ("interrupted", None, "gone")
        waiting = [one for one in store.active_runs(SITE) if one.state == "queued"]
        pauses = [(one.not_before or 0) - clock.now for one in waiting]
        assert pauses == ([BACKOFF_MS << (attempt - 1)] if attempt < MAX_ATTEMPTS else [])
    assert seen == [1, 2, 3]


def test_a_run_that_moved_is_not_given_up_and_a_cancelled_one_not_tried_again(store: Store) -> None:
    store.queue_run(asked())
    seen = claimed(store)
    assert store.beat(seen, {}, NOW) is not None
    assert not give_up(store, seen, "gone")
    assert row(store, seen).state == "running"
    told = store.cancel_run(seen.id, "ann", NOW)
    assert told is not None
    assert give_up(store, told, "gone")
    assert store.active_runs(SITE) == []


def test_two_who_give_up_one_run_queue_it_once(store: Store) -> None:
    store.queue_run(asked())
    run = claimed(store)
    assert [give_up(store, run, "gone") for _ in range(2)] == [True, False]
    assert len(store.active_runs(SITE)) == 1


def test_a_run_that_slept_while_it_was_given_up_has_lost_its_row_for_good(store: Store) -> None:
    store.queue_run(asked())
    asleep = claimed(store)
    give_up(store, asleep, "gone", at_once=True)
    later = claimed(store, HERE, now=NOW + BACKOFF_MS)
    assert store.beat(asleep, {}, NOW) is None
    assert not store.holds(asleep)
    assert store.holds(later)
    assert not store.end_run(asleep, "succeeded", NOW)
    assert row(store, asleep).state == "interrupted"
    assert (later.fence or 0) > (asleep.fence or 0)


def test_a_queued_run_is_cancelled_at_once_and_a_running_one_is_told(store: Store) -> None:
    waits = store.queue_run(asked("items"))
    cancelled = store.cancel_run(waits.id, "ann", NOW)
    assert cancelled is not None
    assert (cancelled.state, cancelled.cancelled_by, cancelled.finished_at) == ("cancelled", "ann", NOW)
    store.queue_run(asked())
    run = claimed(store)
    told = store.cancel_run(run.id, "ann", NOW)
    assert told is not None
    assert (told.state, told.cancelled_by) == ("running", "ann")
    assert row(store, run).cancelled_by == "ann"
    assert store.cancel_run("nobody", "ann", NOW) is None
    store.end_run(run, "succeeded", NOW)
    ended = store.cancel_run(run.id, "bob", NOW + 9)
    assert ended is not None
    assert (ended.state, ended.finished_at, ended.cancelled_by) == ("succeeded", NOW, "ann")


def test_a_command_begins_ends_and_lets_go(store: Store, workspace: Workspace) -> None:
    clock, progress = Clock(), {"stage": "words"}
    with running(store, workspace, asked(attempt=0), clock, progress=progress) as run:
        assert (run.state, run.pid, run.holder, run.fence) == ("running", os.getpid(), holder_of(SITE), 1)
        progress["stage"] = "items"
        clock.now += 50
    ended = row(store, run)
    assert (ended.state, ended.holder, ended.finished_at, ended.error) == ("succeeded", None, clock.now, None)
    assert ended.progress == {"stage": "items"}


@pytest.mark.parametrize(
    ("problem", "state", "error"),
    [
        (ValueError("no room"), "failed", "no room"),
        (SystemExit(143), "interrupted", "its process was told to end (exit code 143)"),
        (KeyboardInterrupt(), "cancelled", "ended from the keyboard"),
    ],
)
def test_the_row_says_how_a_run_ended(
    store: Store, workspace: Workspace, problem: BaseException, state: str, error: str
) -> None:
    with pytest.raises(type(problem)), running(store, workspace, asked(attempt=0), Clock()) as run:
        raise problem
    ended = row(store, run)
    assert (ended.state, ended.error, ended.holder) == (state, error, None)
    assert store.active_runs(SITE) == []  # who gave the command sees that it ended


def test_a_run_from_the_queue_that_is_told_to_end_is_queued_again_unless_it_was_cancelled(
    store: Store, workspace: Workspace
) -> None:
    for cancelled, left in ((False, ["queued"]), (True, [])):
        store.queue_run(asked())
        run = claimed(store, place_of(workspace), now=NOW + 1)
        if cancelled:
            store.cancel_run(run.id, "ann", NOW)
        with pytest.raises(SystemExit), running(store, workspace, run, Clock()):
            raise SystemExit(143)
        assert row(store, run).state == ("cancelled" if cancelled else "interrupted")
        assert [one.state for one in store.active_runs(SITE)] == left
        for one in store.active_runs(SITE):
            store.cancel_run(one.id, "the test", NOW)


def test_the_heart_moves_the_counter_outlives_a_refusal_and_hears_that_the_run_is_cancelled(
    store: Store, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle, "HEARTBEAT_SECONDS", 0.005)
    beat, refused, moved, told = store.beat, threading.Event(), threading.Event(), threading.Event()

    def refusing(*arguments: Any) -> Run | None:
        if not refused.is_set():
            refused.set()
            raise StoreError("a database", "none", "Wait.")
        answer = beat(*arguments)
        moved.set()
        return answer

    monkeypatch.setattr(store, "beat", refusing)
    with running(store, workspace, asked(attempt=0), Clock(), progress={"done": 5}, end=told.set) as run:
        assert moved.wait(20)
        assert row(store, run).progress == {"done": 5}
        assert not told.is_set()
        store.cancel_run(run.id, "ann", NOW)
        assert told.wait(20)


def test_the_heart_of_a_run_that_was_given_up_ends_it(
    store: Store, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle, "HEARTBEAT_SECONDS", 0.005)
    told = threading.Event()
    with running(store, workspace, asked(attempt=0), Clock(), end=told.set) as run:
        while not give_up(store, row(store, run), "gone"):
            pass
        assert told.wait(20)
    assert row(store, run).state == "interrupted"  # whatever became of it after that


def test_whoever_is_second_is_told_who_holds_the_workspace(store: Store, workspace: Workspace) -> None:
    clock = Clock()
    with (
        running(store, workspace, asked(attempt=0), clock) as run,
        pytest.raises(Busy, match=f"'all' running in process {os.getpid()} .run {run.id}"),
        running(store, workspace, asked("items", attempt=0), clock),
    ):
        pass


def test_who_holds_the_lock_knows_that_a_run_of_the_same_workspace_is_dead(store: Store, workspace: Workspace) -> None:
    store.queue_run(asked())
    dead, clock = claimed(store, place_of(workspace)), Clock()
    with running(store, workspace, asked("items", attempt=0), clock):
        assert row(store, dead).state == "interrupted"
        assert clock.passed == 0


def test_a_run_of_another_host_is_waited_for_and_one_that_moves_is_left_alone(
    store: Store, workspace: Workspace
) -> None:
    store.queue_run(asked())
    alive, clock = claimed(store), Clock(NOW + 365 * 86_400_000)
    clock.while_waiting.append(lambda: store.beat(alive, {}, NOW))
    with pytest.raises(Busy, match="running on elsewhere"), running(store, workspace, asked(attempt=0), clock):
        pass
    assert row(store, alive).state == "running"
    assert clock.passed < LEASE_SECONDS


def test_a_run_of_another_host_that_stands_still_makes_way(store: Store, workspace: Workspace) -> None:
    store.queue_run(asked())
    dead, clock = claimed(store), Clock()
    with running(store, workspace, asked("items", attempt=0), clock) as run:
        assert row(store, dead).state == "interrupted"
        assert (run.fence, clock.passed >= LEASE_SECONDS) == (2, True)


def test_a_claimed_run_waits_a_little_for_the_workspace_and_fails_its_row(store: Store, workspace: Workspace) -> None:
    store.queue_run(asked())
    late, clock = claimed(store, place_of(workspace)), Clock()
    with (
        exclusive(workspace.lock_file, "the workspace"),
        pytest.raises(Busy),
        running(store, workspace, late, clock),
    ):
        pass
    assert clock.passed >= lifecycle.LOCK_SECONDS
    assert (row(store, late).state, row(store, late).holder) == ("failed", None)
    assert "workspace" in str(row(store, late).error)


def test_a_claimed_run_that_was_given_up_before_it_began_does_not_begin(store: Store, workspace: Workspace) -> None:
    store.queue_run(asked())
    late = claimed(store, place_of(workspace))
    give_up(store, late, "gone")
    with pytest.raises(Busy, match="given up"), running(store, workspace, late, Clock()):
        raise AssertionError("it began")
    assert row(store, late).state == "interrupted"


def test_what_a_killed_run_left_in_the_workspace_is_removed(store: Store, workspace: Workspace) -> None:
    (workspace.root / ".tmp-words-1").mkdir(parents=True)
    with running(store, workspace, asked(attempt=0), Clock()):
        assert not list(workspace.root.glob(".tmp-*"))


def test_a_workspace_keeps_the_name_that_it_was_given_first(workspace: Workspace, tmp_path: Path) -> None:
    assert workspace.id == Workspace(workspace.root).id != Workspace(tmp_path / "other").id
    assert [file.name for file in workspace.root.iterdir()] == [".id"]


@pytest.mark.parametrize("seed", [0, 2**32 - 1])
def test_seeds_at_the_edge_are_taken(seed: int) -> None:
    assert command_line("items", {"seed": seed, "fresh": False}) == ["items", "--seed", str(seed)]


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
def test_no_other_job_or_parameter_becomes_a_command(job: str, params: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        command_line(job, params)


def test_the_jobs_that_can_be_queued_are_all_publish_and_every_stage() -> None:
    assert ("all", *STAGES, "publish") == JOBS


def test_the_end_of_a_log_is_short_and_every_line_an_object(tmp_path: Path) -> None:
    file = tmp_path / "x.log"
    file.write_bytes(b"\xff broken\n" * 50_000 + b'{"event": "done", "stage": "words"}\n[1]\n')
    lines = tail(str(file))
    assert len(lines) == commands.TAIL_LINES
    assert lines[-3:] == [{"event": "� broken"}, {"event": "done", "stage": "words"}, {"event": "[1]"}]
    assert tail(str(tmp_path / "none")) == tail(None) == []

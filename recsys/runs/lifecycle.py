"""The life of a run, as its row in the store tells it: queued, begun, alive, ended, dead.

At most one run holds the workspace. Two things say so, and both must agree before a run begins: the lock file, which
the kernel frees with the process, and the ``holder`` of the row, which whoever looks into the database can see.
"""

import contextlib
import os
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import structlog

from recsys.errors import Busy, RecsysError
from recsys.store import Run, Store
from recsys.units import now_ms
from recsys.workspace import Workspace, exclusive

WORKSPACE = "workspace"  # what a run holds that writes stages or releases
HEARTBEAT_SECONDS = 2.0
QUIET_MS = 10_000  # five heartbeats missed: if its process is gone as well, the run is dead
SILENT_MS = 120_000  # dead whatever the process table says: the number may be another process's by now
STARTING_MS = 60_000  # a queued run whose process has not appeared by then is dead

Clock = Callable[[], int]

log: structlog.stdlib.BoundLogger = structlog.get_logger("runs")


def process_exists(pid: int | None) -> bool:
    """Presence of a process of this machine, one of another user included."""
    if pid is None:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def is_dead(
    run: Run, now: int, *, lock_held: bool = False, exists: Callable[[int | None], bool] = process_exists
) -> bool:
    """Death of an active run: its process is gone, or never came.

    When in doubt a run lives: it is dead only when more than the limit has passed. A queued run is waited for in
    either case, because its process has yet to take the lock. Of a running one, whoever holds the lock knows more than
    the clocks do: two processes cannot hold it, so that the other's has ended, however fresh its heartbeat.

    Args:
        run: queued or running.
        now: ms UTC.
        lock_held: this process holds the workspace's lock file.
        exists: presence of a process by its number.
    """
    if run.state == "queued":
        return now - run.created_at > STARTING_MS
    if lock_held and run.holder == WORKSPACE:
        return True
    if run.heartbeat_at is None:
        return now - run.created_at > STARTING_MS
    silent = now - run.heartbeat_at
    return silent > SILENT_MS or (silent > QUIET_MS and not exists(run.pid))


def fail_dead(store: Store, *, lock_held: bool = False, besides: str | None = None, clock: Clock = now_ms) -> None:
    """Mark active runs that are dead as failed, which frees what they hold.

    Args:
        store: the runs.
        lock_held: see ``is_dead``.
        besides: id of a run that is left as it is.
        clock: ms UTC.
    """
    for run in store.active_runs():
        if run.id != besides and is_dead(run, clock(), lock_held=lock_held):
            fail(store, run.id, "its process ended without a word", clock=clock)


def fail(store: Store, run_id: str, error: str, *, clock: Clock = now_ms) -> None:
    """End a run that cannot do so itself."""
    store.update_run(run_id, state="failed", error=error, finished_at=clock(), holder=None)


def queue(store: Store, run_id: str, job: str, params: Mapping[str, Any], log: str, *, clock: Clock = now_ms) -> None:
    """Add the row of a run whose process is about to be started; it holds the workspace from now on.

    Args:
        store: the runs; those that are dead let go first.
        run_id: a fresh id.
        job: name of the command.
        params: of the command.
        log: path of the run's log.
        clock: ms UTC.

    Raises:
        Busy: another run is active; the message names it.
    """
    fail_dead(store, clock=clock)
    store.add_run(Run(run_id, job, clock(), dict(params), holder=WORKSPACE, log=log))


@contextlib.contextmanager
def exclusive_run(
    store: Store,
    workspace: Workspace,
    job: str,
    params: Mapping[str, Any],
    run_id: str | None,
    progress: Mapping[str, Any],
    *,
    clock: Clock = now_ms,
) -> Iterator[Run]:
    """Hold the workspace, and keep the run's row true, for the length of a block.

    Args:
        store: the runs.
        workspace: what is held; what killed runs left in it is removed.
        job: name of the command.
        params: of a run from the command line.
        run_id: the row that ``queue`` made, or None for a run from the command line.
        progress: what the block says of how far it is; read at every heartbeat.
        clock: ms UTC.

    Raises:
        Busy: another run holds the workspace.
    """
    try:
        with _locked(store, workspace):
            run = _begin(store, job, params, run_id, clock)
            with _recorded(store, run, progress, clock):
                yield run
    except Busy as busy:
        if run_id:
            fail(store, run_id, str(busy), clock=clock)
        raise


@contextlib.contextmanager
def _locked(store: Store, workspace: Workspace) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(exclusive(workspace.lock_file, "the workspace"))
        except Busy as busy:
            other = next((run for run in store.active_runs() if run.holder == WORKSPACE and run.pid), None)
            got = f"{other.job!r} running in process {other.pid} (run {other.id})" if other else busy.got
            raise Busy(busy.expected, got, busy.remedy) from None
        workspace.collect_orphans()
        yield


def _begin(store: Store, job: str, params: Mapping[str, Any], run_id: str | None, clock: Clock) -> Run:
    """Make the run's row, or take over the queued one; it holds the workspace even if it was given up as dead."""
    fail_dead(store, lock_held=True, besides=run_id, clock=clock)
    now = clock()
    facts: dict[str, Any] = {"state": "running", "pid": os.getpid(), "started_at": now, "heartbeat_at": now}
    if run_id is None:
        run_id = uuid.uuid4().hex
        store.add_run(Run(run_id, job, now, dict(params), holder=WORKSPACE, **facts))
    else:
        store.update_run(run_id, holder=WORKSPACE, error=None, finished_at=None, **facts)
    run = store.run(run_id)
    if run is None:
        raise Busy(f"the run {run_id} in the store", "no such row", "Start the job again.")
    return run


@contextlib.contextmanager
def _recorded(store: Store, run: Run, progress: Mapping[str, Any], clock: Clock) -> Iterator[None]:
    """Write the run's heartbeat during a block, and how it ended after it."""
    stop = threading.Event()
    beat = threading.Thread(target=_beat, args=(store, run.id, progress, clock, stop), daemon=True)
    beat.start()
    state, error = "failed", "the process was ended"
    try:
        yield
        state, error = "done", ""
    except (KeyboardInterrupt, SystemExit):
        state, error = "cancelled", "ended by a signal"
        raise
    except BaseException as problem:
        error = str(problem)
        raise
    finally:
        stop.set()
        beat.join()
        facts = {"state": state, "error": error or None, "progress": dict(progress)}
        try:
            store.update_run(run.id, **facts, finished_at=clock(), holder=None)
        except RecsysError as problem:  # a full disk, say: what went wrong before it is what must be raised
            log.warning("the end of the run was not written", error=str(problem))


def _beat(store: Store, run_id: str, progress: Mapping[str, Any], clock: Clock, stop: threading.Event) -> None:
    while not stop.wait(HEARTBEAT_SECONDS):
        try:
            store.update_run(run_id, heartbeat_at=clock(), progress=dict(progress))
        except RecsysError as problem:  # the job goes on: only its progress cannot be seen for a moment
            log.warning("heartbeat not written", error=str(problem))

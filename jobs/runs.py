"""The run's row in the store: one active run per workspace, its progress and its end, even a violent one."""

import contextlib
import os
import threading
import uuid
from collections.abc import Iterator
from typing import Any

from jobs.runner import Context, open_store
from jobs.terminal import log, now_ms
from recsys.errors import Busy, RecsysError
from recsys.store import Run, Store
from recsys.workspace import exclusive

HEARTBEAT_SECONDS = 2.0
QUEUED_GRACE_MS = 60_000  # a queued run whose process has not appeared by then is dead
WORKSPACE = "workspace"  # what a run holds that writes stages or releases


def run_facts(context: Context, run: Run, **facts: Any) -> None:
    """Write facts (the release, say) into the run's row."""
    store = open_store(context.settings)
    try:
        store.update_run(run.id, **facts)
    finally:
        store.close()


@contextlib.contextmanager
def exclusive_run(context: Context, job: str, run_id: str | None) -> Iterator[Run]:
    """Hold the workspace, and keep the run's row in the store true, for the length of a block.

    Args:
        context: the invocation.
        job: name of the command.
        run_id: the row that the admin API made, or None for a run from the command line.

    Raises:
        Busy: another run holds the workspace.
    """
    store = open_store(context.settings)
    try:
        with _locked(store, context):
            run = _begin(store, context, job, run_id)
            with _told(store, run, context):
                yield run
    except Busy as busy:
        if run_id:
            store.update_run(run_id, state="failed", error=str(busy), finished_at=now_ms(), holder=None)
        raise
    finally:
        store.close()


@contextlib.contextmanager
def _locked(store: Store, context: Context) -> Iterator[None]:
    """Hold the workspace's lock file, and remove what killed runs left in it."""
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(exclusive(context.settings.data_dir / "work" / ".lock", "the workspace"))
        except Busy as busy:
            other = next((run for run in store.runs(limit=50) if run.holder == WORKSPACE and run.pid), None)
            got = f"{other.job!r} running in process {other.pid} (run {other.id})" if other else busy.got
            raise Busy(busy.expected, got, busy.remedy) from None
        context.workspace.collect_orphans()
        yield


@contextlib.contextmanager
def _told(store: Store, run: Run, context: Context) -> Iterator[None]:
    """Write the run's heartbeat during a block, and how it ended after it."""
    stop = threading.Event()
    beat = threading.Thread(target=_heartbeat, args=(store, run.id, context, stop), daemon=True)
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
        facts = {"state": state, "error": error or None, "progress": dict(context.progress)}
        try:
            store.update_run(run.id, **facts, finished_at=now_ms(), holder=None)
        except RecsysError as problem:  # a full disk, say: what went wrong before it is what must be heard
            log.warning("the end of the run was not written", error=str(problem))


def _begin(store: Store, context: Context, job: str, run_id: str | None) -> Run:
    """Make or take over the run's row; the lock file is held, so other active rows are of dead processes."""
    for other in store.runs(limit=50):
        waiting = other.state == "queued" and now_ms() - other.created_at < QUEUED_GRACE_MS
        if other.holder == WORKSPACE and other.id != run_id and not waiting:
            store.update_run(
                other.id, state="failed", error="the process ended without a word", finished_at=now_ms(), holder=None
            )
    facts = {"state": "running", "pid": os.getpid(), "started_at": now_ms(), "heartbeat_at": now_ms()}
    if run_id is None:
        run_id = uuid.uuid4().hex
        params = {"seed": context.seed, "fresh": context.fresh}
        store.add_run(Run(id=run_id, job=job, params=params, holder=WORKSPACE, created_at=now_ms(), **facts))  # type: ignore[arg-type]
    else:
        store.update_run(run_id, **facts)
    run = store.run(run_id)
    if run is None:
        raise Busy(f"the run {run_id} in the store", "no such row", "Start the job again.")
    return run


def _heartbeat(store: Store, run_id: str, context: Context, stop: threading.Event) -> None:
    while not stop.wait(HEARTBEAT_SECONDS):
        try:
            store.update_run(run_id, heartbeat_at=now_ms(), progress=dict(context.progress))
        except RecsysError as problem:  # the job goes on: only its progress cannot be seen for a moment
            log.warning("heartbeat not written", error=str(problem))

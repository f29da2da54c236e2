"""Runs: jobs that the admin API starts, each in a child process of its own, never in a worker.

Reads and writes the runs of the store; produces processes. The store lets one run hold the workspace at a time; a run
whose process died without a word is marked as failed, so that it does not hold the workspace for ever.
"""

import os
import subprocess
import sys
import threading
import time
import uuid
from collections import deque
from pathlib import Path
from typing import Any

import structlog

from recsys.errors import InputError, RecsysError
from recsys.names import nearest
from recsys.settings import Settings
from recsys.store import Run, Store

STAGES = (
    *("events", "tokens", "words", "keywords", "articles", "categories", "stories", "tasks"),
    *("items", "readers", "trends", "features", "ctr", "baselines", "index", "report"),
)
JOBS = ("all", *STAGES, "publish")
WITH_FRESH = ("all", *STAGES)
HOLDER = "workspace"  # what an active run holds in the store
ACTIVE = ("queued", "running")
QUIET_MS = 10_000  # five heartbeats of a job: if its process is gone as well, it is dead
SILENT_MS = 120_000  # dead whatever the process table says: the number may be another process's by now
STARTING_MS = 60_000  # a queued run whose process has not appeared by then is dead
TAIL_LINES = 100
TAIL_BYTES = 65_536

log: structlog.stdlib.BoundLogger = structlog.get_logger("web")


def start(store: Store, settings: Settings, job: str, params: dict[str, Any]) -> str:
    """Start a job in a child process that outlives the worker.

    Args:
        store: where the run is recorded.
        settings: the service's; the child reads the same environment and file.
        job: one of ``JOBS``.
        params: ``seed`` (int ≥ 0) and ``fresh`` (bool).

    Returns:
        The run's id.

    Raises:
        InputError: no such job, or a parameter that it does not have.
        Busy: another run is active; the message names it.
    """
    arguments = command_line(job, params)
    free_dead(store)
    run_id = uuid.uuid4().hex
    file = settings.data_dir.resolve() / "runs" / f"{run_id}.log"
    file.parent.mkdir(parents=True, exist_ok=True)
    store.add_run(
        Run(id=run_id, job=job, params=params, state="queued", holder=HOLDER, created_at=now_ms(), log=str(file))
    )
    command = [sys.executable, "-m", "jobs", *arguments, "--run-id", run_id]
    try:
        with file.open("wb") as output:
            child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )
    except OSError as error:
        _fail(store, run_id, f"the process could not be started: {error}")
        raise
    threading.Thread(target=_reap, args=(store, run_id, child), daemon=True, name=f"reap-{run_id}").start()
    log.info("job started", run=run_id, job=job, pid=child.pid)
    return run_id


def command_line(job: str, params: dict[str, Any]) -> list[str]:
    """Check a job's name and parameters, and write them as arguments.

    Raises:
        InputError: see ``start``.
    """
    if job not in JOBS:
        hint = nearest(job, JOBS)
        others = "" if all(name in hint for name in JOBS) else f" All: {', '.join(JOBS)}."
        raise InputError("the name of a job", f"{job!r}", hint + others)
    valid = {"seed", "fresh"} if job in WITH_FRESH else {"seed"}
    if unknown := sorted(set(params) - valid):
        raise InputError(
            f"only the parameters {', '.join(sorted(valid))} of {job!r}", f"{unknown[0]!r}", "Leave it out."
        )
    arguments = [job]
    if "seed" in params:
        seed = params["seed"]
        if type(seed) is not int or not 0 <= seed < 2**32:
            raise InputError("seed as an integer from 0 to 4294967295", f"{seed!r:.50}", "Correct it.")
        arguments += ["--seed", str(seed)]
    if "fresh" in params:
        if type(params["fresh"]) is not bool:
            raise InputError("fresh as true or false", f"{params['fresh']!r:.50}", "Correct it.")
        arguments += ["--fresh"] if params["fresh"] else []
    return arguments


def free_dead(store: Store) -> None:
    """Mark active runs whose process is gone as failed, which frees the workspace."""
    for run in store.runs(limit=50):
        if run.state in ACTIVE and is_dead(run, now_ms()):
            _fail(store, run.id, "its process ended without a word")


def is_dead(run: Run, now: int) -> bool:
    """Whether an active run's process is gone; when in doubt it lives."""
    if run.state == "queued" or run.heartbeat_at is None:
        return now - run.created_at > STARTING_MS
    silent = now - run.heartbeat_at
    return silent > SILENT_MS or (silent > QUIET_MS and not _exists(run.pid))


def tail(file: str | None) -> list[str]:
    """The last lines of a run's log."""
    path = Path(file) if file else None
    if path is None or not path.is_file():
        return []
    with path.open("rb") as handle:
        handle.seek(max(0, path.stat().st_size - TAIL_BYTES))
        text = handle.read(TAIL_BYTES).decode(errors="replace")
    return list(deque(text.splitlines(), TAIL_LINES))


def now_ms() -> int:
    """The time: int milliseconds UTC since the epoch."""
    return time.time_ns() // 1_000_000


def _reap(store: Store, run_id: str, child: "subprocess.Popen[bytes]") -> None:
    """Wait for the child, so that it does not stay a zombie, and tell the store if it could not do so itself."""
    code = child.wait()
    log.info("job ended", run=run_id, exit_code=code)
    try:
        run = store.run(run_id)
        if run is not None and run.state in ACTIVE:
            _fail(store, run_id, f"its process ended with exit code {code} before it could say why")
    except RecsysError as error:
        log.warning("run not updated", run=run_id, error=str(error))


def _fail(store: Store, run_id: str, error: str) -> None:
    store.update_run(run_id, state="failed", error=error, finished_at=now_ms(), holder=None)


def _exists(pid: int | None) -> bool:
    if pid is None:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

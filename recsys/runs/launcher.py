"""A job in a child process of its own, which outlives whoever started it."""

import subprocess
import threading
import uuid
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import structlog

from recsys.errors import InputError, RecsysError
from recsys.names import nearest
from recsys.runs.lifecycle import fail, queue
from recsys.runs.stages import STAGES
from recsys.store import Store
from recsys.store.runs import ACTIVE

JOBS = ("all", *STAGES, "publish")  # the jobs that can be started so
_WITH_FRESH = ("all", *STAGES)
_TAIL_LINES = 100
_TAIL_BYTES = 65_536  # read from the end of a log, whatever its size
_SEEDS = 2**32

log: structlog.stdlib.BoundLogger = structlog.get_logger("runs")


def start(store: Store, program: Sequence[str], logs: Path, job: str, params: Mapping[str, Any]) -> str:
    """Start a job.

    Args:
        store: where the run is recorded.
        program: the command that knows the jobs; the child has this process's environment and folder.
        logs: folder of the runs' logs.
        job: one of ``JOBS``.
        params: ``seed`` (int ≥ 0) and ``fresh`` (bool).

    Returns:
        The run's id.

    Raises:
        InputError: no such job, or a parameter that it does not have.
        Busy: another run is active; the message names it.
    """
    arguments = command_line(job, params)
    run_id = uuid.uuid4().hex
    file = logs / f"{run_id}.log"
    logs.mkdir(parents=True, exist_ok=True)
    queue(store, run_id, job, params, str(file))
    command = [*program, *arguments, "--run-id", run_id]
    try:
        with file.open("wb") as output:
            child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )
    except OSError as error:
        fail(store, run_id, f"the process could not be started: {error}")
        raise
    threading.Thread(target=_reap, args=(store, run_id, child), daemon=True, name=f"reap-{run_id}").start()
    log.info("job started", run=run_id, job=job, pid=child.pid)
    return run_id


def command_line(job: str, params: Mapping[str, Any]) -> list[str]:
    """Check a job's name and parameters, and write them as arguments.

    Raises:
        InputError: see ``start``.
    """
    if job not in JOBS:
        hint = nearest(job, JOBS)
        others = "" if all(name in hint for name in JOBS) else f" All: {', '.join(JOBS)}."
        raise InputError("the name of a job", f"{job!r}", hint + others)
    valid = {"seed", "fresh"} if job in _WITH_FRESH else {"seed"}
    if unknown := sorted(set(params) - valid):
        raise InputError(
            f"only the parameters {', '.join(sorted(valid))} of {job!r}", f"{unknown[0]!r}", "Leave it out."
        )
    arguments = [job]
    if "seed" in params:
        seed = params["seed"]
        if type(seed) is not int or not 0 <= seed < _SEEDS:
            raise InputError(f"seed as an integer from 0 to {_SEEDS - 1}", f"{seed!r:.50}", "Correct it.")
        arguments += ["--seed", str(seed)]
    if "fresh" in params:
        if type(params["fresh"]) is not bool:
            raise InputError("fresh as true or false", f"{params['fresh']!r:.50}", "Correct it.")
        arguments += ["--fresh"] if params["fresh"] else []
    return arguments


def tail(file: str | None) -> list[str]:
    """The last lines of a run's log."""
    path = Path(file) if file else None
    if path is None or not path.is_file():
        return []
    with path.open("rb") as handle:
        handle.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        text = handle.read(_TAIL_BYTES).decode(errors="replace")
    return list(deque(text.splitlines(), _TAIL_LINES))


def _reap(store: Store, run_id: str, child: "subprocess.Popen[bytes]") -> None:
    """Wait for the child, so that it does not stay a zombie, and end its run if it could not do so itself."""
    code = child.wait()
    log.info("job ended", run=run_id, exit_code=code)
    try:
        run = store.run(run_id)
        if run is not None and run.state in ACTIVE:
            fail(store, run_id, f"its process ended with exit code {code} before it could say why")
    except RecsysError as error:
        log.warning("run not updated", run=run_id, error=str(error))

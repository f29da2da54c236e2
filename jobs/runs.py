"""The run of one invocation: its row in the store, and the workspace that it holds."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from jobs.runner import Context, open_store
from jobs.terminal import who
from recsys.errors import Busy
from recsys.runs import lifecycle
from recsys.store import Run, Store
from recsys.units import now_ms


def set_release(context: Context, run: Run, release: str) -> None:
    """Write into the run's row which release it made."""
    store = open_store(context.settings)
    try:
        store.update_run(run.id, release=release)
    finally:
        store.close()


def check_holds(context: Context, run: Run) -> None:
    """Make sure that a run has not been given up while it was asleep; whoever took its place publishes.

    Raises:
        Busy: it has.
    """
    store = open_store(context.settings)
    try:
        if not store.holds(run):
            got = "one that was given up, because its heartbeat had stopped"
            raise Busy(f"the run {run.id} to hold the workspace", got, "Nothing was published. Start the job again.")
    finally:
        store.close()


@contextlib.contextmanager
def exclusive_run(context: Context, job: str, run_id: str | None) -> Iterator[Run]:
    """Hold the workspace, and keep the run's row in the store true, for the length of a block.

    Args:
        context: the invocation.
        job: name of the command.
        run_id: the row that a worker claimed, or None for a run from the command line.

    Raises:
        Busy: another run holds the workspace.
    """
    store = open_store(context.settings)
    try:
        params = {"seed": context.seed, "fresh": context.fresh}
        run = _asked_for(context, job, params) if run_id is None else _claimed(store, run_id)
        with lifecycle.exclusive_run(store, context.workspace, run, context.progress) as begun:
            yield begun
    finally:
        store.close()


@contextlib.contextmanager
def challenging_run(context: Context, job: str, params: Mapping[str, Any], run_id: str | None) -> Iterator[Run]:
    """Keep the row of a run true that serves a release beside the live one; stages may be made meanwhile.

    Args:
        context: the invocation.
        job: name of the command.
        params: of it.
        run_id: the row that a worker claimed, or None for a command.

    Raises:
        Busy: another release of the site is served so.
    """
    with contextlib.closing(open_store(context.settings)) as store:
        run = _asked_for(context, job, params) if run_id is None else _claimed(store, run_id)
        context.progress.update({"stage": job, "release": params["release"], "says": ""})
        with lifecycle.challenging_run(store, context.workspace, run, context.progress) as begun:
            yield begun


def _asked_for(context: Context, job: str, params: Mapping[str, Any]) -> Run:
    return Run.asked(context.settings.site.id, job, params, who(), now_ms(), attempt=0)


def _claimed(store: Store, run_id: str) -> Run:
    run = store.run(run_id)
    if run is None or run.fence is None:
        raise Busy(f"the run {run_id} to be taken by a worker", "no such run", "Start the job again.")
    return run

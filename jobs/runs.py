"""The run of one invocation: its row in the store, and the workspace that it holds."""

import contextlib
from collections.abc import Iterator

from jobs.runner import Context, open_store
from recsys.runs import lifecycle
from recsys.store import Run


def set_release(context: Context, run: Run, release: str) -> None:
    """Write into the run's row which release it made."""
    store = open_store(context.settings)
    try:
        store.update_run(run.id, release=release)
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
    params = {"seed": context.seed, "fresh": context.fresh}
    store = open_store(context.settings)
    try:
        with lifecycle.exclusive_run(store, context.workspace, job, params, run_id, context.progress) as run:
            yield run
    finally:
        store.close()

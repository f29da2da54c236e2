"""The life of a run, as its row in the store tells it: queued, running, ended, or given up.

At most one run of a site writes the workspace. Two things say so, and both must agree before a run begins: the lock
file, which the kernel frees with the process, and the ``holder`` of the row, which all hosts see. Whether a run still
lives is never a question of what time it is: it moves a counter every two seconds, and whoever sees the counter stand
for half a minute of their own clock gives the run up. A run that was only asleep finds its row gone, and ends before it
publishes anything.

Source: Gray and Cheriton 1989, "Leases: an efficient fault-tolerant mechanism"; Burrows 2006, "The Chubby lock
service", section 2.4, numbers that grow with each holder.
"""

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import structlog

from recsys.errors import Busy, RecsysError
from recsys.store import Place, Run, Store
from recsys.units import now_ms
from recsys.workspace import Workspace, exclusive

HEARTBEAT_SECONDS = 2.0
LEASE_SECONDS = 30.0  # for which a counter may stand: fifteen heartbeats
LOCK_SECONDS = 10.0  # for which a run that was taken from the queue waits for the workspace
MAX_ATTEMPTS = 3  # of a run that is interrupted each time
BACKOFF_MS = 30_000  # before the second attempt; doubled before each further one
LOST = "its process ended without a word"

Clock = Callable[[], int]
Seconds = Callable[[], float]

log: structlog.stdlib.BoundLogger = structlog.get_logger("runs")


def holder_of(site: str) -> str:
    """The name of what a run holds alone that writes the stages and releases of a site."""
    return f"workspace of {site}"


def challenger_holder(site: str) -> str:
    """The name of what a run holds alone that serves a release beside the live one."""
    return f"challenger of {site}"


def place_of(workspace: Workspace) -> Place:
    """The place of runs that go on in this process's machine."""
    return Place(workspace.id, socket.gethostname())


def after(run: Run, now: int, wait_ms: int) -> Run | None:
    """The run that takes an interrupted one's place.

    Returns:
        None for a command that somebody gave and sees fail, a run that was to end, and one that was tried often enough.
    """
    if not 0 < run.attempt < MAX_ATTEMPTS or run.cancelled_by is not None:
        return None
    again = Run.asked(run.site or "", run.job, run.params, run.asked_by or "", now, attempt=run.attempt + 1)
    return replace(again, not_before=now + wait_ms)


def give_up(store: Store, run: Run, error: str, *, clock: Clock = now_ms, at_once: bool = False, **facts: Any) -> bool:
    """End a run that cannot do so itself, and queue it anew if that makes sense.

    Args:
        store: the runs.
        run: as it was seen; if it has moved since, nothing happens.
        error: why.
        clock: ms UTC.
        at_once: try again without waiting, because it was not the run's fault.
        facts: further columns of its row.

    Returns:
        Whether it was given up.
    """
    now = clock()
    again = after(run, now, 0 if at_once else BACKOFF_MS << max(0, run.attempt - 1))
    gone = store.interrupt_run(run, again, error, now, **facts)
    if gone:
        log.warning(
            "run given up", run=run.id, job=run.job, host=run.host, error=error, again=again.id if again else "-"
        )
    return gone


class Watch:
    """An eye on the counters of a site's runs.

    Args:
        store: the runs.
        site: whose.
        seconds: a clock that never goes back.
    """

    def __init__(self, store: Store, site: str, seconds: Seconds = time.monotonic) -> None:
        self._store, self._site, self._seconds = store, site, seconds
        self._seen: dict[str, tuple[int, float]] = {}

    def standing(self) -> list[Run]:
        """The running runs whose counters have stood since the lease's length, as they are now."""
        now, seen = self._seconds(), {}
        standing = []
        for run in self._store.active_runs(self._site):
            if run.state != "running":
                continue
            beats, since = self._seen.get(run.id, (run.beats, now))
            seen[run.id] = (run.beats, since if beats == run.beats else now)
            if now - seen[run.id][1] >= LEASE_SECONDS:
                standing.append(run)
        self._seen = seen
        return standing


@contextlib.contextmanager
def exclusive_run(
    store: Store,
    workspace: Workspace,
    run: Run,
    progress: Mapping[str, Any],
    *,
    clock: Clock = now_ms,
    seconds: Seconds = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
    end: Callable[[], None] = lambda: os.kill(os.getpid(), signal.SIGTERM),
) -> Iterator[Run]:
    """Hold the workspace, and keep the run's row true, for the length of a block.

    Args:
        store: the runs.
        workspace: what is held; what killed runs left in it is removed.
        run: a new one of a command, or one that a worker has claimed, which is told by its number.
        progress: what the block says of how far it is; read at every heartbeat.
        clock: ms UTC.
        seconds: a clock that never goes back.
        pause: waits.
        end: ends the block, when somebody cancels the run or it has lost its row.

    Raises:
        Busy: another run holds the workspace, or the claimed run was given up before it began.
    """
    claimed = run.fence is not None
    patience = LOCK_SECONDS if claimed else 0.0
    try:
        with _locked(store, workspace, patience, seconds, pause):
            if claimed:
                begun = _taken_over(store, run, clock)
            else:
                holder = holder_of(run.site or "")
                for other in _running(store, run.site, holder):  # whoever has the lock knows that none goes on here
                    if other.workspace == workspace.id:
                        give_up(store, other, LOST, clock=clock)
                begun = _begun(store, workspace, run, holder, clock, seconds, pause)
            with _recorded(store, begun, progress, clock, end):
                yield begun
    except Busy as busy:
        if claimed:
            store.end_run(run, "failed", clock(), error=str(busy))
        raise


@contextlib.contextmanager
def challenging_run(
    store: Store,
    workspace: Workspace,
    run: Run,
    progress: Mapping[str, Any],
    *,
    clock: Clock = now_ms,
    seconds: Seconds = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
    end: Callable[[], None] = lambda: os.kill(os.getpid(), signal.SIGTERM),
) -> Iterator[Run]:
    """Keep a run's row true that serves a release beside the live one, and writes nothing of the workspace.

    Args:
        store: the runs.
        workspace: of this machine.
        run, progress, clock, seconds, pause, end: see ``exclusive_run``.

    Raises:
        Busy: another release of the site is served so, or the claimed run was given up before it began.
    """
    holder = challenger_holder(run.site or "")
    if run.fence is not None:
        begun = _taken_over(store, run, clock)
    else:
        begun = _begun(store, workspace, run, holder, clock, seconds, pause)
    with _recorded(store, begun, progress, clock, end):
        yield begun


@contextlib.contextmanager
def _locked(
    store: Store, workspace: Workspace, patience: float, seconds: Seconds, pause: Callable[[float], None]
) -> Iterator[None]:
    deadline = seconds() + patience
    with contextlib.ExitStack() as stack:
        while True:
            try:
                stack.enter_context(exclusive(workspace.lock_file, "the workspace"))
                break
            except Busy as busy:
                if seconds() < deadline:
                    pause(0.2)
                    continue
                here = [
                    run
                    for run in store.active_runs()
                    if run.workspace == workspace.id and run.pid and run.holder == holder_of(run.site or "")
                ]
                got = f"{here[0].job!r} running in process {here[0].pid} (run {here[0].id})" if here else busy.got
                raise Busy(busy.expected, got, busy.remedy) from None
        workspace.collect_orphans()
        yield


def _taken_over(store: Store, run: Run, clock: Clock) -> Run:
    if store.beat(run, {}, clock()) is None:
        raise Busy(
            f"the run {run.id} to be this process's", "one that was given up or does not exist", "Start the job again."
        )
    store.update_run(run.id, pid=os.getpid(), started_at=clock())
    return replace(run, pid=os.getpid())


def _begun(
    store: Store,
    workspace: Workspace,
    run: Run,
    holder: str,
    clock: Clock,
    seconds: Seconds,
    pause: Callable[[float], None],
) -> Run:
    """Begin a run of a command, once those that hold the same and are dead were given up."""
    watch = Watch(store, run.site or "", seconds)
    before = {one.id: one.beats for one in _running(store, run.site, holder)}
    if before:
        log.info("waiting whether a run that seems to go on still lives", runs=", ".join(before), seconds=LEASE_SECONDS)
    while others := _running(store, run.site, holder):
        for other in others:
            if before.get(other.id) != other.beats:
                got = f"{other.job!r} running on {other.host} (run {other.id})"
                raise Busy("no other run of this site", got, "Wait for it to end, or cancel it.")
        for other in watch.standing():
            give_up(store, other, LOST, clock=clock)
        pause(HEARTBEAT_SECONDS)
    return store.begin_run(replace(run, pid=os.getpid()), holder, place_of(workspace), clock())


def _running(store: Store, site: str | None, holder: str) -> list[Run]:
    return [run for run in store.active_runs(site) if run.state == "running" and run.holder == holder]


@contextlib.contextmanager
def _recorded(
    store: Store, run: Run, progress: Mapping[str, Any], clock: Clock, end: Callable[[], None]
) -> Iterator[None]:
    """Move the run's counter during a block, and write how it ended after it."""
    beat = _Heart(store, run, progress, clock, end)
    beat.start()
    state, error = "failed", "the process was ended"
    try:
        yield
        state, error = "succeeded", ""
    except KeyboardInterrupt:
        state, error = "cancelled", "ended from the keyboard"
        raise
    except SystemExit as ended:
        state, error = "interrupted", f"its process was told to end (exit code {ended.code})"
        raise
    except BaseException as problem:
        error = str(problem)
        raise
    finally:
        beat.stop()
        try:
            _write_end(store, run, state, error, dict(progress), clock)
        except RecsysError as problem:  # a full disk, say: what went wrong before it is what must be raised
            log.warning("the end of the run was not written", error=str(problem))


def _write_end(store: Store, run: Run, state: str, error: str, progress: dict[str, Any], clock: Clock) -> None:
    row = store.run(run.id)
    if state == "interrupted" and row is not None:
        if row.cancelled_by is None:
            give_up(store, row, error, clock=clock, at_once=True, progress=progress)
            return
        state, error = "cancelled", f"cancelled by {row.cancelled_by}"
    if not store.end_run(run, state, clock(), error=error or None, progress=progress):
        log.warning("the run had been given up before it ended", run=run.id, job=run.job, ended=state)


class _Heart(threading.Thread):
    """The thread that moves a run's counter, and hears what is said to the run."""

    def __init__(
        self, store: Store, run: Run, progress: Mapping[str, Any], clock: Clock, end: Callable[[], None]
    ) -> None:
        super().__init__(daemon=True, name="heartbeat")
        self._store, self._run, self._progress, self._clock, self._end = store, run, progress, clock, end
        self._stopped = threading.Event()

    def run(self) -> None:
        while not self._stopped.wait(HEARTBEAT_SECONDS):
            try:
                row = self._store.beat(self._run, dict(self._progress), self._clock())
            except RecsysError as problem:  # the job goes on: only its progress cannot be seen for a moment
                log.warning("heartbeat not written", error=str(problem))
                continue
            if row is None or row.cancelled_by is not None:
                said = "it was given up by another host" if row is None else f"cancelled by {row.cancelled_by}"
                log.warning("ending", run=self._run.id, error=said)
                self._end()
                return

    def stop(self) -> None:
        self._stopped.set()
        self.join()

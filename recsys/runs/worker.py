"""Worker: queued runs -> child processes, one at a time; schedules -> queued runs; runs of the dead -> queued anew.

A release that is tried beside the live one goes on for hours and writes nothing of the workspace, so it has a place of
its own. Any number of workers on any number of hosts may look after one database. A child keeps its own row true and
outlives its worker, so that a worker that is killed takes no run with it.
"""

import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import NamedTuple

import structlog

from recsys.errors import InputError, RecsysError
from recsys.runs.commands import CHALLENGES, TAKEN, command_line
from recsys.runs.lifecycle import LOST, Clock, Seconds, Watch, challenger_holder, give_up, holder_of, place_of
from recsys.runs.schedules import CronTimes
from recsys.store import Run, Schedule, Store
from recsys.units import MINUTE_MS, SECOND_MS, now_ms
from recsys.workspace import Workspace

TICK_SECONDS = 1.0
CHORE_SECONDS = 30.0  # between two rounds of what else there is to do
_GIB = 1 << 30
END_SECONDS = 20.0  # between asking a child to end and ending it

log: structlog.stdlib.BoundLogger = structlog.get_logger("worker")


class RunLimits(NamedTuple):
    """Bounds of one run: hours, and GiB of memory; 0 for none."""

    hours: float = 0.0
    memory_gib: float = 0.0


class Child:
    """The process of a run that this worker took.

    Args:
        run: claimed.
        command: that does it.
        limits: of it.
        seconds: a clock that never goes back.

    Attributes:
        exit_code: of the process, negative for a signal; None while it goes on.
        peak_mib: most memory that it had, once it has ended.
    """

    def __init__(self, run: Run, command: Sequence[str], limits: RunLimits, seconds: Seconds) -> None:
        self.run, self._limits, self._seconds = run, limits, seconds
        self._began = seconds()
        self._told: float | None = None
        self.exit_code: int | None = None
        self.peak_mib = 0
        assert run.log is not None
        with Path(run.log).open("ab") as output:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    def look(self) -> bool:
        """True once it has ended."""
        if self.exit_code is None:
            pid, status, used = os.wait4(self._process.pid, os.WNOHANG)
            if pid:
                self._process.returncode = self.exit_code = os.waitstatus_to_exitcode(status)
                self.peak_mib = used.ru_maxrss // 1024
        return self.exit_code is not None

    def too_much(self) -> str:
        """The limit that it has passed, in words; empty while it has not."""
        hours, memory = self._limits
        if hours and self._seconds() - self._began > hours * 3_600:
            return f"the limit of {hours:g} hours"
        if memory and _resident_bytes(self._process.pid) > memory * _GIB:
            return f"the limit of {memory:g} GiB of memory"
        return ""

    def end(self) -> None:
        """Ask it to end, and end it when it has not done so for ``END_SECONDS``; to be called again and again.

        The number is its own until ``look`` has seen its end; ``Popen``'s own signals would look themselves.
        """
        if self.exit_code is not None:
            return
        if self._told is None:
            self._told = self._seconds()
            os.kill(self._process.pid, signal.SIGTERM)
        elif self._seconds() - self._told > END_SECONDS:
            os.kill(self._process.pid, signal.SIGKILL)


class Slot:
    """One of a worker's places for a run.

    Args:
        jobs: that are done in it.
        holder: what such a run holds alone, in all workers together.
        limits: of each.
        ready: whether such a run can be done on this machine; one that cannot waits for another worker.

    Attributes:
        child: its run now, None while it is free.
    """

    def __init__(
        self, jobs: Collection[str], holder: str, limits: RunLimits, ready: Callable[[Run], bool] | None = None
    ) -> None:
        self.jobs, self.holder, self.limits, self.ready = jobs, holder, limits, ready
        self.child: Child | None = None


class Worker:
    """Looks after the runs and schedules of one site: one run at a time, and beside it one release that is tried.

    Args:
        store: the runs and schedules.
        site: whose.
        workspace: in which its children work.
        program: the command that knows the jobs.
        logs: folder of the runs' logs.
        limits: of each run.
        has_release: whether a release is on this machine, so that it can be tried here.
        chores: what else is done every ``CHORE_SECONDS``.
        clock: ms UTC.
        seconds: a clock that never goes back.
    """

    def __init__(
        self,
        store: Store,
        site: str,
        workspace: Workspace,
        program: Sequence[str],
        logs: Path,
        limits: RunLimits = RunLimits(),  # noqa: B008
        *,
        has_release: Callable[[str], bool] = lambda _: True,
        chores: Sequence[Callable[[], None]] = (),
        clock: Clock = now_ms,
        seconds: Seconds = time.monotonic,
    ) -> None:
        self._store, self._site, self._workspace = store, site, workspace
        self._program, self._logs = program, logs
        unlimited = RunLimits()  # it says itself for how long it is
        tried = Slot(
            CHALLENGES, challenger_holder(site), unlimited, lambda run: has_release(str(run.params["release"]))
        )
        self._slots = (Slot(TAKEN, holder_of(site), limits), tried)
        self._clock, self._seconds = clock, seconds
        self._chores, self._chores_at = chores, seconds()
        self._watch = Watch(store, site, seconds)
        self._trouble = ""

    def work(self, stop: threading.Event) -> None:
        """Look after everything until the event is set; then end the children, whose runs are queued again."""
        log.info("worker started", site=self._site, **asdict(place_of(self._workspace)))
        while not stop.wait(TICK_SECONDS):
            self.tick()
        self.close()
        log.info("worker ended", site=self._site)

    def tick(self) -> None:
        """Do what there is to do now; a step that fails holds up no other, and is tried again."""
        steps: tuple[Callable[[], None], ...] = (self._look_after, self._give_up, self._fire, self._take, self._tidy)
        said = ""
        for step in steps:
            try:
                step()
            except (RecsysError, OSError) as problem:  # the database is away, the disk is full: it will be better
                said = str(problem)
                if said != self._trouble:
                    log.error("not done", step=step.__name__.strip("_"), error=said)
        self._trouble = said

    def close(self) -> None:
        """End the children, if there are any; their runs are queued again."""
        while self.busy:
            for slot in self._slots:
                if slot.child is not None:
                    slot.child.end()
            self._look_after()
            if self.busy:
                time.sleep(0.05)

    @property
    def busy(self) -> bool:
        """True while a run of this worker goes on."""
        return any(slot.child is not None for slot in self._slots)

    def _take(self) -> None:
        for slot in self._slots:
            if slot.child is None:
                self._take_for(slot)

    def _take_for(self, slot: Slot) -> None:
        if slot.ready is not None:
            runs = [run for run in self._store.active_runs(self._site) if run.job in slot.jobs]
            if not runs or not all(map(slot.ready, runs)):
                return
        run = self._store.claim_run(self._site, slot.jobs, slot.holder, place_of(self._workspace), self._clock())
        if run is None:
            return
        file = self._logs / f"{run.id}.log"
        self._logs.mkdir(parents=True, exist_ok=True)
        run = replace(run, log=str(file))
        self._store.update_run(run.id, log=run.log)
        try:
            command = [*self._program, *command_line(run.job, run.params), "--run-id", run.id]
            slot.child = Child(run, command, slot.limits, self._seconds)
        except (InputError, OSError) as problem:
            self._store.end_run(run, "failed", self._clock(), error=f"the process could not be started: {problem}")
            raise
        log.info("run taken", run=run.id, job=run.job, attempt=run.attempt, pid=slot.child.pid)

    def _look_after(self) -> None:
        """Look after the children; see ``_has_ended``."""
        for slot in self._slots:
            if slot.child is not None and self._has_ended(slot.child):
                slot.child = None

    def _has_ended(self, child: Child) -> bool:
        """Hold a child to its limits, move its counter until it does so itself, and write its end where it cannot.

        Returns:
            True once its end is written.
        """
        if not child.look():
            row = self._store.run(child.run.id)
            if row is not None and row.pid is None:
                self._store.beat(child.run, {}, self._clock())
            if limit := child.too_much():
                self._store.cancel_run(child.run.id, limit, self._clock())
                child.end()
            elif row is None or row.state == "interrupted" or row.cancelled_by is not None:
                child.end()
            return False
        self._store.update_run(child.run.id, exit_code=child.exit_code, peak_mib=child.peak_mib)
        log.info("run ended", run=child.run.id, job=child.run.job, exit_code=child.exit_code, peak_mib=child.peak_mib)
        row = self._store.run(child.run.id)
        if row is not None and row.state == "running":
            self._end_for(row, child.exit_code or 0)
        return True

    def _end_for(self, row: Run, code: int) -> None:
        """Write the end of a run whose process could not: it was killed, or died before it had begun."""
        if row.cancelled_by is not None:
            self._store.end_run(row, "cancelled", self._clock(), error=f"cancelled by {row.cancelled_by}")
        elif code < 0:
            give_up(self._store, row, f"its process was ended by signal {-code}", clock=self._clock)
        else:
            error = f"its process ended with exit code {code} before it could say why"
            self._store.end_run(row, "failed", self._clock(), error=error)

    def _give_up(self) -> None:
        for run in self._watch.standing():
            give_up(self._store, run, LOST, clock=self._clock)

    def _fire(self) -> None:
        now = self._clock()
        for schedule in self._store.schedules(self._site):
            if not schedule.paused:
                self._follow(schedule, now)

    def _tidy(self) -> None:
        if self._seconds() >= self._chores_at:
            self._chores_at = self._seconds() + CHORE_SECONDS
            for chore in self._chores:
                chore()

    def _follow(self, schedule: Schedule, now: int) -> None:
        """Queue a run of a schedule that is due; one that was missed, once, however often."""
        following = CronTimes(schedule.cron, schedule.timezone).next_after(now)
        jittered = following + random.randrange(schedule.jitter_seconds + 1) * SECOND_MS
        if schedule.next_at > now:
            if schedule.next_at > following + schedule.jitter_seconds * SECOND_MS + MINUTE_MS:
                self._store.move_schedule(schedule, jittered)  # it was set by a clock that was ahead
            return
        run = Run.asked(self._site, schedule.job, schedule.params, f"schedule {schedule.name}", now)
        if self._store.fire_schedule(schedule, jittered, run) is not None:
            log.info("scheduled run queued", schedule=schedule.name, job=schedule.job, run=run.id)


def _resident_bytes(pid: int) -> int:
    """Memory of a process as the kernel counts it; 0 of one that is gone."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")

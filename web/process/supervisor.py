"""Supervisor: starts the workers, and starts them again, for as long as the service is wanted.

Reads what the workers say of themselves; produces processes. A worker that dies comes back at once; one that dies again
and again comes back more slowly, for ever: whatever keeps it from starting (a disk, a database) may be mended without a
hand on this service. A worker that asks for a successor, because another release is to be laid out, answers until the
successor does. Everything runs in one event loop, so that no signal finds a lock held.
"""

import asyncio
import os
import signal
import socket
from collections.abc import Callable
from time import monotonic

from web.process.doorkeeper import Doorkeeper
from web.process.folder import ServiceFolder
from web.process.life import LEAVE, Life
from web.process.nursery import Begun, NotBorn, Nursery
from web.process.port import Port

STOP_SECONDS = 15.0  # a worker that has not ended by then is ended; a body may take ten
LEAVE_SECONDS = 60.0  # the same of one that has a successor; a connection that carries nothing may be kept for thirty
STEADY_SECONDS = 5.0  # of serving, after which a worker's earlier deaths are forgotten
FREE_RESTARTS = 2  # deaths in a row after which the next start waits
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0  # seconds
PATIENCE_SECONDS = 60.0  # for a successor that waits for cores to be idle
RETRY_SECONDS = 60.0  # after which a successor that could not start is tried again


def pause_before(deaths: int) -> float:
    """Seconds to wait before the next start of a worker that has died so many times in a row."""
    waited = deaths - FREE_RESTARTS - 1
    return 0.0 if waited < 0 else min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(waited, 10))


def _how(code: int) -> str:
    """An exit code in words."""
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


class Supervisor:
    """The workers of one service."""

    def __init__(
        self,
        port: Port,
        workers: int,
        folder: ServiceFolder,
        say: Callable[[str], None],
        serving: str,
        module: str = "web.worker",
        begun: Begun | None = None,
    ) -> None:
        """Take note; nothing starts yet.

        Args:
            port: address of the service.
            workers: how many.
            folder: of this service.
            say: takes a line for the operator.
            serving: the line to say when the first worker is ready.
            module: a worker, see ``web.process.forking``.
            begun: see ``Nursery``.
        """
        self._port, self._folder, self._say, self._serving = port, folder, say, serving
        self._workers, self._doing = workers, "loading libraries"
        self._lives: set[Life] = set()
        self._nursery = Nursery(module, folder.metrics, self.loading, begun)
        self._ready: set[Life] = set()
        self._succession = asyncio.Lock()  # one at a time: a layout takes a core, and a process more its memory
        self._leaving: asyncio.Task[None] | None = None
        self._refused, self._retry_at = "", 0.0
        self._served = False
        self._stop = asyncio.Event()
        self._doorkeeper = Doorkeeper(port, self.doing)

    def doing(self) -> tuple[str, str]:
        """Code and sentence for those whom no worker answers."""
        if self._stop.is_set():
            return "stopping", "The service ends."
        if self._ready:
            return "restarting", "The worker that had this request has ended; others answer."
        return "starting", f"The service starts: {self._doing}."

    def stop(self) -> None:
        """Ask for the end."""
        self._stop.set()

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT; returns when no worker is left."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        await self._doorkeeper.open()
        keepers = [asyncio.create_task(self._keep(place)) for place in range(self._workers)]
        await self._stop.wait()
        await self._doorkeeper.open()  # for those who still wait in the kernel
        self._nursery.abandon()
        for life in self._lives:
            life.child.send_signal(signal.SIGTERM)
        ends = [*keepers, *([self._leaving] if self._leaving else [])]
        _, late = await asyncio.wait(ends, timeout=STOP_SECONDS)
        for life in self._lives:
            life.child.send_signal(signal.SIGKILL)
        if late:
            self._say("workers that did not end in time were ended")
            await asyncio.wait(late)
        for keeper in keepers:
            keeper.result()
        await self._nursery.close()
        self._doorkeeper.close()

    async def _keep(self, place: int) -> None:
        """Keep one worker running."""
        deaths = 0
        while not self._stop.is_set():
            served, code = await self._fill(place)
            if self._stop.is_set():
                return
            deaths = 1 if served > STEADY_SECONDS else deaths + 1
            pause = pause_before(deaths)
            when = f" in {pause:g} s" if pause else ""
            self._say(f"worker {place + 1} has ended ({_how(code)}); the next one starts{when}")
            self._doing = f"a worker has ended, the log says why; the next one starts{when}"
            try:
                await asyncio.wait_for(self._stop.wait(), pause)
            except TimeoutError:
                continue

    async def _fill(self, place: int) -> tuple[float, int]:
        """Run a worker and its successors until one dies; returns the seconds that this one served, and its exit code.

        All of them listen on one socket, so that no connection that waits there is lost when one follows another.
        """
        listening = self._port.socket()  # a worker listens on it when it is ready
        life = await self._born(place, listening)
        while life is not None and (release := await life.wish()) is not None:
            life = await self._succeeded(place, life, listening, release)
        served = monotonic() - life.ready_at if life is not None and life.ready_at else 0.0
        if life is not None:
            self._ready.discard(life)
        if not self._ready:
            await self._doorkeeper.open()
        self._doorkeeper.take_over(listening)
        return served, 1 if life is None else life.end.result()

    async def _born(
        self, place: int, listening: socket.socket, release: str | None = None, *, hurried: bool = False
    ) -> Life | None:
        """Start a worker, or with a release a successor; None when that fails."""
        reading, writing = os.pipe()
        taken = {life.figures for life in self._lives}  # two processes must not count in one place
        figures = place if place not in taken else self._workers + 1 + place
        try:
            child = await self._nursery.born(figures, listening, writing, release, hurried=hurried)
        except NotBorn as error:
            os.close(reading)
            if not self._stop.is_set():  # else the nursery was abandoned
                whose = "" if release is None else "the successor of "
                self._say(f"{whose}worker {place + 1} cannot start: {error}")
            return None
        finally:
            os.close(writing)
        life = Life(place + 1, figures, child, reading, self, self._say)
        life.is_heir = release is not None
        self._lives.add(life)
        life.end.add_done_callback(lambda _: self._lives.discard(life))
        if self._stop.is_set():
            child.send_signal(signal.SIGTERM)
        return life

    async def _succeeded(self, place: int, old: Life, listening: socket.socket, release: str) -> Life:
        """Have a worker succeeded; returns who fills its place then: the successor, or still the same."""
        turn = asyncio.create_task(self._succession.acquire())
        await asyncio.wait({turn, old.end}, return_when=asyncio.FIRST_COMPLETED)
        if not turn.done():
            turn.cancel()
            return old
        heir = None
        waiting = release == self._refused and monotonic() < self._retry_at
        if not waiting and not self._stop.is_set() and not old.end.done():
            heir = await self._heir(place, old, listening, release)
        if heir is None:
            self._succession.release()
            return old
        self._leaving = asyncio.create_task(self._see_off(old))
        return heir

    async def _heir(self, place: int, old: Life, listening: socket.socket, release: str) -> Life | None:
        """Start a successor and wait until it answers; None when it cannot, or the old worker dies meanwhile.

        One that waits too long for an idle core is started again, to take its share of busy ones; where somebody waits,
        who rolls back, it does so at once.
        """
        for hurried in (True,) if old.is_urgent else (False, True):
            heir = await self._born(place, listening, release, hurried=hurried)
            if heir is None:
                break
            if await heir.until(heir.ready, old.end, seconds=None if hurried else PATIENCE_SECONDS):
                heir.is_heir = False
                return heir
            starved = not heir.end.done() and not old.end.done()
            heir.child.send_signal(signal.SIGKILL)  # if the old one has died: what comes now is a start as any other
            await asyncio.wait({heir.end})
            if not starved:
                break
            self._say(f"{heir.name} has found no idle core for {PATIENCE_SECONDS:g} s, and takes a share of busy ones")
        if not old.end.done() and not self._stop.is_set():
            self._refused, self._retry_at = release, monotonic() + RETRY_SECONDS
            why = "could not be started" if heir is None else f"has ended ({_how(heir.end.result())})"
            self._say(f"worker {place + 1} goes on: its successor {why} and is tried again in {RETRY_SECONDS:g} s")
        return None

    async def _see_off(self, old: Life) -> None:
        """Ask a worker to end that has a successor, and wait for its end; the next succession waits for that too."""
        self._ready.discard(old)
        if not self._stop.is_set():
            old.child.send_signal(LEAVE)
        _, late = await asyncio.wait({old.end}, timeout=LEAVE_SECONDS)
        if late:
            self._say(f"{old.name} has not ended {LEAVE_SECONDS:g} s after its successor took over, and is ended")
            old.child.send_signal(signal.SIGKILL)
            await asyncio.wait(late)
        for gauge in self._folder.metrics.glob(f"gauge_live*_{old.figures}.db"):  # what holds only while it lives
            gauge.unlink(missing_ok=True)
        self._succession.release()

    def loading(self, what: str, who: str = "") -> None:
        """Take note of what the service does before it serves."""
        if not self._served and what != self._doing:
            self._say(f"{who}{what}")
        self._doing = what

    def is_ready(self, life: Life) -> None:
        """Take note of a worker that answers."""
        self._ready.add(life)
        if not self._stop.is_set():
            self._doorkeeper.close()
        if not self._served:
            self._served = True
            self._say(self._serving)

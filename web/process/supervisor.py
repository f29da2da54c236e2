"""Supervisor: starts the workers, and starts them again, for as long as the service is wanted.

Reads what the workers say of themselves; produces processes. A worker that dies comes back at once; one that dies again
and again comes back more slowly, for ever: whatever keeps it from starting (a disk, a database) may be mended without a
hand on this service. Everything runs in one event loop, so that no signal finds a lock held.
"""

import asyncio
import json
import os
import signal
from collections.abc import Callable
from time import monotonic
from typing import Any

from web.process.doorkeeper import Doorkeeper
from web.process.folder import ServiceFolder
from web.process.nursery import Child, NotBorn, Nursery
from web.process.port import Port

STOP_SECONDS = 15.0  # a worker that has not ended by then is ended; a body may take ten
SILENT_SECONDS = 30.0  # a worker that serves says that it lives every two; one that does not any more is ended
STEADY_SECONDS = 5.0  # of serving, after which a worker's earlier deaths are forgotten
FREE_RESTARTS = 2  # deaths in a row after which the next start waits
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0  # seconds


def pause_before(deaths: int) -> float:
    """Seconds to wait before the next start of a worker that has died so many times in a row."""
    waited = deaths - FREE_RESTARTS - 1
    return 0.0 if waited < 0 else min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(waited, 10))


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
    ) -> None:
        """Take note; nothing starts yet.

        Args:
            port: address of the service.
            workers: how many.
            folder: of this service.
            say: takes a line for the operator.
            serving: the line to say when the first worker is ready.
            module: a worker, see ``web.process.forking``.
        """
        self._port, self._folder, self._say, self._serving = port, folder, say, serving
        self._workers, self._doing = workers, "loading libraries"
        self._running: dict[int, Child] = {}
        self._nursery = Nursery(module, folder.metrics, workers, self._loading)
        self._ready: set[int] = set()
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
        for process in self._running.values():
            process.send_signal(signal.SIGTERM)
        _, late = await asyncio.wait(keepers, timeout=STOP_SECONDS)
        for process in self._running.values():
            process.send_signal(signal.SIGKILL)
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
            served, code = await self._live(place)
            if self._stop.is_set():
                return
            deaths = 1 if served > STEADY_SECONDS else deaths + 1
            pause = pause_before(deaths)
            when = f" in {pause:g} s" if pause else ""
            how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
            self._say(f"worker {place + 1} has ended ({how}); the next one starts{when}")
            self._doing = f"a worker has ended, the log says why; the next one starts{when}"
            try:
                await asyncio.wait_for(self._stop.wait(), pause)
            except TimeoutError:
                continue

    async def _live(self, place: int) -> tuple[float, int]:
        """Run one worker to its end; returns the seconds that it served, and its exit code (negative: a signal)."""
        reading, writing = os.pipe()
        socket = self._port.socket()  # the worker listens on it when it is ready
        began, ready_at = monotonic(), 0.0
        try:
            process = await self._nursery.born(place, socket, writing)
        except NotBorn as error:
            os.close(reading)
            socket.close()
            self._say(f"worker {place + 1} cannot start: {error}")
            return 0.0, 1
        finally:
            os.close(writing)
        self._running[place] = process
        if self._stop.is_set():
            process.send_signal(signal.SIGTERM)
        said = asyncio.StreamReader()
        pipe, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(said), os.fdopen(reading, "rb", 0)
        )
        try:
            while line := await self._word(place, process, said, SILENT_SECONDS if ready_at else None):
                if self._note(place, json.loads(line), monotonic() - began):
                    ready_at = monotonic()
        except ValueError as error:  # something else than a worker has written into the pipe
            self._say(f"worker {place + 1} says what nobody understands, and is ended: {error}")
            process.send_signal(signal.SIGKILL)
        finally:
            pipe.close()
            code = await process.wait()
            del self._running[place]
            self._ready.discard(place)
            if not self._ready:
                await self._doorkeeper.open()
            self._doorkeeper.take_over(socket)
        return (monotonic() - ready_at if ready_at else 0.0), code

    def _loading(self, what: str, who: str = "") -> None:
        """Take note of what the service does before it serves."""
        if not self._served and what != self._doing:
            self._say(f"{who}{what}")
        self._doing = what

    async def _word(self, place: int, process: Child, said: asyncio.StreamReader, patience: float | None) -> bytes:
        """The next line of a worker; empty when it has ended, or has been ended because it says nothing any more."""
        try:
            return await asyncio.wait_for(said.readline(), patience)
        except TimeoutError:
            self._say(f"worker {place + 1} has said nothing for {patience:g} s and is ended")
            process.send_signal(signal.SIGKILL)
            return b""

    def _note(self, place: int, status: dict[str, Any], seconds: float) -> bool:
        """Take note of what a worker says of itself; true when it is ready."""
        if "doing" in status:
            self._loading(status["doing"], f"worker {place + 1}: ")
        elif "failed" in status:
            self._say(f"worker {place + 1} cannot start: {status['failed']}")
        elif "ready" in status:
            self._ready.add(place)
            if not self._stop.is_set():
                self._doorkeeper.close()
            self._say(f"worker {place + 1} is ready after {seconds:.1f} s")
            if not self._served:
                self._served = True
                self._say(self._serving)
            return True
        return False

"""Life: one worker as its parent sees it, from its birth to its end.

Reads what the worker says of itself; produces what the supervisor acts on: that it is ready, that it asks for a
successor, that it has ended.
"""

import asyncio
import json
import os
import signal
from collections.abc import Callable
from time import monotonic
from typing import Any, Protocol

from web.process.nursery import Child

LEAVE = signal.SIGUSR1  # tells a worker that its successor answers: it is to accept nobody else, and to end when it can
SILENT_SECONDS = 30.0  # a worker that serves says that it lives every two; one that does not any more is ended


class Household(Protocol):
    """Those who are told what a worker says."""

    def loading(self, what: str, who: str) -> None:
        """It does something that takes time."""

    def is_ready(self, life: "Life") -> None:
        """It answers."""


class Life:
    """One worker.

    Args:
        number: of the worker, from 1.
        figures: place in which it counts.
        child: its process.
        reading: the pipe's end from which its words come.
        house: see ``Household``.
        say: takes a line for the operator.

    Attributes:
        ready: set when it has said that it answers.
        ready_at: when that was, in seconds of the monotonic clock; 0 before.
        end: its exit code, negative for a signal, when it has ended.
        is_heir: whether it is to succeed another one, and does not yet.
        is_urgent: whether somebody waits for the successor that it asked for.
    """

    def __init__(
        self, number: int, figures: int, child: Child, reading: int, house: Household, say: Callable[[str], None]
    ) -> None:
        self.number, self.figures, self.child, self.is_heir = number, figures, child, False
        self._house, self._say = house, say
        self._began, self.ready_at = monotonic(), 0.0
        self._wish, self.is_urgent = "", False
        self.ready, self._wished = asyncio.Event(), asyncio.Event()
        self.end = asyncio.create_task(self._run(reading))

    @property
    def name(self) -> str:
        """The worker, for the operator."""
        return f"the successor of worker {self.number}" if self.is_heir else f"worker {self.number}"

    async def until(self, said: asyncio.Event, *ends: asyncio.Task[int], seconds: float | None = None) -> bool:
        """Wait until it has said something; false when it or another one has ended before, or the time is over."""
        waiting = asyncio.create_task(said.wait())
        await asyncio.wait({waiting, self.end, *ends}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        return said.is_set() and not self.end.done()

    async def wish(self) -> str | None:
        """Wait until it asks for a successor; returns the release that this one is to lay out, None when it ended."""
        self._wished.clear()
        return self._wish if await self.until(self._wished) else None

    async def _run(self, reading: int) -> int:
        said = asyncio.StreamReader()
        pipe, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(said), os.fdopen(reading, "rb", 0)
        )
        try:
            while line := await self._word(said):
                self._note(json.loads(line))
        except ValueError as error:  # something else than a worker has written into the pipe
            self._say(f"{self.name} says what nobody understands, and is ended: {error}")
            self.child.send_signal(signal.SIGKILL)
        finally:
            pipe.close()
            code = await self.child.wait()
        return code

    async def _word(self, said: asyncio.StreamReader) -> bytes:
        """The next line; empty when it has ended, or has been ended because it says nothing any more."""
        try:
            return await asyncio.wait_for(said.readline(), SILENT_SECONDS if self.ready_at else None)
        except TimeoutError:
            self._say(f"{self.name} has said nothing for {SILENT_SECONDS:g} s and is ended")
            self.child.send_signal(signal.SIGKILL)
            return b""

    def _note(self, status: dict[str, Any]) -> None:
        if "doing" in status:
            self._house.loading(status["doing"], f"{self.name}: ")
        elif "failed" in status:
            self._say(f"{self.name} cannot start: {status['failed']}")
        elif "ready" in status:
            self.ready_at = monotonic()
            self._say(f"{self.name} is ready after {self.ready_at - self._began:.1f} s")
            self._house.is_ready(self)
            self.ready.set()
        elif "succeed" in status and self.ready_at:
            self._wish, self.is_urgent = status["succeed"], bool(status.get("urgent"))
            self._wished.set()

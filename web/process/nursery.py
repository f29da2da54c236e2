"""Nursery: the parent's side of the process that forks workers; see ``web.process.forking``.

Reads what it tells; produces workers. When it dies it is started again with the next worker: those who live go on.
"""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Self

from recsys.telemetry import FOLDER_VARIABLE, PLACE_VARIABLE

_MESSAGE_BYTES = 65_536
_PLACE = -1  # in which the nursery itself counts: no worker's
UNKNOWN_CODE = 1  # exit code of a worker whose end nobody has seen


class NotBorn(Exception):
    """A worker could not be started; the message says why."""


class Child:
    """One worker.

    Attributes:
        pid: its process id.
        parent_end: pipe that it reads until this process ends; closed with the worker.
        orphan: whether nobody will see its end: the process that forked it is gone.
    """

    def __init__(self, pid: int, parent_end: int) -> None:
        self.pid, self.parent_end, self.orphan = pid, parent_end, False
        self.code: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.orphan or not self.code.done():
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def wait(self) -> int:
        """Wait for its end; returns the exit code, negative for a signal; an orphan is to have ended before."""
        code = await self.code
        if self.parent_end >= 0:
            os.close(self.parent_end)
            self.parent_end = -1
        return code


class Begun(NamedTuple):
    """The process that forks workers, begun before the parent is what it will be: it loads libraries meanwhile.

    Attributes:
        pid: of the process, a child of the parent's.
        control: descriptor of the parent's end.
        folder: that the service will have, with its figures.
    """

    pid: int
    control: int
    folder: Path

    @classmethod
    def now(cls, module: str, folder: Path, metrics: Path) -> Self:
        """Begin it; its end outlives an ``exec`` of this process.

        Args:
            module: see ``Nursery``.
            folder: of the service.
            metrics: see ``Nursery``.

        Raises:
            OSError: there is no room for it.
        """
        own, others = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with others:
            others.set_inheritable(True)
            nothing = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
            command, environment = _command(module, others), _environment(metrics)
            pid = os.posix_spawn(sys.executable, command, environment, file_actions=[nothing])
        own.set_inheritable(True)
        return cls(pid, own.detach(), folder)

    def end(self) -> None:
        """End it, where the parent comes to nothing."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
        with suppress(OSError):
            os.close(self.control)


class _Adopted:
    """A process that this one has begun before it ran a loop."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._ended = asyncio.get_running_loop().run_in_executor(None, _reaped, pid)

    def kill(self) -> None:
        if not self._ended.done():
            os.kill(self.pid, signal.SIGKILL)

    async def wait(self) -> None:
        await self._ended


def _reaped(pid: int) -> None:
    with suppress(ChildProcessError):
        os.waitpid(pid, 0)


def _command(module: str, control: socket.socket) -> list[str]:
    return [sys.executable, "-m", "web.process.forking", module, str(control.fileno())]


def _environment(metrics: Path) -> dict[str, str]:
    return os.environ | {FOLDER_VARIABLE: str(metrics), PLACE_VARIABLE: str(_PLACE)}


class Nursery:
    """The process that forks workers, started when the first one is asked for.

    Args:
        module: see ``web.process.forking``.
        metrics: folder of the workers' figures.
        doing: is told what takes time, and why it failed.
        begun: the first one, where it runs already.
    """

    def __init__(self, module: str, metrics: Path, doing: Callable[[str], None], begun: Begun | None = None) -> None:
        self._module, self._metrics, self._doing, self._begun = module, metrics, doing, begun
        self._turn = asyncio.Lock()  # one birth at a time
        self._process: asyncio.subprocess.Process | _Adopted | None = None
        self._control: socket.socket | None = None
        self._answer: asyncio.Future[int] | None = None
        self._children: dict[int, Child] = {}

    async def born(
        self, place: int, listening: socket.socket, status: int, release: str | None = None, *, hurried: bool = False
    ) -> Child:
        """Start a worker.

        Args:
            place: number under which it counts.
            listening: the bound socket that it is to listen on.
            status: the pipe that takes what it says.
            release: what a successor is to lay out, "" for no release; None for a worker that follows nobody.
            hurried: whether a successor takes its share of busy cores.

        Raises:
            NotBorn: it could not be started.
        """
        async with self._turn:
            if self._control is None:
                await self._start()
            assert self._control is not None
            parent, own = os.pipe()
            self._answer = asyncio.get_running_loop().create_future()
            try:
                message = json.dumps({"place": place, "release": release, "hurried": hurried}).encode()
                socket.send_fds(self._control, [message], [listening.fileno(), status, parent])
                pid = await self._answer
            except (OSError, NotBorn) as error:
                os.close(own)
                raise NotBorn(str(error)) from None
            finally:
                os.close(parent)
            child = self._children[pid] = Child(pid, own)
            return child

    def abandon(self) -> None:
        """End the process, if anybody waits for what it is doing: nobody is to be born any more."""
        if self._process is not None and self._answer is not None and not self._answer.done():
            with suppress(ProcessLookupError):
                self._process.kill()

    async def close(self) -> None:
        """End the process; the workers are to have ended before."""
        if self._begun is not None:
            self._begun.end()
        if self._process is not None:
            self._lost()
            await self._process.wait()

    async def _start(self) -> None:
        loop = asyncio.get_running_loop()
        self._answer = loop.create_future()
        if self._begun is None:
            own = await self._started()
        else:
            self._process, own = _Adopted(self._begun.pid), socket.socket(fileno=self._begun.control)
            own.set_inheritable(False)
            self._begun = None
        own.setblocking(False)
        self._control = own
        loop.add_reader(own.fileno(), self._hear)
        await self._answer

    async def _started(self) -> socket.socket:
        """Start the process; returns the parent's end."""
        own, others = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self._process = await asyncio.create_subprocess_exec(
                *_command(self._module, others),
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=(others.fileno(),),
                env=_environment(self._metrics),
            )
        except OSError as error:
            own.close()
            raise NotBorn(str(error)) from None
        finally:
            others.close()
        return own

    def _hear(self) -> None:
        assert self._control is not None
        try:
            told = json.loads(self._control.recv(_MESSAGE_BYTES) or b"null")
        except (OSError, ValueError):
            told = None
        if told is None:
            self._lost()
        elif "doing" in told:
            self._doing(told["doing"])
        elif "code" in told:
            if (child := self._children.pop(told["pid"], None)) is not None:
                child.code.set_result(told["code"])
        elif self._answer is not None and not self._answer.done():
            if "failed" in told:
                self._answer.set_exception(NotBorn(told["failed"]))
            else:
                self._answer.set_result(told.get("born", 0))

    def _lost(self) -> None:
        """Forget the process; the end of a worker that lives will be seen by its silence."""
        if self._control is None:
            return
        asyncio.get_running_loop().remove_reader(self._control.fileno())
        self._control.close()
        self._control = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(NotBorn("the process that loads the workers has ended"))
        for child in self._children.values():
            child.orphan = True
            child.code.set_result(UNKNOWN_CODE)
        self._children.clear()

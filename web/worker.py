"""A worker: one process that answers, forked by ``web.process.forking`` and never started by hand.

Builds the application, tells the parent what it does meanwhile, and accepts connections only when it is ready. When
another release is to be laid out it asks the parent for a successor, which does that in a process of its own, and ends
politely when that one answers. It ends with the process that started it, even when that one was killed: left behind, it
would hold the port and go on answering beside the next start's workers.
"""

import asyncio
import json
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import structlog
from apiflask import APIFlask

from recsys import logs
from recsys.errors import RecsysError
from recsys.serving.memory import laying_out, serve_alone
from recsys.settings import load_settings
from recsys.telemetry import PLACE_VARIABLE
from web import metrics
from web.app import close_app, create_app, prepare
from web.gateway.entry import Gateway
from web.gateway.limits import HEAD_SECONDS
from web.gateway.listener import Listener
from web.installation import KEY, Installation
from web.process.life import LEAVE

GRACE_SECONDS = 5.0  # for the requests in flight, when the parent is gone
BEAT_SECONDS = 2.0
DRAIN_SECONDS = 10.0  # for the requests in flight, when the parent asks for the end
ASK_SECONDS = 10.0  # after which the parent is asked again for the same
LOOK_SECONDS = 0.5  # between two looks whether anybody is still connected


class Status:
    """The worker's side of what it says of itself to the parent, a line of JSON each."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._wish, self._ask_at = "", 0.0
        os.set_blocking(descriptor, False)  # a parent that does not read stops nobody

    def say(self, **status: str | bool) -> None:
        """Tell the parent, which may be gone."""
        with suppress(OSError):
            os.write(self._descriptor, json.dumps(status).encode() + b"\n")

    def doing(self, what: str) -> None:
        """Tell what keeps the worker from being ready."""
        self.say(doing=what)

    def succeed(self, release: str | None, urgent: bool) -> None:
        """Ask for a successor that lays out a release, or none; called again and again while it is wanted.

        Args:
            release: its name.
            urgent: whether it takes its share of busy cores from the beginning.
        """
        wish, now = release or "", time.monotonic()
        if wish != self._wish or now >= self._ask_at:
            self._wish, self._ask_at = wish, now + ASK_SECONDS
            self.say(succeed=wish, urgent=urgent)


def load(doing: Callable[[str], None]) -> None:
    """Load what all workers share: libraries and machine code.

    Args:
        doing: is told what takes time.
    """
    settings = load_settings()
    logs.configure(settings.logs.form)
    prepare(settings, doing)


def serve(listening: int, said: int, release: str | None, hurried: bool) -> None:
    """Serve on a socket that the parent bound, until a signal or the parent's end.

    Args:
        listening: the socket's descriptor.
        said: that of the pipe that takes what this worker says of itself.
        release: what a successor lays out, "" for no release; None for a worker that follows nobody.
        hurried: whether a successor takes its share of busy cores.
    """
    bound, status = socket.socket(fileno=listening), Status(said)
    settings = load_settings()
    logs.configure(settings.logs.form, worker=number_of(int(os.environ[PLACE_VARIABLE]), settings.web.workers))
    threading.Thread(target=_end_with_parent, daemon=True, name="parent").start()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # a socket for each connection
    code = 1
    serve_alone()
    try:
        with laying_out():
            application = create_app(settings, status.doing, release=release, succeed=status.succeed, hurried=hurried)
        succeeded = asyncio.run(_serve(application, bound, status))
        close_app(application, succeeded=succeeded)
        code = 0
    except RecsysError as error:
        status.say(failed=str(error))
    except Exception as error:
        structlog.get_logger("web").exception("worker")
        status.say(failed=f"{type(error).__name__}: {error}")
    sys.stderr.flush()
    os._exit(code)  # granian's threads outlive the interpreter's end, and crash in it


def number_of(place: int, workers: int) -> int:
    """The number of a worker, from 1, by the place in which it counts; a successor has one of its own meanwhile."""
    return place % (workers + 1) + 1


async def _serve(application: APIFlask, bound: socket.socket, status: Status) -> bool:
    """Answer until the end is asked for; true when a successor has taken over."""
    here: Installation = application.extensions[KEY]
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    gateway = Gateway(application, loop, here.settings.web.threads)
    listener = Listener(bound, gateway.take)
    leaving: list[asyncio.Task[None]] = []

    def leave() -> None:
        if not stop.is_set():
            leaving.append(asyncio.create_task(_leave(gateway, listener, stop)))

    loop.add_signal_handler(LEAVE, leave)
    metrics.STARTS.inc()
    status.say(ready=True)
    beating = asyncio.create_task(_beat(status))
    await stop.wait()
    gateway.stop()
    try:
        await asyncio.wait_for(listener.close(), DRAIN_SECONDS)
    except TimeoutError:
        structlog.get_logger("web").warning("requests were still in flight at the end")
    gateway.close(1.0)
    beating.cancel()
    return bool(leaving)


async def _leave(gateway: Gateway, listener: Listener, stop: asyncio.Event) -> None:
    """Send everybody over to the successor, each with the next answer, and ask for the end when nobody is left.

    A connection on which nothing comes for as long as any may be kept is closed then, as it would have been anyway: no
    request meets a closed connection that would have met an open one without the succession.
    """
    gateway.leave()
    listener.retire()
    with suppress(TimeoutError):
        async with asyncio.timeout(HEAD_SECONDS):
            while listener.connections():
                await asyncio.sleep(LOOK_SECONDS)
    stop.set()


async def _beat(status: Status) -> None:
    """Tell the parent again and again that this process is not stuck."""
    while True:
        await asyncio.sleep(BEAT_SECONDS)
        status.say(alive=True)


def _end_with_parent() -> None:
    while os.read(0, 1):  # the parent writes nothing: this waits for its end
        pass
    os.kill(os.getpid(), signal.SIGTERM)  # requests in flight are answered
    time.sleep(GRACE_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)

"""``python -m web.process.forking MODULE FD``: loads once what all workers share, and forks them.

Half of a worker is libraries and machine code. Forked, workers share that memory, and one that takes a dead one's place
is there within a second. Nothing else happens in this process: no thread, no database, no index that was used crosses
into a child. It ends with the process that started it.

``MODULE`` has ``load(doing)``, which tells what takes time, and ``serve(socket, status, release, hurried)``, which is a
worker's life.
"""

import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Iterator
from contextlib import suppress
from types import ModuleType
from typing import Any

from recsys.errors import RecsysError
from recsys.telemetry import PLACE_VARIABLE
from web.unused import hide_unused_libraries

_ENDING = (signal.SIGINT, signal.SIGTERM)
_MESSAGE_BYTES = 4096
_DESCRIPTORS = 3  # of a worker: its bound socket, the pipe that takes its words, the one that ends with the parent


def main() -> None:
    """Fork a worker for each message, and tell how each one ended."""
    module, control = sys.argv[1], socket.socket(fileno=int(sys.argv[2]))
    os.set_inheritable(control.fileno(), False)
    for number in _ENDING:
        signal.signal(number, signal.SIG_IGN)  # the parent's to answer
    ended, noted = os.pipe()
    os.set_blocking(ended, False)
    os.set_blocking(noted, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(noted)
    gc.disable()  # what is imported stays: to look for garbage in it again and again takes a sixth of the time
    hide_unused_libraries()  # before whatever would load them
    try:
        loaded = importlib.import_module(module)
        loaded.load(lambda what: _tell(control, doing=what))
    except Exception as error:
        if not isinstance(error, RecsysError):
            traceback.print_exc()
        _tell(control, failed=str(error) or type(error).__name__)
        raise SystemExit(1) from None
    gc.collect()
    gc.enable()
    gc.freeze()  # a collection that touches what workers share would copy it
    _tell(control, loaded=True)
    while True:
        readable, _, _ = select.select([control.fileno(), ended], [], [])
        if ended in readable:
            with suppress(BlockingIOError):
                os.read(ended, 4096)
            for pid, code in _ended():
                _tell(control, pid=pid, code=code)
        if control.fileno() in readable and not _fork(control, loaded, (control.fileno(), ended, noted)):
            return


def _tell(control: socket.socket, **message: str | int | bool) -> None:
    with suppress(OSError):  # the parent is gone, and so is this process when it looks again
        control.send(json.dumps(message).encode())


def _ended() -> Iterator[tuple[int, int]]:
    """Children that have ended: process id and exit code, negative for a signal."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        yield pid, os.waitstatus_to_exitcode(status)


def _fork(control: socket.socket, module: ModuleType, own: tuple[int, ...]) -> bool:
    """Fork the worker that the next message asks for; false when the parent has ended."""
    message, descriptors, _, _ = socket.recv_fds(control, _MESSAGE_BYTES, _DESCRIPTORS)
    if not message:
        return False
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)  # one that comes before the child takes it, waits
    try:
        pid = os.fork()
    except OSError as error:  # no memory, no process left
        _tell(control, failed=str(error))
    else:
        if not pid:
            _be_worker(module, json.loads(message), descriptors, own)
        _tell(control, born=pid)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
    for descriptor in descriptors:
        os.close(descriptor)
    return True


def _be_worker(module: ModuleType, asked: dict[str, Any], descriptors: list[int], own: tuple[int, ...]) -> None:
    """The child's life; never returns."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in (*_ENDING, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
        for descriptor in own:
            os.close(descriptor)
        listening, status, parent = descriptors
        os.dup2(parent, 0)  # ends with the parent, and the worker with it
        os.close(parent)
        os.environ[PLACE_VARIABLE] = str(asked["place"])
        module.serve(listening, status, asked["release"], asked["hurried"])
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()

"""Compiled: a loop over events or candidates in Python -> machine code, by numba.

Compiled once per machine and version of the source, and kept in ``NUMBA_CACHE_DIR``, else beside the source, else in
the user's cache, until a month after its last use: several versions may run beside each other. Keeps the interpreter's
lock: no thread sees half of another one's work, which is what lets answers be made while events are counted. Floating
point is strict: the same input gives the same bytes.
"""

import fcntl
import hashlib
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np
import structlog
from numba.core import config

Function = TypeVar("Function", bound=Callable[..., object])
as_int64 = cast(Callable[[int], int], np.int64)  # of what is passed to a compiled function: one type, one machine code

_PACKAGE = Path(__file__).resolve().parent
_PREFIX = "compiled-"
_KEPT_SECONDS = 30 * 24 * 3600  # of machine code that no process has loaded any more
_COMPLETE = "complete"  # file in the folder, when everything that serving needs was compiled once
_TOLD_SECONDS = 5.0  # between two words about how far it is
_functions: list[Any] = []

log: structlog.stdlib.BoundLogger = structlog.get_logger("compiled")


def _source() -> str:
    """A name for the source of every compiled function: numba itself looks only at the file of the outermost one."""
    digest = hashlib.sha256()
    for file in sorted(_PACKAGE.rglob("*.py")):
        text = file.read_bytes()
        if b"compiled" in text:
            digest.update(file.name.encode() + b"\0" + text)
    return digest.hexdigest()[:16]


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


def _choose_cache() -> None:
    """Keep machine code of this source in a folder of its own, and remove what was not used for a month."""
    named = os.environ.get("NUMBA_CACHE_DIR")
    places = [Path(named)] if named else [_PACKAGE / "__pycache__", Path.home() / ".cache" / "recsys"]
    for place in places:
        current = place / (_PREFIX + _source())
        if _writable(current):
            config.CACHE_DIR = str(current)
            os.utime(current)  # used now
            _remove_unused(place, time.time() - _KEPT_SECONDS)
            return


def _remove_unused(place: Path, since: float) -> None:
    for folder in place.glob(_PREFIX + "*"):
        try:
            if folder.stat().st_mtime < since:
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:  # another process has just removed it
            continue


_choose_cache()


def compiled(function: Function) -> Function:
    """Compile a function of numbers, arrays and named tuples of arrays at its first call."""
    dispatcher = numba.njit(cache=True, error_model="numpy")(function)
    _functions.append(dispatcher)
    return cast(Function, dispatcher)


@contextmanager
def compiling(doing: Callable[[str], None]) -> Iterator[None]:
    """A block that has everything compiled that it calls, by one process at a time where that was never done.

    Args:
        doing: is told how far it is, every few seconds, as long as there is something to compile.
    """
    folder = Path(config.CACHE_DIR)
    if not config.CACHE_DIR or (folder / _COMPLETE).exists():
        doing("loading machine code")
        yield
        return
    log.info("machine code is compiled, once on this machine", folder=str(folder))
    done = threading.Event()
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # until the file is closed
        except BlockingIOError:
            doing("waiting for another process that compiles machine code")
            fcntl.flock(lock, fcntl.LOCK_EX)
        if (folder / _COMPLETE).exists():  # by then the other one has done it
            fcntl.flock(lock, fcntl.LOCK_UN)
            doing("loading machine code")
            yield
            return
        teller = threading.Thread(target=_tell, args=(doing, done), daemon=True)
        teller.start()
        try:
            yield
            (folder / _COMPLETE).touch()
        finally:
            done.set()
            teller.join()


def _tell(doing: Callable[[str], None], done: threading.Event) -> None:
    began = time.monotonic()
    while True:
        ready, seconds = sum(bool(function.signatures) for function in _functions), time.monotonic() - began
        doing(
            f"compiling machine code, once on this machine: {ready} functions of at most {len(_functions)} "
            f"after {seconds:.0f} s"
        )
        if done.wait(_TOLD_SECONDS):
            return

"""Background: work that others must not notice -> a thread that the kernel lets wait for all threads that answer."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

Result = TypeVar("Result")

NICE = 10  # added to the priority of the process: weighs a tenth of a thread that answers
LOWEST = 19


def in_background(work: Callable[[], Result], *, hurried: bool = False) -> Result:
    """Do something in a thread that gives way to all others, and wait for it.

    A thread that is only nice finishes its turn of some milliseconds before one that answers gets the core; an idle one
    gives way at once, and gets nothing while all cores are busy. The process keeps its own priority: whoever lowers
    that needs a privilege to raise it again. Threads that the work starts are like the one that does it.

    Args:
        work: is called without arguments.
        hurried: be nice instead of idle.

    Returns:
        What the work returns; what it raises is raised.
    """
    with ThreadPoolExecutor(1, "background", initializer=_be_nice if hurried else _be_idle) as pool:
        return pool.submit(work).result()


def _be_idle() -> None:
    with suppress(OSError):  # only on Linux does a thread have a priority of its own
        os.sched_setscheduler(threading.get_native_id(), os.SCHED_IDLE, os.sched_param(0))


def _be_nice() -> None:
    with suppress(OSError):
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, min(LOWEST, os.getpriority(os.PRIO_PROCESS, thread) + NICE))

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


def in_background(work: Callable[[], Result]) -> Result:
    """Do something in a thread of low priority, and wait for it.

    The process keeps its own priority: whoever lowers that needs a privilege to raise it again. Threads that the work
    starts are of low priority too.

    Args:
        work: is called without arguments.

    Returns:
        What the work returns; what it raises is raised.
    """
    with ThreadPoolExecutor(1, "background", initializer=_step_back) as pool:
        return pool.submit(work).result()


def _step_back() -> None:
    with suppress(OSError):  # only on Linux does a thread have a priority of its own
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, min(LOWEST, os.getpriority(os.PRIO_PROCESS, thread) + NICE))

"""Memory: what a release's layout has used and nobody needs any more, given back to the system.

Reading tables and taking apart what they hold takes more memory than what is kept of it, and neither the C library nor
Arrow gives it back by itself.
"""

import ctypes
import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

_lock = threading.Lock()
_layers = 0  # threads that lay something out at present


@contextmanager
def laying_out() -> Iterator[None]:
    """No collection in this process until what is laid out stands; in one that serves alone it stays from then on.

    A collection that looks through the millions of objects of a live state stops every answer for tenths of a second.
    A process that serves alone is told by the objects that it was forked with, which are frozen.
    """
    global _layers  # noqa: PLW0603: the collector is the process's, too
    with _lock:
        _layers += 1
        gc.disable()
    try:
        yield
    finally:
        with _lock:
            _layers -= 1
            if not _layers:
                if gc.get_freeze_count():
                    gc.freeze()
                gc.enable()
        _release()


def give_back() -> None:
    """Return unused memory of this process to the system, as far as the C library can."""
    gc.collect()
    _release()


def _release() -> None:
    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc alone has it
    if trim is not None:
        trim(0)

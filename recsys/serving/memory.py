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


class _Collector:
    """State of the collector of this process.

    Attributes:
        lock: of the others.
        layers: threads that lay something out at present.
        alone: whether this process serves and does nothing else.
    """

    def __init__(self) -> None:
        self.lock, self.layers, self.alone = threading.Lock(), 0, False


_collector = _Collector()


def serve_alone() -> None:
    """Let what is laid out stay for good from now on: this process serves, and does nothing else."""
    _collector.alone = True


@contextmanager
def laying_out() -> Iterator[None]:
    """No collection in this process until what is laid out stands; a process that serves alone never looks at it again.

    A collection that looks through the millions of objects of a live state stops every answer for tenths of a second.
    """
    with _collector.lock:
        _collector.layers += 1
        gc.disable()
    try:
        yield
    finally:
        with _collector.lock:
            _collector.layers -= 1
            if not _collector.layers:
                if _collector.alone:
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

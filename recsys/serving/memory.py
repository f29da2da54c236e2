"""Memory: what a release's layout has used and nobody needs any more, given back to the system.

Reading tables and taking apart what they hold takes more memory than what is kept of it, and neither the C library nor
Arrow gives it back by itself.
"""

import ctypes
import gc

import pyarrow as pa


def settle() -> None:
    """Tell the collector that what there is stays, and give back what is unused; for a process that serves alone.

    A collection that looks through the hundreds of thousands of objects of a live state stops every answer for a
    tenth of a second.
    """
    gc.freeze()
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

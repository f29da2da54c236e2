"""Compiled: a loop over events or candidates in Python -> machine code, by numba.

Compiled once per machine and version of the source, and kept in ``NUMBA_CACHE_DIR``, else beside the source, else in
the user's cache. Keeps the interpreter's lock: no thread sees half of another one's work, which is what lets answers be
made while events are counted. Floating point is strict: the same input gives the same bytes.
"""

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

import numba
from numba.core import config

Function = TypeVar("Function", bound=Callable[..., object])

_PACKAGE = Path(__file__).resolve().parent
_PREFIX = "compiled-"


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
    """Keep machine code of this source in a folder of its own, and remove that of older sources."""
    named = os.environ.get("NUMBA_CACHE_DIR")
    places = [Path(named)] if named else [_PACKAGE / "__pycache__", Path.home() / ".cache" / "recsys"]
    for place in places:
        current = place / (_PREFIX + _source())
        if _writable(current):
            config.CACHE_DIR = str(current)
            for old in place.glob(_PREFIX + "*"):
                if old != current:
                    shutil.rmtree(old, ignore_errors=True)
            return


_choose_cache()


def compiled(function: Function) -> Function:
    """Compile a function of numbers, arrays and named tuples of arrays at its first call."""
    return cast(Function, numba.njit(cache=True)(function))

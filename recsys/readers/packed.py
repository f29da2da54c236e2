"""Packed reader states: one compressed text of bytes instead of a dozen objects, for readers who are only remembered.

Fifty clicks and a hundred impressions take some 1 KB, a fifth of their arrays.
"""

import struct
import zlib

import numpy as np

from recsys.readers.config import MAX_IMPRESSIONS, ReadersConfig
from recsys.readers.state import ImpressionWindow, ReaderState

_HEAD = struct.Struct("<5i4x")  # clicks, dismissed, seen, impressions, bytes of the context or -1; 8-byte aligned
_LEVEL = 1  # of zlib: higher ones take longer and save nothing
_RAW = -zlib.MAX_WBITS  # neither head nor checksum: the bytes never leave this process
_MOSTLY = 4096  # bytes that a state mostly has
_LONG, _INT, _SHORT = (np.dtype(name).itemsize for name in (np.int64, np.int32, np.int16))


def pack(state: ReaderState) -> bytes:
    """Everything of a state but its bounds, which are the settings'."""
    window, context = state.impressions, state.context
    text = b"" if context is None else context.encode()
    sizes = len(state.clicks), len(state.dismissed), len(state.seen), len(window)
    parts = (
        _HEAD.pack(*sizes, -1 if context is None else len(text)),
        window.times.tobytes(),
        state.times.tobytes(),
        window.rows.tobytes(),
        state.clicks.tobytes(),
        state.seen.tobytes(),
        state.dismissed.tobytes(),
        window.positions.tobytes(),
        text,
    )
    return zlib.compress(b"".join(parts), _LEVEL, _RAW)


def unpack(packed: bytes, config: ReadersConfig) -> ReaderState:
    """The state that ``pack`` was given.

    Args:
        packed: of a state with the same bounds.
        config: holds the bounds.
    """
    raw = bytearray(
        zlib.decompress(packed, _RAW, _MOSTLY)
    )  # writable, like every other array that a kernel is compiled for
    clicks, dismissed, seen, shown, text = _HEAD.unpack_from(raw)
    longs = _HEAD.size
    ints = longs + _LONG * (shown + clicks)
    shorts = ints + _INT * (shown + clicks + seen + dismissed)
    end = shorts + _SHORT * shown
    times = np.frombuffer(raw, np.int64, shown + clicks, longs)
    rows = np.frombuffer(raw, np.int32, shown + clicks + seen + dismissed, ints)
    window = ImpressionWindow(MAX_IMPRESSIONS, rows[:shown], times[:shown], np.frombuffer(raw, np.int16, shown, shorts))
    return ReaderState(
        rows[shown : shown + clicks],
        times[shown:],
        rows[shown + clicks + seen :],
        rows[shown + clicks : shown + clicks + seen],
        config.max_history,
        window,
        None if text < 0 else raw[end : end + text].decode(),
    )

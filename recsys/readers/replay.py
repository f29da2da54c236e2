"""A reader's past in one call into machine code: their events -> which of them the reader's memory keeps.

Reads events as columns; produces places among them. The same as one event after the other, in a tenth of the time:
whoever is new to a worker waits for it.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.compiled import as_int64, compiled
from recsys.events import KINDS, UNDATED
from recsys.events.people import REPEAT_MS
from recsys.units import UNKNOWN_ROW

Array = npt.NDArray[Any]
Places = npt.NDArray[np.int64]

IMPRESSION, CLICK, DISMISS = (KINDS.index(kind) for kind in ("impression", "click", "dismiss"))
_SPREAD = 2_654_435_761  # Knuth's multiplier: neighbouring rows stand apart in a table


class Kept(NamedTuple):
    """The events of a reader that are kept.

    Attributes:
        clicks: int64 (c,), places of the last clicks that repeat none.
        window: int64 (w,), places of the last dated impressions and clicks.
        seen: int32 (s,), rows clicked or dismissed, each once.
        dismissed: int32 (d,), rows dismissed, each once.
    """

    clicks: Places
    window: Places
    seen: Array
    dismissed: Array


@compiled
def replayed(
    kinds: Array, rows: Array, times: Array, history: int, window: int, most: int
) -> tuple[Places, Places, Array, Array]:
    """The fields of ``Kept``.

    Args:
        kinds: int64 (n,), indexes into ``KINDS``.
        rows: int64 (n,), articles.
        times: int64 (n,), ms or UNDATED.
        history: clicks kept.
        window: impressions and clicks kept.
        most: rows kept as seen; of more the first half is forgotten.
    """
    n = len(kinds)
    size = 8
    while size < 2 * (min(n, most) + 1):
        size *= 2
    table = np.full(size, UNKNOWN_ROW, np.int64)
    seen, dismissed = np.empty(n, np.int32), np.empty(n, np.int32)
    clicks, looks = np.empty(n, np.int64), np.empty(n, np.int64)
    S, D, C, W, first = 0, 0, 0, 0, 0
    for place in range(n):
        kind, row, time = kinds[place], rows[place], times[place]
        known = _holds(table, row)
        if kind == CLICK and known:
            again = False
            for c in range(max(0, C - history), C):
                past = clicks[c]
                again = again or (rows[past] == row and abs(times[past] - time) < REPEAT_MS)
            if again:
                continue
        if kind in (IMPRESSION, CLICK) and time != UNDATED:
            looks[W] = place
            W += 1
        if kind == CLICK:
            clicks[C] = place
            C += 1
        elif kind != DISMISS:
            continue
        elif not _among(dismissed[:D], row):
            dismissed[D] = row
            D += 1
        if known:
            continue
        _take(table, row)
        seen[S] = row
        S += 1
        if S - first > most:
            first += max(1, most // 2)
            table[:] = UNKNOWN_ROW
            for s in range(first, S):
                _take(table, as_int64(seen[s]))
            left = 0
            for d in range(D):
                if _holds(table, as_int64(dismissed[d])):
                    dismissed[left] = dismissed[d]
                    left += 1
            D = left
    return clicks[max(0, C - history) : C], looks[max(0, W - window) : W], seen[first:S], dismissed[:D]


@compiled
def _place_of(table: Array, row: int) -> int:
    at = (row * _SPREAD) & (len(table) - 1)
    while table[at] != UNKNOWN_ROW and table[at] != row:
        at = (at + 1) & (len(table) - 1)
    return int(at)


@compiled
def _holds(table: Array, row: int) -> bool:
    return bool(table[_place_of(table, row)] == row)


@compiled
def _take(table: Array, row: int) -> None:
    table[_place_of(table, row)] = row


@compiled
def _among(rows: Array, row: int) -> bool:
    found = False
    for one in rows:
        found = found or one == row
    return found

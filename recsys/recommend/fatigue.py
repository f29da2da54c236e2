"""Fatigue: what a reader was shown often and has not opened makes room for others.

Reads a reader's window of impressions; produces rows. The window holds the last impressions alone, so that an article
that is still news comes back when others have filled it.
"""

from collections.abc import Sequence

import numpy as np

from recsys.compiled import compiled
from recsys.readers import ReaderState
from recsys.readers.state import CLICK_POSITION, Positions
from recsys.tags.index import Rows

TIRED_AFTER = 12  # impressions without a click, of a window of 300: with 4 the closed loop lost a 25th of its clicks


def tired_rows(states: Sequence[ReaderState]) -> Rows:
    """The rows that are left out for now: int32, each as often as a state says so.

    Args:
        states: of the reader and of their session, which know the same impressions.
    """
    found = [_often(state.impressions.rows, state.impressions.positions) for state in states]
    return np.concatenate(found) if found else np.empty(0, np.int32)


@compiled
def _often(rows: Rows, positions: Positions) -> Rows:
    """The rows that stand ``TIRED_AFTER`` times in a window, without a click of them."""
    often = np.empty(len(rows), np.int32)
    n = 0
    for p in range(len(rows)):
        shown, first, opened = 0, True, False
        for q in range(len(rows)):
            if rows[q] == rows[p]:
                first = first and q >= p
                opened = opened or positions[q] == CLICK_POSITION
                shown += positions[q] != CLICK_POSITION
        if first and shown >= TIRED_AFTER and not opened:
            often[n] = rows[p]
            n += 1
    return often[:n]

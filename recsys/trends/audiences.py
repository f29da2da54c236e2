"""Audiences: the mean vector of the readers who clicked an article, moved by each click.

Reads unit vectors of readers, as they were before their click; writes sums per live article, in the slot that holds its
co-visits, and over all articles. An audience does not fade: an article is gone before its readers change. A click of a
reader of whom nothing was known says nothing.

Source: Koren 2008, section 4 (implicit factors of those who rated), turned from a reader's articles to an article's
readers.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.compiled import compiled
from recsys.trends.state import TrendState
from recsys.units import UNKNOWN_ROW

Array = npt.NDArray[Any]


@compiled
def count_audience(state: TrendState, row: int, reader: Array) -> None:
    """Count a reader among those who clicked an article.

    Args:
        state: the stream; ``count_covisits`` has counted the click.
        row: the article.
        reader: float32 (D,), a unit vector.
    """
    slot = state.slot_of[row]
    if slot == UNKNOWN_ROW:
        return
    D = len(reader)
    for d in range(D):
        state.audience[slot, d] += reader[d]
        state.all_audience[d] += reader[d]
    state.audience_clicks[slot] += np.float32(1)
    state.all_audience[D] += 1.0


@compiled
def clear_audience(state: TrendState, slot: int) -> None:
    """Forget the audience of a slot that another article takes."""
    state.audience_clicks[slot] = np.float32(0)
    for d in range(state.audience.shape[1]):
        state.audience[slot, d] = np.float32(0)

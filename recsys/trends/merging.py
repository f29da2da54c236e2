"""Two streams of different events become one: counts at one landmark are added."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.compiled import compiled
from recsys.trends import NEVER
from recsys.trends.company import meet, slot
from recsys.trends.decay import settle_all
from recsys.trends.state import AHEAD, LANDMARK, LATE, NEWEST, UNKNOWN, USED, VALUES, State

Array = npt.NDArray[Any]


def merge_states(mine: State, theirs: State, codes: Sequence[Array]) -> None:
    """Add ``theirs`` to ``mine``; ``theirs`` keeps its counts, only its landmarks may move.

    Args:
        mine: changed in place.
        theirs: counts of other events on the same rows.
        codes: of each context attribute of the site: int64, my code of their codes 1, 2, …
    """
    if theirs.clock[LANDMARK] == NEVER:
        return
    if mine.clock[LANDMARK] == NEVER:
        mine.clock[LANDMARK] = theirs.clock[LANDMARK]
    landmark = int(max(mine.clock[LANDMARK], theirs.clock[LANDMARK]))
    for state in (mine, theirs):
        settle_all(state, landmark)
    for name in ("decayed", "all_decayed", "total", "all_total", "undated", "positions", "ages", "by_category"):
        getattr(mine, name)[...] += getattr(theirs, name)
    first = np.where(mine.first == NEVER, theirs.first, np.minimum(mine.first, theirs.first))
    mine.first[...] = np.where(theirs.first == NEVER, mine.first, first)
    np.maximum(mine.last, theirs.last, out=mine.last)
    mine.clock[NEWEST] = max(mine.clock[NEWEST], theirs.clock[NEWEST])
    for place in (LATE, AHEAD, UNKNOWN):
        mine.clock[place] += theirs.clock[place]
    recoded = np.tile(np.arange(VALUES), (theirs.all_lifts.shape[0], 1))
    for place, mapped in enumerate(codes):
        recoded[place, 1 : len(mapped) + 1] = mapped
    _add_company(mine, theirs, recoded)


@compiled
def _add_company(mine: State, theirs: State, recoded: Array) -> None:
    for c in range(len(recoded)):
        for v in range(VALUES):
            mine.all_lifts[c, recoded[c, v]] += theirs.all_lifts[c, v]
    for at in range(theirs.room[USED]):
        row = theirs.article_of[at]
        here = slot(mine, row, NEVER)
        for c in range(len(recoded)):
            for v in range(VALUES):
                mine.lifts[here, c, recoded[c, v]] += theirs.lifts[at, c, v]
        for m in range(theirs.neighbour.shape[1]):
            if theirs.neighbour[at, m] != NEVER:
                for column in (1, 0, 2):
                    meet(mine, here, theirs.neighbour[at, m], column, theirs.pairs[at, m, column])

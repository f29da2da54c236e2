"""Stories that a reader has read: whoever has read one article has read them all, but what came later is an update.

Reads the clicks of a reader and the stories of the catalogue; produces the rows that are over for them, and the
updates, each with the article that they read. Both must show a tag that the article read shows: a story that was joined
by mistake must hide nothing, nor call one thing an update on another. A story is followed up once: when an update was
shown there is no other, until one was opened and something comes after that.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.catalogue.columns import CatalogueColumns
from recsys.compiled import compiled
from recsys.events import UNDATED
from recsys.readers import ReaderState
from recsys.readers.state import CLICK_POSITION
from recsys.tags.index import Rows

Longs = npt.NDArray[np.int64]


class ReadStories(NamedTuple):
    """Stories that a reader has read.

    Attributes:
        over: int32, rows that they need not be shown.
        updates: rows that came after what they read -> the row that they read last of the story.
    """

    over: Rows
    updates: dict[int, int]

    def of_clicks(self, clicks: Sequence[Rows]) -> "ReadStories":
        """The same with the updates on some clicks alone."""
        rows = {row for part in clicks for row in part.tolist()}
        return self._replace(updates={update: read for update, read in self.updates.items() if read in rows})


_NOTHING = ReadStories(np.empty(0, np.int32), {})


def read_stories(states: Sequence[ReaderState], columns: CatalogueColumns, tags: Longs, now: int) -> ReadStories:
    """Find the stories of a reader's clicks.

    Args:
        states: of the reader and of their session.
        columns: of the catalogue.
        tags: int64 (A, T), ids of the tags that each article shows, 0 after the last one; (0, 0) where nobody knows.
        now: ms.
    """
    if not any(len(state.clicks) for state in states):
        return _NOTHING
    clicks = np.concatenate([state.clicks for state in states])
    times = np.concatenate([state.times for state in states])
    windows = [state.impressions for state in states]
    shown = np.concatenate([window.rows[window.positions != CLICK_POSITION] for window in windows])
    groups, grouped = columns.stories.at_once()
    over, fresh, read = _read_stories(clicks, times, shown, now, *groups, *grouped, columns.published, tags)
    return ReadStories(over, dict(zip(fresh.tolist(), read.tolist(), strict=True)))


@compiled
def _read_stories(
    clicks: Rows,
    times: Longs,
    shown: Rows,
    now: int,
    labels: Rows,
    sizes: Rows,
    grouped: Rows,
    leaders: Rows,
    published: Longs,
    tags: Longs,
) -> tuple[Rows, Rows, Rows]:
    """The rows of ``ReadStories``: those that are over, and the updates with the article read."""
    n, M, U = len(clicks), 0, 0
    most = 0  # rows of the stories read, each counted as often as it was clicked
    for p in range(n):
        most += sizes[labels[clicks[p]]]
    over, fresh, read = np.empty(most, np.int32), np.empty(most, np.int32), np.empty(most, np.int32)
    for p in range(n):
        label, moment = labels[clicks[p]], now if times[p] == UNDATED else times[p]
        last = sizes[label] > 1
        for q in range(n):
            if labels[clicks[q]] == label:
                other = now if times[q] == UNDATED else times[q]
                last = last and (other < moment or (other == moment and q <= p))
        if not last:
            continue
        began, was_shown = U, False
        for place in range(np.searchsorted(leaders, label), len(leaders)):
            if leaders[place] != label:
                break
            row = grouped[place]
            if row != clicks[p] and len(tags) and not _share(tags[row], tags[clicks[p]]):
                continue
            if published[row] <= moment:
                over[M] = row
                M += 1
                continue
            fresh[U], read[U] = row, clicks[p]
            U += 1
            for other_row in shown:
                was_shown = was_shown or other_row == row
        if was_shown:
            over[M : M + U - began] = fresh[began:U]
            M += U - began
            U = began
    return over[:M], fresh[:U], read[:U]


@compiled
def _share(one: Longs, other: Longs) -> bool:
    """True where two articles show one tag; 0 stands after the last one."""
    for tag in one:
        for another in other:
            if tag != 0 and tag == another:
                return True
    return False

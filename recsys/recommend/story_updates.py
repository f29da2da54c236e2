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
from recsys.events import UNDATED
from recsys.readers import ReaderState
from recsys.readers.state import CLICK_POSITION
from recsys.tags.index import Rows


class ReadStories(NamedTuple):
    """Stories that a reader has read.

    Attributes:
        over: int32, rows that they need not be shown.
        updates: rows that came after what they read -> the row that they read last of the story.
    """

    over: Rows
    updates: dict[int, int]


_NOTHING = ReadStories(np.empty(0, np.int32), {})


def read_stories(
    states: Sequence[ReaderState], columns: CatalogueColumns, tags: npt.NDArray[np.int64] | None, now: int
) -> ReadStories:
    """Find the stories of a reader's clicks.

    Args:
        states: of the reader and of their session.
        columns: of the catalogue.
        tags: int64 (A, T), ids of the tags that each article shows, 0 after the last one; None where nobody knows.
        now: ms.
    """
    if not any(len(state.clicks) for state in states):
        return _NOTHING
    clicks = np.concatenate([state.clicks for state in states])
    labels = columns.stories.labels[clicks]
    several = np.flatnonzero(columns.stories.with_several(labels))
    if not len(several):
        return _NOTHING
    times = np.concatenate([state.times for state in states])
    times = np.where(times == UNDATED, now, times)
    windows = [state.impressions for state in states]
    shown = {row for window in windows for row in window.rows[window.positions != CLICK_POSITION].tolist()}
    over: list[Rows] = []
    updates: dict[int, int] = {}
    for label in np.unique(labels[several]).tolist():
        of_story = several[labels[several] == label]
        last = of_story[np.argmax(times[of_story])]
        members = columns.stories.members(label)
        if tags is not None:
            shared = tags[clicks[last]]
            members = members[np.isin(tags[members], shared[shared != 0]).any(axis=1)]
        late = columns.published[members] > times[last]
        fresh = members[late].tolist()
        if any(row in shown for row in fresh):
            fresh = []
        over.append(members[~late] if fresh else members)
        updates |= dict.fromkeys(fresh, int(clicks[last]))
    return ReadStories(np.concatenate(over), updates)

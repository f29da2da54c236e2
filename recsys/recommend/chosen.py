"""Tags that a reader weakened or removed, and the clicks that still speak for them.

Reads a reader's clicks, the tags of their articles and what the reader chose; produces the same reader without the
clicks that no longer count. Of the clicks on articles that show a tag that was removed none counts; of a weakened one
as many as its weight says: at one half every second one, beginning with the second newest. What they have seen stays
seen. Their articles leave the window of impressions with them: shown and opened is not shown and passed over.
"""

import math
from collections.abc import Mapping

import numpy as np

from recsys.catalogue.catalogue import Catalogue
from recsys.readers import ReaderState
from recsys.store import TagChoice
from recsys.tags import fold


def as_chosen(state: ReaderState, catalogue: Catalogue, chosen: Mapping[str, TagChoice]) -> ReaderState:
    """The reader as their choices leave them.

    Args:
        state: of the reader or of a session of theirs.
        catalogue: whose rows it names.
        chosen: folded tag -> the choice.
    """
    if not chosen:
        return state
    clicks, window = state.clicks.tolist(), state.impressions
    rows = dict.fromkeys([*clicks, *window.rows.tolist()])
    deciding = {row: tag for row in rows if (tag := _deciding(catalogue, row, chosen)) is not None}
    if not deciding:
        return state
    kept = np.array(_kept(clicks, deciding, chosen), np.bool_)
    left = state.copied()
    left.clicks, left.times = state.clicks[kept], state.times[kept]
    lost = {*clicks} - {*left.clicks.tolist()}
    gone = [row for row, tag in deciding.items() if row in lost or chosen[tag].weight == 0]
    told = ~np.isin(window.rows, gone)
    left.impressions.rows, left.impressions.times = window.rows[told], window.times[told]
    left.impressions.positions = window.positions[told]
    if len(clicks) and not kept[-1]:
        left.context = None
    return left


def _deciding(catalogue: Catalogue, row: int, chosen: Mapping[str, TagChoice]) -> str | None:
    """The tag of an article that the reader wants least of, as it is folded; None of one that shows none of them."""
    article = catalogue.articles[row]
    if article is None:
        return None
    shown = {fold(tag.name) for tag in article.tags.bar} | article.wholes
    named = [tag for tag in chosen if tag in shown]
    return min(named, key=lambda tag: (chosen[tag].weight, tag)) if named else None


def _kept(clicks: list[int], deciding: Mapping[int, str], chosen: Mapping[str, TagChoice]) -> list[bool]:
    """For each click whether it still counts."""
    kept = [True] * len(clicks)
    counted: dict[str, int] = {}
    for place in range(len(clicks) - 1, -1, -1):
        tag = deciding.get(clicks[place])
        if tag is not None:
            before, weight = counted.get(tag, 0), chosen[tag].weight
            kept[place] = _share(before + 1, weight) > _share(before, weight)
            counted[tag] = before + 1
    return kept


def _share(clicks: int, weight: float) -> int:
    """Number of clicks that count, of so many."""
    return math.ceil(clicks * weight - 0.5)

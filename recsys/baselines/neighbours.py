"""Bounded lists of neighbours: for each article the ones that were clicked with it, with weights that may fade.

Weights fade by forward decay: what is added at time t is multiplied by 2^((t - landmark) / half-life), so nothing that
is stored ever has to be touched. A new neighbour takes the place of the lightest one once a list is full.

Source: Cormode, Shkapenyuk, Srivastava and Xu 2009 (forward decay).
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.baselines.clicks import Rows
from recsys.compiled import compiled
from recsys.dataset.impressions import Longs
from recsys.events.visits import ClickTable, visit_ends
from recsys.units import HOUR_MS

Doubles = npt.NDArray[np.float64]

FREE = -1
HALVINGS = 500.0  # after which the landmark moves: a float holds twice as many


class Neighbours(NamedTuple):
    """Lists of neighbours of A articles, each as long as it can get, at most K.

    Attributes:
        offsets: int64 (A + 1,): the list of article a stands at offsets[a]:offsets[a + 1].
        article: int32 (P,), article rows, FREE for an empty place; the empty ones stand last in a list.
        weight: float64 (P,), times 2^((now - landmark) / half-life).
        clicks: float64 (A,), decayed clicks, on the same scale.
        clock: float64 (2,): landmark in ms, halvings per ms.
    """

    offsets: Longs
    article: Rows
    weight: Doubles
    clicks: Doubles
    clock: Doubles


def empty_neighbours(
    clicks: ClickTable, n_articles: int, session_clicks: int, most: int, half_life_hours: float
) -> Neighbours:
    """Empty lists.

    Args:
        clicks: the clicks; how often an article is clicked with others bounds its list.
        n_articles: A.
        session_clicks: clicks before and after a click that become its neighbours, at most.
        most: K; memory is 12 bytes × at most K × clicked articles.
        half_life_hours: inf for weights that never fade.
    """
    place = np.arange(len(clicks.article))
    before, after = place - clicks.visit_start, visit_ends(clicks) - 1 - place
    met = np.minimum(before, session_clicks) + np.minimum(after, session_clicks)
    room = np.minimum(np.bincount(clicks.article, met, n_articles), most)
    offsets = np.append(0, np.cumsum(room)).astype(np.int64)
    start = clicks.time[clicks.order[0]] if len(clicks.order) else 0
    return Neighbours(
        offsets,
        np.full(offsets[-1], FREE, np.int32),
        np.zeros(offsets[-1]),
        np.zeros(n_articles),
        np.array([start, 1.0 / (half_life_hours * HOUR_MS)]),
    )


@compiled
def growth(lists: Neighbours, time: int) -> float:
    """Stored size of a weight of 1 at ``time``; moves the landmark when that becomes too large a number."""
    halvings = (time - lists.clock[0]) * lists.clock[1]
    if halvings > HALVINGS:
        fade = 2.0**-halvings
        for k in range(len(lists.weight)):
            lists.weight[k] *= fade
        for row in range(len(lists.clicks)):
            lists.clicks[row] *= fade
        lists.clock[0] = time
        halvings = 0.0
    return float(2.0**halvings)


@compiled
def add(lists: Neighbours, row: int, other: int, weight: float) -> None:
    """Add to the weight of ``other`` in the list of ``row``; ``weight`` is already times ``growth``."""
    first, last = lists.offsets[row], lists.offsets[row + 1]
    lightest = first
    for k in range(first, last):
        if lists.article[k] == other:
            lists.weight[k] += weight
            return
        if lists.article[k] == FREE:
            lists.article[k], lists.weight[k] = other, weight
            return
        if lists.weight[k] < lists.weight[lightest]:
            lightest = k
    if lists.weight[lightest] <= weight:
        lists.article[lightest], lists.weight[lightest] = other, weight


@compiled
def spread(lists: Neighbours, row: int, share: float, scores: Doubles) -> None:
    """Add the weights of a list, times ``share``, to ``scores``: float64 (A,)."""
    for k in range(lists.offsets[row], lists.offsets[row + 1]):
        if lists.article[k] == FREE:
            break
        scores[lists.article[k]] += share * lists.weight[k]


@compiled
def unspread(lists: Neighbours, row: int, scores: Doubles) -> None:
    """Set what ``spread`` changed back to 0."""
    for k in range(lists.offsets[row], lists.offsets[row + 1]):
        if lists.article[k] == FREE:
            break
        scores[lists.article[k]] = 0.0


@compiled
def comes_again(article: Rows, place: int, last: int) -> bool:
    """True where the article at ``place`` stands once more before ``last``."""
    later = place + 1
    while later < last and article[later] != article[place]:
        later += 1
    return later < last

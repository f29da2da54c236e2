"""What is clicked after what: one article's inside vector against another's outside, both ways.

Reads ``OnlineItems`` and a visit's clicks; produces a number per candidate. The unit vectors say what is alike; this
says what follows, and guesses the next click better: the product that skip-gram learns is the one of the two tables.

Source: Mikolov et al. 2013, section 2 (the product of the two tables is what is learned).
"""

import numpy as np

from recsys.compiled import compiled
from recsys.items import Vectors
from recsys.items.online import TINY, OnlineItems, Rows

REMEMBERED = 10  # clicks of a visit that say where it heads; at a half-life of one the eleventh counts a thousandth


@compiled
def direction(items: OnlineItems, company: Rows, half_life: float) -> Vectors:
    """Where a visit is heading: what ``affinity`` compares articles with.

    Args:
        items: the vectors as they are now.
        company: int32 (n,), the rows clicked in this visit, newest last.
        half_life: clicks after which an older click counts half.

    Returns:
        float32 (2, D), the decayed means of the clicked rows' unit outside and inside vectors, each of length 1; NaN
        when nothing is known of any of them.
    """
    mean = np.zeros((2, items.inside.shape[1]), np.float32)
    n, known = len(company), False
    for back in range(min(n, REMEMBERED)):
        row = company[n - 1 - back]
        if not np.isnan(items.vectors[row, 0]):
            weight = 0.5 ** (back / half_life)
            _add_unit(mean[0], items.outside[row], weight)
            _add_unit(mean[1], items.inside[row], weight)
            known = True
    if not known:
        mean[:] = np.nan
        return mean
    for side in range(2):
        mean[side] /= max(TINY, np.sqrt((mean[side] * mean[side]).sum()))
    return mean


@compiled
def affinity(items: OnlineItems, heading: Vectors, row: int) -> float:
    """How well an article follows what a visit has clicked.

    Args:
        items: the vectors as they are now.
        heading: float32 (2, D), see ``direction``.
        row: the article.

    Returns:
        The mean of two cosines: of its inside vector with the visit's outside and the other way round, in [-1, 1]; NaN
        where the article or the visit is unknown.
    """
    if np.isnan(items.vectors[row, 0]):
        return np.nan
    inside, outside = items.inside[row], items.outside[row]
    one, two, length, width = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
    for d in range(len(inside)):
        one += inside[d] * heading[0, d]
        two += outside[d] * heading[1, d]
        length += inside[d] * inside[d]
        width += outside[d] * outside[d]
    return float(one / max(TINY, np.sqrt(length)) + two / max(TINY, np.sqrt(width))) / 2


@compiled
def _add_unit(total: Vectors, vector: Vectors, weight: float) -> None:
    length = max(TINY, np.sqrt((vector * vector).sum()))
    for d in range(len(vector)):
        total[d] += np.float32(weight) * vector[d] / length

"""Next-item score: one article's input embedding against another's output embedding, both ways.

Reads ``OnlineItems`` and a visit's clicks; produces a number per candidate. The unit vectors say what is alike; this
says what follows, and guesses the next click better: the product that skip-gram learns is the one of the two tables.

Source: Mikolov et al. 2013, section 2 (the product of the two tables is what is learned).
"""

import numpy as np

from recsys.compiled import compiled
from recsys.items import Vectors
from recsys.items.online import TINY, OnlineItems, Rows

SESSION_CLICKS = (
    10  # of a visit that its session vectors are made of; at a half-life of one the next counts a thousandth
)


@compiled
def session_vectors(items: OnlineItems, clicked: Rows, half_life: float) -> Vectors:
    """Session vectors: a visit's clicks as ``next_item_score`` compares articles with them.

    Args:
        items: the vectors as they are now.
        clicked: int32 (n,), the rows clicked in this visit, newest last.
        half_life: clicks after which an older click counts half.

    Returns:
        float32 (2, D), the decayed means of the clicked rows' unit output and input embeddings, each of length 1; NaN
        when nothing is known of any of them.
    """
    means = np.zeros((2, items.input_embeddings.shape[1]), np.float32)
    n, any_known = len(clicked), False
    for back in range(min(n, SESSION_CLICKS)):
        row = clicked[n - 1 - back]
        if not np.isnan(items.vectors[row, 0]):
            weight = 0.5 ** (back / half_life)
            _add_unit(means[0], items.output_embeddings[row], weight)
            _add_unit(means[1], items.input_embeddings[row], weight)
            any_known = True
    if not any_known:
        means[:] = np.nan
        return means
    for side in range(2):
        means[side] /= max(TINY, np.sqrt((means[side] * means[side]).sum()))
    return means


@compiled
def next_item_score(items: OnlineItems, session: Vectors, row: int) -> float:
    """Next-item score of an article after a visit's clicks.

    Args:
        items: the vectors as they are now.
        session: float32 (2, D), see ``session_vectors``.
        row: the article.

    Returns:
        The mean of two cosines: of its input embedding with the visit's output side and the other way round, in
        [-1, 1]; NaN where the article or the visit is unknown.
    """
    if np.isnan(items.vectors[row, 0]):
        return np.nan
    first, second = items.input_embeddings[row], items.output_embeddings[row]
    first_dot, second_dot, first_square, second_square = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
    for d in range(len(first)):  # one pass over both tables: this is called for every candidate
        first_dot += first[d] * session[0, d]
        second_dot += second[d] * session[1, d]
        first_square += first[d] * first[d]
        second_square += second[d] * second[d]
    return float(first_dot / max(TINY, np.sqrt(first_square)) + second_dot / max(TINY, np.sqrt(second_square))) / 2


@compiled
def _add_unit(total: Vectors, vector: Vectors, weight: float) -> None:
    length = max(TINY, np.sqrt((vector * vector).sum()))
    for d in range(len(vector)):
        total[d] += np.float32(weight) * vector[d] / length

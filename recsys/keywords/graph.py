"""TextRank between phrases: each votes for those that it is like, however far apart they stand in the text.

Works on stacks of articles with equally many phrases, so that a batch costs a few matrix products; a stack of one gives
the same bytes. What makes the votes count (docs/design.md): they go from phrase to phrase instead of word to word, and
phrases that share a word cast none for each other, since those would only tell again how often the word stands there.
Source: Mihalcea & Tarau 2004, "TextRank", section 2, with edges by embedding cosine; Florescu & Caragea 2017,
"PositionRank", section 3 (where the restarts go).
"""

import math

import numpy as np
import numpy.typing as npt

from recsys.errors import DegenerateInput

Matrix = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

TOLERANCE = 1e-5  # share of all votes that may still be on its way when the iteration ends


def phrase_scores(
    vectors: Matrix, start: Matrix, apart: Mask, *, damping: float = 0.5, voters: float = 0, top_edges: int = 0
) -> Matrix:
    """Rank the phrases of texts by the votes that they give each other.

    Args:
        vectors: float32 (B, N, D), unit rows, one per phrase; a row of zeros neither gives nor gets votes.
        start: float32 (B, N), non-negative, each row sums to 1: where a vote goes when it is not passed on.
        apart: bool (B, N, N), pairs that may vote for each other; symmetric.
        damping: share of each vote that follows an edge, in [0, 1).
        voters: phrases of a text at which half of the damping is reached; 0: always all of it.
        top_edges: edges kept per phrase, the strongest; 0 keeps all.

    Returns:
        float32 (B, N), each row sums to 1.

    Raises:
        DegenerateInput: a vector is not finite.
    """
    if not np.isfinite(vectors).all():
        raise DegenerateInput("finite vectors of phrases", "NaN or infinity", "Run: python -m jobs words --fresh")
    if not damping:
        return start
    steps = vote_shares(vectors, start, apart, top_edges)
    phrases = (start > 0).sum(axis=1, keepdims=True)  # the others are padding
    passed = (damping * phrases / np.maximum(phrases + voters, 1)).astype(np.float32)
    passing = passed * steps.any(axis=2)  # a phrase without edges passes all its votes back
    steps *= passed[:, :, None]
    scores = start
    for _ in range(math.ceil(math.log(TOLERANCE) / math.log(damping))):  # of any text: the same in any batch
        back = 1 - (scores * passing).sum(axis=1, keepdims=True)
        scores = (scores[:, None, :] @ steps)[:, 0, :] + back * start
    shares: Matrix = scores / scores.sum(axis=1, keepdims=True)
    return shares


def vote_shares(vectors: Matrix, start: Matrix, apart: Mask, top_edges: int) -> Matrix:
    """Who votes for whom: by cosine, and the more the weightier the receiver is in ``start``.

    An edge stays when it is among the strongest of either end: kept by one end only, the edges lead to a few rare
    phrases that are everybody's neighbour.

    Args:
        vectors: float32 (B, N, D), unit rows.
        start: float32 (B, N), the weight of each phrase.
        apart: bool (B, N, N), pairs that may vote for each other.
        top_edges: edges kept per phrase; 0 keeps all.

    Returns:
        float32 (B, N, N), row i: the shares of phrase i's vote; a row sums to 1, or to 0 when nothing is like phrase i.
    """
    votes = np.maximum(vectors @ vectors.transpose(0, 2, 1), 0) * apart
    size = votes.shape[2]
    if 0 < top_edges < size:
        weakest = np.partition(votes, size - top_edges, axis=2)[:, :, size - top_edges, None]
        votes *= votes >= np.minimum(weakest, weakest.transpose(0, 2, 1))
    votes *= start[:, None, :]
    total = votes.sum(axis=2, keepdims=True)
    shares: Matrix = np.divide(votes, total, out=votes, where=total > 0)
    return shares

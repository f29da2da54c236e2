"""Tags of articles as hashed ids with weights, and what candidates share of those that a reader clicked.

Writes the columns of the group "tags" for each of B candidates.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.compiled import compiled
from recsys.features import COLUMN

Array = npt.NDArray[Any]

MAX_TAGGED = 20  # clicks whose tags are looked at: later ones weigh too little
SPARSE = 4  # places of the table per tag that may be in it
MATCH, KNOWN = COLUMN["tag_match"], COLUMN["tag_known"]


class ArticleTags(NamedTuple):
    """The tags of A articles, at most K each.

    Attributes:
        ids: int64 (A, K), hashed, each once; 0 after the last one.
        weights: float32 (A, K), unit rows where there is a tag.
    """

    ids: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float32]

    @classmethod
    def empty(cls, n_articles: int, per_article: int) -> "ArticleTags":
        """Articles without tags."""
        shape = (n_articles, per_article)
        return cls(np.zeros(shape, np.int64), np.zeros(shape, np.float32))

    def put(self, row: int, tags: dict[int, float]) -> None:
        """Say what an article is about, instead of what was said before.

        Args:
            row: article row.
            tags: id -> weight, heaviest first; those without a weight above 0 and those after the first K say nothing.
        """
        told = [(tag, weight) for tag, weight in tags.items() if weight > 0][: self.ids.shape[1]]
        weights = np.array([weight for _, weight in told], np.float64)
        self.ids[row], self.weights[row] = 0, 0
        self.ids[row, : len(told)] = [tag for tag, _ in told]
        self.weights[row, : len(told)] = weights / np.sqrt((weights**2).sum() or 1.0)


@compiled
def tag_matches(tags: Array, weights: Array, half_life: float, clicks: Array, rows: Array, out: Array) -> None:
    """Write the cosine of each candidate's tags with those of the clicks, which fade like the reader vector.

    Args:
        tags: int64 (A, K), see ``ArticleTags``.
        weights: float32 (A, K).
        half_life: clicks.
        clicks: int32 (n,), rows clicked, oldest first.
        rows: int32 (B,), candidates.
        out: float32 (B, F), filled where both have tags.
    """
    K, n = tags.shape[1], len(clicks)
    if not K:
        return
    size = 1
    while size < SPARSE * MAX_TAGGED * K:
        size *= 2
    keys, sums = np.zeros(size, np.int64), np.zeros(size)
    weight, fade = 1.0, 0.5 ** (1.0 / half_life)
    for p in range(n - 1, max(0, n - MAX_TAGGED) - 1, -1):
        if not tags[clicks[p], 0]:
            continue
        for k in range(K):
            tag = tags[clicks[p], k]
            if not tag:
                break
            at = _place(keys, tag)
            keys[at] = tag
            sums[at] += weight * weights[clicks[p], k]
        weight *= fade
    norm = np.sqrt((sums * sums).sum())
    if norm <= 0:
        return
    for b in range(len(rows)):
        if not tags[rows[b], 0]:
            continue
        shared = 0.0
        for k in range(K):
            tag = tags[rows[b], k]
            if not tag:
                break
            shared += weights[rows[b], k] * sums[_place(keys, tag)]
        out[b, MATCH] = shared / norm
        out[b, KNOWN] = 1.0


@compiled
def _place(keys: Array, tag: int) -> int:
    """Place of a tag in an open-addressed table, or the free place at which it would stand."""
    at = tag & (len(keys) - 1)
    while keys[at] != 0 and keys[at] != tag:
        at = (at + 1) & (len(keys) - 1)
    return int(at)


@compiled
def share_a_tag(tags: Array, rows: Array, others: Array) -> Array:
    """True for articles that have a tag in common with another one.

    Args:
        tags: int64 (A, K), see ``ArticleTags``.
        rows: int (N,), articles.
        others: int (N,), of each the other one.

    Returns:
        bool (N,).
    """
    shared = np.zeros(len(rows), np.bool_)
    for n in range(len(rows)):
        one, other = tags[rows[n]], tags[others[n]]
        for tag in one:
            if not tag:
                break
            for another in other:
                if not another or shared[n]:
                    break
                shared[n] = tag == another
    return shared

"""Figures of a clustering and of scored pairs: B-cubed, pairs of articles, AUC. Knows no method.

Source: Bagga & Baldwin 1998, "Entity-based cross-document coreferencing using the vector space model" (B-cubed).
"""

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

PRECISE = 0.95  # B-cubed precision that a reader's list needs: a wrong join hides an article


class Agreement(NamedTuple):
    """Precision, recall and F1."""

    precision: float
    recall: float
    f1: float


def b_cubed(stories: Sequence[Hashable], clusters: Sequence[Hashable]) -> Agreement:
    """Agreement of the clusters with the true stories, averaged over articles.

    Args:
        stories: true story of each article.
        clusters: the cluster that each was put in.
    """
    return _agreement(*_shares(stories, clusters))


def pairwise(stories: Sequence[Hashable], clusters: Sequence[Hashable]) -> Agreement:
    """Agreement of the pairs of articles that stand in one cluster with those of one story."""
    both = Counter(zip(stories, clusters, strict=True))
    joint, true, put = (sum(n * (n - 1) for n in c.values()) for c in (both, Counter(stories), Counter(clusters)))
    return _agreement(joint / put if put else 1.0, joint / true if true else 1.0)


def _shares(stories: Sequence[Hashable], clusters: Sequence[Hashable]) -> tuple[float, float]:
    both = Counter(zip(stories, clusters, strict=True))
    of_story, of_cluster, n = Counter(stories), Counter(clusters), len(stories)
    precision = sum(count * count / of_cluster[cluster] for (_, cluster), count in both.items()) / n
    recall = sum(count * count / of_story[story] for (story, _), count in both.items()) / n
    return precision, recall


def _agreement(precision: float, recall: float) -> Agreement:
    total = precision + recall
    return Agreement(precision, recall, 2 * precision * recall / total if total else 0.0)


def auc(scores: npt.NDArray[np.float64], same: npt.NDArray[np.bool_]) -> float:
    """Chance that a pair of one topic scores above a pair of two; ties count half.

    Args:
        scores: float64 (P,).
        same: bool (P,).

    Returns:
        NaN where all pairs are of one kind.
    """
    if same.all() or not same.any():
        return float("nan")
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    positives = int(same.sum())
    above = ranks[same].sum() - positives * (positives + 1) / 2
    return float(above / (positives * (len(same) - positives)))


def best_f1(scores: npt.NDArray[np.float64], same: npt.NDArray[np.bool_]) -> float:
    """F1 of the best threshold of these scores: an upper bound, for all methods alike."""
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(same[order])
    last = np.append(np.diff(scores[order]) != 0, True)  # a threshold lies between two different scores
    f1 = 2 * hits / (np.arange(1, len(scores) + 1) + max(1, int(same.sum())))
    return float(f1[last].max(initial=0.0))

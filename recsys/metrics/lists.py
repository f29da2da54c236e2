"""Ranking figures: labels and scores of shown lists -> how well each list is ordered.

Source: Wu et al. 2020 (MIND): AUC, MRR, nDCG@5 and nDCG@10 of each impression, averaged over impressions.
"""

import numpy as np

from recsys.metrics.checks import Array, check_scores

RANKING_FIGURES = ("auc", "mrr", "ndcg@5", "ndcg@10")


def figures_per_impression(label: Array, score: Array, impression: Array, *, seed: int = 0) -> dict[str, Array]:
    """Figures of each impression that holds both labels.

    Equal scores are ordered at random by ``seed``, so that a model gains nothing from the order in which candidates are
    stored; in the AUC a tie counts one half.

    Args:
        label: int (N,), 1 = clicked, 0 = not.
        score: float (N,), higher = more likely.
        impression: int (N,), equal within an impression.
        seed: of the order of equal scores.

    Returns:
        "impression", int (I,), rising, and float64 (I,) each: "auc", "mrr" (mean over the clicked ones of 1 / rank),
        "ndcg@5", "ndcg@10".

    Raises:
        DegenerateInput: arrays of different lengths, a score that is NaN, or another label.
    """
    check_scores(label, score, impression)
    tie = np.random.default_rng(seed).permutation(len(label))
    order = np.lexsort((tie, -score, impression))
    label, score = label[order].astype(np.float64), score[order]
    ids, number, start, size = _groups(impression[order])
    place = np.arange(len(label)) - start[number]  # 0 = shown first
    clicked = np.bincount(number, label, len(start))
    both = (clicked > 0) & (clicked < size)
    if not both.any():
        return {"impression": ids[:0]} | {name: np.empty(0) for name in RANKING_FIGURES}
    figures = {
        "auc": auc_of_groups(label, score, number, clicked, size),
        "mrr": np.bincount(number, label / (place + 1), len(start)) / np.maximum(clicked, 1),
        "ndcg@5": _ndcg(label, place, number, clicked, 5),
        "ndcg@10": _ndcg(label, place, number, clicked, 10),
    }
    return {"impression": ids[both]} | {name: values[both] for name, values in figures.items()}


def impression_metrics(label: Array, score: Array, impression: Array, *, seed: int = 0) -> dict[str, float]:
    """Mean figures of the impressions that hold both labels.

    Args:
        label: see ``figures_per_impression``, like all that follow.
        score: higher = more likely.
        impression: equal within an impression.
        seed: of the order of equal scores.

    Returns:
        "auc", "mrr", "ndcg@5", "ndcg@10", and "impressions", how many counted; the figures are NaN when none does.

    Raises:
        DegenerateInput: arrays of different lengths, a score that is NaN, or another label.
    """
    figures = figures_per_impression(label, score, impression, seed=seed)
    counted = len(figures.pop("impression"))
    means = {name: float(values.mean()) if counted else float("nan") for name, values in figures.items()}
    return means | {"impressions": counted}


def _groups(sorted_ids: Array) -> tuple[Array, Array, Array, Array]:
    """Identifiers of the groups, number of each row's group, and each group's start and size."""
    ids, start, number, size = np.unique(sorted_ids, return_index=True, return_inverse=True, return_counts=True)
    return ids, number, start, size


def auc_of_groups(label: Array, score: Array, number: Array, clicked: Array, size: Array) -> Array:
    """Share of (clicked, not clicked) pairs in the right order, a tie one half: by mean ranks (Mann and Whitney)."""
    new = np.append(True, (np.diff(score) != 0) | (np.diff(number) != 0))
    tied = np.cumsum(new) - 1  # rows of equal score in one impression share a number
    rank = np.arange(len(score), dtype=np.float64)
    mean_rank = (np.bincount(tied, rank) / np.bincount(tied))[tied]
    last = np.cumsum(size) - 1
    below = np.bincount(number, label * (last[number] - mean_rank), len(size))  # rows ranked below each clicked one
    pairs = np.maximum(clicked * (size - clicked), 1)
    return np.asarray((below - clicked * (clicked - 1) / 2) / pairs)


def _ndcg(label: Array, place: Array, number: Array, clicked: Array, k: int) -> Array:
    """Discounted gain of the first k, relative to the best possible."""
    discount = 1.0 / np.log2(np.arange(k) + 2.0)
    gain = np.where(place < k, label * discount[np.minimum(place, k - 1)], 0.0)
    best = np.append(0.0, np.cumsum(discount))[np.minimum(clicked, k).astype(np.int64)]
    return np.asarray(np.bincount(number, gain, len(clicked)) / np.maximum(best, 1e-12))

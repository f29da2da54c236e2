"""Figures of whole lists beside their clicks: how different the articles of a list are, and whom they fit.

Reads lists as rows of articles; produces one number each, averaged over lists. None of them knows a model.

Source: Ziegler et al. 2005 (intra-list similarity); Steck 2018, "Calibrated recommendations", equations 5 and 6.
"""

import numpy as np
import numpy.typing as npt

Lists = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]

SMOOTHING = 0.01  # share of the wanted mixture in that of a list, so that a missing category costs no infinity (Steck)


def intra_list_diversity(lists: Lists, vectors: npt.NDArray[np.float32]) -> float:
    """Mean distance, 1 - cosine, of the pairs of articles in a list; NaN where no list has a pair that is known.

    Args:
        lists: int (I, K), rows; -1 where a list is shorter.
        vectors: float32 (A, D), unit or NaN rows.
    """
    means = []
    for rows in lists:
        known = vectors[rows[rows >= 0]]
        known = known[np.isfinite(known).all(axis=1)].astype(np.float64)
        n = len(known)
        if n > 1:
            cosines = known @ known.T
            means.append(1.0 - (cosines.sum() - np.trace(cosines)) / (n * (n - 1)))
    return float(np.mean(means)) if means else float("nan")


def mixtures(lists: Lists, category: npt.NDArray[np.int64], n_categories: int) -> Doubles:
    """The shares of the categories in each list: float64 (I, C); all 0 where a list has no article of any.

    Args:
        lists: int (I, K), rows; -1 where a list is shorter.
        category: int (A,), codes; -1 for none, which counts nowhere.
        n_categories: C.
    """
    codes = np.where(lists >= 0, category[lists], -1)
    counts = np.stack([(codes == code).sum(axis=1) for code in range(n_categories)], axis=1).astype(np.float64)
    return np.asarray(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1.0))


def topic_entropy(shares: Doubles) -> float:
    """Mean entropy of the categories in a list, in bits: 0 for lists of one category each; shares float64 (I, C)."""
    logs = np.log2(shares, out=np.zeros_like(shares), where=shares > 0)
    return float(-(shares * logs).sum(axis=1).mean())


def miscalibration(wanted: Doubles, shares: Doubles) -> float:
    """Mean Kullback-Leibler divergence, in nats, of the lists' categories from those that their readers want.

    Args:
        wanted: float64 (I, C), rows sum to 1.
        shares: float64 (I, C), of the lists.
    """
    smoothed = (1 - SMOOTHING) * shares + SMOOTHING * wanted
    ratio = np.divide(wanted, smoothed, out=np.ones_like(wanted), where=wanted > 0)
    return float((wanted * np.log(ratio)).sum(axis=1).mean())


def coverage(lists: Lists, n_articles: int) -> float:
    """Share of all articles that stand in any list."""
    return len(np.unique(lists[lists >= 0])) / n_articles if n_articles else float("nan")

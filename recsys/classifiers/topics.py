"""Topics: labels for a site without any categories, found by clustering and named by keywords.

Reads article vectors and keywords of one language; produces clusters with names, which classify as categories do.
A topic's name is the three keywords that say most about it: heavy in its articles, light in the others'.
Source: Dhillon & Modha 2001 (k-means by cosine); Arthur & Vassilvitskii 2007 (where it begins); Grootendorst 2022,
"BERTopic", section 3.3 (TF-IDF with clusters as documents).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recsys.classifiers import EncodedDocuments, LabelRows
from recsys.words import Matrix, unit_rows
from recsys.workspace import load_npy, read_json, save_npy, write_json

_ARTICLES_A_TOPIC = 25  # at least, in the mean: fewer are an event, not a topic
_SAMPLE = 20_000  # articles that are clustered; of a larger site they say as much as all
_STARTS = 4  # of k-means, of which the tightest clustering is kept
_MAX_ROUNDS = 50  # of one start; the last ones move a handful of articles
_NAME_WORDS = 3
_SHARPNESS = 0.1  # cosine that makes one unit of log-probability: there are no labels to measure it by


@dataclass(frozen=True, eq=False)
class Topics:
    """K clusters.

    Attributes:
        labels: their names.
        means: float32 (K, D), unit rows.
    """

    labels: list[str]
    means: Matrix

    def scores(self, documents: EncodedDocuments) -> Matrix:
        """See ``Classifier``: cosines to the means."""
        scores: Matrix = documents.vectors @ self.means.T / np.float32(_SHARPNESS)
        return scores

    def save(self, folder: Path) -> None:
        """See ``Classifier``."""
        save_npy(folder / "means.npy", self.means)
        write_json(folder / "topics.json", self.labels)


def load(folder: Path) -> Topics:
    """Read what ``Topics.save`` wrote."""
    return Topics(read_json(folder / "topics.json"), load_npy(folder / "means.npy"))


def find_topics(
    vectors: Matrix, keywords: Sequence[Sequence[tuple[str, float]]], max_topics: int, seed: int
) -> tuple[Topics, LabelRows] | None:
    """Topics of articles in one language, with their names.

    There is a topic for every ``_ARTICLES_A_TOPIC`` articles, up to ``max_topics``.

    Args:
        vectors: float32 (A, D), unit rows, none NaN.
        keywords: of each article, with weights.
        max_topics: at most.
        seed: of where the clusters begin.

    Returns:
        The topics, and int64 (A,), each article's; None when there are too few articles for two.
    """
    K = min(max_topics, len(vectors) // _ARTICLES_A_TOPIC)
    if K < 2:
        return None
    means = clusters(vectors, K, np.random.default_rng(seed))
    nearest = (vectors @ means.T).argmax(axis=1)
    return Topics(names(keywords, nearest, len(means)), means), nearest


def clusters(vectors: Matrix, K: int, rng: np.random.Generator) -> Matrix:
    """Spherical k-means, float32 (K, D), the largest cluster first; fewer where articles are all alike."""
    sample = vectors[np.sort(rng.permutation(len(vectors))[:_SAMPLE])]
    tightest, best = -np.inf, sample[:1]
    for _ in range(_STARTS):
        means = _converged(sample, _seeds(sample, K, rng))
        cosines = sample @ means.T
        if float(cosines.max(axis=1).sum()) > tightest:
            tightest, best = float(cosines.max(axis=1).sum()), means
    sizes = np.bincount((sample @ best.T).argmax(axis=1), minlength=len(best))
    return best[np.argsort(-sizes, kind="stable")][: int((sizes > 0).sum())]


def _seeds(sample: Matrix, K: int, rng: np.random.Generator) -> Matrix:
    """K articles far from each other, each drawn in proportion to its squared distance from those before."""
    chosen = [int(rng.integers(len(sample)))]
    distance = np.full(len(sample), np.inf)
    while len(chosen) < K:
        distance = np.minimum(distance, np.maximum(1 - sample @ sample[chosen[-1]], 0))
        if not distance.sum() > 0:
            break
        chosen.append(int(rng.choice(len(sample), p=distance / distance.sum())))
    return sample[chosen]


def _converged(sample: Matrix, means: Matrix) -> Matrix:
    """Each mean to the middle of the articles that are nearest to it, until none moves."""
    before = np.full(len(sample), -1)
    for _ in range(_MAX_ROUNDS):
        nearest = (sample @ means.T).argmax(axis=1)
        if (nearest == before).all():
            break
        belongs = np.zeros((len(means), len(sample)), np.float32)
        belongs[nearest, np.arange(len(sample))] = 1
        totals = belongs @ sample
        means = np.where(totals.any(axis=1, keepdims=True), unit_rows(totals), means)
        before = nearest
    return means


def names(keywords: Sequence[Sequence[tuple[str, float]]], nearest: LabelRows, K: int) -> list[str]:
    """Names of clusters, no two alike: each keyword names the cluster that it says most about."""
    weights = [Counter[str]() for _ in range(K)]
    for pairs, row in zip(keywords, nearest.tolist(), strict=True):
        for word, weight in pairs:
            weights[row][word] += weight
    overall = sum(weights, Counter[str]())
    mean = overall.total() / K
    ranked: list[list[tuple[float, str]]] = [[] for _ in range(K)]
    for word, total in overall.items():
        best = max(range(K), key=lambda row: weights[row][word])
        ranked[best].append((-weights[best][word] * float(np.log1p(mean / total)), word))
    heaviest = [[word for _, word in sorted(pairs)[:_NAME_WORDS]] for pairs in ranked]
    return [" · ".join(words) or f"{row + 1}" for row, words in enumerate(heaviest)]

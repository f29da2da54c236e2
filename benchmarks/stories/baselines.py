"""Known ways to group headlines, of TF-IDF and of shingles.

Single-pass TF-IDF sees nothing later. Louvain sees the whole file at once. MinHash is this project's own rule for near
copies. Sources: Allan et al. 1998, "On-line new event detection and tracking" (single pass); Blondel et al. 2008,
"Fast unfolding of communities in large networks".
"""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

import networkx as nx
import numpy as np
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer

from benchmarks.stories.data import LabelledArticle
from recsys.stories.copies import ComparedText
from recsys.stories.leaders import Leaders
from recsys.stories.terms import terms
from recsys.stories.text import Text

SINGLE_PASS_THRESHOLDS = (0.1, 0.13, 0.16, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6)
RESOLUTIONS = (0.5, 1.0, 2.0, 4.0)
NEIGHBOURS = 20
LEAST_COSINE = 0.1
BLOCK = 2_048  # rows of the product of similarities held at once


def single_pass_tf_idf(articles: Sequence[LabelledArticle], threshold: float) -> list[int]:
    """Clusters by the cosine with the mean of what each holds; frequencies are those of the articles so far."""
    seen: Counter[str] = Counter()
    sums: list[dict[str, float]] = []
    lengths: list[float] = []
    having: dict[str, set[int]] = defaultdict(set)
    clusters = []
    for number, article in enumerate(articles, 1):
        words = terms(article.title, article.body)
        seen.update(words)
        weights = {word: math.log(1 + number / seen[word]) for word in words}
        length = math.hypot(*weights.values()) or 1.0
        best, best_cosine = -1, threshold
        for cluster in set().union(*(having[word] for word in words)):
            inner = sum(weight * sums[cluster].get(word, 0.0) for word, weight in weights.items())
            if (cosine := inner / (length * lengths[cluster])) >= best_cosine:
                best, best_cosine = cluster, cosine
        if best < 0:
            best = len(sums)
            sums.append({})
            lengths.append(0.0)
        for word, weight in weights.items():
            sums[best][word] = sums[best].get(word, 0.0) + weight / length
            having[word].add(best)
        lengths[best] = math.hypot(*sums[best].values()) or 1.0
        clusters.append(best)
    return clusters


def louvain(articles: Sequence[LabelledArticle], resolution: float, seed: int) -> list[int]:
    """Communities of the graph of the ``NEIGHBOURS`` most similar headlines by TF-IDF."""
    texts = [f"{article.title} {article.body}" for article in articles]
    rows = csr_matrix(TfidfVectorizer(analyzer=terms, sublinear_tf=True).fit_transform(texts))
    graph = nx.Graph()
    graph.add_nodes_from(range(len(texts)))
    for start in range(0, len(texts), BLOCK):
        similar = (rows[start : start + BLOCK] @ rows.T).toarray()
        similar[np.arange(len(similar)), np.arange(start, start + len(similar))] = 0.0
        nearest = np.argsort(-similar, axis=1, kind="stable")[:, :NEIGHBOURS]
        for row, others in enumerate(nearest):
            near = [(start + row, int(other), float(similar[row, other])) for other in others]
            graph.add_weighted_edges_from(edge for edge in near if edge[2] >= LEAST_COSINE)
    clusters = [0] * len(texts)
    for number, members in enumerate(nx.community.louvain_communities(graph, resolution=resolution, seed=seed)):
        for member in members:
            clusters[member] = number
    return clusters


def min_hash(articles: Sequence[LabelledArticle]) -> list[str]:
    """Near copies, as the stage finds them."""
    leaders = Leaders()
    texts = {article.id: Text(article.title, article.body) for article in articles}
    return [leaders.join(article.id, ComparedText(texts[article.id]), texts.get) for article in articles]

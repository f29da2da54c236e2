"""Article vectors compared: do neighbours share a category, do clusters, and does a title find its own body?"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from sklearn.metrics import normalized_mutual_info_score

from benchmarks.categories.data import Corpus, encode
from recsys.articles import ArticleEncoder
from recsys.articles.vectors import load_text_vectors
from recsys.classifiers.topics import clusters
from recsys.keywords import KeywordRanker
from recsys.settings import Settings
from recsys.tokens import load_tokenizer
from recsys.words import Matrix
from recsys.workspace import load_npy

QUERIES = 1000  # articles that look for their neighbours, and titles that look for their bodies
NEIGHBOURS = 10
DOC2VEC = {"model": "pv-dbow", "output": "negative-sampling"}

Figures = dict[str, float]


def compare(corpus: Corpus, settings: Settings, seed: int) -> Iterator[tuple[str, Figures]]:
    """Every encoder by name, with its figures; doc2vec with a space of its own."""
    for name in ("keywords", "idf-mean", "doc2vec"):
        words = settings.words.model_copy(update=DOC2VEC) if name == "doc2vec" else settings.words
        articles = settings.articles.model_copy(update={"encoder": name})
        with tempfile.TemporaryDirectory() as folder:
            chosen = settings.model_copy(update={"words": words, "articles": articles})
            encode(corpus, Path(folder), chosen, seed)
            yield name.replace("-", "_"), judge(corpus, Path(folder), chosen, np.random.default_rng(seed))


def judge(corpus: Corpus, folder: Path, settings: Settings, rng: np.random.Generator) -> Figures:
    """Purity among the nearest ten, agreement of clusters with categories, and retrieval of bodies by titles.

    Args:
        corpus: with the true categories; those of all folds are used, since nothing is learned from them.
        folder: of the encoded corpus.
        settings: as it was encoded.
        rng: draws queries, and where clusters begin.
    """
    vectors = load_npy(folder / "articles" / "vectors.npy")
    known = np.flatnonzero(np.isfinite(vectors).all(axis=1))
    labels = np.unique(np.array(corpus.labels), return_inverse=True)[1][known]
    vectors = vectors[known]
    queries = rng.permutation(len(known))[:QUERIES]
    cosines = vectors[queries] @ vectors.T
    cosines[np.arange(len(queries)), queries] = -2  # not itself
    near = np.argpartition(-cosines, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
    found = {"purity@10": float((labels[near] == labels[queries][:, None]).mean())}
    means = clusters(vectors, int(labels.max()) + 1, rng)
    cluster = (vectors @ means.T).argmax(axis=1)
    largest = sum(np.bincount(labels[cluster == row]).max() for row in np.unique(cluster))
    found |= {
        "cluster_purity": float(largest / len(labels)),
        "nmi": float(normalized_mutual_info_score(labels, cluster)),
    }
    return found | _retrieval(corpus, folder, settings, rng)


def _retrieval(corpus: Corpus, folder: Path, settings: Settings, rng: np.random.Generator) -> Figures:
    """The rank of an article's body among many for its title, by the live encoder; nothing where bodies are missing."""
    whole = [row for row, body in enumerate(corpus.bodies) if body.strip() and corpus.titles[row].strip()]
    if len(whole) < NEIGHBOURS:
        return {}
    vectors = load_text_vectors(folder, folder, folder / "articles", settings.articles)
    ranker = KeywordRanker(vectors.words, vectors.frequencies, settings.keywords)
    encoder = ArticleEncoder(load_tokenizer(folder, settings.tokens), ranker, vectors, vectors)
    chosen = [whole[place] for place in rng.permutation(len(whole))[:QUERIES].tolist()]
    titles = _encoded(encoder, [corpus.titles[row] for row in chosen], corpus.language)
    bodies = _encoded(encoder, [corpus.bodies[row] for row in chosen], corpus.language)
    cosines = titles @ bodies.T
    ranks = (cosines > np.diag(cosines)[:, None]).sum(axis=1) + 1
    return {"mrr": float((1 / ranks).mean()), "recall@10": float((ranks <= NEIGHBOURS).mean())}


def _encoded(encoder: ArticleEncoder, texts: list[str], language: str) -> Matrix:
    found: Matrix = np.nan_to_num(np.array([encoder.encode("", text, language).vector for text in texts]))
    return found

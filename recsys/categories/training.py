"""Training of categories: the articles that came with one, or topics where none did -> a classifier per language.

Reads the articles; produces a ``CategoryModel``, and counts of the articles that could not be learned from.
"""

import hashlib
from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.categories.classification import CategoryModel, Label
from recsys.categories.config import MIN_ARTICLES, CategoriesConfig
from recsys.categories.documents import ArticleCorpus, read_documents
from recsys.classifiers import EncodedDocuments, LabelRows
from recsys.classifiers.calibrated import CalibratedClassifier
from recsys.classifiers.fitting import FittedClassifier, LabelledDocuments, fit_classifier
from recsys.classifiers.topics import Topics, find_topics
from recsys.words import WordVectors

_MAX_TRAINED_ARTICLES = 30_000  # of a language; of a larger site the largest categories give up some
_MIN_CATEGORIES = 2  # with one category in a language everything would be put there, which says nothing


def fit_categories(
    corpus: ArticleCorpus, words: WordVectors, config: CategoriesConfig, seed: int
) -> tuple[CategoryModel, dict[str, int], dict[str, FittedClassifier]]:
    """Train a classifier for every language in which articles came with categories, or find its topics.

    Args:
        corpus: all articles.
        words: their word space.
        config: of the categories.
        seed: of all randomness.

    Returns:
        The classifiers; counts of articles that could not be learned from, by reason; by language, what was fitted.
    """
    labels: list[Label] = []
    classifiers: dict[str, CalibratedClassifier] = {}
    fitted: dict[str, FittedClassifier] = {}
    counts = Counter({"repeated": 0, "contradictory": 0, "in_small_categories": 0})
    for language in sorted(set(corpus.languages)):
        training_set = training_set_of(corpus, language, config, seed, counts)
        if training_set is None:
            topics = topics_of(corpus, language, config, seed)
            if topics is not None:
                classifiers[language] = CalibratedClassifier("topics", topics[0], 1.0, topic=True)
                labels += topics[1]
            continue
        fit = fit_classifier(config.model, training_set, words, config, seed)
        fitted[language] = fit
        classifiers[language] = CalibratedClassifier(config.model, fit.classifier, fit.temperature, topic=False)
        sizes = np.bincount(training_set.label_rows).tolist()
        labels += [Label(name, language, size) for name, size in zip(training_set.labels, sizes, strict=True)]
    return CategoryModel(labels, classifiers, words.space, config.min_confidence), dict(counts), fitted


def topics_of(
    corpus: ArticleCorpus, language: str, config: CategoriesConfig, seed: int
) -> tuple[Topics, list[Label]] | None:
    """Topics of a language in which no article came with a category; None with any such article, or too few."""
    in_language = np.array(corpus.languages) == language
    labelled = any(name and ours for name, ours in zip(corpus.given, in_language, strict=True))
    if config.topics == "off" or labelled:
        return None
    rows = np.flatnonzero(in_language & np.isfinite(corpus.vectors).all(axis=1))
    table = pq.read_table(corpus.keywords, columns=["keywords", "weights"]).take(pa.array(rows))
    pairs = zip(table["keywords"].to_pylist(), table["weights"].to_pylist(), strict=True)
    keywords = [list(zip(words, weights, strict=True)) for words, weights in pairs]
    clustered = find_topics(corpus.vectors[rows], keywords, config.max_topics, seed)
    if clustered is None:
        return None
    topics, nearest = clustered
    sizes = np.bincount(nearest, minlength=len(topics.labels)).tolist()
    return topics, [Label(name, language, size) for name, size in sorted(zip(topics.labels, sizes, strict=True))]


def training_set_of(
    corpus: ArticleCorpus, language: str, config: CategoriesConfig, seed: int, counts: Counter[str]
) -> LabelledDocuments | None:
    """The articles of a language that its categories are learned from.

    Texts that repeat count once. A text that came with several categories has the one that it came with most often,
    and none when that is a tie. A category with fewer than ``MIN_ARTICLES`` articles is left out. Of more than
    ``_MAX_TRAINED_ARTICLES`` articles, the largest categories give up some.

    Args:
        corpus: all articles.
        language: whose.
        config: of the categories.
        seed: draws the articles that are given up.
        counts: articles that could not be learned from, by reason; added to.

    Returns:
        None when there are not two categories.
    """
    labelled = np.array([bool(name) for name in corpus.given]) & (np.array(corpus.languages) == language)
    names = [name for name, useful in zip(corpus.given, labelled, strict=True) if name and useful]
    documents = read_documents(corpus, labelled)
    rows = _distinct(documents, names, counts)
    sizes = Counter(names[row] for row in rows)
    labels = sorted(name for name, size in sizes.items() if size >= MIN_ARTICLES)
    counts["in_small_categories"] += sum(size for size in sizes.values() if size < MIN_ARTICLES)
    if len(labels) < _MIN_CATEGORIES:
        return None
    row_of = {name: row for row, name in enumerate(labels)}
    rows = [row for row in rows if names[row] in row_of]
    label_rows = np.array([row_of[names[row]] for row in rows], dtype=np.int64)
    kept = _evenly(label_rows, _MAX_TRAINED_ARTICLES, np.random.default_rng(seed))
    chosen = np.array(rows)[kept]
    return LabelledDocuments(documents.where(chosen), label_rows[kept], labels, np.flatnonzero(labelled)[chosen])


def _distinct(documents: EncodedDocuments, names: list[str], counts: Counter[str]) -> list[int]:
    """Rows of texts, one of each, with the category that most of its copies came with."""
    copies: dict[bytes, list[int]] = {}
    for row, (title, body) in enumerate(zip(documents.titles, documents.bodies, strict=True)):
        text = "\n".join((*title, "", *body)).encode("utf-8", "surrogatepass")
        mark = hashlib.blake2b(text, digest_size=16)
        mark.update(documents.vectors[row].tobytes())
        copies.setdefault(mark.digest(), []).append(row)
    chosen: list[int] = []
    for rows in copies.values():
        votes = Counter(names[row] for row in rows).most_common(2)
        tie = len(votes) > 1 and votes[0][1] == votes[1][1]
        counts["contradictory"] += len(rows) if len(votes) > 1 else 0
        counts["repeated"] += len(rows) - 1 if len(votes) == 1 else 0
        chosen += [] if tie else [next(row for row in rows if names[row] == votes[0][0])]
    return sorted(chosen)


def _evenly(label_rows: LabelRows, most: int, rng: np.random.Generator) -> LabelRows:
    """int64, at most about ``most`` rows, in order: every label keeps as many as the others, or all that it has."""
    sizes = np.sort(np.bincount(label_rows))
    if sizes.sum() <= most:
        return np.arange(len(label_rows))
    quotas = (most - np.concatenate([[0], np.cumsum(sizes)[:-1]])) // np.arange(len(sizes), 0, -1)
    quota = max(1, int(quotas[np.argmax(quotas < sizes)]))
    order = rng.permutation(len(label_rows))
    order = order[np.argsort(label_rows[order], kind="stable")]
    whole = np.bincount(label_rows)
    rank = np.arange(len(order)) - (np.cumsum(whole) - whole)[label_rows[order]]  # of each article within its label
    return np.sort(order[rank < quota])

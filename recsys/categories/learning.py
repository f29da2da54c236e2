"""Learning categories: from the articles that came with one, or without any from topics, to a sorter per language.

Reads the catalogue; produces ``Categories``, and counts of what could not teach.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.categories import Classifier, Documents, LabelRows, linear, neural, whitening
from recsys.categories.calibration import Judged, best_temperature, cross_fitted
from recsys.categories.config import CategoriesConfig
from recsys.categories.documents import Catalogue, read_documents
from recsys.categories.ensemble import Ensemble, best_powers, opinion
from recsys.categories.sorting import Categories, Label, Sorter
from recsys.categories.topics import Topics, find_topics
from recsys.words import Matrix, WordVectors

MIN_CATEGORIES = 2  # with one category in a language everything would be put there, which says nothing


class Fit(Protocol):
    """What learns a classifier."""

    def __call__(
        self,
        documents: Documents,
        label_rows: LabelRows,
        labels: list[str],
        words: WordVectors,
        config: CategoriesConfig,
        seed: int,
    ) -> Classifier:
        """Learn; see ``Classifier``."""


FITS: dict[str, Fit] = {
    "nearest-mean": whitening.fit,
    "linear": linear.fit,
    "bag": neural.fit_bag,
    **{kind: partial(neural.fit_sequence, kind) for kind in neural.NETWORKS},
}


class Teaching(NamedTuple):
    """The articles of one language that teach.

    Attributes:
        documents: B of them, no two alike.
        label_rows: int64 (B,), their categories.
        labels: C categories, sorted, each with an article at least.
        articles: int64 (B,), their rows in the catalogue.
    """

    documents: Documents
    label_rows: LabelRows
    labels: list[str]
    articles: LabelRows


class Learned(NamedTuple):
    """A classifier, the temperature that makes its confidences true, and the scores by which that was judged."""

    classifier: Classifier
    temperature: float
    judged: Judged


class Lesson(NamedTuple):
    """What taught in one language, and what was learned from it."""

    teaching: Teaching
    learned: Learned


def fit_all(
    catalogue: Catalogue, words: WordVectors, config: CategoriesConfig, seed: int
) -> tuple[Categories, dict[str, int], dict[str, Lesson]]:
    """Learn a sorter for every language in which articles came with categories.

    Args:
        catalogue: all articles.
        words: their word space.
        config: the rules.
        seed: of all randomness.

    Returns:
        The categories; counts of articles that could not teach, by reason; what taught, by language.
    """
    labels: list[Label] = []
    sorters: dict[str, Sorter] = {}
    lessons: dict[str, Lesson] = {}
    counts = Counter({"repeated": 0, "contradictory": 0, "in_small_categories": 0})
    for language in sorted(set(catalogue.languages)):
        teaching = teachers(catalogue, language, config, seed, counts)
        if teaching is None:
            found = topics_of(catalogue, language, config, seed)
            if found is not None:
                sorters[language] = Sorter("topics", found[0], 1.0, topic=True)
                labels += found[1]
            continue
        learned = learn(config.model, teaching, words, config, seed)
        lessons[language] = Lesson(teaching, learned)
        sorters[language] = Sorter(config.model, learned.classifier, learned.temperature, topic=False)
        sizes = np.bincount(teaching.label_rows).tolist()
        labels += [Label(name, language, size) for name, size in zip(teaching.labels, sizes, strict=True)]
    return Categories(labels, sorters, words.space, config.min_confidence), dict(counts), lessons


def topics_of(
    catalogue: Catalogue, language: str, config: CategoriesConfig, seed: int
) -> tuple[Topics, list[Label]] | None:
    """The topics of a language in which no article came with a category; None with any such article, or too few."""
    spoken = np.array(catalogue.languages) == language
    labelled = any(name and one for name, one in zip(catalogue.given, spoken, strict=True))
    if config.topics == "off" or labelled:
        return None
    rows = np.flatnonzero(spoken & np.isfinite(catalogue.vectors).all(axis=1))
    table = pq.read_table(catalogue.keywords, columns=["keywords", "weights"]).take(pa.array(rows))
    pairs = zip(table["keywords"].to_pylist(), table["weights"].to_pylist(), strict=True)
    keywords = [list(zip(words, weights, strict=True)) for words, weights in pairs]
    found = find_topics(catalogue.vectors[rows], keywords, config, seed)
    if found is None:
        return None
    topics, nearest = found
    sizes = np.bincount(nearest, minlength=len(topics.labels)).tolist()
    return topics, [Label(name, language, size) for name, size in sorted(zip(topics.labels, sizes, strict=True))]


def learn(name: str, teaching: Teaching, words: WordVectors, config: CategoriesConfig, seed: int) -> Learned:
    """Learn one classifier, and by cross-fitting how sure it may be of itself.

    Args:
        name: one of ``FITS``, or "ensemble".
        teaching: what it learns from.
        words: the word space.
        config: the rules.
        seed: of all randomness.
    """
    if name == "ensemble":
        return pooled(config.ensemble, [learn(one, teaching, words, config, seed) for one in config.ensemble], teaching)
    fit = partial(FITS[name], labels=teaching.labels, words=words, config=config, seed=seed)
    rng, C = np.random.default_rng(seed), len(teaching.labels)
    light = partial(fit, config=config.model_copy(update={"members": 1}))  # enough to tell how far it can be trusted
    judged = cross_fitted(light, teaching.documents, teaching.label_rows, C, rng)
    temperature = best_temperature(judged.scores, teaching.label_rows[judged.rows])
    return Learned(fit(teaching.documents, teaching.label_rows), temperature, judged)


def pooled(names: Sequence[str], learned: Sequence[Learned], teaching: Teaching) -> Learned:
    """Make one of several classifiers that learned from the same articles; held-out ones say whom to trust."""
    rows = np.array(sorted(set.intersection(*(set(one.judged.rows.tolist()) for one in learned))), dtype=np.int64)
    opinions: list[Matrix] = []
    for one in learned:
        order = np.argsort(one.judged.rows)
        places = order[np.searchsorted(one.judged.rows, rows, sorter=order)]
        opinions.append(opinion(one.judged.scores[places], one.temperature))
    powers = best_powers(opinions, teaching.label_rows[rows])
    members, temperatures = [one.classifier for one in learned], [one.temperature for one in learned]
    made = Ensemble(list(names), members, temperatures, powers.tolist())
    return Learned(made, 1.0, Judged(rows, np.tensordot(powers, np.array(opinions), axes=1)))


def teachers(
    catalogue: Catalogue, language: str, config: CategoriesConfig, seed: int, counts: Counter[str]
) -> Teaching | None:
    """Choose the articles that teach the categories of a language.

    Texts that repeat teach once. A text that came with several categories teaches the one that it came with most often,
    and none when that is a tie. A category with fewer than ``min_articles`` articles teaches nothing. Of more than
    ``max_articles`` articles, the largest categories give up some.

    Args:
        catalogue: all articles.
        language: whose.
        config: the rules.
        seed: draws the articles that are given up.
        counts: articles that could not teach, by reason; added to.

    Returns:
        None when there are not two categories.
    """
    wanted = np.array([bool(name) for name in catalogue.given]) & (np.array(catalogue.languages) == language)
    names = [name for name, useful in zip(catalogue.given, wanted, strict=True) if name and useful]
    documents = read_documents(catalogue, wanted)
    rows = _distinct(documents, names, counts)
    sizes = Counter(names[row] for row in rows)
    labels = sorted(name for name, size in sizes.items() if size >= config.min_articles)
    counts["in_small_categories"] += sum(size for size in sizes.values() if size < config.min_articles)
    if len(labels) < MIN_CATEGORIES:
        return None
    row_of = {name: row for row, name in enumerate(labels)}
    rows = [row for row in rows if names[row] in row_of]
    label_rows = np.array([row_of[names[row]] for row in rows], dtype=np.int64)
    kept = _evenly(label_rows, config.max_articles, np.random.default_rng(seed))
    chosen = np.array(rows)[kept]
    return Teaching(documents.where(chosen), label_rows[kept], labels, np.flatnonzero(wanted)[chosen])


def _distinct(documents: Documents, names: list[str], counts: Counter[str]) -> list[int]:
    """Rows of texts that teach: one of each, with the category that most of its copies came with."""
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
    """int64, at most about ``most`` rows, in order: every category keeps as many as the others, or all that it has."""
    sizes = np.sort(np.bincount(label_rows))
    if sizes.sum() <= most:
        return np.arange(len(label_rows))
    quotas = (most - np.concatenate([[0], np.cumsum(sizes)[:-1]])) // np.arange(len(sizes), 0, -1)
    quota = max(1, int(quotas[np.argmax(quotas < sizes)]))
    order = rng.permutation(len(label_rows))
    order = order[np.argsort(label_rows[order], kind="stable")]
    whole = np.bincount(label_rows)
    place = np.arange(len(order)) - (np.cumsum(whole) - whole)[label_rows[order]]
    return np.sort(order[place < quota])

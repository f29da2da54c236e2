"""Let the phrases of a whole batch vote: articles with about equally many phrases share a stack of matrices."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.keywords.candidates import Candidates
from recsys.keywords.config import KeywordsConfig
from recsys.keywords.graph import phrase_scores
from recsys.words import Matrix

STACK = 1_000_000  # votes of a stack of articles: 4 MB, which stay near the processor

Ints = npt.NDArray[np.int64]
Weights = npt.NDArray[np.float64]


class Stack(NamedTuple):
    """Some articles of a batch, padded to the same number of phrases.

    Attributes:
        articles: how many.
        size: phrases of each, padding counted.
        row: int64 (B,), the place of each article of the batch in the stack; -1 for the others.
    """

    articles: int
    size: int
    row: Ints


def votes(
    phrases: Candidates, share: Weights, vectors: Matrix, folds: Ints, articles: int, config: KeywordsConfig
) -> Weights:
    """Score the phrases of a batch.

    Args:
        phrases: P phrases.
        share: float64 (P,), what each is worth by itself; an article's shares sum to 1.
        vectors: float32 (P, D), unit rows, or zeros.
        folds: int64 (T,), the word of each token of the batch, whatever its form.
        articles: of the batch.
        config: the graph's settings.

    Returns:
        float64 (P,), an article's scores sum to 1.
    """
    lengths = np.bincount(phrases.article, minlength=articles)
    place = np.arange(len(share)) - (np.cumsum(lengths) - lengths)[phrases.article]  # within the article
    one, other = _sharing(phrases, folds) if config.distinct_votes else np.empty((2, 0), np.int64)
    scores = np.empty(len(share))
    for stack in _stacks(lengths):
        mine = np.flatnonzero(stack.row[phrases.article] >= 0)
        at = stack.row[phrases.article[mine]], place[mine]
        stacked = np.zeros((stack.articles, stack.size, vectors.shape[1]), np.float32)
        stacked[at] = vectors[mine]
        start = np.zeros((stack.articles, stack.size), np.float32)
        start[at] = share[mine]
        apart = np.repeat(~np.eye(stack.size, dtype=bool)[None], stack.articles, axis=0)
        near = np.flatnonzero(stack.row[phrases.article[one]] >= 0)
        apart[stack.row[phrases.article[one[near]]], place[one[near]], place[other[near]]] = False
        found = phrase_scores(
            stacked, start, apart, damping=config.damping, voters=config.voters, top_edges=config.top_edges
        )
        scores[mine] = found[at]
    return scores


def _stacks(lengths: Ints) -> Iterator[Stack]:
    """Stacks of articles; what size an article is padded to does not depend on the others, and so do the bytes."""
    padded = np.where(lengths <= 64, -(-lengths // 16) * 16, -(-lengths // 64) * 64)
    for size in np.unique(padded[lengths > 0]).tolist():
        articles = np.flatnonzero(padded == size)
        for few in np.array_split(articles, -(-len(articles) * size * size // STACK)):
            row = np.full(len(lengths), -1)
            row[few] = np.arange(len(few))
            yield Stack(len(few), size, row)


def _sharing(phrases: Candidates, folds: Ints) -> tuple[Ints, Ints]:
    """Pairs of phrases of one article that share a word, in any form; each in both orders, and each with itself."""
    phrase, step = np.nonzero(phrases.tokens >= 0)
    words = folds[phrases.tokens[phrase, step]]
    order = np.lexsort((words, phrases.article[phrase]))
    phrase, words = phrase[order], words[order]
    fresh = np.flatnonzero(np.diff(phrases.article[phrase], prepend=-1) | np.diff(words, prepend=-1))
    sizes = np.diff(np.append(fresh, len(phrase)))
    begin, size = np.repeat(fresh, sizes), np.repeat(sizes, sizes)
    one = np.repeat(np.arange(len(phrase)), size)
    other = np.repeat(begin, size) + np.arange(len(one)) - np.repeat(np.cumsum(size) - size, size)
    return phrase[one], phrase[other]

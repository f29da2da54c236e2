"""TextRank between phrases: each votes for those that it is like, however far apart they stand in the text.

Works on stacks of articles with equally many phrases, so that a batch costs a few matrix products; a stack of one gives
the same bytes. What makes the votes count (docs/text.md): they go from phrase to phrase instead of word to word, and
phrases that share a word cast none for each other, since those would only tell again how often the word stands there.
Source: Mihalcea & Tarau 2004, "TextRank", section 2, with edges by embedding cosine; Florescu & Caragea 2017,
"PositionRank", section 3 (the restart weights).
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.errors import DegenerateInput
from recsys.keywords.candidates import CandidatePhrases
from recsys.keywords.config import RankingParameters
from recsys.words import Matrix

_TOLERANCE = 1e-5  # share of all votes that may still be on its way when the iteration ends
_STACK_VOTES = 1_000_000  # votes of a stack of articles: 4 MB, which stay near the processor

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Weights = npt.NDArray[np.float64]


def phrase_scores(
    vectors: Matrix,
    restart: Matrix,
    may_vote: Mask,
    *,
    damping: float = 0.5,
    half_damping_at: float = 0,
    top_edges: int = 0,
) -> Matrix:
    """Personalised PageRank of the phrases of texts.

    Args:
        vectors: float32 (B, N, D), unit rows, one per phrase; a row of zeros neither gives nor gets votes.
        restart: float32 (B, N), non-negative, each row sums to 1: the target of votes that are not passed on.
        may_vote: bool (B, N, N), pairs that may vote for each other; symmetric.
        damping: share of each vote that follows an edge, in [0, 1).
        half_damping_at: phrases of a text at which half of the damping is reached; 0: always all of it.
        top_edges: edges kept per phrase, the strongest; 0 keeps all.

    Returns:
        float32 (B, N), each row sums to 1.

    Raises:
        DegenerateInput: a vector is not finite.
    """
    if not np.isfinite(vectors).all():
        raise DegenerateInput("finite vectors of phrases", "NaN or infinity", "Run: python -m jobs words --fresh")
    if not damping:
        return restart
    steps = vote_shares(vectors, restart, may_vote, top_edges)  # (B, N, N)
    phrases = (restart > 0).sum(axis=1, keepdims=True)  # the others are padding
    passed = (damping * phrases / np.maximum(phrases + half_damping_at, 1)).astype(np.float32)
    passing = passed * steps.any(axis=2)  # a phrase without edges passes all its votes back
    steps *= passed[:, :, None]
    scores = restart
    for _ in range(math.ceil(math.log(_TOLERANCE) / math.log(damping))):  # of any text: the same in any batch
        back = 1 - (scores * passing).sum(axis=1, keepdims=True)
        scores = (scores[:, None, :] @ steps)[:, 0, :] + back * restart
    shares: Matrix = scores / scores.sum(axis=1, keepdims=True)
    return shares


def vote_shares(vectors: Matrix, restart: Matrix, may_vote: Mask, top_edges: int) -> Matrix:
    """Transition matrix of the votes: by cosine, and the more the weightier the receiver is in ``restart``.

    An edge stays when it is among the strongest of either end: kept by one end only, the edges lead to a few rare
    phrases that are everybody's neighbour.

    Args:
        vectors: float32 (B, N, D), unit rows.
        restart: float32 (B, N), the weight of each phrase.
        may_vote: bool (B, N, N), pairs that may vote for each other.
        top_edges: edges kept per phrase; 0 keeps all.

    Returns:
        float32 (B, N, N), row i: the shares of phrase i's vote; a row sums to 1, or to 0 when nothing is like phrase i.
    """
    votes = np.maximum(vectors @ vectors.transpose(0, 2, 1), 0) * may_vote
    size = votes.shape[2]
    if 0 < top_edges < size:
        weakest = np.partition(votes, size - top_edges, axis=2)[:, :, size - top_edges, None]
        votes *= votes >= np.minimum(weakest, weakest.transpose(0, 2, 1))
    votes *= restart[:, None, :]
    total = votes.sum(axis=2, keepdims=True)
    shares: Matrix = np.divide(votes, total, out=votes, where=total > 0)
    return shares


class Stack(NamedTuple):
    """Some articles of a batch, padded to the same number of phrases.

    Attributes:
        articles: in the stack.
        size: phrases of each, padding counted.
        row: int64 (B,), the place of each article of the batch in the stack; -1 for the others.
    """

    articles: int
    size: int
    row: Ints


def batch_scores(
    phrases: CandidatePhrases,
    restart: Weights,
    vectors: Matrix,
    forms: Ints,
    articles: int,
    parameters: RankingParameters,
) -> Weights:
    """Scores of the phrases of a batch.

    Args:
        phrases: P phrases.
        restart: float64 (P,), the weight of each by itself; an article's weights sum to 1.
        vectors: float32 (P, D), unit rows, or zeros.
        forms: int64 (T,), the word of each segment of the batch, whatever its form.
        articles: of the batch.
        parameters: of the graph.

    Returns:
        float64 (P,), an article's scores sum to 1.
    """
    lengths = np.bincount(phrases.article, minlength=articles)
    place = np.arange(len(restart)) - (np.cumsum(lengths) - lengths)[phrases.article]  # within the article
    one, other = _sharing_a_word(phrases, forms) if parameters.distinct_votes else np.empty((2, 0), np.int64)
    scores = np.empty(len(restart))
    for stack in _stacks(lengths):
        members = np.flatnonzero(stack.row[phrases.article] >= 0)
        at = stack.row[phrases.article[members]], place[members]
        stacked = np.zeros((stack.articles, stack.size, vectors.shape[1]), np.float32)  # (B, N, D)
        stacked[at] = vectors[members]
        weights = np.zeros((stack.articles, stack.size), np.float32)
        weights[at] = restart[members]
        may_vote = np.repeat(~np.eye(stack.size, dtype=bool)[None], stack.articles, axis=0)
        pairs = np.flatnonzero(stack.row[phrases.article[one]] >= 0)
        may_vote[stack.row[phrases.article[one[pairs]]], place[one[pairs]], place[other[pairs]]] = False
        scores[members] = phrase_scores(
            stacked,
            weights,
            may_vote,
            damping=parameters.damping,
            half_damping_at=parameters.half_damping_at,
            top_edges=parameters.top_edges,
        )[at]
    return scores


def _stacks(lengths: Ints) -> Iterator[Stack]:
    """Stacks of articles; the size that an article is padded to does not depend on the others, nor do its bytes."""
    padded = np.where(lengths <= 64, -(-lengths // 16) * 16, -(-lengths // 64) * 64)
    for size in np.unique(padded[lengths > 0]).tolist():
        articles = np.flatnonzero(padded == size)
        for few in np.array_split(articles, -(-len(articles) * size * size // _STACK_VOTES)):
            row = np.full(len(lengths), -1)
            row[few] = np.arange(len(few))
            yield Stack(len(few), size, row)


def _sharing_a_word(phrases: CandidatePhrases, forms: Ints) -> tuple[Ints, Ints]:
    """Pairs of phrases of one article that share a word, in any form; each in both orders, and each with itself."""
    phrase, step = np.nonzero(phrases.segments >= 0)
    words = forms[phrases.segments[phrase, step]]
    order = np.lexsort((words, phrases.article[phrase]))
    phrase, words = phrase[order], words[order]
    first = np.flatnonzero(np.diff(phrases.article[phrase], prepend=-1) | np.diff(words, prepend=-1))
    sizes = np.diff(np.append(first, len(phrase)))
    begin, size = np.repeat(first, sizes), np.repeat(sizes, sizes)
    one = np.repeat(np.arange(len(phrase)), size)
    other = np.repeat(begin, size) + np.arange(len(one)) - np.repeat(np.cumsum(size) - size, size)
    return phrase[one], phrase[other]

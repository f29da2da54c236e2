"""Item vectors that move with every click: skip-gram with negative sampling, one click at a time.

Reads clicks in time order, each with the clicks of its visit before it; produces vectors that are current after every
click. Negative samples are drawn from the last clicks of everyone, because what was news an hour ago teaches nothing.
The learning rate of an article falls with its pairs, so that a new one finds its place within a few clicks and an old
one stays.

An article has two embeddings: the *input* one, as the article that was clicked, and the *output* one, as its context:
an article clicked in the same visit. Their sum says what it is like (``vectors``); one's input embedding against
another's output embedding says what is clicked after what, see ``recsys.items.next_item``.

Source: Mikolov et al. 2013 (skip-gram with negative sampling); Barkan and Koenigstein 2016 (item2vec); Caselles-Dupré
et al. 2018 (the negative sampling exponent); Duchi, Hazan and Singer 2011 (steps that shrink per parameter).
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.compiled import as_int64, compiled
from recsys.items import Vectors
from recsys.items.config import ItemsConfig

Rows = npt.NDArray[np.int32]

HEAD, FILLED, RANDOM, SEED = range(4)  # places of ``OnlineItems.state``
LEARNING_RATE, LEARNING_RATE_DECAY, NEGATIVES, NS_EXPONENT, WINDOW, PRIOR_PAIRS = range(6)  # of ``settings``
BACKWARD_WEIGHT = 0.5  # of the pair read backwards; 1 makes "after" and "before" the same, 0 teaches half the tables
CONTENT_LENGTH = 1.0  # of the embeddings that a fresh article takes from its text: half of a learned one's
TINY = np.float32(1e-8)


class OnlineItems(NamedTuple):
    """Item vectors of A articles in D dimensions, and what is needed to learn on; the arrays change in place.

    Attributes:
        input_embeddings: float32 (A, D), an article as the one clicked.
        output_embeddings: float32 (A, D), an article as the context of the one clicked.
        pair_counts: float32 (A,), pairs of clicks that an article's embeddings were learned from.
        content: float32 (A, D), the unit vector to which an article's text is projected, or NaN.
        vectors: float32 (A, D), the current unit vectors: behaviour blended with the text; NaN where nothing is known.
        recent: int32 (R,), ring of the last clicked rows.
        ring_counts: int32 (A,), how often an article stands in the ring.
        state: int64 (4,): where the ring is written next, how much of it is filled, the random state, the seed.
        settings: float32 (6,), see the constants above.
    """

    input_embeddings: Vectors
    output_embeddings: Vectors
    pair_counts: npt.NDArray[np.float32]
    content: Vectors
    vectors: Vectors
    recent: Rows
    ring_counts: Rows
    state: npt.NDArray[np.int64]
    settings: npt.NDArray[np.float32]


def empty_online(n_articles: int, config: ItemsConfig, *, seed: int) -> OnlineItems:
    """Item vectors before the first click.

    Args:
        n_articles: A.
        config: dimensions and learning settings.
        seed: of the first vectors and of the draws; equal seeds and clicks give equal bytes.
    """
    D = config.embedding_dim
    return OnlineItems(
        input_embeddings=_first_vectors(n_articles, D, seed),
        output_embeddings=np.zeros((n_articles, D), np.float32),
        pair_counts=np.zeros(n_articles, np.float32),
        content=np.full((n_articles, D), np.nan, np.float32),
        vectors=np.full((n_articles, D), np.nan, np.float32),
        recent=np.zeros(config.recent_clicks, np.int32),
        ring_counts=np.zeros(n_articles, np.int32),
        state=np.array([0, 0, seed, seed], np.int64),
        settings=online_settings(config),
    )


def fixed_items(vectors: Vectors) -> OnlineItems:
    """Item vectors that came ready-made: both tables are the vectors themselves, and nothing is learned.

    Args:
        vectors: float32 (A, D), unit or NaN rows.
    """
    A = len(vectors)
    return OnlineItems(
        *(np.ascontiguousarray(vectors, np.float32),) * 2,
        np.zeros(A, np.float32),
        np.full_like(vectors, np.nan, np.float32),
        np.ascontiguousarray(vectors, np.float32),
        np.zeros(1, np.int32),
        np.zeros(A, np.int32),
        np.zeros(4, np.int64),
        np.zeros(6, np.float32),
    )


def online_settings(config: ItemsConfig) -> npt.NDArray[np.float32]:
    """The learning settings by the places that compiled code reads."""
    learning = (config.learning_rate, config.learning_rate_decay, config.negatives, config.ns_exponent)
    return np.array([*learning, config.window, config.prior_pairs], np.float32)


def grown(items: OnlineItems, n_articles: int) -> OnlineItems:
    """The same vectors with room for more articles; the rows that exist keep their numbers and bytes."""
    A = len(items.pair_counts)
    more = empty_like(items, max(n_articles, A))
    for name in ("input_embeddings", "output_embeddings", "pair_counts", "content", "vectors", "ring_counts"):
        getattr(more, name)[:A] = getattr(items, name)
    return more


def empty_like(items: OnlineItems, n_articles: int) -> OnlineItems:
    """Untouched rows for another number of articles, with the ring and the random state of ``items``."""
    D = items.input_embeddings.shape[1]
    return items._replace(
        input_embeddings=_first_vectors(n_articles, D, int(items.state[SEED])),
        output_embeddings=np.zeros((n_articles, D), np.float32),
        pair_counts=np.zeros(n_articles, np.float32),
        content=np.full((n_articles, D), np.nan, np.float32),
        vectors=np.full((n_articles, D), np.nan, np.float32),
        ring_counts=np.zeros(n_articles, np.int32),
    )


def ring_counts_of(ring: Rows, n_articles: int) -> Rows:
    """Clicks on each article in the filled part of a ring: int32 (A,)."""
    return np.bincount(ring, minlength=n_articles).astype(np.int32)


def _first_vectors(n_articles: int, D: int, seed: int) -> Vectors:
    """Small random vectors; those of the first rows do not depend on how many there are."""
    return ((np.random.default_rng(seed).random((n_articles, D), np.float32) - np.float32(0.5)) / np.float32(D)).astype(
        np.float32
    )


@compiled
def place_content(items: OnlineItems, row: int, content: Vectors) -> None:
    """Say where an article's text belongs; without clicks that is where it stands and starts to learn from.

    Args:
        items: changed in place.
        row: the article.
        content: float32 (D,), unit vector, or NaN for a text that says nothing.
    """
    items.content[row] = content
    if items.pair_counts[row] == 0 and not np.isnan(content[0]):
        items.input_embeddings[row] = np.float32(CONTENT_LENGTH) * content
        items.output_embeddings[row] = np.float32(CONTENT_LENGTH) * content
    refresh(items, row)


@compiled
def learn_click(items: OnlineItems, context: Rows, row: int) -> None:
    """Learn from one click, in O(window x negatives x D).

    Args:
        items: changed in place.
        context: int32 (n,), the rows clicked in this visit before it, newest last; n may be 0.
        row: the article clicked; clicked again right after itself, it teaches nothing.

    Raises:
        IndexError: a row that the tables do not have; see ``grown``.
    """
    n, window, A = len(context), int(items.settings[WINDOW]), len(items.pair_counts)
    if not 0 <= row < A:
        raise IndexError("a clicked row outside the item vectors")
    for back in range(1, min(n, window) + 1):
        other = as_int64(context[n - back])
        if not 0 <= other < A:
            raise IndexError("a context row outside the item vectors")
        if other != row:
            _learn_pair(items, other, row, 1.0 / back)  # what is clicked next is foreseen from what came before it
            _learn_pair(items, row, other, BACKWARD_WEIGHT / back)
            items.pair_counts[other] += 1
            items.pair_counts[row] += 1
            refresh(items, other)
    refresh(items, row)
    _remember(items, row)


@compiled
def _remember(items: OnlineItems, row: int) -> None:
    """Put a click into the ring, in the place of the oldest."""
    head, size = items.state[HEAD], len(items.recent)
    if items.state[FILLED] == size:
        items.ring_counts[items.recent[head]] -= 1
    items.recent[head] = row
    items.ring_counts[row] += 1
    items.state[HEAD] = (head + 1) % size
    items.state[FILLED] = min(items.state[FILLED] + 1, size)


@compiled
def _learn_pair(items: OnlineItems, centre: int, other: int, weight: float) -> None:
    """One step of skip-gram: ``other`` was clicked with ``centre``, the negative samples were not."""
    exponent = items.settings[NS_EXPONENT] - 1
    embedding = items.input_embeddings[centre]  # (D,), a view
    step = np.zeros(len(embedding), np.float32)  # of ``embedding``, which must not move before the last sample
    rate = weight * _rate(items, centre)
    _push(embedding, items.output_embeddings[other], step, 1.0, rate, weight * _rate(items, other))
    for _ in range(int(items.settings[NEGATIVES]) if items.state[FILLED] else 0):
        sample = items.recent[_random(items.state) % items.state[FILLED]]
        if sample != other and sample != centre:
            # the ring gives a row as often as it is clicked, to the power of 1: the weight makes that ns_exponent
            sample_weight = weight * items.ring_counts[sample] ** exponent
            sample_rate = sample_weight * _rate(items, sample)
            centre_rate = rate * items.ring_counts[sample] ** exponent
            _push(embedding, items.output_embeddings[sample], step, 0.0, centre_rate, sample_rate)
    for d in range(len(embedding)):
        embedding[d] += step[d]


@compiled
def _push(embedding: Vectors, output: Vectors, step: Vectors, label: float, rate: float, output_rate: float) -> None:
    """The gradient of one logistic loss: into ``step`` for the input embedding, at once for the output one."""
    dot = np.float32(0)
    for d in range(len(embedding)):
        dot += embedding[d] * output[d]
    error = label - 1 / (1 + np.exp(-dot))  # label - sigmoid(dot): minus the derivative of the loss by the product
    scale, output_scale = np.float32(rate * error), np.float32(output_rate * error)
    for d in range(len(embedding)):
        step[d] += scale * output[d]
        output[d] += output_scale * embedding[d]


@compiled
def _rate(items: OnlineItems, row: int) -> float:
    """The learning rate of an article: smaller the more pairs it was learned from."""
    return float(items.settings[LEARNING_RATE] * (1 + items.pair_counts[row]) ** -items.settings[LEARNING_RATE_DECAY])


@compiled
def _random(state: npt.NDArray[np.int64]) -> int:
    """The 31 best bits of the next number of a linear congruential sequence (Knuth's MMIX constants)."""
    state[RANDOM] = state[RANDOM] * 6364136223846793005 + 1442695040888963407
    return int((state[RANDOM] >> 33) & 0x7FFFFFFF)


@compiled
def refresh(items: OnlineItems, row: int) -> None:
    """Bring an article's unit vector up to date: its two embeddings' sum, blended with its text by prior strength."""
    vector, content = items.vectors[row], items.content[row]
    pairs = items.pair_counts[row]
    if pairs == 0:
        vector[:] = content
        return
    length = np.float32(0)
    for d in range(len(vector)):
        vector[d] = items.input_embeddings[row, d] + items.output_embeddings[row, d]
        length += vector[d] * vector[d]
    if np.isnan(content[0]):
        behaviour_share, content_share = 1 / max(TINY, np.sqrt(length)), np.float32(0)
    else:
        content_share = items.settings[PRIOR_PAIRS] / (pairs + items.settings[PRIOR_PAIRS])
        behaviour_share = (1 - content_share) / max(TINY, np.sqrt(length))  # of the sum scaled to length 1
    length = np.float32(0)
    for d in range(len(vector)):
        # 0 x NaN is NaN: a text that says nothing is left out, not weighed with 0
        vector[d] = behaviour_share * vector[d] + (content_share * content[d] if content_share > 0 else np.float32(0))
        length += vector[d] * vector[d]
    scale = 1 / max(TINY, np.sqrt(length))
    for d in range(len(vector)):
        vector[d] *= scale

"""Item vectors that move with every click: skip-gram with negative sampling, one click at a time.

Reads clicks in time order, each with the clicks of its visit before it; produces vectors that are current after every
click. What an article is told apart from are articles drawn from the last clicks of everyone, because what was news an
hour ago teaches nothing. An article's steps grow smaller with its evidence, so that a new one finds its place within a
few clicks and an old one stays.

An article has two vectors: *inside*, as the one that was clicked, and *outside*, as its company. Their sum says what
it is like (``vectors``); one's inside against another's outside says what is clicked after what, see
``recsys.items.affinity``.

Source: Mikolov et al. 2013 (skip-gram with negative sampling); Barkan and Koenigstein 2016 (item2vec); Caselles-Dupré
et al. 2018 (the negative sampling exponent); Duchi, Hazan and Singer 2011 (steps that shrink per parameter).
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.compiled import compiled
from recsys.items import Vectors
from recsys.items.config import ItemsConfig

Rows = npt.NDArray[np.int32]

HEAD, FILLED, RANDOM, SEED = 0, 1, 2, 3
RATE, SLOWING, NEGATIVE, EXPONENT, WINDOW, SUBSAMPLE, EVIDENCE = 0, 1, 2, 3, 4, 5, 6
BACK = 0.5  # weight of the pair read backwards; 1 makes "after" and "before" the same, 0 teaches half the vectors only
START = 1.0  # length of a fresh article's vectors when its text says where it belongs: half of a learned one's
TINY = np.float32(1e-8)
REMEMBERED = (
    10  # clicks of a visit that say where it is heading; at a half-life of one the eleventh counts a thousandth
)


class OnlineItems(NamedTuple):
    """Item vectors of A articles in D dimensions, and what is needed to learn on; the arrays change in place.

    Attributes:
        inside: float32 (A, D), an article as the one clicked.
        outside: float32 (A, D), an article as the company of the one clicked.
        clicks: float32 (A,), evidence: pairs of clicks that an article's vectors were learned from.
        content: float32 (A, D), the unit vector to which an article's text is projected, or NaN.
        vectors: float32 (A, D), the current unit vectors: behaviour blended with the text; NaN where nothing is known.
        recent: int32 (R,), ring of the last clicked rows.
        shares: int32 (A,), how often an article stands in the ring.
        state: int64 (4,): where the ring is written next, how much of it is filled, the random state, the seed.
        settings: float32 (7,), see the constants above.
    """

    inside: Vectors
    outside: Vectors
    clicks: npt.NDArray[np.float32]
    content: Vectors
    vectors: Vectors
    recent: Rows
    shares: Rows
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
        inside=_first_vectors(n_articles, D, seed),
        outside=np.zeros((n_articles, D), np.float32),
        clicks=np.zeros(n_articles, np.float32),
        content=np.full((n_articles, D), np.nan, np.float32),
        vectors=np.full((n_articles, D), np.nan, np.float32),
        recent=np.zeros(config.recent_clicks, np.int32),
        shares=np.zeros(n_articles, np.int32),
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
        np.zeros(7, np.float32),
    )


def online_settings(config: ItemsConfig) -> npt.NDArray[np.float32]:
    """The learning settings by the places that compiled code reads."""
    learning = (config.learning_rate, config.slowing, config.negative, config.ns_exponent)
    return np.array([*learning, config.window, config.subsample, config.evidence], np.float32)


def grown(items: OnlineItems, n_articles: int) -> OnlineItems:
    """The same vectors with room for more articles; the rows that exist keep their numbers and bytes."""
    A = len(items.clicks)
    more = empty_like(items, max(n_articles, A))
    for name in ("inside", "outside", "clicks", "content", "vectors", "shares"):
        getattr(more, name)[:A] = getattr(items, name)
    return more


def empty_like(items: OnlineItems, n_articles: int) -> OnlineItems:
    """Untouched rows for another number of articles, with the ring and the random state of ``items``."""
    D = items.inside.shape[1]
    return items._replace(
        inside=_first_vectors(n_articles, D, int(items.state[SEED])),
        outside=np.zeros((n_articles, D), np.float32),
        clicks=np.zeros(n_articles, np.float32),
        content=np.full((n_articles, D), np.nan, np.float32),
        vectors=np.full((n_articles, D), np.nan, np.float32),
        shares=np.zeros(n_articles, np.int32),
    )


def shares_of(ring: Rows, n_articles: int) -> Rows:
    """How often each article stands in the filled part of a ring: int32 (A,)."""
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
    if items.clicks[row] == 0 and not np.isnan(content[0]):
        items.inside[row] = np.float32(START) * content
        items.outside[row] = np.float32(START) * content
    refresh(items, row)


@compiled
def learn_click(items: OnlineItems, company: Rows, row: int) -> None:
    """Learn from one click, in O(window x negative x D).

    Args:
        items: changed in place.
        company: int32 (n,), the rows clicked in this visit before it, newest last; n may be 0.
        row: the article clicked; clicked again right after itself, it teaches nothing.

    Raises:
        IndexError: a row that the tables do not have; see ``grown``.
    """
    n, window, A = len(company), int(items.settings[WINDOW]), len(items.clicks)
    if not 0 <= row < A:
        raise IndexError("a clicked row outside the item vectors")
    for back in range(1, min(n, window) + 1):
        other = company[n - back]
        if not 0 <= other < A:
            raise IndexError("a row of company outside the item vectors")
        if other != row and _kept(items, row) and _kept(items, other):
            _learn_pair(items, other, row, 1.0 / back)
            _learn_pair(items, row, other, BACK / back)
            items.clicks[other] += 1
            items.clicks[row] += 1
            refresh(items, other)
    refresh(items, row)
    _remember(items, row)


@compiled
def _remember(items: OnlineItems, row: int) -> None:
    """Put a click into the ring, in the place of the oldest."""
    head, size = items.state[HEAD], len(items.recent)
    if items.state[FILLED] == size:
        items.shares[items.recent[head]] -= 1
    items.recent[head] = row
    items.shares[row] += 1
    items.state[HEAD] = (head + 1) % size
    items.state[FILLED] = min(items.state[FILLED] + 1, size)


@compiled
def _kept(items: OnlineItems, row: int) -> bool:
    """Leave out some pairs of what everyone clicks (Mikolov et al. 2013, section 2.3)."""
    limit = items.settings[SUBSAMPLE] * items.state[FILLED]
    if limit == 0 or items.shares[row] <= limit:
        return True
    return bool(_random(items.state) < np.sqrt(limit / items.shares[row]) * 2147483648.0)


@compiled
def _learn_pair(items: OnlineItems, centre: int, other: int, weight: float) -> None:
    """One step of skip-gram: ``other`` was clicked with ``centre``, the drawn rows were not."""
    exponent = items.settings[EXPONENT] - 1
    inside = items.inside[centre]
    moved = np.zeros(len(inside), np.float32)
    rate = weight * _rate(items, centre)
    _push(inside, items.outside[other], moved, 1.0, rate, weight * _rate(items, other))
    for _ in range(int(items.settings[NEGATIVE]) if items.state[FILLED] else 0):
        drawn = items.recent[_random(items.state) % items.state[FILLED]]
        if drawn != other and drawn != centre:  # drawn as often as clicked, weighted to the exponent asked for
            share = weight * items.shares[drawn] ** exponent
            rate_drawn = share * _rate(items, drawn)
            _push(inside, items.outside[drawn], moved, 0.0, rate * items.shares[drawn] ** exponent, rate_drawn)
    for d in range(len(inside)):
        inside[d] += moved[d]


@compiled
def _push(inside: Vectors, outside: Vectors, moved: Vectors, label: float, rate: float, rate_outside: float) -> None:
    """The gradient of one logistic loss: into ``moved`` for the inside vector, at once for the outside one."""
    dot = np.float32(0)
    for d in range(len(inside)):
        dot += inside[d] * outside[d]
    error = label - 1 / (1 + np.exp(-dot))
    step, step_outside = np.float32(rate * error), np.float32(rate_outside * error)
    for d in range(len(inside)):
        moved[d] += step * outside[d]
        outside[d] += step_outside * inside[d]


@compiled
def _rate(items: OnlineItems, row: int) -> float:
    return float(items.settings[RATE] * (1 + items.clicks[row]) ** -items.settings[SLOWING])


@compiled
def _random(state: npt.NDArray[np.int64]) -> int:
    """The 31 best bits of the next number of a linear congruential sequence (Knuth's MMIX constants)."""
    state[RANDOM] = state[RANDOM] * 6364136223846793005 + 1442695040888963407
    return int((state[RANDOM] >> 33) & 0x7FFFFFFF)


@compiled
def refresh(items: OnlineItems, row: int) -> None:
    """Bring an article's unit vector up to date: its two vectors' sum, blended with its text by the evidence."""
    vector, content = items.vectors[row], items.content[row]
    clicks = items.clicks[row]
    if clicks == 0:
        vector[:] = content
        return
    length = np.float32(0)
    for d in range(len(vector)):
        vector[d] = items.inside[row, d] + items.outside[row, d]
        length += vector[d] * vector[d]
    if np.isnan(content[0]):
        share, rest = 1 / max(TINY, np.sqrt(length)), np.float32(0)
    else:
        rest = items.settings[EVIDENCE] / (clicks + items.settings[EVIDENCE])
        share = (1 - rest) / max(TINY, np.sqrt(length))
    length = np.float32(0)
    for d in range(len(vector)):
        vector[d] = share * vector[d] + (rest * content[d] if rest > 0 else np.float32(0))
        length += vector[d] * vector[d]
    scale = 1 / max(TINY, np.sqrt(length))
    for d in range(len(vector)):
        vector[d] *= scale

"""Find the phrases of a batch of articles that could be keywords: runs of neighbours that each could be a word of one.

Reads token arrays; produces each different phrase of each article once, in reading order, with how often it stands
there and which of the others it is a part of. All articles of a batch go through the same few array operations.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]
Mask = npt.NDArray[np.bool_]

_STEP, _MIX, _MORE = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_HALF = np.uint64(32)


class CandidatePhrases(NamedTuple):
    """P phrases of at most L words.

    Attributes:
        article: int64 (P,), ascending.
        tokens: int64 (P, L), the tokens at which the phrase stands first; -1 behind the last one.
        counts: int64 (P,), how often it stands in its article, the places within longer phrases counted.
        inner: int64 (C,), a phrase that
        outer: int64 (C,), this longer phrase of the same article contains.
    """

    article: Ints
    tokens: Ints
    counts: Ints
    inner: Ints
    outer: Ints


def find_candidates(
    able: Mask, heads: Mask, starts: Mask, article: Ints, folds: Ints, max_words: int
) -> CandidatePhrases:
    """Find the phrases.

    A phrase is a run of able words, cut behind its last head ("solar eclipses" of "solar eclipses total"); of a longer
    run than ``max_words``, the last words are taken, where English and Chinese have what a phrase is about.

    Args:
        able: bool (T,), tokens that can be part of a phrase.
        heads: bool (T,), tokens that can end one.
        starts: bool (T,), tokens that no phrase reaches from the left.
        article: int64 (T,), ascending.
        folds: int64 (T,), what word it is, whatever its form.
        max_words: words of a phrase at most.
    """
    begin, length = _runs(able, heads, starts, max_words)
    hashes = _hashes(folds, article, max_words)
    known, first, phrase = np.unique(hashes[length - 1, begin], return_index=True, return_inverse=True)
    order = np.argsort(first)  # reading order, whatever the hashes are
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    phrase = place[phrase]
    first = first[order]
    steps = np.arange(max_words)
    tokens = np.where(steps < length[first, None], begin[first, None] + steps, -1)
    counts, inner, outer = _parts(begin, length, hashes, known, place, phrase)
    return CandidatePhrases(article[begin[first]], tokens, counts, inner, outer)


def _runs(able: Mask, heads: Mask, starts: Mask, max_words: int) -> tuple[Ints, Ints]:
    """Where each run begins, and how many words it has."""
    places = np.flatnonzero(able)
    if not len(places):
        return places, places
    fresh = np.flatnonzero(starts[places] | (np.diff(places, prepend=-2) > 1))
    last_heads = np.maximum.reduceat(np.where(heads[places], places, -1), fresh)
    begin, length = places[fresh], last_heads - places[fresh] + 1
    begin, length = begin[length > 0], length[length > 0]
    cut = np.maximum(length - max_words, 0)
    return begin + cut, length - cut


def _hashes(folds: Ints, article: Ints, max_words: int) -> Hashes:
    """uint64 (L, T), of the 1 ... L words from each token on and of their article.

    64 bits: in a batch of a million phrases, one pair in thirty million batches is taken for the same.
    """
    words = _mixed(folds.astype(np.uint64) + _STEP)
    hashes = np.empty((max_words, len(folds)), np.uint64)
    state = _mixed(article.astype(np.uint64) * _STEP)
    for step in range(max_words):
        shifted = np.zeros(len(folds), np.uint64)
        shifted[: max(len(folds) - step, 0)] = words[step:]
        state = _mixed(state * _STEP + shifted)
        hashes[step] = state
    return hashes


def _mixed(values: Hashes) -> Hashes:
    """Splitmix64's finaliser: every bit of the input moves every bit of the output."""
    values = (values ^ (values >> _HALF)) * _MIX
    values = (values ^ (values >> np.uint64(29))) * _MORE
    mixed: Hashes = values ^ (values >> _HALF)
    return mixed


def _parts(
    begin: Ints, length: Ints, hashes: Hashes, known: Hashes, place: Ints, phrase: Ints
) -> tuple[Ints, Ints, Ints]:
    """Look up every part of every run among the phrases: how often each stands, and what contains what."""
    counts = np.bincount(phrase, minlength=len(known))
    inner, outer = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for size in range(1, len(hashes)):
        for offset in range(len(hashes) - size + 1):
            runs = np.flatnonzero((length > size) & (length >= size + offset))
            if not len(runs):
                continue
            parts = hashes[size - 1, begin[runs] + offset]
            found = np.minimum(np.searchsorted(known, parts), len(known) - 1)
            hit = known[found] == parts
            inner.append(place[found[hit]])
            outer.append(phrase[runs[hit]])
    counts += np.bincount(np.concatenate(inner), minlength=len(known))
    pairs = np.unique(np.concatenate(inner) * len(known) + np.concatenate(outer))
    return counts, pairs // max(len(known), 1), pairs % max(len(known), 1)

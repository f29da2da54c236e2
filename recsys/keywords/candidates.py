"""Candidate phrases of a batch of articles: runs of neighbours that each could be a word of a keyword.

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
        segments: int64 (P, L), the segments at which the phrase stands first; -1 behind the last one.
        occurrences: int64 (P,), in its article, those within longer phrases counted.
        inner: int64 (C,), a phrase that a longer one of the same article contains,
        outer: int64 (C,), and the longer one.
    """

    article: Ints
    segments: Ints
    occurrences: Ints
    inner: Ints
    outer: Ints


def find_candidates(
    in_phrase: Mask, heads: Mask, starts: Mask, article: Ints, forms: Ints, max_words: int
) -> CandidatePhrases:
    """Find the phrases.

    A phrase is a run of words that can be part of one, cut behind its last head ("solar eclipses" of "solar eclipses
    total"); of a longer run than ``max_words``, the last words are taken, where English and Chinese have what a phrase
    is about.

    Args:
        in_phrase: bool (T,), segments that can be part of a phrase.
        heads: bool (T,), segments that can end one.
        starts: bool (T,), segments that no phrase reaches from the left.
        article: int64 (T,), ascending.
        forms: int64 (T,), the word, whatever its form.
        max_words: words of a phrase at most.
    """
    begin, length = _runs(in_phrase, heads, starts, max_words)
    hashes = _hashes(forms, article, max_words)
    distinct, first, phrase = np.unique(hashes[length - 1, begin], return_index=True, return_inverse=True)
    order = np.argsort(first)  # reading order, whatever the hashes are
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    phrase = place[phrase]
    first = first[order]
    steps = np.arange(max_words)
    segments = np.where(steps < length[first, None], begin[first, None] + steps, -1)
    counts, inner, outer = _parts(begin, length, hashes, distinct, place, phrase)
    return CandidatePhrases(article[begin[first]], segments, counts, inner, outer)


def _runs(in_phrase: Mask, heads: Mask, starts: Mask, max_words: int) -> tuple[Ints, Ints]:
    """First segment and number of words of each run."""
    places = np.flatnonzero(in_phrase)
    if not len(places):
        return places, places
    fresh = np.flatnonzero(starts[places] | (np.diff(places, prepend=-2) > 1))
    last_heads = np.maximum.reduceat(np.where(heads[places], places, -1), fresh)
    begin, length = places[fresh], last_heads - places[fresh] + 1
    begin, length = begin[length > 0], length[length > 0]
    cut = np.maximum(length - max_words, 0)
    return begin + cut, length - cut


def _hashes(forms: Ints, article: Ints, max_words: int) -> Hashes:
    """uint64 (L, T), of the 1 ... L words from each segment on and of their article.

    64 bits: in a batch of a million phrases, one pair in thirty million batches is taken for the same.
    """
    words = _mixed(forms.astype(np.uint64) + _STEP)
    hashes = np.empty((max_words, len(forms)), np.uint64)
    state = _mixed(article.astype(np.uint64) * _STEP)
    for step in range(max_words):
        shifted = np.zeros(len(forms), np.uint64)
        shifted[: max(len(forms) - step, 0)] = words[step:]
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
    begin: Ints, length: Ints, hashes: Hashes, distinct: Hashes, place: Ints, phrase: Ints
) -> tuple[Ints, Ints, Ints]:
    """Occurrences of each phrase as itself and as a part of a longer run, and the pairs of inner and outer phrases."""
    counts = np.bincount(phrase, minlength=len(distinct))
    inner, outer = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for size in range(1, len(hashes)):
        for offset in range(len(hashes) - size + 1):
            runs = np.flatnonzero((length > size) & (length >= size + offset))
            if not len(runs):
                continue
            parts = hashes[size - 1, begin[runs] + offset]
            match = np.minimum(np.searchsorted(distinct, parts), len(distinct) - 1)
            hit = distinct[match] == parts
            inner.append(place[match[hit]])
            outer.append(phrase[runs[hit]])
    counts += np.bincount(np.concatenate(inner), minlength=len(distinct))
    pairs = np.unique(np.concatenate(inner) * len(distinct) + np.concatenate(outer))
    return counts, pairs // max(len(distinct), 1), pairs % max(len(distinct), 1)

"""Attributes of tokens: what the characters of each say, and how a Chinese text is cut around it.

An attribute is a hash, 0 where it is absent. Of the characters: the word in lower case with its digits alike, as it is
written, its shape, prefixes and suffixes. Of a text with Chinese characters: the word that rjieba's dictionary finds
there, its part of speech, and where in it the token stands.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from recsys.compiled import compiled
from recsys.entities.characters import DIGIT, HAN, LOWER, OTHER, UPPER, bounds_of, character_tables, code_points, is_han
from recsys.hashing import hashed
from recsys.tokens.segmenter import ChineseDictionary

Hashes = npt.NDArray[np.uint64]
Bounds = npt.NDArray[np.int64]

AFFIX = 4  # characters of the longest prefix and suffix
WORD, WRITTEN, SHAPE, LONG_SHAPE, PREFIX = 0, 1, 2, 3, 4
SUFFIX = PREFIX + AFFIX
FORMS = SUFFIX + AFFIX
CUT_PLACE, CUT_TAG, CUT_TAG_PLACE, CUT_WORD, CUT_SIZE, CUT_WORD_PLACE = range(FORMS, FORMS + 6)
ATTRIBUTES = FORMS + 6
_LONG = 8  # characters of a token of which the long shape tells
_LONGEST_CUT = 5  # characters of a word, from which on all are alike
_STEP, _MIX, _MORE = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_HALF, _LESS, _ONE, _ZERO = np.uint64(32), np.uint64(29), np.uint64(1), np.uint64(48)
ABSENT = np.uint64(0)
_SIGN = np.uint64(16)  # behind the classes: a mark is its own sign in a shape


@compiled
def mixed(value: np.uint64) -> np.uint64:
    """Splitmix64's finaliser, never 0."""
    value = (value ^ (value >> _HALF)) * _MIX
    value = (value ^ (value >> _LESS)) * _MORE
    return np.uint64((value ^ (value >> _HALF)) | _ONE)


@compiled
def _small(
    point: np.uint32, lower: npt.NDArray[np.uint32], classes: npt.NDArray[np.uint8]
) -> tuple[np.uint64, np.uint64]:
    """A character in lower case, all digits alike, and its class."""
    if point >= len(classes):
        return np.uint64(point), np.uint64(OTHER)
    kind = np.uint64(classes[point])
    return (_ZERO if kind == DIGIT else np.uint64(lower[point])), kind


@compiled
def word_forms(
    points: npt.NDArray[np.uint32],
    bounds: Bounds,
    lower: npt.NDArray[np.uint32],
    classes: npt.NDArray[np.uint8],
    forms: Hashes,
) -> None:
    """Write what the characters of each token say into the first ``FORMS`` columns of ``forms``, uint64 (T, K)."""
    for token in range(len(bounds) - 1):
        begin, end = bounds[token], bounds[token + 1]
        word, written, shape, long_shape = _STEP, _STEP, _STEP, _STEP
        before = ABSENT
        for place in range(begin, end):
            small, kind = _small(points[place], lower, classes)
            word = mixed(word * _STEP + small)
            written = mixed(written * _STEP + np.uint64(points[place]))
            known = kind in (UPPER, LOWER, DIGIT, HAN, OTHER)
            sign = kind + _ONE if known else small + _SIGN
            if sign != before:
                shape = mixed(shape * _STEP + sign)
                before = sign
            if place - begin < _LONG:
                long_shape = mixed(long_shape * _STEP + sign)
            if place - begin < AFFIX:
                forms[token, PREFIX + place - begin] = word
        forms[token, WORD], forms[token, WRITTEN] = word, written
        forms[token, SHAPE], forms[token, LONG_SHAPE] = shape, long_shape
        suffix = _STEP
        for back in range(min(AFFIX, end - begin)):
            suffix = mixed(suffix * _STEP + _small(points[end - 1 - back], lower, classes)[0])
            forms[token, SUFFIX + back] = suffix


@compiled
def _cut_attributes(
    token_bounds: Bounds, cut_bounds: Bounds, cut_words: Hashes, cut_tags: Hashes, attributes: Hashes
) -> None:
    """Write of each token the place in, the tag, the word and the size of the cut word in which it begins."""
    cut = 0
    for token in range(len(token_bounds) - 1):
        begin, end = token_bounds[token], token_bounds[token + 1]
        while cut + 1 < len(cut_words) and cut_bounds[cut + 1] <= begin:
            cut += 1
        first, last = begin == cut_bounds[cut], end >= cut_bounds[cut + 1]
        place = np.uint64(1 + first + 2 * last)
        size = np.uint64(min(cut_bounds[cut + 1] - cut_bounds[cut], _LONGEST_CUT))
        attributes[token, CUT_PLACE] = place
        attributes[token, CUT_TAG] = cut_tags[cut]
        attributes[token, CUT_TAG_PLACE] = mixed(cut_tags[cut] * _STEP + place)
        attributes[token, CUT_WORD] = cut_words[cut]
        attributes[token, CUT_SIZE] = size * _STEP + place
        attributes[token, CUT_WORD_PLACE] = mixed(cut_words[cut] * _STEP + place)


class TokenAttributes:
    """Attributes of the tokens of sentences.

    Args:
        chinese: rjieba, or its dictionary with the user's words.
    """

    def __init__(self, chinese: ChineseDictionary) -> None:
        self._chinese = chinese
        self._tag_hash: dict[str, int] = {}

    def of(self, sentences: Sequence[Sequence[str]]) -> Hashes:
        """uint64 (T, ATTRIBUTES) of all T tokens."""
        tokens = [token for sentence in sentences for token in sentence]
        points, bounds = code_points(tokens)
        attributes = np.zeros((len(tokens), ATTRIBUTES), np.uint64)
        word_forms(points, bounds, *character_tables(), attributes)
        begin = 0
        for sentence in sentences:
            text = "".join(sentence)
            if any(map(is_han, text)):
                self._cut(text, bounds_of(sentence), attributes[begin : begin + len(sentence)])
            begin += len(sentence)
        return attributes

    def _cut(self, text: str, bounds: Bounds, attributes: Hashes) -> None:
        tagged = self._chinese.tag(text.encode("utf-8", "replace").decode())  # half a character becomes "?"
        words = [word for word, _ in tagged]
        points, cut_bounds = code_points(words)
        forms = np.zeros((len(words), FORMS), np.uint64)
        word_forms(points, cut_bounds, *character_tables(), forms)
        tags = np.array([self._hash_of(tag) for _, tag in tagged], np.uint64)
        _cut_attributes(bounds, cut_bounds, np.ascontiguousarray(forms[:, WRITTEN]), tags, attributes)

    def _hash_of(self, tag: str) -> int:
        if tag not in self._tag_hash:
            self._tag_hash[tag] = hashed("tag", tag)
        return self._tag_hash[tag]

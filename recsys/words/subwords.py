"""Vectors for words that the corpus never showed, from their character n-grams.

Numpy only, since the web service needs it; the buckets are learned by gensim's FastText (``recsys.words.word2vec``).
Source: Bojanowski et al. 2017, "Enriching Word Vectors with Subword Information", section 3.2; the n-grams and their
hash are the original program's, which gensim shares.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

MIN_CHARS, MAX_CHARS = 3, 6  # characters of an n-gram, the marks of the word's two ends counted
_OFFSET, _PRIME, _MASK = 2166136261, 16777619, 0xFFFFFFFF  # 32-bit FNV-1a
_SIGN = 0xFFFFFF00  # the original program takes bytes as signed, so that those from 128 on fill the upper bits

Matrix = npt.NDArray[np.float32]


def bucket_rows(word: str, buckets: int) -> list[int]:
    """The buckets of a word's character n-grams, in the order of their first characters.

    Args:
        word: without a lone surrogate, as all tokens are.
        buckets: how many there are.

    Returns:
        Rows in [0, buckets); none for a word that is too short to have an n-gram.
    """
    characters = [character.encode("utf-8") for character in f"<{word}>"]
    rows: list[int] = []
    for start in range(len(characters)):
        state = _OFFSET
        for length, character in enumerate(characters[start : start + MAX_CHARS], start=1):
            for byte in character:
                state = ((state ^ (byte | _SIGN if byte > 127 else byte)) * _PRIME) & _MASK
            if length >= MIN_CHARS:
                rows.append(state % buckets)
    return rows


@dataclass(frozen=True, eq=False)
class Subwords:
    """The buckets of one word space.

    Attributes:
        vectors: float32 (B, D), one vector per bucket of n-grams.
    """

    vectors: Matrix

    def sums(self, words: Sequence[str]) -> tuple[Matrix, npt.NDArray[np.int64]]:
        """Add up the n-grams' vectors of each word.

        Returns:
            float32 (N, D), the sums; int64 (N,), how many n-grams each word has.
        """
        total = np.zeros((len(words), self.vectors.shape[1]), dtype=np.float32)
        sizes = np.zeros(len(words), dtype=np.int64)
        for place, word in enumerate(words):
            rows = bucket_rows(word, len(self.vectors))
            sizes[place] = len(rows)
            if rows:
                total[place] = self.vectors[rows].sum(axis=0)
        return total, sizes

    def guessed(self, words: Sequence[str]) -> Matrix:
        """The vectors of words that are not in the vocabulary: the means of their n-grams' vectors.

        Returns:
            float32 (N, D); NaN for a word that has no n-gram.
        """
        total, sizes = self.sums(words)
        return np.where(sizes[:, None] > 0, total / np.maximum(sizes, 1)[:, None], np.nan).astype(np.float32)

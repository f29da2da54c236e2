"""Which words get a vector: the frequent ones of a corpus, counted in bounded memory.

Reads ``corpus.txt``; produces ``Vocabulary``. Source of the pruning: Goyal et al. 2009, "Streaming for large scale NLP:
Language Modeling", section 3 (lossy counting): what is rare where memory runs out is forgotten.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

BLOCK = 1 << 22  # characters read at once
COUNTED = 3_000_000  # different words in memory while counting: about 400 MiB

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """V words, the most frequent first, equally frequent ones in the order of their letters.

    Attributes:
        words: V words.
        counts: int64 (V,).
        tokens: all tokens of the corpus.
        covered: those of them whose word was chosen.
        lines: of the corpus.
        min_count: the one that was used.
    """

    words: list[str]
    counts: Counts
    tokens: int
    covered: int
    lines: int
    min_count: int

    @cached_property
    def row_of(self) -> dict[str, int]:
        """Word -> row."""
        return {word: row for row, word in enumerate(self.words)}


def count_words(corpus: Path, counted: int = COUNTED) -> tuple[Counter[str], int]:
    """Count the words of a corpus, a block of lines at a time.

    When more than ``counted`` different words are in memory, the ones seen least are forgotten, and a word's count may
    then be too small by as much.

    Returns:
        Word -> count; lines.
    """
    counts: Counter[str] = Counter()
    lines, floor = 0, 1
    with corpus.open(encoding="utf-8") as file:
        while block := file.readlines(BLOCK):
            lines += len(block)
            for line in block:
                counts.update(line.split())
            while len(counts) > counted:
                counts = Counter({word: count for word, count in counts.items() if count > floor})
                floor += 1
    return counts, lines


def choose(counts: Mapping[str, int], lines: int, min_count: int, size: int, kept: Mapping[str, int]) -> Vocabulary:
    """Choose the words that get a vector.

    A corpus in which fewer than two words stand ``min_count`` times is read with a ``min_count`` of 1.

    Args:
        counts: word -> count in the corpus.
        lines: of the corpus.
        min_count: least count.
        size: words at most.
        kept: words that stay whatever the corpus says, with their earlier counts, which are added.
    """
    tokens = sum(counts.values())
    if min_count > 1 and sum(count >= min_count for count in counts.values()) + len(kept) <= 1:
        min_count = 1
    total = {word: count for word, count in counts.items() if count >= min_count and word not in kept}
    total |= {word: count + counts.get(word, 0) for word, count in kept.items()}
    ranked = sorted(total.items(), key=lambda pair: (-pair[1], pair[0]))[:size]
    words = [word for word, _ in ranked]
    covered = sum(counts.get(word, 0) for word in words)
    return Vocabulary(words, np.array([count for _, count in ranked], np.int64), tokens, covered, lines, min_count)

"""Which words get a vector: the frequent ones of a corpus, counted in bounded memory.

Reads ``corpus.txt``; produces ``CorpusVocabulary``. Source of the pruning: Goyal et al. 2009, "Streaming for large
scale NLP: Language Modeling", section 3 (lossy counting): what is rare where memory runs out is forgotten.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.tokens import BATCH_ARTICLES, LINE_TOKENS
from recsys.words import Matrix
from recsys.words.subwords import Subwords
from recsys.workspace import read_table, write_table

BLOCK = 1 << 22  # characters read at once
COUNTED = 3_000_000  # different words in memory while counting: about 400 MiB

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class CorpusVocabulary:
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


def choose(
    counts: Mapping[str, int], lines: int, min_count: int, size: int, kept: Mapping[str, int]
) -> CorpusVocabulary:
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
    return CorpusVocabulary(
        words, np.array([count for _, count in ranked], np.int64), tokens, covered, lines, min_count
    )


OnEpoch = Callable[[int, float], object]  # epochs done so far, the loss after the last one


class InitialVectors(NamedTuple):
    """Where a training begins, in the order of the vocabulary.

    Attributes:
        vectors: float32 (V, D); NaN for a word that begins at random.
        outputs: float32 (V, D), the output vectors of negative sampling; zero for a word that has none yet.
        subwords: n-gram buckets of an earlier training, or None.
    """

    vectors: Matrix
    outputs: Matrix
    subwords: Subwords | None = None


class Fitted(NamedTuple):
    """What a training learned, in the order of the vocabulary.

    Attributes:
        vectors: float32 (V, D).
        losses: one number per epoch.
        outputs: float32 (V, D), the output vectors of negative sampling; None for other models.
        subwords: n-gram buckets, or None.
    """

    vectors: Matrix
    losses: list[float]
    outputs: Matrix | None = None
    subwords: Subwords | None = None


SEEN = "articles.parquet"


def save_seen(table: pq.ParquetFile, folder: Path) -> None:
    """Write the ids of the articles that a space was learned from."""
    write_table(folder / SEEN, table.read(columns=["id"]))


def write_new_texts(table: pq.ParquetFile, last: Path, corpus: Path) -> int:
    """Write the words of the articles that the last space was not learned from, one article per line.

    Args:
        table: the tokens table.
        last: the last space's folder; one without a list of articles has seen none.
        corpus: the file to write, in the form of ``corpus.txt``.

    Returns:
        How many articles are new.
    """
    seen = set(read_table(last / SEEN)["id"].to_pylist()) if (last / SEEN).is_file() else set()
    new = 0
    with corpus.open("w", encoding="utf-8") as file:
        for batch in table.iter_batches(BATCH_ARTICLES, columns=["id", "title", "body"]):
            for row in batch.filter(pa.array([key not in seen for key in batch.column("id").to_pylist()])).to_pylist():
                words = row["title"] + row["body"]
                parts = range(0, len(words), LINE_TOKENS)
                file.writelines(" ".join(words[start : start + LINE_TOKENS]) + "\n" for start in parts)
                new += 1
    return new

"""Corpus of a training: the texts that are new, the words that get a vector, and the arrays in the order of those.

Reads ``corpus.txt`` and the tokens table; produces ``CorpusVocabulary``, counted in bounded memory.
Source of the pruning: Goyal et al. 2009, "Streaming for large scale NLP: Language Modeling", section 3 (lossy
counting): what is rare where memory runs out is forgotten.
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
from recsys.workspace import read_table, write_table

CORPUS_BLOCK = 1 << 22  # characters read at once: some 700,000 words
MAX_VOCABULARY = 200_000  # words: only so many, the most frequent, get a vector; about 1 KiB each
NOISE_WORDS = 5  # negative samples per prediction
_MAX_COUNTED = 3_000_000  # different words in memory while counting: about 400 MiB

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class CorpusVocabulary:
    """V words, the most frequent first, equally frequent ones in the order of their letters.

    Attributes:
        words: V words.
        counts: int64 (V,).
        tokens: of the corpus.
        covered: tokens whose word was chosen.
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


def count_words(corpus: Path, max_counted: int = _MAX_COUNTED) -> tuple[Counter[str], int]:
    """Count the words of a corpus, a block of lines at a time.

    When more than ``max_counted`` different words are in memory, the ones seen least are forgotten, and a word's count
    may then be too small by as much.

    Returns:
        Word -> count; lines.
    """
    counts: Counter[str] = Counter()
    lines, floor = 0, 1
    with corpus.open(encoding="utf-8") as file:
        while block := file.readlines(CORPUS_BLOCK):
            lines += len(block)
            for line in block:
                counts.update(line.split())
            while len(counts) > max_counted:
                counts = Counter({word: count for word, count in counts.items() if count > floor})
                floor += 1
    return counts, lines


def choose_vocabulary(
    counts: Mapping[str, int], lines: int, min_count: int, max_words: int, kept: Mapping[str, int]
) -> CorpusVocabulary:
    """Choose the words that get a vector.

    A corpus in which fewer than two words stand ``min_count`` times is read with a ``min_count`` of 1.

    Args:
        counts: word -> count in the corpus.
        lines: of the corpus.
        min_count: least count.
        max_words: the most frequent words that are chosen.
        kept: words that stay whatever the corpus says, with their earlier counts, which are added.
    """
    tokens = sum(counts.values())
    if min_count > 1 and sum(count >= min_count for count in counts.values()) + len(kept) <= 1:
        min_count = 1
    total = {word: count for word, count in counts.items() if count >= min_count and word not in kept}
    total |= {word: count + counts.get(word, 0) for word, count in kept.items()}
    ranked = sorted(total.items(), key=lambda pair: (-pair[1], pair[0]))[:max_words]
    words = [word for word, _ in ranked]
    covered = sum(counts.get(word, 0) for word in words)
    return CorpusVocabulary(
        words, np.array([count for _, count in ranked], np.int64), tokens, covered, lines, min_count
    )


OnEpoch = Callable[[int, float], object]  # epochs done so far, the loss after the last one


class InitialVectors(NamedTuple):
    """Vectors that a training starts from, in the order of the vocabulary.

    Attributes:
        vectors: float32 (V, D); NaN for a word that starts at random.
        outputs: float32 (V, D), the output vectors of negative sampling; zero for a word that has none yet.
    """

    vectors: Matrix
    outputs: Matrix


class Fitted(NamedTuple):
    """Vectors that a training learned, in the order of the vocabulary.

    Attributes:
        vectors: float32 (V, D).
        losses: one number per epoch.
        outputs: float32 (V, D), the output vectors of negative sampling; None for other models.
    """

    vectors: Matrix
    losses: list[float]
    outputs: Matrix | None = None


_TRAINED_ON = "articles.parquet"  # ids of the articles that a space was learned from


def save_trained_ids(table: pq.ParquetFile, folder: Path) -> None:
    """Write the ids of the articles that a space was learned from."""
    write_table(folder / _TRAINED_ON, table.read(columns=["id"]))


def write_new_texts(table: pq.ParquetFile, previous: Path, corpus: Path) -> int:
    """Write the words of the articles that the previous space was not learned from, one article per line.

    Args:
        table: the tokens table.
        previous: folder of the previous space; one without a list of articles has seen none.
        corpus: the file to write, in the form of ``corpus.txt``.

    Returns:
        The number of new articles.
    """
    ids = previous / _TRAINED_ON
    trained_on = set(read_table(ids)["id"].to_pylist()) if ids.is_file() else set()
    articles = 0
    with corpus.open("w", encoding="utf-8") as file:
        for batch in table.iter_batches(BATCH_ARTICLES, columns=["id", "title", "body"]):
            is_new = pa.array([key not in trained_on for key in batch.column("id").to_pylist()])
            for row in batch.filter(is_new).to_pylist():
                words = row["title"] + row["body"]
                parts = range(0, len(words), LINE_TOKENS)
                file.writelines(" ".join(words[start : start + LINE_TOKENS]) + "\n" for start in parts)
                articles += 1
    return articles

"""Word vectors as the other rooms use them: loaded, looked up, never trained here.

Reads and produces ``vectors.npy``, ``vocabulary.parquet`` and ``space.json``. Imports numpy but no gensim, since the
web service needs the vectors and not the trainer, which is ``recsys.words.training``.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import Field

from recsys.config import Section
from recsys.errors import CorruptArtefact, DegenerateInput
from recsys.workspace import load_npy, read_json, read_table, save_npy, write_json, write_table

SPACE_CHARS = 16

Matrix = npt.NDArray[np.float32]
Counts = npt.NDArray[np.int64]
Rows = npt.NDArray[np.int32]


class WordsConfig(Section):
    """How word vectors are learned: word2vec in one of its four forms."""

    model: str = Field("skip-gram", pattern="^(skip-gram|cbow)$")
    output: str = Field("negative-sampling", pattern="^(negative-sampling|hierarchical-softmax)$")
    embedding_dim: int = Field(100, ge=2, le=2000)
    window: int = Field(8, ge=1)
    negative: int = Field(5, ge=1)
    min_count: int = Field(2, ge=1)
    epochs: int = Field(15, ge=1)
    learning_rate: float = Field(0.05, gt=0, le=1)
    subsample: float = Field(1e-3, ge=0)


@dataclass(frozen=True, eq=False)
class WordVectors:
    """One word space: V words, D dimensions.

    Attributes:
        words: V words, the most frequent first; a word's row is its place here.
        counts: int64 (V,), how often each stands in the corpus.
        vectors: float32 (V, D), as trained: not of unit length.

    A site without texts has no words: V is 0, and whatever asks for a word finds none.

    Raises:
        DegenerateInput: a value that is not finite, or all vectors zero.
    """

    words: list[str]
    counts: Counts
    vectors: Matrix

    def __post_init__(self) -> None:
        if self.words and not (self.vectors.any() and np.isfinite(self.vectors).all()):
            raise DegenerateInput(
                "finite word vectors that are not all zero",
                f"{len(self.words)} words with vectors {self.vectors.shape} that are not",
                "Lower words.learning_rate, or give the words job more text.",
            )

    @cached_property
    def row_of(self) -> dict[str, int]:
        """Word -> row."""
        return {word: row for row, word in enumerate(self.words)}

    @cached_property
    def space(self) -> str:
        """The space id: vectors may only be combined with vectors that were made from the same ones."""
        return space_id(self.vectors)

    @property
    def embedding_dim(self) -> int:
        """D."""
        return int(self.vectors.shape[1])

    @cached_property
    def centred(self) -> Matrix:
        """float32 (V, D), unit rows: the vectors seen from the corpus mean, where cosine 0 means unrelated.

        The corpus mean counts each word's vector as often as the word stands in the corpus.
        """
        if not self.words:
            return self.vectors
        return unit_rows(self.vectors - np.average(self.vectors, axis=0, weights=self.counts).astype(np.float32))

    def rows(self, words: Iterable[str]) -> Rows:
        """Look words up.

        Returns:
            int32, the row of each word; -1 for a word that has no vector.
        """
        row_of = self.row_of
        return np.array([row_of.get(word, -1) for word in words], dtype=np.int32)


def unit_rows(matrix: Matrix) -> Matrix:
    """Rows scaled to length 1, in float32; a row of zeros stays zero, one of NaN stays NaN."""
    length = np.linalg.norm(matrix, axis=1, keepdims=True)
    unit: Matrix = np.divide(matrix, length, out=np.zeros_like(matrix, dtype=np.float32), where=length != 0)
    return unit


def space_id(vectors: Matrix) -> str:
    """SHA-256 of the vectors' bytes, its first characters."""
    return hashlib.sha256(np.ascontiguousarray(vectors).tobytes()).hexdigest()[:SPACE_CHARS]


def save_words(words: WordVectors, folder: Path) -> None:
    """Write a word space to ``folder``."""
    save_npy(folder / "vectors.npy", words.vectors)
    write_table(
        folder / "vocabulary.parquet", pa.table({"word": pa.array(words.words, pa.string()), "count": words.counts})
    )
    facts = {"space": words.space, "embedding_dim": words.embedding_dim, "words": len(words.words)}
    write_json(folder / "space.json", facts)


def load_words(folder: Path) -> WordVectors:
    """Read a word space from ``folder``.

    Raises:
        CorruptArtefact: the files contradict each other.
    """
    vectors = load_npy(folder / "vectors.npy")
    vocabulary = read_table(folder / "vocabulary.parquet")
    facts = read_json(folder / "space.json")
    shape = (facts["words"], facts["embedding_dim"])
    if vectors.dtype != np.float32 or vectors.shape != shape or vocabulary.num_rows != shape[0]:
        raise CorruptArtefact(
            f"float32 vectors {shape} and as many words in {folder}",
            f"{vectors.dtype} {vectors.shape} and {vocabulary.num_rows} words",
            "Run: python -m jobs words --fresh",
        )
    return WordVectors(vocabulary["word"].to_pylist(), vocabulary["count"].to_numpy(), vectors)

"""Word vectors as the other rooms use them: loaded, looked up, never trained here.

Reads and produces ``vectors.npy``, ``vocabulary.parquet`` and ``space.json``. Imports numpy but no gensim and no torch,
since the web service needs the vectors and not the trainers. The files, from the corpus to the figures:

    config.py       the settings
    corpus          the texts of a training, and the words that get a vector, in bounded memory
    sampled_loss    the loss of a word2vec model on a fixed sample
    word2vec        gensim: skip-gram, CBOW, paragraph vectors
    cooccurrence    weighted counts of neighbouring words
    glove           co-occurrences -> vectors, in torch
    alignment       a retrained space turned into the frame of the one before
    pretrained      vector files of others, checked
    training        one contract over every model: corpus -> vectors
    doc2vec         the vector of a text under a trained space (PV-DM, PV-DBOW)
    nearest         words -> the nearest ones, analogies
    intrinsic       arrays -> word similarity, analogies, neighbours, projection to a plane
    evaluation      a trained space -> the figures that the report shows
"""

import hashlib
import mmap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recsys.errors import CorruptArtefact, DegenerateInput
from recsys.units import UNKNOWN_ROW
from recsys.workspace import load_npy, read_json, read_table, save_npy, write_json, write_table

_SPACE_CHARS = 16  # of a SHA-256: enough that no two spaces of a site ever share an id

Matrix = npt.NDArray[np.float32]
Counts = npt.NDArray[np.int64]
Rows = npt.NDArray[np.int32]


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
    def mean(self) -> Matrix:
        """float32 (D,), the corpus mean: each word's vector as often as the word stands in the corpus."""
        if not self.words:
            return np.zeros(self.embedding_dim, dtype=np.float32)
        mean: Matrix = np.average(self.vectors, axis=0, weights=self.counts).astype(np.float32)
        return mean

    @cached_property
    def centred(self) -> Matrix:
        """float32 (V, D), unit rows: the vectors seen from the corpus mean, where cosine 0 means unrelated."""
        return unit_rows(self.vectors - self.mean)

    def centred_of(self, words: Sequence[str]) -> Matrix:
        """Look up words in the centred frame.

        Returns:
            float32 (N, D), unit rows; NaN for a word that has no vector.
        """
        rows = self.rows(words)
        has_vector = rows != UNKNOWN_ROW
        vectors = np.full((len(words), self.embedding_dim), np.nan, dtype=np.float32)
        vectors[has_vector] = self.centred_rows(rows[has_vector])
        return vectors

    def centred_rows(self, rows: npt.NDArray[np.integer]) -> Matrix:
        """Some rows of ``centred``, int (N,), made alone: float32 (N, D). The service reads few of them, mapped."""
        return unit_rows(self.vectors[rows] - self.mean)

    def give_back(self) -> None:
        """Take vectors that are mapped out of this process's memory; those that are read come back by themselves."""
        if self.words and isinstance(self.vectors.base, mmap.mmap):
            assert np.isfinite(self.mean).all()  # is made of all of them, once
            self.vectors.base.madvise(mmap.MADV_DONTNEED)

    def rows(self, words: Iterable[str]) -> Rows:
        """Look words up.

        Returns:
            int32, the row of each word; UNKNOWN_ROW for a word that has no vector.
        """
        row_of = self.row_of
        return np.array([row_of.get(word, UNKNOWN_ROW) for word in words], dtype=np.int32)


def unit_rows(matrix: Matrix) -> Matrix:
    """Rows scaled to length 1, in float32; a row of zeros stays zero, one of NaN stays NaN."""
    length = np.linalg.norm(matrix, axis=1, keepdims=True)
    unit: Matrix = np.divide(matrix, length, out=np.zeros_like(matrix, dtype=np.float32), where=length != 0)
    return unit


def space_id(vectors: Matrix) -> str:
    """SHA-256 of the vectors' bytes, its first characters."""
    return hashlib.sha256(np.ascontiguousarray(vectors).data).hexdigest()[:_SPACE_CHARS]


def save_words(words: WordVectors, folder: Path) -> None:
    """Write a word space to ``folder``."""
    save_npy(folder / "vectors.npy", words.vectors)
    write_table(
        folder / "vocabulary.parquet", pa.table({"word": pa.array(words.words, pa.string()), "count": words.counts})
    )
    shape = {"embedding_dim": words.embedding_dim, "words": len(words.words)}
    write_json(folder / "space.json", {"space": words.space} | shape)


def load_words(folder: Path, *, mapped: bool = False) -> WordVectors:
    """Read a word space from ``folder``.

    Args:
        folder: where ``save_words`` wrote it.
        mapped: leave the vectors in their file, read-only, instead of in memory of this process.

    Raises:
        CorruptArtefact: the files contradict each other.
    """
    vectors = load_npy(folder / "vectors.npy", mapped=mapped)
    vocabulary = read_table(folder / "vocabulary.parquet")
    declared = read_json(folder / "space.json")
    shape = (declared["words"], declared["embedding_dim"])
    if vectors.dtype != np.float32 or vectors.shape != shape or vocabulary.num_rows != shape[0]:
        raise CorruptArtefact(
            f"float32 vectors {shape} and as many words in {folder}",
            f"{vectors.dtype} {vectors.shape} and {vocabulary.num_rows} words",
            "Run: python -m jobs words --fresh",
        )
    return WordVectors(vocabulary["word"].to_pylist(), vocabulary["count"].to_numpy(), vectors)

"""Linear n-gram model: a weight per n-gram and label, by which several classifiers score, with NumPy alone.

Reads documents; produces scores, and ``weights.safetensors`` and ``weights.json``. A bag of n-gram vectors under a
linear layer is such a table as well, once it has been trained: the two matrices are multiplied.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from recsys.classifiers import EncodedDocuments
from recsys.classifiers.ngrams import (
    Bags,
    NgramVocabulary,
    character_bags,
    distinct,
    in_batches,
    joined,
    texts_of,
    word_bags,
)
from recsys.words import Matrix
from recsys.workspace import load_arrays, read_json, save_arrays, write_json

Values = npt.NDArray[np.float32]

MAX_TOKENS = 1000  # of a document: what it is about has been said by then
_CHARACTER_TOKENS = 80  # of a text, whose characters are read: they help where there are few words


@dataclass(frozen=True)
class NgramSpec:
    """Kinds of n-grams that are read, and the value of each.

    Attributes:
        words: n of the longest word n-gram; 0 reads no words.
        characters: n of the longest character n-gram; 0 reads none.
        tfidf: an n-gram's value is its TF-IDF in a document of length 1; otherwise its count in a document whose counts
            are divided by the square root of their number: a long text says more than a title, though not as much more.
    """

    words: int
    characters: int
    tfidf: bool

    def bags(self, texts: Sequence[Sequence[str]]) -> Bags:
        """The n-grams of documents, as hashes."""
        parts = [word_bags(texts, self.words)] if self.words else []
        if self.characters:
            parts.append(character_bags([text[:_CHARACTER_TOKENS] for text in texts], self.characters))
        return parts[0] if len(parts) == 1 else joined(parts)


@dataclass(frozen=True, eq=False)
class NgramBlock:
    """Vocabulary of one kind of n-grams, with their idf, float32 (V,)."""

    grams: NgramSpec
    vocabulary: NgramVocabulary
    idf: Values

    def features(self, texts: Sequence[Sequence[str]]) -> tuple[Bags, Values]:
        """The known n-grams of each document, each once, by row; and their values, float32 (N,)."""
        rows, counts = distinct(self.vocabulary.known(self.grams.bags(texts)))
        owner = np.repeat(np.arange(len(texts)), np.diff(rows.starts))
        if self.grams.tfidf:
            values: Values = (1 + np.log(counts)) * self.idf[rows.values]
            length = np.sqrt(np.bincount(owner, np.square(values), len(texts)))
        else:
            values, length = counts, np.sqrt(np.bincount(owner, counts, len(texts)))
        return rows, (values / length[owner]).astype(np.float32)


@dataclass(frozen=True, eq=False)
class LinearNgramModel:
    """Classifier whose score is the sum of the weights of a document's n-grams.

    Attributes:
        labels: C labels.
        blocks: the kinds of n-grams; their rows stand behind each other in ``weights``.
        weights: float16 (V, C); half precision moves no score by a hundredth.
        constant: float32 (C,).
        max_tokens: of a document that are read.
    """

    labels: list[str]
    blocks: list[NgramBlock]
    weights: npt.NDArray[np.float16]
    constant: Values
    max_tokens: int

    def scores(self, documents: EncodedDocuments) -> Matrix:
        """See ``Classifier``; NaN rows for documents without a known n-gram."""
        parts = [self._scores(texts) for texts in in_batches(texts_of(documents, self.max_tokens))]
        return np.concatenate([np.empty((0, len(self.labels)), np.float32), *parts])

    def _scores(self, texts: Sequence[list[str]]) -> Matrix:
        scores = np.full((len(texts), len(self.labels)), np.nan, np.float32)
        first = 0
        for block in self.blocks:
            rows, values = block.features(texts)
            weighted = self.weights[rows.values + first] * values[:, None]  # (N, C)
            filled = np.flatnonzero(np.diff(rows.starts))
            if len(filled):
                scores[filled] = np.nan_to_num(scores[filled]) + np.add.reduceat(weighted, rows.starts[filled], axis=0)
            first += len(block.vocabulary)
        return scores + self.constant

    def save(self, folder: Path) -> None:
        """See ``Classifier``."""
        arrays: dict[str, npt.NDArray[np.generic]] = {"constant": self.constant, "weights": self.weights}
        for number, block in enumerate(self.blocks):
            arrays[f"hashes.{number}"], arrays[f"idf.{number}"] = block.vocabulary.hashes, block.idf
        save_arrays(folder / "weights.safetensors", arrays)
        grams = [vars(block.grams) for block in self.blocks]
        write_json(folder / "weights.json", {"grams": grams, "labels": self.labels, "max_tokens": self.max_tokens})


def load(folder: Path) -> LinearNgramModel:
    """Read what ``LinearNgramModel.save`` wrote."""
    facts, arrays = read_json(folder / "weights.json"), load_arrays(folder / "weights.safetensors")
    blocks = [
        NgramBlock(NgramSpec(**grams), NgramVocabulary(arrays[f"hashes.{number}"]), arrays[f"idf.{number}"])
        for number, grams in enumerate(facts["grams"])
    ]
    return LinearNgramModel(facts["labels"], blocks, arrays["weights"], arrays["constant"], facts["max_tokens"])


def block_of(texts: Sequence[list[str]], grams: NgramSpec, least: int, most: int) -> NgramBlock:
    """The n-grams of at least ``least`` texts, the ``most`` most frequent ones."""
    vocabulary, idf = NgramVocabulary.of((grams.bags(some) for some in in_batches(texts)), len(texts), least, most)
    return NgramBlock(grams, vocabulary, idf)

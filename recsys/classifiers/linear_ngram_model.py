"""A weight per n-gram and category: how the linear classifier and the n-gram bag score, with numpy alone.

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

CHARACTER_TOKENS = 80  # of a text, whose characters are read: they help where there are few words


@dataclass(frozen=True)
class NgramSpec:
    """Which n-grams are read, and what each is worth.

    Attributes:
        words: n of the longest word n-gram; 0 reads no words.
        characters: n of the longest character n-gram; 0 reads none.
        tfidf: worth its TF-IDF in a document of length 1; otherwise its count in a document whose counts are divided by
            the square root of their number, which lets a long text say more than a title, though not as much more.
    """

    words: int
    characters: int
    tfidf: bool

    def bags(self, texts: Sequence[Sequence[str]]) -> Bags:
        """The n-grams of documents, as hashes."""
        parts = [word_bags(texts, self.words)] if self.words else []
        if self.characters:
            parts.append(character_bags([text[:CHARACTER_TOKENS] for text in texts], self.characters))
        return parts[0] if len(parts) == 1 else joined(parts)


@dataclass(frozen=True, eq=False)
class NgramBlock:
    """One kind of n-grams, those that are known, and how rare each is: idf float32 (V,)."""

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
    """The sum of a text's n-grams' weights.

    Attributes:
        labels: C categories.
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
        found = np.full((len(texts), len(self.labels)), np.nan, np.float32)
        first = 0
        for block in self.blocks:
            rows, values = block.features(texts)
            weighted = self.weights[rows.values + first] * values[:, None]  # (N, C)
            filled = np.flatnonzero(np.diff(rows.starts))
            if len(filled):
                found[filled] = np.nan_to_num(found[filled]) + np.add.reduceat(weighted, rows.starts[filled], axis=0)
            first += len(block.vocabulary)
        return found + self.constant

    def save(self, folder: Path) -> None:
        """See ``Classifier``."""
        arrays: dict[str, npt.NDArray[np.generic]] = {"constant": self.constant, "weights": self.weights}
        for place, block in enumerate(self.blocks):
            arrays[f"hashes.{place}"], arrays[f"idf.{place}"] = block.vocabulary.hashes, block.idf
        save_arrays(folder / "weights.safetensors", arrays)
        grams = [vars(block.grams) for block in self.blocks]
        write_json(folder / "weights.json", {"grams": grams, "labels": self.labels, "max_tokens": self.max_tokens})


def load(folder: Path) -> LinearNgramModel:
    """Read what ``LinearNgramModel.save`` wrote."""
    facts, arrays = read_json(folder / "weights.json"), load_arrays(folder / "weights.safetensors")
    blocks = [
        NgramBlock(NgramSpec(**grams), NgramVocabulary(arrays[f"hashes.{place}"]), arrays[f"idf.{place}"])
        for place, grams in enumerate(facts["grams"])
    ]
    return LinearNgramModel(facts["labels"], blocks, arrays["weights"], arrays["constant"], facts["max_tokens"])


def block_of(texts: Sequence[list[str]], grams: NgramSpec, least: int, most: int) -> NgramBlock:
    """Collect the n-grams of at least ``least`` texts, the ``most`` most frequent ones."""
    known, idf = NgramVocabulary.of((grams.bags(some) for some in in_batches(texts)), len(texts), least, most)
    return NgramBlock(grams, known, idf)

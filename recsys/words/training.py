"""Training of word vectors: one contract over every model.

Reads ``corpus.txt`` and, on a retrain, the previous space; produces ``Trained``. A new space is turned into the frame
of the previous one, so that what was kept of it (a reader's profile) stays worth something.
"""

from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from recsys.errors import SpaceMismatch
from recsys.words import Matrix, WordVectors, glove, load_words, save_words, word2vec
from recsys.words.alignment import WordDrift, alignment, drift
from recsys.words.config import WordsConfig
from recsys.words.corpus import (
    MAX_VOCABULARY,
    NOISE_WORDS,
    CorpusVocabulary,
    Fitted,
    InitialVectors,
    OnEpoch,
    choose_vocabulary,
    count_words,
)
from recsys.words.pretrained import Pretrained, read_vectors
from recsys.workspace import load_npy, save_npy, write_json

_MIN_WORDS = 2  # one word alone has no neighbour to be predicted from
_OUTPUTS = "outputs.npy"
_ROTATION_ROUNDING = 1e-4  # values that differ by less are the same but for the rounding of a rotation


class Parent(NamedTuple):
    """The previous space, from which a retrained one descends.

    Attributes:
        words: its words and vectors.
        outputs: float32 (V, D), the output vectors of negative sampling; None where its model has none.
    """

    words: WordVectors
    outputs: Matrix | None


class Trained(NamedTuple):
    """The result of one training.

    Attributes:
        words: the word space.
        losses: one per epoch: of word2vec the mean loss of a fixed sample of windows, in nats (see
            ``recsys.words.sampled_loss``), of GloVe the mean weighted squared error.
        min_count: the one that was used.
        tokens: tokens of the corpus that are in the vocabulary.
        outputs: float32 (V, D), or None.
        continued: true when it started from the parent's vectors.
        drift: movement of the words since the parent; None without one that could be compared.
        pretrained: result of reading the file of pre-trained vectors; None without one.
    """

    words: WordVectors
    losses: list[float]
    min_count: int
    tokens: int
    outputs: Matrix | None = None
    continued: bool = False
    drift: WordDrift | None = None
    pretrained: Pretrained | None = None


def train(
    corpus: Path,
    config: WordsConfig,
    seed: int,
    workers: int,
    on_epoch: OnEpoch | None = None,
    parent: Parent | None = None,
) -> Trained:
    """Learn word vectors.

    Args:
        corpus: one article, or a part of one, per line; tokens between spaces, at most 10,000 in a line.
        config: which model, and its numbers.
        seed: of all randomness; with one worker, equal seeds and parents give equal bytes.
        workers: threads.
        on_epoch: called with the epochs done so far and the loss after each.
        parent: the previous space: the new one is aligned to it, and with ``start: last`` starts from it. One of
            another dimension is ignored, and one that shares fewer words than there are dimensions is not aligned to.

    Returns:
        The vectors, most frequent word first, and the losses; no word and no loss where the corpus has fewer than two
        different words, as on a site that sends clicks and no texts.

    Raises:
        DegenerateInput: a loss or vector that is not finite.
        ImportRefused: the file of pre-trained vectors cannot be used.
    """
    if parent is not None and parent.words.embedding_dim != config.embedding_dim:
        parent = None
    start_space = parent if continues(config, parent) else None
    counts, lines = count_words(corpus)
    kept = dict(zip(start_space.words.words, start_space.words.counts.tolist(), strict=True)) if start_space else {}
    vocabulary = choose_vocabulary(counts, lines, config.min_count, MAX_VOCABULARY, kept)
    if start_space is not None and not vocabulary.covered:
        return _unchanged(start_space, vocabulary.min_count)
    if len(vocabulary.words) < _MIN_WORDS:
        no_vectors = np.empty((0, config.embedding_dim), np.float32)
        return Trained(WordVectors([], np.empty(0, np.int64), no_vectors), [], vocabulary.min_count, 0)
    start, pretrained = _initial_vectors(vocabulary, config, start_space)
    fit = partial(glove.fit) if config.model == "glove" else partial(word2vec.fit, workers=workers)
    fitted = fit(corpus, vocabulary, config, seed, start=start, on_epoch=on_epoch)
    fitted, word_drift = _aligned(vocabulary, fitted, parent)
    return Trained(
        _space(vocabulary, fitted),
        fitted.losses,
        vocabulary.min_count,
        vocabulary.covered,
        fitted.outputs,
        start_space is not None,
        word_drift,
        pretrained,
    )


def continues(config: WordsConfig, parent: Parent | None) -> bool:
    """True when a training starts from its parent: the settings ask for it, and the dimensions are the same."""
    usable = parent is not None and bool(parent.words.words) and parent.words.embedding_dim == config.embedding_dim
    return usable and config.start == "last"


def _unchanged(parent: Parent, min_count: int) -> Trained:
    """The parent itself, where no text is new."""
    no_drift = drift(parent.words, parent.words)
    return Trained(parent.words, [], min_count, 0, outputs=parent.outputs, continued=True, drift=no_drift)


def _space(vocabulary: CorpusVocabulary, fitted: Fitted) -> WordVectors:
    return WordVectors(vocabulary.words, vocabulary.counts, fitted.vectors)


def _initial_vectors(
    vocabulary: CorpusVocabulary, config: WordsConfig, parent: Parent | None
) -> tuple[InitialVectors | None, Pretrained | None]:
    """The vectors of the previous space, those of a file of pre-trained vectors, or None."""
    if parent is not None:
        rows = parent.words.rows(vocabulary.words)
        shared = rows >= 0
        vectors = np.full((len(rows), config.embedding_dim), np.nan, dtype=np.float32)
        vectors[shared] = parent.words.vectors[rows[shared]]
        outputs = np.zeros_like(vectors)
        if parent.outputs is not None:
            outputs[shared] = parent.outputs[rows[shared]]
        return InitialVectors(vectors, outputs), None
    if config.pretrained:
        pretrained = read_vectors(Path(config.pretrained), vocabulary.row_of, config.embedding_dim)
        return InitialVectors(pretrained.vectors, np.zeros_like(pretrained.vectors)), pretrained
    return None, None


def _aligned(vocabulary: CorpusVocabulary, fitted: Fitted, parent: Parent | None) -> tuple[Fitted, WordDrift | None]:
    """Turn a training's vectors into the frame of the previous space.

    A space that has not moved at all keeps the bytes of the previous one, and with them its space id.
    """
    turn = alignment(_space(vocabulary, fitted), parent.words) if parent is not None else None
    if parent is None or turn is None:
        return fitted, None
    outputs = fitted.outputs @ turn if fitted.outputs is not None else None
    aligned = Fitted(fitted.vectors @ turn, fitted.losses, outputs)
    previous = parent.words
    if previous.words == vocabulary.words and np.allclose(aligned.vectors, previous.vectors, atol=_ROTATION_ROUNDING):
        aligned = Fitted(previous.vectors, fitted.losses, parent.outputs)
    return aligned, drift(_space(vocabulary, aligned), previous)


def save_trained(trained: Trained, folder: Path, config: WordsConfig) -> None:
    """Write a word space and what a later training or inference needs: ``outputs.npy``, ``training.json``."""
    save_words(trained.words, folder)
    if trained.outputs is not None:
        save_npy(folder / _OUTPUTS, trained.outputs)
    summary = {
        "loss": trained.losses,
        "min_count": trained.min_count,
        "model": config.model,
        "window": config.window,
        "negatives": NOISE_WORDS,
    }
    write_json(folder / "training.json", summary)


def load_parent(folder: Path) -> Parent:
    """Read the previous space.

    Raises:
        ArtefactError: its files are missing or contradict each other.
    """
    words = load_words(folder)
    outputs = load_npy(folder / _OUTPUTS) if (folder / _OUTPUTS).is_file() else None
    if outputs is not None and outputs.shape != words.vectors.shape:
        raise SpaceMismatch(
            f"output vectors {words.vectors.shape} in {folder}", f"{outputs.shape}", "Run: python -m jobs words --fresh"
        )
    return Parent(words, outputs)

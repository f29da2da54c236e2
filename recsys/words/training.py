"""Learn word vectors from the tokens: one small contract over every model.

Reads ``corpus.txt`` and, on a retrain, the last space; produces ``Trained``. A new space is turned into the frame of
the last one, so that what was kept of it (a reader's profile) stays worth something.
"""

from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from recsys.errors import SpaceMismatch
from recsys.words import Matrix, WordVectors, glove, load_words, save_words, word2vec
from recsys.words.alignment import WordDrift, alignment, drift
from recsys.words.config import WordsConfig
from recsys.words.corpus import CorpusVocabulary, Fitted, InitialVectors, OnEpoch, choose, count_words
from recsys.words.pretrained import Pretrained, read_vectors
from recsys.words.subwords import Subwords
from recsys.workspace import load_npy, save_npy, write_json

MIN_WORDS = 2  # one word alone has no neighbour to be predicted from
OUTPUTS = "outputs.npy"
UNMOVED = 1e-4  # values that differ by less are the same but for the rounding of a rotation


class Parent(NamedTuple):
    """The last space.

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
        continued: whether it began with the last space.
        drift: how far the words moved since the last space; None without one that could be compared.
        pretrained: what became of the file of pre-trained vectors; None without one.
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
        parent: the last space: what the new one is aligned to, and with ``start: last`` begins with. One of another
            dimension is neither, and one that shares fewer words than there are dimensions is not aligned to.

    Returns:
        The vectors, most frequent word first, and the losses; no word and no loss where the corpus has fewer than two
        different words, as on a site that sends clicks and no texts.

    Raises:
        DegenerateInput: a loss or vector that is not finite.
        ImportRefused: the file of pre-trained vectors cannot be used.
    """
    if parent is not None and parent.words.embedding_dim != config.embedding_dim:
        parent = None
    base = parent if continues(config, parent) else None
    counts, lines = count_words(corpus)
    kept = dict(zip(base.words.words, base.words.counts.tolist(), strict=True)) if base else {}
    vocabulary = choose(counts, lines, config.min_count, config.max_vocabulary, kept)
    if base is not None and not vocabulary.covered:
        still = drift(base.words, base.words)
        return Trained(base.words, [], vocabulary.min_count, 0, outputs=base.outputs, continued=True, drift=still)
    if len(vocabulary.words) < MIN_WORDS:
        nothing = np.empty((0, config.embedding_dim), np.float32)
        return Trained(WordVectors([], np.empty(0, np.int64), nothing), [], vocabulary.min_count, 0)
    start, pretrained = _start(vocabulary, config, base)
    fit = partial(glove.fit) if config.model == "glove" else partial(word2vec.fit, workers=workers)
    fitted = fit(corpus, vocabulary, config, seed, start=start, on_epoch=on_epoch)
    fitted, moved = _aligned(vocabulary, fitted, parent)
    words = _space(vocabulary, fitted)
    return Trained(
        words,
        fitted.losses,
        vocabulary.min_count,
        vocabulary.covered,
        fitted.outputs,
        base is not None,
        moved,
        pretrained,
    )


def continues(config: WordsConfig, parent: Parent | None) -> bool:
    """Whether a training begins with the last space: it is asked for, and there is one of the same dimension."""
    there = parent is not None and bool(parent.words.words) and parent.words.embedding_dim == config.embedding_dim
    return there and config.start == "last"


def _space(vocabulary: CorpusVocabulary, fitted: Fitted) -> WordVectors:
    return WordVectors(vocabulary.words, vocabulary.counts, fitted.vectors, fitted.subwords)


def _start(
    vocabulary: CorpusVocabulary, config: WordsConfig, base: Parent | None
) -> tuple[InitialVectors | None, Pretrained | None]:
    """What the training begins with: the last space, a file of pre-trained vectors, or nothing."""
    if base is not None:
        rows = base.words.rows(vocabulary.words)
        known = rows >= 0
        vectors = np.full((len(rows), config.embedding_dim), np.nan, dtype=np.float32)
        vectors[known] = base.words.vectors[rows[known]]
        outputs = np.zeros_like(vectors)
        if base.outputs is not None:
            outputs[known] = base.outputs[rows[known]]
        return InitialVectors(vectors, outputs, base.words.subwords), None
    if config.pretrained:
        pretrained = read_vectors(Path(config.pretrained), vocabulary.row_of, config.embedding_dim)
        return InitialVectors(pretrained.vectors, np.zeros_like(pretrained.vectors)), pretrained
    return None, None


def _aligned(vocabulary: CorpusVocabulary, fitted: Fitted, parent: Parent | None) -> tuple[Fitted, WordDrift | None]:
    """Turn a training's vectors into the frame of the last space.

    A space that has not moved at all keeps the bytes of the last one, and with them its space id.
    """
    turn = alignment(_space(vocabulary, fitted), parent.words) if parent is not None else None
    if parent is None or turn is None:
        return fitted, None
    subwords = Subwords(fitted.subwords.vectors @ turn) if fitted.subwords is not None else None
    outputs = fitted.outputs @ turn if fitted.outputs is not None else None
    turned = Fitted(fitted.vectors @ turn, fitted.losses, outputs, subwords)
    same = parent.words.words == vocabulary.words and np.allclose(turned.vectors, parent.words.vectors, atol=UNMOVED)
    if same and (subwords is None) == (parent.words.subwords is None):
        turned = Fitted(parent.words.vectors, fitted.losses, parent.outputs, parent.words.subwords)
    return turned, drift(_space(vocabulary, turned), parent.words)


def save_trained(trained: Trained, folder: Path, config: WordsConfig) -> None:
    """Write a word space and what a later training or inference needs: ``outputs.npy``, ``training.json``."""
    save_words(trained.words, folder)
    if trained.outputs is not None:
        save_npy(folder / OUTPUTS, trained.outputs)
    facts = {
        "loss": trained.losses,
        "min_count": trained.min_count,
        "model": config.model,
        "window": config.window,
        "negative": config.negative,
    }
    write_json(folder / "training.json", facts)


def load_parent(folder: Path) -> Parent:
    """Read the last space.

    Raises:
        ArtefactError: its files are missing or contradict each other.
    """
    words = load_words(folder)
    outputs = load_npy(folder / OUTPUTS) if (folder / OUTPUTS).is_file() else None
    if outputs is not None and outputs.shape != words.vectors.shape:
        raise SpaceMismatch(
            f"output vectors {words.vectors.shape} in {folder}", f"{outputs.shape}", "Run: python -m jobs words --fresh"
        )
    return Parent(words, outputs)

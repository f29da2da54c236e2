"""Learn word vectors from the tokens with gensim's word2vec, read straight from the corpus file.

Reads ``corpus.txt``; produces ``WordVectors`` and a loss per epoch. Source: Mikolov et al. 2013, "Distributed
Representations of Words and Phrases and their Compositionality" (skip-gram, CBOW, both outputs).
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from gensim.models.callbacks import CallbackAny2Vec
from gensim.models.word2vec import Word2Vec

from recsys.errors import DegenerateInput
from recsys.words import WordsConfig, WordVectors
from recsys.words.probe import Probe, build_probe

KEEP_ALL = 0.999999  # instead of no subsampling, for which gensim leaves its random state unset with hs; drops no word
MIN_WORDS = 2  # one word alone has no neighbour to be predicted from

OnEpoch = Callable[[int, float], object]


class Trained(NamedTuple):
    """The result of one training.

    Attributes:
        words: the word space.
        losses: after each epoch, the mean loss of a fixed sample of windows, in nats (see ``recsys.words.probe``).
        min_count: the one that was used.
        tokens: tokens of the corpus that are in the vocabulary.
    """

    words: WordVectors
    losses: list[float]
    min_count: int
    tokens: int


def train(corpus: Path, config: WordsConfig, seed: int, workers: int, on_epoch: OnEpoch | None = None) -> Trained:
    """Learn word vectors.

    A corpus in which fewer than two words stand ``min_count`` times is read with a ``min_count`` of 1.

    Args:
        corpus: one article, or a part of one, per line; tokens between spaces, at most 10,000 in a line.
        config: which word2vec, and its numbers.
        seed: of all randomness; with one worker, equal seeds give equal bytes.
        workers: threads.
        on_epoch: called with the epochs done so far and the loss after each.

    Returns:
        The vectors, most frequent word first, and the losses; no word and no loss where the corpus has fewer than two
        different words, as on a site that sends clicks and no texts.

    Raises:
        DegenerateInput: a loss or vector that is not finite.
    """
    min_count = config.min_count
    model = _with_vocabulary(corpus, config, min_count, seed, workers)
    if len(model.wv) < MIN_WORDS and min_count > 1:
        min_count = 1
        model = _with_vocabulary(corpus, config, min_count, seed, workers)
    if len(model.wv) < MIN_WORDS:
        nothing = np.empty((0, config.embedding_dim), np.float32)
        return Trained(WordVectors([], np.empty(0, np.int64), nothing), [], min_count, 0)
    watch = Watch(build_probe(corpus, model, config, np.random.default_rng(seed)), on_epoch)
    model.train(
        corpus_file=str(corpus),
        total_examples=model.corpus_count,
        total_words=model.corpus_total_words,
        epochs=config.epochs,
        callbacks=[watch],
    )
    counts = np.array([model.wv.get_vecattr(word, "count") for word in model.wv.index_to_key], dtype=np.int64)
    words = WordVectors(list(model.wv.index_to_key), counts, model.wv.vectors.astype(np.float32, copy=False))
    return Trained(words, watch.losses, min_count, int(counts.sum()))


def _with_vocabulary(corpus: Path, config: WordsConfig, min_count: int, seed: int, workers: int) -> Any:
    """A gensim model that has counted the words and drawn its first vectors; empty when no word is frequent enough."""
    hierarchical = config.output == "hierarchical-softmax"
    model = Word2Vec(
        vector_size=config.embedding_dim,
        window=config.window,
        min_count=min_count,
        sg=int(config.model == "skip-gram"),
        hs=int(hierarchical),
        negative=0 if hierarchical else config.negative,
        alpha=config.learning_rate,
        sample=config.subsample or KEEP_ALL,
        seed=seed,
        workers=workers,
    )
    if corpus.stat().st_size:
        model.build_vocab(corpus_file=str(corpus))
    return model


class Watch(CallbackAny2Vec):  # type: ignore[misc]  # gensim carries no types
    """Measures the loss after each epoch; stops a training that has lost itself."""

    def __init__(self, probe: Probe, on_epoch: OnEpoch | None) -> None:
        self.probe, self.on_epoch = probe, on_epoch
        self.losses: list[float] = []

    def on_epoch_end(self, model: Any) -> None:
        """Called by gensim."""
        with np.errstate(all="ignore"):  # what is not finite is refused here, with a remedy
            loss = self.probe.loss(model)
        if not np.isfinite(loss):
            raise DegenerateInput("a finite loss", f"{loss}", "Lower words.learning_rate.")
        self.losses.append(round(loss, 6))
        if self.on_epoch:
            self.on_epoch(len(self.losses), loss)

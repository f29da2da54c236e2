"""Word vectors by prediction, with gensim, read straight from the corpus file.

Skip-gram and CBOW, each with negative sampling or hierarchical softmax, and paragraph vectors (doc2vec: PV-DM,
PV-DBOW), which learn a vector of each line beside those of the words.
Source: Mikolov et al. 2013, "Distributed Representations of Words and Phrases and their Compositionality"; Le & Mikolov
2014, "Distributed Representations of Sentences and Documents".
"""

from pathlib import Path
from typing import Any

import numpy as np
from gensim.models.callbacks import CallbackAny2Vec
from gensim.models.doc2vec import Doc2Vec
from gensim.models.word2vec import Word2Vec

from recsys.errors import DegenerateInput
from recsys.words.config import WordsConfig
from recsys.words.corpus import NOISE_WORDS, CorpusVocabulary, Fitted, InitialVectors, OnEpoch
from recsys.words.sampled_loss import SampledLoss, build_sampled_loss

_KEEP_ALL = 0.999999  # subsampling that drops no word: at 0, gensim leaves its random state unset with hs


def fit(
    corpus: Path,
    vocabulary: CorpusVocabulary,
    config: WordsConfig,
    seed: int,
    workers: int,
    start: InitialVectors | None = None,
    on_epoch: OnEpoch | None = None,
) -> Fitted:
    """Train one of gensim's models.

    Args:
        corpus: one article, or a part of one, per line; tokens between spaces, at most 10,000 in a line.
        vocabulary: the words that get a vector.
        config: which model, and its numbers.
        seed: of all randomness; with one worker, equal seeds give equal bytes.
        workers: threads.
        start: vectors to start from; None: all at random.
        on_epoch: called with the epochs done so far and the loss after each.

    Raises:
        DegenerateInput: a loss that is not finite.
    """
    model = _model(vocabulary, config, seed, workers)
    if start is not None:
        _set_initial_vectors(model, start)
    recorder = LossRecorder(build_sampled_loss(corpus, model, config, np.random.default_rng(seed)), on_epoch)
    epochs = min(config.epochs, max(1, config.max_trained_words // vocabulary.tokens))
    model.train(
        corpus_file=str(corpus),
        total_examples=vocabulary.lines,
        total_words=vocabulary.tokens,
        epochs=epochs,
        callbacks=[recorder],
    )
    vectors = model.wv.vectors.astype(np.float32, copy=False)
    return Fitted(vectors, recorder.losses, None if model.hs else model.syn1neg)


def _model(vocabulary: CorpusVocabulary, config: WordsConfig, seed: int, workers: int) -> Any:
    """A gensim model that has its vocabulary and its first vectors."""
    hierarchical = config.output == "hierarchical-softmax"
    shared: dict[str, Any] = {
        "vector_size": config.embedding_dim,
        "window": config.window,
        "min_count": 1,  # the vocabulary is chosen already, and sorted
        "sorted_vocab": 0,
        "hs": int(hierarchical),
        "negative": 0 if hierarchical else NOISE_WORDS,
        "alpha": config.learning_rate,
        "sample": config.subsample or _KEEP_ALL,
        "seed": seed,
        "workers": workers,
    }
    if config.model in ("pv-dm", "pv-dbow"):
        model = Doc2Vec(dm=int(config.model == "pv-dm"), dbow_words=1, **shared)
        model.dv.index_to_key = list(range(vocabulary.lines))
    else:
        model = Word2Vec(sg=int(config.model == "skip-gram"), **shared)
    counts = dict(zip(vocabulary.words, vocabulary.counts.tolist(), strict=True))
    model.build_vocab_from_freq(counts, corpus_count=vocabulary.lines)
    return model


def _set_initial_vectors(model: Any, start: InitialVectors) -> None:
    """Replace random vectors by given ones; hierarchical softmax's outputs start anew, since its tree is another."""
    rows = np.flatnonzero(np.isfinite(start.vectors[:, 0]))
    model.wv.vectors[rows] = start.vectors[rows]
    if not model.hs:
        model.syn1neg[:] = start.outputs


class LossRecorder(CallbackAny2Vec):  # type: ignore[misc]  # gensim carries no types
    """Loss after each epoch; a training whose loss is not finite is stopped."""

    def __init__(self, sampled_loss: SampledLoss, on_epoch: OnEpoch | None) -> None:
        self.sampled_loss, self.on_epoch = sampled_loss, on_epoch
        self.losses: list[float] = []

    def on_epoch_end(self, model: Any) -> None:
        """Called by gensim."""
        with np.errstate(all="ignore"):  # what is not finite is refused here, with a remedy
            loss = self.sampled_loss.of(model)
        if not np.isfinite(loss):
            raise DegenerateInput("a finite loss", f"{loss}", "Lower words.learning_rate.")
        self.losses.append(round(loss, 6))
        if self.on_epoch:
            self.on_epoch(len(self.losses), loss)

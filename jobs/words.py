"""Stage words: word vectors learned from the tokens.

Reads ``tokens/`` and, when there is one, the previous word space (the live release's, else the workspace's own);
produces ``words/vectors.npy``, ``words/vocabulary.parquet``, ``words/space.json``, with negative sampling
``words/outputs.npy``, and ``words/articles.parquet`` (the articles learned from), ``words/training.json`` (the model
and the loss after each epoch), ``words/evaluation.json`` (the figures that the report shows).

The previous space is no input of the stage: it decides the frame of the new one, not whether a new one is made.
"""

import time

import pyarrow.parquet as pq

from jobs.previous import last_artefact
from jobs.runner import Counts, Job, Stage
from recsys.tokens import BATCH_ARTICLES
from recsys.words.corpus import save_trained_ids, write_new_texts
from recsys.words.evaluation import evaluate_words, usage_by_language
from recsys.words.training import Trained, continues, load_parent, save_trained, train
from recsys.workspace import write_json

STAGE = Stage("words", inputs=("tokens",), sections=("words",))


def run(job: Job) -> Counts:
    """Train one word space, and evaluate it.

    Returns:
        Counts: words, tokens, epochs, the last loss and the like; see ``counts_of``.
    """
    config = job.settings.words
    parent, folder = last_artefact(job, "words", "word space", load_parent) or (None, None)
    corpus, table = job.path("tokens") / "corpus.txt", pq.ParquetFile(job.path("tokens") / "articles.parquet")
    figures: Counts = {}
    if folder and continues(config, parent):
        corpus = job.out / "new.txt"
        figures["new_articles"] = write_new_texts(table, folder, corpus)
    epochs = job.track(range(config.epochs), config.epochs, "epochs")
    next(epochs)  # shows the bar; each epoch moves it on
    began = time.monotonic()
    trained = train(corpus, config, job.seed, job.workers, lambda epoch, loss: next(epochs, None), parent)
    figures["words_per_second"] = round(trained.tokens * len(trained.losses) / (time.monotonic() - began))
    (job.out / "new.txt").unlink(missing_ok=True)
    warn(job, trained, aligned=not (parent and parent.words.words) or trained.drift is not None)
    save_trained(trained, job.out, config)
    save_trained_ids(table, job.out)
    usage = usage_by_language(table.iter_batches(4 * BATCH_ARTICLES, columns=["language", "title", "body", "tags"]))
    write_json(job.out / "evaluation.json", evaluate_words(trained, usage, config.similarity_files))
    return counts_of(trained) | figures


def warn(job: Job, trained: Trained, *, aligned: bool) -> None:
    """Log what is unusual about a training."""
    if not trained.words.words:
        job.log.warning("no word vectors", words=0, remedy="import articles with text, then run: python -m jobs all")
    if not aligned:
        reason = "the previous space has another dimension, or shares too few words"
        job.log.warning("not aligned", reason=reason, effect="vectors of the previous space mean nothing in this one")
    if trained.pretrained and trained.pretrained.refused:
        refused = {reason.replace(" ", "_"): rows for reason, rows in trained.pretrained.refused.items()}  # key=value
        job.log.warning("rows of words.pretrained refused", **refused)


def counts_of(trained: Trained) -> Counts:
    """Counts of the end line."""
    counts: Counts = {"words": len(trained.words.words), "tokens": trained.tokens, "min_count": trained.min_count}
    counts["epochs"] = len(trained.losses)
    if trained.losses:
        counts["loss"] = trained.losses[-1]
    if trained.drift:
        counts["mean_cosine_with_last"] = trained.drift.mean_cosine
    if trained.pretrained:
        counts["pretrained_used"] = trained.pretrained.used
    return counts

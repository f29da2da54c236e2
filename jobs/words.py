"""Learn word vectors from the tokens.

Reads ``tokens/corpus.txt``; produces ``words/vectors.npy``, ``words/vocabulary.parquet``, ``words/space.json`` and
``words/training.json`` (the loss after each epoch).
"""

import time

from jobs.runner import Counts, Job, Stage
from recsys.words import save_words
from recsys.words.training import train
from recsys.workspace import write_json

STAGE = Stage("words", inputs=("tokens",), sections=("words",))


def run(job: Job) -> Counts:
    """Train one word space.

    Returns:
        Counts: words in the vocabulary, tokens, the min_count that was used, the last loss, words per second.
    """
    config = job.settings.words
    epochs = job.track(range(config.epochs), config.epochs, "epochs")
    next(epochs)  # shows the bar; each epoch moves it on
    began = time.monotonic()
    corpus = job.path("tokens") / "corpus.txt"
    trained = train(corpus, config, job.seed, job.workers, on_epoch=lambda epoch, loss: next(epochs, None))
    seconds = time.monotonic() - began
    if not trained.losses:
        job.log.warning("no word vectors", words=0, remedy="import articles with text, then run: python -m jobs all")
    save_words(trained.words, job.out)
    write_json(job.out / "training.json", {"loss": trained.losses, "min_count": trained.min_count})
    return {
        "words": len(trained.words.words),
        "tokens": trained.tokens,
        "min_count": trained.min_count,
        **({"loss": trained.losses[-1]} if trained.losses else {}),
        "words_per_second": round(trained.tokens * config.epochs / seconds),
    }

"""item2vec: click sessions as sentences, articles as words.

Reads click sequences; produces behaviour vectors with gensim's skip-gram and negative sampling. Order inside a session
matters little, so the window spans most sessions; what was clicked right before or after still counts most, because the
window of each click is drawn anew between 1 and its full width. An article's vector is the sum of its two: as the
clicked one and as the company. Two articles are then close when they are clicked together, and not only when they keep
the same company.

Source: Barkan and Koenigstein 2016 (item2vec); Caselles-Dupré, Lesaint and Royo-Letelier 2018 (the negative sampling
exponent, epochs and window matter most); Pennington, Socher and Manning 2014
(GloVe), section 4.2: the sum of both vectors.
"""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from gensim.models import Word2Vec

from recsys.events import KINDS, Events
from recsys.items import ItemsConfig, ItemVectors, Vectors, combine, unit

CLICK = KINDS.index("click")
LONGEST = 10_000  # words of a sentence that gensim reads; the rest would be cut silently


def sentences(events: Events) -> Iterator[npt.NDArray[np.int32]]:
    """What each reader clicked, in time order: one sentence per reader, or per session of an unknown reader.

    A reader's sessions stay together because what one person reads on Monday and on Tuesday also belongs together, and
    because most sessions hold a single click.

    Yields:
        int32 (n,) article rows, 2 ≤ n ≤ ``LONGEST``.
    """
    clicks = np.flatnonzero(events.kind == CLICK)
    reader, session = events.reader[clicks].astype(np.int64), events.session[clicks].astype(np.int64)
    key = np.where(reader >= 0, reader, np.where(session >= 0, session + len(events.reader_ids), -1))
    order = np.argsort(key, kind="stable")
    order = order[key[order] >= 0]
    rows = events.article[clicks[order]]
    for sentence in np.split(rows, np.flatnonzero(np.diff(key[order])) + 1):
        for start in range(0, len(sentence), LONGEST):
            if len(part := sentence[start : start + LONGEST]) > 1:
                yield part


def behaviour_vectors(
    corpus: Iterator[npt.NDArray[np.int32]], n_articles: int, config: ItemsConfig, *, seed: int, workers: int = 1
) -> Vectors:
    """Train item2vec.

    An article with fewer than ``min_count`` clicks in sentences gets no vector; when fewer than two articles have
    enough, none does.

    Args:
        corpus: int32 article rows of each sentence.
        n_articles: A.
        config: skip-gram's settings.
        seed: with one worker the same seed and corpus give the same bytes.
        workers: threads.

    Returns:
        float32 (A, D2), unit or NaN rows.
    """
    vectors = np.full((n_articles, config.embedding_dim), np.nan, np.float32)
    counts = np.zeros(n_articles, np.int64)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sessions.txt"
        with file.open("w", encoding="ascii") as handle:
            for sentence in corpus:
                np.add.at(counts, sentence, 1)
                handle.write(" ".join(map(str, sentence.tolist())) + "\n")
        if (counts >= config.min_count).sum() < 2:
            return vectors
        model = _train(file, config, seed, workers)
    rows = np.array([int(word) for word in model.wv.index_to_key], np.int64)
    vectors[rows] = unit(unit(model.wv.vectors) + unit(model.syn1neg))
    return vectors


def _train(file: Path, config: ItemsConfig, seed: int, workers: int) -> Word2Vec:
    return Word2Vec(
        corpus_file=str(file),
        sg=1,
        vector_size=config.embedding_dim,
        window=config.window,
        negative=config.negative,
        ns_exponent=config.ns_exponent,
        sample=0,
        min_count=config.min_count,
        alpha=config.learning_rate,
        epochs=config.epochs,
        seed=seed,
        workers=workers,
    )


def item_vectors(events: Events, content: Vectors, config: ItemsConfig, *, seed: int, workers: int = 1) -> ItemVectors:
    """The item vectors that a log gives.

    Args:
        events: only what may be known; ``events.before`` cuts it.
        content: float32 (A, D), article vectors by the log's article rows, unit or NaN.
        config: item2vec and the ridge.
        seed: see ``behaviour_vectors``.
        workers: threads.
    """
    behaviour = behaviour_vectors(sentences(events), len(content), config, seed=seed, workers=workers)
    return combine(behaviour, content, config.ridge)


def with_articles(events: Events, ids: Sequence[str]) -> Events:
    """The same events with article rows of another list of identifiers, which must hold all of the log's."""
    row_of = {article_id: row for row, article_id in enumerate(ids)}
    rows = np.array([row_of[article_id] for article_id in events.article_ids], np.int32)
    return replace(events, article=rows[events.article], article_ids=list(ids))

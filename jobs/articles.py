"""Stage articles: the vector of each article's text.

Reads ``events/`` (the texts, for a pre-trained encoder), ``tokens/``, ``words/``, ``keywords/`` and the folder
``encoder`` of the data folder; produces ``articles/ids.parquet`` (with each article's language),
``articles/vectors.npy``, and the encoder for articles that come later.
"""

from pathlib import Path

import pyarrow.parquet as pq

from jobs.runner import Counts, Job, Stage
from recsys.articles.config import ArticlesConfig
from recsys.articles.encoding import IDF, IDF_CONFIG, encoding, save_articles, write_articles
from recsys.articles.pretrained import ENCODER, encode_catalogue, install
from recsys.articles.pretrained import encoding as encoding_texts
from recsys.articles.sentences import BUDGET_MS
from recsys.articles.vectors import text_vectors
from recsys.errors import ArtefactError
from recsys.words import load_words

STAGE = Stage("articles", inputs=("events", "tokens", "words", "keywords"), sections=("articles",), outside=(ENCODER,))


def run(job: Job) -> Counts:
    """Encode every article.

    Returns:
        Counts: articles, articles without a vector; of a pre-trained encoder also its dimensions, milliseconds for a
        long article, the texts that it read, and those that it gave no vector for, by why.

    Raises:
        SpaceMismatch: the keywords were ranked in another word space.
        MissingArtefact: doc2vec is asked for, and the words were trained otherwise; an encoder's files are not there.
        ConfigError: a pre-trained encoder cannot be made, is too slow, or what it gives is no vector.
        DegenerateInput: it gave most texts no vector.
    """
    config = job.settings.articles
    (job.out / IDF).mkdir()
    by_words(job, IDF_CONFIG, job.out / IDF)  # for the click model, beside those of any encoder
    return pretrained(job) if config.pretrained else by_words(job, config, job.out)


def by_words(job: Job, config: ArticlesConfig, folder: Path) -> Counts:
    """Encode every article by its words."""
    tokens, words, keywords = job.path("tokens") / "articles.parquet", job.path("words"), job.path("keywords")
    mapped = job.mapped(encoding(words, keywords, config))
    vectors = text_vectors(words, keywords, config)
    return dict(write_articles(tokens, keywords / "keywords.parquet", vectors, folder, mapped))


def pretrained(job: Job) -> Counts:
    """Encode every article by the encoder of the data folder; texts that the last run has read are left alone."""
    encoder = install(job.settings.articles, job.settings.data_dir / ENCODER, job.out)
    if encoder.milliseconds > BUDGET_MS:
        effect = "a live article waits for its vector, and those behind it wait, too"
        job.log.warning("slow encoder", milliseconds=encoder.milliseconds, budget=BUDGET_MS, effect=effect)
    table = pq.read_table(job.path("keywords") / "keywords.parquet", columns=["id", "language"])
    ids, languages = table["id"].to_pylist(), table["language"].to_pylist()
    texts, tokens = job.path("events") / "articles.parquet", job.path("tokens")
    mapped = job.mapped(encoding_texts(encoder))
    rows, counts = encode_catalogue(encoder, texts, tokens, languages, last(job), mapped)
    save_articles(ids, languages, rows, encoder.space, job.out, words=load_words(job.path("words")).space)
    facts: Counts = {"dimensions": encoder.dimensions, "milliseconds": encoder.milliseconds, **counts}
    return {"articles": len(ids), "without_vector": sum(counts.values()) - counts["read"], **facts}


def last(job: Job) -> Path | None:
    """The folder that this stage left last time, if it is whole and nothing is to be made afresh."""
    try:
        return None if job.context.fresh else job.path(STAGE.name)
    except ArtefactError:
        return None

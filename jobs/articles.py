"""Stage articles: the vector of each article's text.

Reads ``tokens/``, ``words/`` and ``keywords/``; produces ``articles/ids.parquet`` (with each article's language) and
``articles/vectors.npy``.
"""

from jobs.runner import Counts, Job, Stage
from recsys.articles.encoding import encoding, write_articles
from recsys.articles.vectors import text_vectors

STAGE = Stage("articles", inputs=("tokens", "words", "keywords"), sections=("articles",))


def run(job: Job) -> Counts:
    """Encode every article.

    Returns:
        Counts: articles, articles without a vector.

    Raises:
        SpaceMismatch: the keywords were ranked in another word space.
        MissingArtefact: doc2vec is asked for, and the words were trained otherwise.
    """
    tokens, words, keywords = job.path("tokens") / "articles.parquet", job.path("words"), job.path("keywords")
    vectors = text_vectors(words, keywords, job.settings.articles)
    encode = job.mapped(encoding(words, keywords, job.settings.articles))
    return dict(write_articles(tokens, keywords / "keywords.parquet", vectors, job.out, encode))

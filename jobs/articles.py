"""Make each article's vector from its keywords.

Reads ``keywords/`` and ``words/``; produces ``articles/ids.parquet`` (with each article's language) and
``articles/vectors.npy``.
"""

from jobs.runner import Counts, Job, Stage
from recsys.articles import write_articles
from recsys.keywords import load_frequencies
from recsys.words import load_words

STAGE = Stage("articles", inputs=("words", "keywords"), sections=("articles",))


def run(job: Job) -> Counts:
    """Average the keywords' vectors.

    Returns:
        Counts: articles, articles without a vector.

    Raises:
        SpaceMismatch: the keywords were ranked in another word space.
    """
    words = load_words(job.path("words"))
    load_frequencies(job.path("keywords"), words)  # refuses keywords of another space
    return dict(write_articles(job.path("keywords") / "keywords.parquet", words, job.out, job.settings.articles))

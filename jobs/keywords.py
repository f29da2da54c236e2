"""Stage keywords: the ranked keywords of each article.

Reads ``tokens/articles.parquet``, the tags that editors gave, and ``words/``; produces ``keywords/keywords.parquet``
and, for articles that come later, how many articles each word stands in; and ``related_tags.parquet``, from the graph
of keywords that share articles.
"""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.runner import Counts, Job, Stage
from recsys.keywords import KeywordRanker, count_articles, load_editors_tags, ranking, write_keywords
from recsys.tags.graph import write_related
from recsys.tokens import BATCH_ARTICLES
from recsys.words import load_words

STAGE = Stage("keywords", inputs=("tokens", "words"), sections=("keywords",))


def run(job: Job) -> Counts:
    """Count words over all articles, then rank those of each.

    Returns:
        Counts: articles, keywords, articles without a keyword.
    """
    words = load_words(job.path("words"), mapped=True)
    ranker = KeywordRanker(words, count_articles(_batches(job, "batches counted"), words), job.settings.keywords)
    rank = job.mapped(ranking(job.path("words"), job.out, job.settings.keywords))
    said = load_editors_tags(job.path("tokens"))
    counts: Counts = dict(write_keywords(_batches(job, "batches ranked"), ranker, job.out, rank, said=said))
    write_related(job.out / "keywords.parquet", job.out)
    return counts


def _batches(job: Job, unit: str) -> Iterator[pa.RecordBatch]:
    source = pq.ParquetFile(job.path("tokens") / "articles.parquet")
    return job.track(source.iter_batches(BATCH_ARTICLES), -(-source.metadata.num_rows // BATCH_ARTICLES), unit)

"""Stage tokens: the words of each article.

Reads the catalogue of the events stage; produces ``tokens/articles.parquet`` (words, parts of speech and the ends of
phrases by article), ``tokens/corpus.txt`` (what word vectors are learned from), ``lexicon.parquet`` (new words and
collocations), the lines that were left out, the classes of English words, and ``tokens.json`` (what was odd).
"""

from collections.abc import Iterator
from itertools import chain

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.runner import Counts, Job, Stage
from recsys.keywords import load_editors_tags, save_editors_tags
from recsys.languages import SAMPLE_TEXTS, SiteLanguages, site_languages
from recsys.tokens import BATCH_ARTICLES, write_tokens
from recsys.tokens.clean import repeated_lines
from recsys.tokens.editors_words import load_word_decisions

STAGE = Stage("tokens", inputs=("events",), sections=("tokens", "site"))


def run(job: Job) -> Counts:
    """Find the lines that many articles repeat, then tokenise all articles.

    Returns:
        Counts: articles, tokens, articles without a token, articles by language, entries of the lexicon, odd input.
    """
    config = job.settings.tokens
    lines = repeated_lines(_batches(job, ["body"], "batches read for repeated lines"))
    batches = _batches(job, ["id", "title", "body", "language"], "batches cut")
    decided = load_word_decisions(job.path("events"))
    save_editors_tags(load_editors_tags(job.path("events")), job.out)  # so that keywords follow the articles alone
    return dict(write_tokens(batches, job.out, config, lines, _site_languages(job), decided, job.map_batches))


def _site_languages(job: Job) -> SiteLanguages:
    """Languages of the site, by an even sample of its articles."""
    source = pq.ParquetFile(job.path("events") / "articles.parquet")
    step = -(-source.metadata.num_rows // SAMPLE_TEXTS)
    columns = ["title", "body", "language"]
    rows = chain.from_iterable(
        zip(*(batch.column(name).to_pylist()[::step] for name in columns), strict=True)
        for batch in source.iter_batches(BATCH_ARTICLES, columns=columns)
    )
    texts = ((title or "", body or "", declared) for title, body, declared in rows)
    return site_languages(texts, job.settings.site.language)


def _batches(job: Job, columns: list[str], unit: str) -> Iterator[pa.RecordBatch]:
    source = pq.ParquetFile(job.path("events") / "articles.parquet")
    total = -(-source.metadata.num_rows // BATCH_ARTICLES)
    return job.track(source.iter_batches(BATCH_ARTICLES, columns=columns), total, unit)

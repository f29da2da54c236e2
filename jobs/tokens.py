"""Cut the articles into words.

Reads the catalogue of the events stage; produces ``tokens/articles.parquet`` (words, parts of speech and the ends of
phrases by article), ``tokens/corpus.txt`` (what word vectors are learned from), ``lexicon.parquet`` (new words and
collocations), the lines that were left out, the classes of English words, and ``tokens.json`` (what was odd).
"""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.runner import Counts, Job, Stage
from recsys.tokens import BATCH_ROWS, write_tokens
from recsys.tokens.boilerplate import repeated_lines

STAGE = Stage("tokens", inputs=("events",), sections=("tokens",))


def run(job: Job) -> Counts:
    """Find the lines that many articles repeat, then tokenise all articles.

    Returns:
        Counts: articles, tokens, articles without a token, articles by language, entries of the lexicon, odd input.
    """
    config = job.settings.tokens
    lines = repeated_lines(_batches(job, ["body"], "batches read for repeated lines"), config)
    batches = _batches(job, ["id", "title", "body", "language"], "batches cut")
    return dict(write_tokens(batches, job.out, config, lines))


def _batches(job: Job, columns: list[str], unit: str) -> Iterator[pa.RecordBatch]:
    source = pq.ParquetFile(job.path("events") / "articles.parquet")
    total = -(-source.metadata.num_rows // BATCH_ROWS)
    return job.track(source.iter_batches(BATCH_ROWS, columns=columns), total, unit)

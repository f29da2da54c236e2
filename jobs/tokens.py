"""Cut the articles into words.

Reads the catalogue of the events stage; produces ``tokens/articles.parquet`` (words and parts of speech by article) and
``tokens/corpus.txt`` (what word vectors are learned from).
"""

import pyarrow.parquet as pq

from jobs.runner import Counts, Job, Stage
from recsys.tokens import BATCH_ROWS, write_tokens

STAGE = Stage("tokens", inputs=("events",), sections=("tokens",))


def run(job: Job) -> Counts:
    """Tokenise all articles, a batch at a time.

    Returns:
        Counts: articles, tokens, articles without a token, articles by language.
    """
    source = pq.ParquetFile(job.path("events") / "articles.parquet")
    batches = source.iter_batches(BATCH_ROWS, columns=["id", "title", "body", "language"])
    total = -(-source.metadata.num_rows // BATCH_ROWS)
    return dict(write_tokens(job.track(batches, total, "batches"), job.out, job.settings.tokens))

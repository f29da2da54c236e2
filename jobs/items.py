"""Learn item vectors from click sessions, and project articles that nobody clicked from their content.

Reads the event log, the catalogue and ``articles/``; produces ``items/ids.parquet`` (every article of the catalogue and
of the log), ``items/vectors.npy``, ``items/source.npy``, ``items/projection.npy``, ``items/space.json``.
"""

import pyarrow as pa

from jobs.runner import Counts, Job, Stage
from recsys.items import BEHAVIOUR, CONTENT, NONE, Vectors, aligned, item_space
from recsys.items.training import item_vectors, with_articles
from recsys.workspace import load_npy, read_json, read_table, save_npy, write_json, write_table

STAGE = Stage("items", inputs=("events", "articles"), sections=("items",))


def run(job: Job) -> Counts:
    """Learn one item space from all clicks.

    Returns:
        Counts: articles, with a vector by behaviour, by content, without one, dimensions.
    """
    events = job.event_log.load(until=through(job))
    ids = sorted(set(column(job, "events", "articles.parquet")) | set(events.article_ids))
    content = article_vectors(job, ids)
    made = item_vectors(with_articles(events, ids), content, job.settings.items, seed=job.seed, workers=job.workers)
    write_table(job.out / "ids.parquet", pa.table({"id": pa.array(ids, pa.string())}))
    save_npy(job.out / "vectors.npy", made.vectors)
    save_npy(job.out / "source.npy", made.source)
    save_npy(job.out / "projection.npy", made.projection)
    space = item_space(made.vectors)
    write_json(job.out / "space.json", {"space": space, "embedding_dim": int(made.vectors.shape[1])})
    counts = {name: int((made.source == source).sum()) for name, source in SOURCES.items()}
    return {"articles": len(ids), **counts, "dimensions": int(made.vectors.shape[1])}


SOURCES = {"behaviour": BEHAVIOUR, "content": CONTENT, "none": NONE}


def through(job: Job) -> int:
    """How far the log went when ``events`` last ran: all stages read the same events."""
    return int(read_json(job.path("events") / "log.json")["through"])


def column(job: Job, stage: str, file: str, name: str = "id") -> list[str]:
    """One column of a stage's table."""
    values: list[str] = read_table(job.path(stage) / file, columns=[name])[name].to_pylist()
    return values


def article_vectors(job: Job, ids: list[str]) -> Vectors:
    """The article vectors by the rows of ``ids``: float32 (A, D), NaN where there is none."""
    return aligned(load_npy(job.path("articles") / "vectors.npy"), column(job, "articles", "ids.parquet"), ids)

"""Build the nearest-neighbour index.

Reads ``items/``; produces ``index/items.faiss`` and ``index/ids.parquet`` (the rows that it speaks of).
"""

from jobs.runner import Counts, Job, Stage
from recsys.index import Index
from recsys.workspace import load_npy, read_table, write_table

STAGE = Stage("index", inputs=("items",), sections=("index",))


def run(job: Job) -> Counts:
    """Index every article that has an item vector.

    Returns:
        Counts: articles, indexed ones, dimensions.
    """
    folder = job.path("items")
    ids, vectors = read_table(folder / "ids.parquet"), load_npy(folder / "vectors.npy")
    index = Index.build(vectors)
    index.save(job.out / "items.faiss")
    write_table(job.out / "ids.parquet", ids)
    return {"articles": len(vectors), "indexed": len(index), "dimensions": int(vectors.shape[1])}

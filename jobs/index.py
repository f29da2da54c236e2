"""Build the nearest-neighbour index.

Reads ``items/`` and ``articles/``; produces ``index/items.faiss``, ``index/ids.parquet`` (the rows that it speaks of)
and, where there are many vectors, the centres of the cells by which they are searched: ``index/item_cells.npy`` and
``index/article_cells.npy``.
"""

from jobs.runner import Counts, Job, Stage
from recsys.index import Index, cell_centres
from recsys.workspace import load_npy, read_table, save_npy, write_table

STAGE = Stage("index", inputs=("items", "articles"), sections=("index",))


def run(job: Job) -> Counts:
    """Index every article that has an item vector.

    Returns:
        Counts: articles, indexed ones, dimensions, cells.
    """
    folder = job.path("items")
    ids, vectors = read_table(folder / "ids.parquet"), load_npy(folder / "vectors.npy")
    index = Index.build(vectors)
    index.save(job.out / "items.faiss")
    write_table(job.out / "ids.parquet", ids)
    cells = cell_centres(vectors)
    save_npy(job.out / "item_cells.npy", cells)
    save_npy(job.out / "article_cells.npy", cell_centres(load_npy(job.path("articles") / "vectors.npy")))
    return {
        "articles": len(vectors),
        "indexed": len(index),
        "dimensions": int(vectors.shape[1]),
        "cells": len(cells),
    }

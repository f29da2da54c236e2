"""Annotations: what the models said of each article at night, read from the stages' files.

Reads languages, keywords, categories and labels; produces ``ArticleAnnotations`` by article, a batch at a time.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from recsys.catalogue.articles import ArticleAnnotations, guesses
from recsys.languages import UNKNOWN_LANGUAGE
from recsys.tags import STEM
from recsys.workspace import read_json, read_table

_BATCH = 5_000  # articles in memory at a time


class NightlyAnnotations:
    """The annotations of all articles, as tables.

    Args:
        folder: gives the folder of a stage by its name.
    """

    def __init__(self, folder: Callable[[str], Path]) -> None:
        self._spoken = read_table(folder("articles") / "ids.parquet", ["id", "language"])
        self._ranked = read_table(folder("keywords") / "keywords.parquet", ["id", "keywords", "weights", "parts"])
        self._assigned = read_table(folder("categories") / "articles.parquet", ["id", "category", "bar", "topic"])
        self._tasks = {
            task: read_table(folder("tasks") / task / "articles.parquet", ["id", "label", "confidence"])
            for task in task_names(folder("tasks"))
        }

    def of(self, ids: Sequence[str]) -> Iterator[ArticleAnnotations]:
        """The annotations of some articles in their order; one that a table lacks has none of that kind."""
        for start in range(0, len(ids), _BATCH):
            batch = pa.array(ids[start : start + _BATCH], pa.string())
            spoken, ranked, assigned = (_rows(table, batch) for table in (self._spoken, self._ranked, self._assigned))
            labels = [(task, _rows(table, batch)) for task, table in self._tasks.items()]
            for row in range(len(batch)):
                bar = guesses((one["category"], one["confidence"]) for one in assigned[row]["bar"] or ())
                yield ArticleAnnotations(
                    spoken[row]["language"] or UNKNOWN_LANGUAGE,
                    tuple((ranked[row]["keywords"] or ())[:STEM]),
                    tuple((ranked[row]["weights"] or ())[:STEM]),
                    tuple((ranked[row]["parts"] or ())[:STEM]),
                    assigned[row]["category"],
                    bar,
                    bool(assigned[row]["topic"]),
                    tuple(
                        (task, one[row]["label"], round(one[row]["confidence"], 2))
                        for task, one in labels
                        if one[row]["label"] is not None
                    ),
                )


def task_names(folder: Path) -> list[str]:
    """The tasks that were learned beside the categories, by the folder of their stage."""
    return [task["task"] for task in read_json(folder / "tasks.json")["tasks"]]


def _rows(table: pa.Table, ids: pa.Array) -> list[dict[str, Any]]:
    """The rows of some ids, with None in every field where the table lacks one."""
    places = pc.index_in(ids, value_set=table["id"])
    rows: list[dict[str, Any]] = table.take(places).to_pylist()
    return rows

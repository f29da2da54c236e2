"""Annotations: what the models said of each article at night, read from the stages' files.

Reads languages, keywords, categories and labels; produces ``ArticleAnnotations`` by article, a batch at a time.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

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
        self._places: dict[str, int] = {}  # of the last table's ids; those of the others are mostly the same
        self._spoken = self._table(folder("articles") / "ids.parquet", ["language"])
        self._ranked = self._table(folder("keywords") / "keywords.parquet", ["keywords", "weights", "parts"], STEM)
        self._assigned = self._table(folder("categories") / "articles.parquet", ["category", "bar", "topic"])
        self._tasks = {
            task: self._table(folder("tasks") / task / "articles.parquet", ["label", "confidence"])
            for task in task_names(folder("tasks"))
        }

    def _table(self, file: Path, columns: list[str], most: int | None = None) -> "_RowsById":
        """Columns of a file, of lists the first ``most``: the others would be more than half of the table."""
        ids = read_table(file, ["id"])["id"].to_pylist()
        if list(self._places) != ids:
            self._places = {article_id: place for place, article_id in enumerate(ids)}
        table = read_table(file, columns)
        if most is not None:
            table = pa.table({name: pc.list_slice(table[name], 0, most) for name in columns})
        return _RowsById(self._places, table)

    def of(self, ids: Sequence[str]) -> Iterator[ArticleAnnotations]:
        """The annotations of some articles in their order; one that a table lacks has none of that kind."""
        for start in range(0, len(ids), _BATCH):
            batch = ids[start : start + _BATCH]
            spoken, ranked, assigned = (table.of(batch) for table in (self._spoken, self._ranked, self._assigned))
            labels = [(task, table.of(batch)) for task, table in self._tasks.items()]
            for row in range(len(batch)):
                bar = guesses((one["category"], one["confidence"]) for one in assigned[row]["bar"] or ())
                yield ArticleAnnotations(
                    spoken[row]["language"] or UNKNOWN_LANGUAGE,
                    tuple(ranked[row]["keywords"] or ()),
                    tuple(ranked[row]["weights"] or ()),
                    tuple(ranked[row]["parts"] or ()),
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


class _RowsById(NamedTuple):
    """A table, and in which place the row of each id stands."""

    places: Mapping[str, int]
    table: pa.Table

    def of(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        """The rows of some ids, with None in every field where the table lacks one."""
        places = pa.array(map(self.places.get, ids), pa.int64())
        rows: list[dict[str, Any]] = self.table.take(places).to_pylist()
        return rows

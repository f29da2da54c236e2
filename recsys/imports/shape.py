"""Rows of a file before they are records: values replaced by their meaning (``kind.VIEW=click``), lists unfolded."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from recsys.errors import ImportRefused
from recsys.imports.lists import is_several
from recsys.imports.mapping import FieldMap, ValueMaps
from recsys.imports.rejects import ImportTally
from recsys.imports.tables import RowBatch, made_column, part_of
from recsys.imports.unfold import Unfolder, unfold_articles
from recsys.missing import is_missing

_MAY_BE_LISTS = frozenset((str, list, tuple))  # most columns of ids are numbers: those need no second look


_MAX_SHOWN = 40  # characters of a value in a count


class RowShaper:
    """The steps that the rows of one file need; for most files there are none.

    Args:
        source: the map of the file's columns.
        values: by field, what values mean.
        tally: is told of rows that are rejected or not wanted.

    Attributes:
        mapping: the map of the batches that are made, for ``RecordBuilder``.
        wanted: the file's columns that are needed.
    """

    def __init__(self, source: FieldMap, values: ValueMaps, tally: ImportTally) -> None:
        self._tally = tally
        self.wanted = sorted({origin.column for origin in source.values() if origin.column is not None})
        self._meanings = ValueMeanings(source, values, tally.leave_out)
        self.mapping = self._meanings.mapping
        article = self.mapping.get("article")
        self._article = article.column if article is not None else None
        self._unfold: Unfolder | None = None
        if self.mapping.keys() & {"shown", "clicked", "history"}:
            self._unfold = Unfolder(self.mapping, tally.leave_out)
            self.mapping = self._unfold.mapping

    def batch(self, batch: RowBatch) -> RowBatch:
        """The rows of a batch as ``RecordBuilder`` take them."""
        batch = self._meanings.batch(batch)
        if self._unfold is not None:
            return self._unfold.batch(batch, self._tally.reject)
        column = batch.columns[self._article] if self._article is not None else []
        if _MAY_BE_LISTS.intersection(map(type, column)) and any(map(is_several, column)):
            return unfold_articles(batch, self.mapping, self._tally.reject)
        return batch


class ValueMeanings:
    """Replaces values by what they mean.

    Args:
        source: the map of a file's columns.
        values: by field, what values mean.
        leave_out: counts rows that are not wanted.

    Attributes:
        mapping: the map of the batches that are made.

    Raises:
        ImportRefused: a field whose values have meanings has no column.
    """

    def __init__(self, source: FieldMap, values: ValueMaps, leave_out: Callable[[str, int], None]) -> None:
        self._source, self._values, self._leave_out = source, values, leave_out
        for field, meanings in values.items():
            if field not in source or source[field].column is None:
                first = next(iter(meanings))
                raise ImportRefused(
                    f"a column for {field!r}, whose value {first!r} has a meaning",
                    "none",
                    f"Add {field}=COLUMN to --map.",
                )
        column_of = {field: made_column(field, source[field].column) for field in values}
        self.mapping = source | {field: source[field]._replace(column=name) for field, name in column_of.items()}

    def batch(self, batch: RowBatch) -> RowBatch:
        """A batch with the meanings beside its columns, without the rows of a kind that has none."""
        for field, meanings in self._values.items():
            column = batch.columns[self._source[field].column or ""]
            batch.columns[self.mapping[field].column or ""] = [meanings.get(_key(value), value) for value in column]
            if field == "kind":
                batch = self._wanted(batch, column, meanings)
        return batch

    def _wanted(self, batch: RowBatch, column: list[Any], meanings: dict[str, str]) -> RowBatch:
        keep = [i for i, value in enumerate(column) if is_missing(value) or _key(value) in meanings]
        if len(keep) == len(column):
            return batch
        others = set(range(len(column))).difference(keep)
        for value, count in Counter(str(column[i])[:_MAX_SHOWN] for i in others).items():
            self._leave_out(f"kind {value}", count)
        return part_of(batch, keep)


def _key(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip().casefold()

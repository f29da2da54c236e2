"""Values of a file -> values of ours: ``kind.VIEW=click``; a kind that is given no meaning is not wanted."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from recsys.errors import ImportRefused
from recsys.imports.mapping import Mapping, ValueMaps
from recsys.imports.tables import Batch, made_column, part_of
from recsys.nothing import is_nothing

MAX_SHOWN = 40  # characters of a value in a count


class Meanings:
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

    def __init__(self, source: Mapping, values: ValueMaps, leave_out: Callable[[str, int], None]) -> None:
        self._source, self._values, self._leave_out = source, values, leave_out
        for field, meanings in values.items():
            if field not in source or source[field].column is None:
                first = next(iter(meanings))
                raise ImportRefused(
                    f"a column for {field!r}, whose value {first!r} has a meaning",
                    "none",
                    f"Add {field}=COLUMN to --map.",
                )
        made = {field: made_column(field, source[field].column) for field in values}
        self.mapping = source | {field: source[field]._replace(column=name) for field, name in made.items()}

    def batch(self, batch: Batch) -> Batch:
        """A batch with the meanings beside its columns, without the rows of a kind that has none."""
        for field, meanings in self._values.items():
            column = batch.columns[self._source[field].column or ""]
            batch.columns[self.mapping[field].column or ""] = [meanings.get(_key(value), value) for value in column]
            if field == "kind":
                batch = self._wanted(batch, column, meanings)
        return batch

    def _wanted(self, batch: Batch, column: list[Any], meanings: dict[str, str]) -> Batch:
        keep = [i for i, value in enumerate(column) if is_nothing(value) or _key(value) in meanings]
        if len(keep) == len(column):
            return batch
        others = set(range(len(column))).difference(keep)
        for value, count in Counter(str(column[i])[:MAX_SHOWN] for i in others).items():
            self._leave_out(f"kind {value}", count)
        return part_of(batch, keep)


def _key(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip().casefold()

"""What happens to the rows of a file before they are records: values get their meaning, lists are unfolded."""

from recsys.imports.lists import is_several
from recsys.imports.mapping import Mapping, ValueMaps
from recsys.imports.meanings import Meanings
from recsys.imports.rejects import Tally
from recsys.imports.tables import Batch
from recsys.imports.unfold import Unfold, unfold_articles

MAY_BE_LISTS = frozenset((str, list, tuple))  # most columns of ids are numbers: those need no second look


class Shape:
    """The steps that the rows of one file need; for most files there are none.

    Args:
        source: the map of the file's columns.
        values: by field, what values mean.
        tally: is told of rows that are rejected or not wanted.

    Attributes:
        mapping: the map of the batches that are made, for ``Records``.
        wanted: the file's columns that are needed.
    """

    def __init__(self, source: Mapping, values: ValueMaps, tally: Tally) -> None:
        self._tally = tally
        self.wanted = sorted({origin.column for origin in source.values() if origin.column is not None})
        self._meanings = Meanings(source, values, tally.leave_out)
        self.mapping = self._meanings.mapping
        article = self.mapping.get("article")
        self._article = article.column if article is not None else None
        self._unfold: Unfold | None = None
        if self.mapping.keys() & {"shown", "clicked", "history"}:
            self._unfold = Unfold(self.mapping, tally.leave_out)
            self.mapping = self._unfold.mapping

    def batch(self, batch: Batch) -> Batch:
        """The rows of a batch as ``Records`` take them."""
        batch = self._meanings.batch(batch)
        if self._unfold is not None:
            return self._unfold.batch(batch, self._tally.reject)
        column = batch.columns[self._article] if self._article is not None else []
        if MAY_BE_LISTS.intersection(map(type, column)) and any(map(is_several, column)):
            return unfold_articles(batch, self.mapping, self._tally.reject)
        return batch

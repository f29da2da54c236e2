"""Chunks: rows in pieces of whole lists, in memory or on disk, so that a caller holds as many as it has room for."""

from collections.abc import Callable, Iterator, Sequence
from typing import Generic, NamedTuple, TypeVar

from recsys.features.rows import LabelledRows, concatenated_stream
from recsys.units import FOREVER_MS

RowsOut = TypeVar("RowsOut", bound=LabelledRows, covariant=True)
RowsIn = TypeVar("RowsIn", bound=LabelledRows)


class ChunkStatistics(NamedTuple):
    """Statistics of a chunk, known before it is read.

    Attributes:
        rows: candidates in it.
        lists: whole lists in it.
        bytes: that it takes in memory.
        part: FIT, VALIDATION or HOLDOUT; no chunk holds two.
        since: ms, when its first list was shown.
        until: ms, when its last list was shown.
    """

    rows: int
    lists: int
    bytes: int
    part: int = 0
    since: int = 0
    until: int = 0


class Chunks(Generic[RowsOut]):
    """Rows in B chunks, in time order.

    Args:
        statistics: of each chunk.
        read: number of a chunk -> its rows, their lists numbered from 0.
    """

    def __init__(self, statistics: Sequence[ChunkStatistics], read: Callable[[int], RowsOut]) -> None:
        self.statistics, self._read = tuple(statistics), read

    def __len__(self) -> int:
        """Rows in all."""
        return sum(chunk.rows for chunk in self.statistics)

    def __iter__(self) -> Iterator[RowsOut]:
        """Read chunk after chunk."""
        return map(self._read, range(len(self.statistics)))

    def __getitem__(self, number: int) -> RowsOut:
        """Read one chunk."""
        return self._read(number)

    def of_parts(self, *parts: int) -> "Chunks[RowsOut]":
        """The chunks of some of FIT, VALIDATION and HOLDOUT."""
        kept = [number for number, chunk in enumerate(self.statistics) if chunk.part in parts]
        return Chunks([self.statistics[number] for number in kept], lambda place: self._read(kept[place]))

    def whole(self) -> RowsOut:
        """All rows at once."""
        if len(self.statistics) == 1:
            return self[0]
        return concatenated_stream(self, len(self), sum(chunk.lists for chunk in self.statistics))

    @property
    def bytes(self) -> int:
        """That all chunks together take in memory."""
        return sum(chunk.bytes for chunk in self.statistics)

    @property
    def since(self) -> int:
        """Time at which the first list was shown, ms; FOREVER_MS without lists."""
        return min((chunk.since for chunk in self.statistics), default=FOREVER_MS)

    @property
    def until(self) -> int:
        """Time at which the last list was shown, ms; 0 without lists."""
        return max((chunk.until for chunk in self.statistics), default=0)


def chunks_of(rows: RowsIn | Chunks[RowsIn]) -> Chunks[RowsIn]:
    """One chunk of rows that are in memory; chunks as they are."""
    if isinstance(rows, Chunks):
        return rows
    parts = (rows.matrix, rows.ids, rows.context, rows.history)
    return Chunks([ChunkStatistics(len(rows), len(rows.context), sum(part.nbytes for part in parts))], lambda _: rows)

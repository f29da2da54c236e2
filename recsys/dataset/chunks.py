"""Blocks: rows in pieces of whole lists, in memory or on disk, so that a caller holds as many as it has room for."""

from collections.abc import Callable, Iterator, Sequence
from typing import Generic, NamedTuple, TypeVar

from recsys.features.rows import LabelledRows, concatenated_stream

R = TypeVar("R", bound=LabelledRows, covariant=True)
S = TypeVar("S", bound=LabelledRows)

FOREVER = (1 << 63) - 1  # ms: later than any list


class ChunkStatistics(NamedTuple):
    """What is known of a block before it is read.

    Attributes:
        rows: candidates in it.
        lists: whole lists in it.
        bytes: that it takes in memory.
        part: FIT, VALIDATION or HOLDOUT; no block holds two.
        since: ms, when its first list was shown.
        until: ms, when its last list was shown.
    """

    rows: int
    lists: int
    bytes: int
    part: int = 0
    since: int = 0
    until: int = 0


class Chunks(Generic[R]):
    """Rows in B blocks, in time order.

    Args:
        facts: of each block.
        read: number of a block -> its rows, their lists numbered from 0.
    """

    def __init__(self, facts: Sequence[ChunkStatistics], read: Callable[[int], R]) -> None:
        self.facts, self._read = tuple(facts), read

    def __len__(self) -> int:
        """Rows in all."""
        return sum(block.rows for block in self.facts)

    def __iter__(self) -> Iterator[R]:
        """Read block after block."""
        return map(self._read, range(len(self.facts)))

    def __getitem__(self, number: int) -> R:
        """Read one block."""
        return self._read(number)

    def of_parts(self, *parts: int) -> "Chunks[R]":
        """The blocks of some of FIT, VALIDATION and HOLDOUT."""
        kept = [number for number, block in enumerate(self.facts) if block.part in parts]
        return Chunks([self.facts[number] for number in kept], lambda place: self._read(kept[place]))

    def whole(self) -> R:
        """All rows at once."""
        if len(self.facts) == 1:
            return self[0]
        return concatenated_stream(self, len(self), sum(block.lists for block in self.facts))

    @property
    def bytes(self) -> int:
        """That all blocks together take in memory."""
        return sum(block.bytes for block in self.facts)

    @property
    def since(self) -> int:
        """When the first list was shown, ms; FOREVER without lists."""
        return min((block.since for block in self.facts), default=FOREVER)

    @property
    def until(self) -> int:
        """When the last list was shown, ms; 0 without lists."""
        return max((block.until for block in self.facts), default=0)


def chunks_of(rows: S | Chunks[S]) -> Chunks[S]:
    """One block of rows that are in memory; blocks as they are."""
    if isinstance(rows, Chunks):
        return rows
    parts = (rows.matrix, rows.ids, rows.context, rows.history)
    return Chunks([ChunkStatistics(len(rows), len(rows.context), sum(part.nbytes for part in parts))], lambda _: rows)

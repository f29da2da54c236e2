"""The index of tags: which rows bear a tag, kept in step with the catalogue as articles come and change.

Reads folded tags by row; produces rows by tag. A posting is 16 bytes: the tag's number, the row, and the row's
generation when it was written. An article that is put again starts a new generation, so that its older postings are
dead at once; they are dropped at the next merge, but for those of the release, which lie in its file and stay. One
thread writes; any may read meanwhile and sees what was there before or after.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.tags import Tag, tag_key

SIDES: tuple[Literal["left", "right"], ...] = ("left", "right")
TAIL = 1 << 16  # postings that are not sorted in yet: looking through them takes some 30 µs

Rows = npt.NDArray[np.int32]


class Postings(NamedTuple):
    """P postings.

    Attributes:
        keys: int64 (P,), numbers of folded tags.
        rows: int32 (P,).
        generations: int32 (P,).
    """

    keys: npt.NDArray[np.int64]
    rows: Rows
    generations: npt.NDArray[np.int32]

    @classmethod
    def room(cls, size: int) -> "Postings":
        """Postings that say nothing yet."""
        return cls(np.zeros(size, np.int64), np.zeros(size, np.int32), np.zeros(size, np.int32))

    def part(self, chosen: slice | npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> "Postings":
        """Some of them."""
        return Postings(self.keys[chosen], self.rows[chosen], self.generations[chosen])


class Layers:
    """Sorted postings: those of the release and later ones; and a tail of which the first ``used`` count."""

    def __init__(self, released: Postings, merged: Postings) -> None:
        self.released, self.merged = released, merged
        self.tail = Postings.room(TAIL)
        self.used = 0

    def of(self, key: int) -> Iterator[Postings]:
        """The postings of one number, layer by layer."""
        for layer in (self.released, self.merged):
            first, last = (int(np.searchsorted(layer.keys, key, side)) for side in SIDES)
            yield layer.part(slice(first, last))
        tail = self.tail.part(slice(0, self.used))
        yield tail.part(tail.keys == key)


class TagIndex:
    """Rows by tag, for at most ``capacity`` rows.

    Attributes:
        further: folded tag -> the tags two steps away from it in the tag graph of the release.
    """

    def __init__(self, capacity: int, released: Postings | None = None) -> None:
        """An index of rows without tags.

        Args:
            capacity: rows.
            released: sorted by key, generation 0; none without it.
        """
        self.further: Mapping[str, tuple[Tag, ...]] = {}
        self._generation = np.zeros(capacity, np.int32)
        self._layers = Layers(released or Postings.room(0), Postings.room(0))

    def put(self, row: int, tags: Iterable[str]) -> None:
        """Say which tags a row bears, instead of those that it bore before.

        Args:
            row: below the capacity.
            tags: folded; empty ones say nothing.
        """
        self._generation[row] += 1
        keys = list({tag_key(tag) for tag in tags if tag})[:TAIL]
        if self._layers.used + len(keys) > TAIL:
            self._merge()
        layers, end = self._layers, self._layers.used + len(keys)
        layers.tail.keys[layers.used : end] = keys
        layers.tail.rows[layers.used : end] = row
        layers.tail.generations[layers.used : end] = self._generation[row]
        layers.used = end  # last, so that a reader never sees half of a posting

    def rows(self, tag: str) -> Rows:
        """The rows that bear a folded tag: int32 (N,), each once, in no order."""
        if not tag:
            return np.empty(0, np.int32)
        layers = list(self._layers.of(tag_key(tag)))
        rows = np.concatenate([layer.rows for layer in layers])
        alive: Rows = rows[np.concatenate([layer.generations for layer in layers]) == self._generation[rows]]
        return alive

    def _merge(self) -> None:
        """Sort the tail into the later postings, without the dead; those themselves are not sorted again."""
        old = self._layers
        layers = (old.merged, old.tail.part(slice(0, old.used)))
        base, tail = (self._alive(layer) for layer in layers)
        tail = tail.part(np.argsort(tail.keys, kind="stable"))
        places = np.searchsorted(base.keys, tail.keys)
        merged = Postings(
            np.insert(base.keys, places, tail.keys),
            np.insert(base.rows, places, tail.rows),
            np.insert(base.generations, places, tail.generations),
        )
        self._layers = Layers(old.released, merged)

    def _alive(self, postings: Postings) -> Postings:
        alive = self._generation[postings.rows] == postings.generations
        return postings if alive.all() else postings.part(alive)  # mostly all are, and a copy is as large as the index

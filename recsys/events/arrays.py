"""The events as arrays in time order."""

from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.store import Kind

UNDOUBTED: int = -1  # the proof of an event that came without one and needs none
KINDS: tuple[str, ...] = tuple(kind.value for kind in Kind)


@dataclass(frozen=True)
class Events:
    """E events in the order of (time, undated first; then ``seq``).

    Attributes:
        time: int64 (E,), milliseconds UTC, or UNDATED.
        kind: int8 (E,), index into KINDS; beyond them ``people.REPEAT_CLICK``.
        article: int32 (E,), row of ``article_ids``.
        reader: int32 (E,), row of ``reader_ids``, -1 for none.
        session: int32 (E,), equal for the events of one session of one reader (or of nobody known), -1 for none.
        impression: int32 (E,), equal for the events of one impression, -1 for none.
        position: int16 (E,), place in the list shown, from 0, -1 for unknown.
        article_ids: sorted identifiers.
        reader_ids: sorted identifiers.
        through: the highest ``seq`` of the log that these were read from.
        context: int32 (E,), row of ``contexts``, -1 for none; empty where no event has any.
        contexts: texts of JSON objects.
        slot: int32 (E,), row of ``slots``, -1 for none; empty where no event has any.
        slots: names of places on a page, sorted.
        seq: int64 (E,), each event's place in the order of the store; empty where it comes from no store.
        proof: int8 (E,), see ``recsys.store.Evidence``, UNDOUBTED for none; empty where no event is to be doubted.
        dwell: int32 (E,), ms for which the article was looked at, 0 for unknown; empty where no event says so.
        outcome: int8 (E,), what of it counts, see ``recsys.events.outcomes``; empty where nothing does.
    """

    time: NDArray[np.int64]
    kind: NDArray[np.int8]
    article: NDArray[np.int32]
    reader: NDArray[np.int32]
    session: NDArray[np.int32]
    impression: NDArray[np.int32]
    position: NDArray[np.int16]
    article_ids: list[str]
    reader_ids: list[str]
    through: int
    context: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    contexts: list[str] = field(default_factory=list)
    slot: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    slots: list[str] = field(default_factory=list)
    seq: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    proof: NDArray[np.int8] = field(default_factory=lambda: np.empty(0, np.int8))
    dwell: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    outcome: NDArray[np.int8] = field(default_factory=lambda: np.empty(0, np.int8))

    def __len__(self) -> int:
        return len(self.time)

    def before(self, time: int) -> "Events":
        """The events with a time before ``time`` (int ms UTC), undated ones included; rows and identifiers stay."""
        return self.where(slice(int(np.searchsorted(self.time, time, side="left"))))

    def where(self, kept: NDArray[np.bool_ | np.int64] | slice) -> "Events":
        """Some of the events, by a mask or by their places; rows and identifiers stay."""
        columns: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        cut: dict[str, Any] = {
            name: column[kept] if len(column) else column
            for name, column in columns.items()
            if isinstance(column, np.ndarray)
        }
        return replace(self, **cut)

"""Reader memory: the readers and sessions that one worker has seen last, ready to answer for.

Reads events in the order of ``seq``; produces ``ReaderState`` by id. A reader is loaded from the store when they are
first seen; a session lives only here, from the events of all workers. A session belongs to its reader: two readers
whose sessions have the same name never see each other's reading. What was done in a session before its reader was known
is theirs who first give its name with their own, and nobody's as soon as a second reader does. Not safe for threads:
``LiveState`` locks.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from recsys.events import KINDS, UNDATED
from recsys.readers import CLICK, DISMISS, IMPRESSION, ReaderState
from recsys.readers.config import ReadersConfig
from recsys.readers.state import ImpressionWindow
from recsys.store import StoredEvent

KIND_INDEX = {name: number for number, name in enumerate(KINDS)}
Key = TypeVar("Key")
Visit = tuple[str | None, str]  # reader, session
TELLING = (IMPRESSION, CLICK, DISMISS)  # the others say nothing of what a reader likes


@dataclass(slots=True)
class RememberedReader:
    """One reader or session, and the last event (seq) that the state contains."""

    state: ReaderState
    through: int

    def learn(self, event: StoredEvent, row: int) -> None:
        """Take one event in, once."""
        if event.seq > self.through:
            self.through = event.seq
            self.observe(event, row)

    def observe(self, event: StoredEvent, row: int) -> None:
        """Take one event in, whatever came before it."""
        position = -1 if event.position is None else event.position
        if not self.state.repeats(KIND_INDEX[event.kind], row, _time(event)):
            self.state.observe(KIND_INDEX[event.kind], row, _time(event), event.context, position)


class ReaderMemory:
    """At most ``size`` readers and as many sessions; the one not seen for longest goes first."""

    def __init__(self, size: int, config: ReadersConfig) -> None:
        self.size = size
        self.config = config
        self._readers: OrderedDict[str, RememberedReader] = OrderedDict()
        self._sessions: OrderedDict[Visit, RememberedReader] = OrderedDict()
        self._owners: OrderedDict[str, str | None] = OrderedDict()  # session -> its one reader, None for several

    def __contains__(self, reader: str) -> bool:
        return reader in self._readers

    def states(self, reader: str | None, session: str | None) -> tuple[ReaderState | None, ReaderState | None]:
        """The clicks of a reader, and those of a session of theirs or of nobody known."""
        return self.reader(reader), self.session(reader, session)

    def reader(self, reader: str | None) -> ReaderState | None:
        """The clicks of a reader, as far as they are remembered."""
        return self._seen(self._readers, reader)

    def session(self, reader: str | None, session: str | None) -> ReaderState | None:
        """The same of a session of a reader, or of nobody known."""
        if session is None:
            return None
        own = self._seen(self._sessions, (reader, session))
        if own is not None or reader is None:
            return own
        return self._seen(self._sessions, (None, session)) if self._claim(session, reader) else None

    def _claim(self, session: str, reader: str) -> bool:
        """True where a session's name was only ever given together with this reader."""
        owner = self._owners.setdefault(session, reader)
        if owner != reader:
            self._owners[session] = None
        self._owners.move_to_end(session)
        if len(self._owners) > self.size:
            self._owners.popitem(last=False)
        return owner == reader

    def forget(self, gone: Callable[[str], bool]) -> None:
        """Drop the readers who were forgotten, and their sessions.

        Args:
            gone: says of a reader's id whether it is one of theirs.
        """
        readers = {*self._readers, *(reader for reader, _ in self._sessions if reader is not None)}
        for reader in filter(gone, readers):
            self._readers.pop(reader, None)
            for visit in [visit for visit in self._sessions if visit[0] == reader]:
                del self._sessions[visit]
        for session in [session for session, owner in self._owners.items() if owner is not None and gone(owner)]:
            self._owners[session] = None

    def meet(self, reader: str, events: Sequence[StoredEvent], row_of: Mapping[str, int]) -> None:
        """Remember a reader from what the store has of them.

        Args:
            reader: id.
            events: their last clicks and dismisses, and their last impressions; taken in time order.
            row_of: article id -> row; events on other articles say nothing.
        """
        met = RememberedReader(ReaderState.empty(self.config), 0)
        for event in sorted(events, key=lambda event: (_time(event), event.seq)):
            if event.article in row_of:
                met.observe(event, row_of[event.article])
        met.through = max((event.seq for event in events), default=0)
        self._keep(self._readers, reader, met)

    def learn(self, event: StoredEvent, row: int) -> None:
        """Take one event of anybody in: readers who are remembered learn, a session begins with its first event."""
        if KIND_INDEX[event.kind] not in TELLING:
            return
        if event.reader is not None and event.reader in self._readers:
            self._readers[event.reader].learn(event, row)
        if event.session is not None:
            if event.reader is not None:
                self._claim(event.session, event.reader)
            key = (event.reader, event.session)
            visit = self._sessions.get(key) or RememberedReader(ReaderState.empty(self.config), 0)
            visit.learn(event, row)
            self._keep(self._sessions, key, visit)

    def move(self, ids: Sequence[str], row_of: Mapping[str, int], config: ReadersConfig) -> None:
        """Follow the articles to the rows of another release.

        Args:
            ids: article id by old row.
            row_of: article id -> new row; an article without one is forgotten.
            config: of the new release.
        """
        self.config = config
        for held in (*self._readers.values(), *self._sessions.values()):
            held.state = _moved(held.state, ids, row_of, config)

    def _seen(self, held: "OrderedDict[Key, RememberedReader]", key: Key | None) -> ReaderState | None:
        if key is None or key not in held:
            return None
        held.move_to_end(key)
        return held[key].state

    def _keep(self, held: "OrderedDict[Key, RememberedReader]", key: Key, one: RememberedReader) -> None:
        held[key] = one
        held.move_to_end(key)
        if len(held) > self.size:
            held.popitem(last=False)


def _time(event: StoredEvent) -> int:
    return UNDATED if event.time is None else event.time


def _moved(state: ReaderState, ids: Sequence[str], row_of: Mapping[str, int], config: ReadersConfig) -> ReaderState:
    moved = ReaderState.empty(config)
    clicked = set(state.clicks)
    for row in sorted(state.seen - clicked):  # what was clicked long ago is only seen; its order no longer matters
        if ids[row] in row_of:
            moved.observe(DISMISS if row in state.dismissed else CLICK, row_of[ids[row]], UNDATED)
    moved.clicks.clear()
    moved.times.clear()
    for row, time in zip(state.clicks, state.times, strict=True):
        if ids[row] in row_of:
            moved.observe(CLICK, row_of[ids[row]], time)
    moved.impressions = ImpressionWindow(config.max_impressions)
    for row, time, place in zip(
        state.impressions.rows, state.impressions.times, state.impressions.positions, strict=True
    ):
        if ids[row] in row_of:
            moved.impressions.add(row_of[ids[row]], time, place)
    moved.context = state.context
    moved.dismissed |= {row_of[ids[row]] for row in state.dismissed & clicked if ids[row] in row_of}
    return moved

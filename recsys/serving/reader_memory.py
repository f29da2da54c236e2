"""Reader memory: the readers and sessions that one worker has seen last, ready to answer for.

Reads events in the order of ``seq``; produces ``ReaderState`` by id. A reader is loaded from the store when they are
first seen; a session lives only here, from the events of all workers. A session belongs to its reader: two readers
whose sessions have the same name never see each other's reading. What was done in a session before its reader was known
is theirs who first give its name with their own, and nobody's as soon as a second reader does.

A state is never changed once an answer may hold it: who learns something gets a new one. So answers read without a
lock; the short one in here is between those who write, the feed and whoever loads a reader.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
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
        """Take one event in, once; the state becomes another one."""
        if event.seq > self.through:
            self.through = event.seq
            self.state = self.state.copied()
            self.observe(event, row)

    def observe(self, event: StoredEvent, row: int) -> None:
        """Take one event in, whatever came before it."""
        position = -1 if event.position is None else event.position
        if not self.state.repeats(KIND_INDEX[event.kind], row, _time(event)):
            self.state.observe(KIND_INDEX[event.kind], row, _time(event), event.context, position)


class Arriving:
    """A reader who is being loaded: what comes in meanwhile."""

    def __init__(self) -> None:
        self.events: list[StoredEvent] = []
        self.forgotten = False


class ReaderMemory:
    """At most ``size`` readers and as many sessions; the one not seen for longest goes first.

    Args:
        size: of each.
        config: of the release.
        row_of: article id -> row.
    """

    def __init__(self, size: int, config: ReadersConfig, row_of: Mapping[str, int]) -> None:
        self.size = size
        self.config = config
        self._row_of = row_of
        self._lock = threading.Lock()
        self._arriving: dict[str, list[Arriving]] = {}
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
        with self._lock:
            claimed = self._claim(session, reader)
        return self._seen(self._sessions, (None, session)) if claimed else None

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
        with self._lock:
            self._forget(gone)

    def _forget(self, gone: Callable[[str], bool]) -> None:
        for reader in filter(gone, self._arriving):
            for arriving in self._arriving[reader]:
                arriving.forgotten = True
        readers = {*self._readers, *(reader for reader, _ in self._sessions if reader is not None)}
        for reader in filter(gone, readers):
            self._readers.pop(reader, None)
            for visit in [visit for visit in self._sessions if visit[0] == reader]:
                del self._sessions[visit]
        for session in [session for session, owner in self._owners.items() if owner is not None and gone(owner)]:
            self._owners[session] = None

    @contextmanager
    def meeting(self, reader: str) -> Iterator[Callable[[Sequence[StoredEvent]], None]]:
        """Load a reader: what comes in of them inside the block is not missed.

        Yields:
            A function that takes what the store has of them, their last clicks and dismisses and their last
            impressions, in any order; events on articles without a row say nothing.
        """
        arriving = Arriving()
        with self._lock:
            self._arriving.setdefault(reader, []).append(arriving)
        try:
            yield lambda events: self._meet(reader, events, arriving)
        finally:
            with self._lock:
                self._arriving[reader].remove(arriving)
                if not self._arriving[reader]:
                    del self._arriving[reader]

    def _meet(self, reader: str, events: Sequence[StoredEvent], arriving: Arriving) -> None:
        with self._lock:
            if arriving.forgotten or reader in self._readers:
                return
            met = RememberedReader(ReaderState.empty(self.config), 0)
            for event in sorted(events, key=lambda event: (_time(event), event.seq)):
                if event.article in self._row_of:
                    met.observe(event, self._row_of[event.article])
            met.through = max((event.seq for event in events), default=0)
            for event in arriving.events:
                met.learn(event, self._row_of[event.article])
            self._keep(self._readers, reader, met)

    def learn(self, event: StoredEvent, row: int) -> None:
        """Take one event of anybody in: readers who are remembered learn, a session begins with its first event."""
        if KIND_INDEX[event.kind] not in TELLING:
            return
        with self._lock:
            self._learn(event, row)

    def _learn(self, event: StoredEvent, row: int) -> None:
        if event.reader is not None and (known := self._readers.get(event.reader)) is not None:
            known.learn(event, row)
        for arriving in self._arriving.get(event.reader or "", ()):
            arriving.events.append(event)
        if event.session is not None:
            if event.reader is not None:
                self._claim(event.session, event.reader)
            key = (event.reader, event.session)
            visit = self._sessions.get(key) or RememberedReader(ReaderState.empty(self.config), 0)
            visit.learn(event, row)
            self._keep(self._sessions, key, visit)

    def moved(self, ids: Sequence[str], row_of: Mapping[str, int], config: ReadersConfig) -> "ReaderMemory":
        """A memory of the same readers over the rows of another release; this one stays as it is.

        Args:
            ids: article id by old row.
            row_of: article id -> new row; an article without one is forgotten.
            config: of the new release.
        """
        memory = ReaderMemory(self.size, config, row_of)
        with self._lock:
            readers, sessions, memory._owners = self._readers.copy(), self._sessions.copy(), self._owners.copy()
        for reader, held in readers.items():
            memory._readers[reader] = RememberedReader(_moved(held.state, ids, row_of, config), held.through)
        for visit, held in sessions.items():
            memory._sessions[visit] = RememberedReader(_moved(held.state, ids, row_of, config), held.through)
        return memory

    def _seen(self, held: "OrderedDict[Key, RememberedReader]", key: Key | None) -> ReaderState | None:
        if key is None or (one := held.get(key)) is None:
            return None
        with suppress(KeyError):  # it went meanwhile
            held.move_to_end(key)
        return one.state

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

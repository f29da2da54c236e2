"""Reader memory: the readers and sessions that one worker has seen last, ready to answer for.

Reads events in the order of ``seq``; produces ``ReaderState`` by id. A reader is loaded from the store when they are
first seen; a session lives only here, from the events of all workers. A session belongs to its reader: two readers
whose sessions have the same name never see each other's reading. What was done in a session before its reader was known
is theirs who first give its name with their own, and nobody's as soon as a second reader does.

A state is never changed once an answer may hold it: who learns something gets a new one. So answers read without a
lock; the short one in here is between those who write, the feed and whoever loads a reader. States are packed; those of
whoever learned last are left unpacked, since they mostly learn again at once.
"""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager, suppress
from copy import copy
from dataclasses import dataclass
from itertools import repeat
from typing import TypeVar

import numpy as np

from recsys.catalogue.identifiers import RowLookup
from recsys.events import KINDS, UNDATED
from recsys.readers import CLICK, DISMISS, IMPRESSION, ReaderState
from recsys.readers.config import ReadersConfig
from recsys.readers.packed import pack, unpack
from recsys.readers.state import ReaderEvent
from recsys.store import ReaderChoices, ReaderPast, StoredEvent
from recsys.units import MINUTE_MS, UNKNOWN_ROW

KIND_INDEX = {name: number for number, name in enumerate(KINDS)}
Key = TypeVar("Key", bound=Hashable)
Held = TypeVar("Held", bound="Remembered")
TELLING = (IMPRESSION, CLICK, DISMISS)  # the others say nothing of what a reader likes
UNKNOWN_POSITION = -1
UNPACKED = 1024  # readers and sessions whose states are left unpacked: 4 MB at most


@dataclass(slots=True)
class Remembered:
    """One reader or session, the last event (seq) that the state contains, and what a reader chose."""

    state: ReaderState | bytes
    through: int
    choices: ReaderChoices | None = None


@dataclass(slots=True)
class RememberedSession(Remembered):
    """The reading of whoever began a session, under its name.

    Attributes:
        began: the reader, None for nobody known.
        owner: the one reader who gave the session's name with their own; None for nobody yet.
        shared: True after a second reader did.
    """

    began: str | None = None
    owner: str | None = None
    shared: bool = False

    def claim(self, reader: str) -> bool:
        """True where the session's name was only ever given together with this reader."""
        if self.owner is None:
            self.owner = reader
        self.shared = self.shared or self.owner != reader
        return not self.shared


class Arriving:
    """A reader who is being loaded: what comes in meanwhile."""

    def __init__(self) -> None:
        self.events: list[StoredEvent] = []
        self.forgotten = False
        self.choices: ReaderChoices | None = None


class ReaderMemory:
    """At most ``size`` readers and as many sessions; the one not seen for longest goes first.

    Args:
        size: of each.
        config: of the release.
        row_of: article id -> row.
    """

    def __init__(self, size: int, config: ReadersConfig, row_of: RowLookup) -> None:
        self.size = size
        self.config = config
        self._row_of = row_of
        self._lock = threading.Lock()
        self._arriving: dict[str, list[Arriving]] = {}
        self._readers: OrderedDict[str, Remembered] = OrderedDict()
        self._sessions: OrderedDict[str, RememberedSession] = OrderedDict()
        self._guests: OrderedDict[tuple[str | None, str], Remembered] = OrderedDict()  # in a session begun by another
        self._unpacked: deque[Remembered] = deque()

    def __contains__(self, reader: str) -> bool:
        return reader in self._readers

    def is_empty(self) -> bool:
        """True while nobody is remembered or being loaded."""
        return not self._readers and not self._arriving

    def choices(self, reader: str | None) -> ReaderChoices | None:
        """Choices of a reader, as far as they are remembered."""
        held = None if reader is None else self._readers.get(reader)
        return None if held is None else held.choices

    def choose(self, choices: ReaderChoices) -> None:
        """Let what a reader chose hold from now on, if they are remembered or being loaded; the last choice wins."""
        with self._lock:
            held = [*filter(None, [self._readers.get(choices.reader)]), *self._arriving.get(choices.reader, ())]
            for one in held:
                if one.choices is None or one.choices.change < choices.change:
                    one.choices = choices

    def states(self, reader: str | None, session: str | None) -> tuple[ReaderState | None, ReaderState | None]:
        """The clicks of a reader, and those of a session of theirs or of nobody known."""
        return self.reader(reader), self.session(reader, session)

    def passing(self, articles: Sequence[str], now: int) -> ReaderState | None:
        """The clicks of a reader of whom nothing is kept, as their browser says them, newest first; a minute apart."""
        rows = [row for article in articles if (row := self._row_of.get(article, UNKNOWN_ROW)) != UNKNOWN_ROW]
        clicks = [ReaderEvent(CLICK, row, now - (1 + place) * MINUTE_MS) for place, row in enumerate(rows)]
        return ReaderState.of(self.config, reversed(clicks)) if clicks else None

    def reader(self, reader: str | None) -> ReaderState | None:
        """The clicks of a reader, as far as they are remembered."""
        held = None if reader is None else _seen(self._readers, reader)
        return None if held is None else self._unpacked_state(held.state)

    def session(self, reader: str | None, session: str | None) -> ReaderState | None:
        """The same of a session of a reader, or of nobody known."""
        if session is None:
            return None
        held = _seen(self._sessions, session)
        state = b"" if held is None else held.state
        if held is not None and state and held.began == reader:
            return self._unpacked_state(state)
        if (guest := _seen(self._guests, (reader, session))) is not None:
            return self._unpacked_state(guest.state)
        if reader is None:
            return None
        with self._lock:
            named = self._named(session)
            claimed = named.claim(reader) and named.began is None
            return self._unpacked_state(named.state) if claimed else None

    def forget(self, gone: Callable[[str], bool]) -> None:
        """Drop the readers who were forgotten, and their sessions.

        Args:
            gone: says of a reader's id whether it is one of theirs.
        """
        with self._lock:
            self._forget(gone)

    def _forget(self, gone: Callable[[str], bool]) -> None:
        sessions = list(self._sessions.items())
        readers = {*self._arriving, *list(self._readers), *(reader for reader, _ in list(self._guests))}
        readers |= {reader for _, one in sessions for reader in (one.began, one.owner)}
        left = {reader for reader in readers if reader is not None and gone(reader)}
        for reader in left:
            self._readers.pop(reader, None)
            for arriving in self._arriving.get(reader, ()):
                arriving.forgotten = True
        for key in [key for key in list(self._guests) if key[0] in left]:
            del self._guests[key]
        for name, one in sessions:
            if one.began in left:
                del self._sessions[name]
            elif one.owner in left:
                one.owner, one.shared = None, True

    @contextmanager
    def meeting(self, reader: str) -> Iterator[Callable[[ReaderPast], None]]:
        """Load a reader: what comes in of them inside the block is not missed.

        Yields:
            A function that takes what the store has of them; events on articles without a row say nothing.
        """
        arriving = Arriving()
        with self._lock:
            self._arriving.setdefault(reader, []).append(arriving)
        try:
            yield lambda past: self._meet(reader, past, arriving)
        finally:
            with self._lock:
                self._arriving[reader].remove(arriving)
                if not self._arriving[reader]:
                    del self._arriving[reader]

    def _meet(self, reader: str, past: ReaderPast, arriving: Arriving) -> None:
        state = self._state_of(past)
        with self._lock:
            if arriving.forgotten or reader in self._readers:
                return
            met = Remembered(state, max(past.seqs, default=0))
            met.choices = arriving.choices
            self._leave_unpacked(met)
            for event in arriving.events:
                self._teach(met, event, self._row_of[event.article])
            self._keep(self._readers, reader, met)

    def _state_of(self, past: ReaderPast) -> ReaderState:
        rows = list(map(self._row_of.get, past.articles, repeat(UNKNOWN_ROW)))
        if UNKNOWN_ROW in rows:
            past = ReaderPast.of(
                [one for one, row in zip(zip(*past, strict=True), rows, strict=True) if row != UNKNOWN_ROW]
            )
            rows = [row for row in rows if row != UNKNOWN_ROW]
        if not rows:
            return ReaderState.empty(self.config)
        columns = np.array(([KIND_INDEX[name] for name in past.kinds], rows, past.times), np.int64)
        places = [UNKNOWN_POSITION if place is None else place for place in past.positions]
        return ReaderState.of_columns(self.config, columns, places, past.contexts)

    def learn(self, event: StoredEvent, row: int) -> None:
        """Take one event of anybody in: readers who are remembered learn, a session begins with its first event."""
        if KIND_INDEX[event.kind] not in TELLING:
            return
        with self._lock:
            self._learn(event, row)

    def _learn(self, event: StoredEvent, row: int) -> None:
        if event.reader is not None and (known := self._readers.get(event.reader)) is not None:
            self._teach(known, event, row)
        for arriving in self._arriving.get(event.reader or "", ()):
            arriving.events.append(event)
        if event.session is None:
            return
        named = self._named(event.session)
        if event.reader is not None:
            named.claim(event.reader)
        if not named.state:
            named.began = event.reader
        if named.began == event.reader:
            self._teach(named, event, row)
            return
        key = (event.reader, event.session)
        guest = self._guests.get(key) or Remembered(b"", 0)
        self._teach(guest, event, row)
        self._keep(self._guests, key, guest)

    def _named(self, session: str) -> RememberedSession:
        """The session of a name, which may begin now."""
        named = self._sessions.get(session) or RememberedSession(b"", 0)
        self._keep(self._sessions, session, named)
        return named

    def _teach(self, one: Remembered, event: StoredEvent, row: int) -> None:
        """Take one event in, once; the state becomes another one."""
        if event.seq <= one.through:
            return
        one.through = event.seq
        done = _event(event, row)
        state = self._unpacked_state(one.state)
        state = ReaderState.empty(self.config) if state is None else state.copied()
        if not state.repeats(done.kind, done.row, done.time):
            state.observe(*done)
        if isinstance(one.state, bytes):
            self._leave_unpacked(one)
        one.state = state

    def _leave_unpacked(self, one: Remembered) -> None:
        self._unpacked.append(one)
        if len(self._unpacked) > UNPACKED:
            oldest = self._unpacked.popleft()
            if isinstance(oldest.state, ReaderState):
                oldest.state = pack(oldest.state)

    def _unpacked_state(self, state: ReaderState | bytes) -> ReaderState | None:
        if isinstance(state, bytes):
            return unpack(state, self.config) if state else None
        return state

    def moved(self, ids: Sequence[str], row_of: RowLookup, config: ReadersConfig) -> "ReaderMemory":
        """A memory of the same readers over the rows of another release; this one stays as it is.

        Args:
            ids: article id by old row.
            row_of: article id -> new row; an article without one is forgotten.
            config: of the new release.
        """
        memory = ReaderMemory(self.size, config, row_of)
        new_rows = np.array([row_of.get(article, UNKNOWN_ROW) for article in ids], np.int32)
        with self._lock:
            memory._readers.update(_copies(self._readers))
            memory._sessions.update(_copies(self._sessions))
            memory._guests.update(_copies(self._guests))
        for one in (*memory._readers.values(), *memory._sessions.values(), *memory._guests.values()):
            if (state := self._unpacked_state(one.state)) is not None:
                one.state = pack(state.moved(new_rows, config))
        return memory

    def _keep(self, held: "OrderedDict[Key, Held]", key: Key, one: Held) -> None:
        held[key] = one
        held.move_to_end(key)
        if len(held) > self.size:
            held.popitem(last=False)


def _copies(held: "OrderedDict[Key, Held]") -> list[tuple[Key, Held]]:
    return [(key, copy(one)) for key, one in list(held.items())]


def _seen(held: "OrderedDict[Key, Held]", key: Key) -> Held | None:
    """The reader or session of a key, from now on the one asked for last."""
    one = held.get(key)
    if one is not None:
        with suppress(KeyError):  # it went meanwhile
            held.move_to_end(key)
    return one


def _event(event: StoredEvent, row: int) -> ReaderEvent:
    position = UNKNOWN_POSITION if event.position is None else event.position
    time = UNDATED if event.time is None else event.time
    return ReaderEvent(KIND_INDEX[event.kind], row, time, event.context, position)

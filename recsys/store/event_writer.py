"""Group commit of events: callers that wait while one transaction is written share the next one.

Reads events of many threads; produces for each caller its own answer. A commit waits for the disk for milliseconds, so
that one per beacon bounds a worker at some hundred a second, however many threads it has. Nobody waits for company:
whoever comes first commits at once, and whoever comes meanwhile is in the next transaction.

Source: group commit, DeWitt et al. 1984, "Implementation techniques for main memory database systems".
"""

import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from recsys.errors import StoreError
from recsys.store.events import EventStore
from recsys.store.records import Event, Written

WRITE_SECONDS = 2.0  # how long a caller waits for the transactions of others
MAX_GROUP_EVENTS = 5_000  # of one transaction: a tenth of a second
MAX_WAITING_EVENTS = 50_000  # of all callers that wait: what comes beyond is turned away at once


@dataclass(eq=False)
class _Ticket:
    """One caller's events, and the answer once there is one."""

    records: Sequence[Event]
    answer: Written | Exception | None = None

    def result(self) -> Written:
        """The answer, or the error raised."""
        if isinstance(self.answer, Written):
            return self.answer
        assert self.answer is not None
        raise self.answer


class EventWriter:
    """Writer of events for many threads. One of the callers commits for all that wait; there is no thread of its own.

    Args:
        store: where they go.
    """

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._changed = threading.Condition()
        self._waiting = deque[_Ticket]()
        self._waiting_events = 0
        self._is_committing = False

    def add(self, records: Sequence[Event]) -> Written:
        """Take events in as ``EventStore.add_events`` does; they are on the disk when this returns.

        Raises:
            StoreError: the database refused these events, is out of reach, or has been busy with others for longer
                than ``WRITE_SECONDS``. Whoever sends them again loses and doubles nothing: each event counts once.
        """
        ticket, deadline = _Ticket(records), time.monotonic() + WRITE_SECONDS
        with self._changed:
            if self._waiting_events and self._waiting_events + len(records) > MAX_WAITING_EVENTS:
                raise _busy("too many events wait already")
            self._waiting.append(ticket)
            self._waiting_events += len(records)
        while (group := self._next_group(ticket, deadline)) is not None:
            self._commit(group)
        return ticket.result()

    def _next_group(self, ticket: _Ticket, deadline: float) -> list[_Ticket] | None:
        """The callers whose events this one is to commit; None once it has its own answer."""
        with self._changed:
            while ticket.answer is None and self._is_committing:
                if not self._changed.wait(deadline - time.monotonic()) and ticket.answer is None:
                    self._forget(ticket)
                    raise _busy("one that is locked")
            if ticket.answer is not None:
                return None
            self._is_committing = True
            group, events = [self._waiting.popleft()], 0
            while self._waiting and (events := events + len(group[-1].records)) < MAX_GROUP_EVENTS:
                group.append(self._waiting.popleft())
            self._waiting_events -= sum(len(one.records) for one in group)
            return group

    def _commit(self, group: list[_Ticket]) -> None:
        answers: Sequence[Written | Exception] = [_busy("one that was interrupted")] * len(group)
        try:
            answers = self._written(group)
        finally:
            with self._changed:
                for ticket, answer in zip(group, answers, strict=True):
                    ticket.answer = answer
                self._is_committing = False
                self._changed.notify_all()

    def _written(self, group: list[_Ticket]) -> Sequence[Written | Exception]:
        try:
            if len(group) == 1:
                return [self._store.add_events(group[0].records)]
            return self._store.add_event_groups([ticket.records for ticket in group])
        except Exception as error:  # each caller raises it, in its own thread
            return [error] * len(group)

    def _forget(self, ticket: _Ticket) -> None:
        """Take back what nobody waits for any more, unless it is being committed."""
        if ticket in self._waiting:
            self._waiting.remove(ticket)
            self._waiting_events -= len(ticket.records)


def _busy(got: str) -> StoreError:
    return StoreError("a database that is free to write", got, "Try again in a moment.")

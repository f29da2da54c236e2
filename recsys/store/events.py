"""The events: taken in once each, in bulk, and read again in the order in which they came.

PostgreSQL takes a whole batch as one array per column, SQLite row by row inside its own process; both run at the
speed of their indexes. Everything else is the same statement in both.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Text, bindparam, column, desc, func, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import ARRAY

from recsys.store import schema
from recsys.store.engine import Database, now_ms
from recsys.store.records import Event, Kind, StoredEvent, Written

CHUNK = 10_000  # identifiers per look-up
events, readers = schema.events, schema.readers
KINDS = {kind.value: kind for kind in Kind}


class EventStore(Database):
    """The tables of events and readers."""

    def add_events(self, records: Sequence[Event]) -> Written:
        """Take events in, each ``event_id`` of a site once; readers that are new are added too.

        Returns:
            ``stored`` new ones and ``duplicate`` ones that were there already or twice in this call.

        Raises:
            StoreError: the database refused; then none of the events was written.
        """
        if not records:
            return Written(0, 0, 0)
        with self.writing() as connection:
            now = now_ms()
            found = {(event.site, event.reader) for event in records if event.reader is not None}
            self._insert(connection, readers, [(site, reader, now) for site, reader in sorted(found)])
            stored = self._insert(connection, events, records)
        return Written(stored, 0, len(records) - stored)

"""The event log, and what the store has beyond it, as one table; nothing is written."""

from collections.abc import Iterator
from typing import NamedTuple

import pyarrow as pa

from recsys.events import EventLog
from recsys.events.parts import unified
from recsys.events.sound_rows import sound_rows_after
from recsys.store import Store

_COLUMNS = ["seq", "time", "kind", "article", "reader"]
_FIELDS = ["reader", "session", "time", "position", "impression", "dwell_ms", "context"]  # that an event may lack
_BATCH_ROWS = 100_000


class EventTable(NamedTuple):
    """The events of a site.

    Attributes:
        table: ``_COLUMNS``, texts dictionary-encoded; rows in any order.
        lacking: field -> events that have nothing in it, for each of ``_FIELDS``.
    """

    table: pa.Table
    lacking: dict[str, int]


def logged_events(log: EventLog) -> EventTable:
    """The events in the log.

    Raises:
        CorruptArtefact: a part of the log cannot be read.
    """
    return EventTable(log.read(_COLUMNS), log.lacking(_FIELDS))


def all_events(log: EventLog, store: Store, site: str) -> EventTable:
    """All events of a site, those in the log from there: reading Parquet is ten times as fast as the database.

    Args:
        log: the log, which may be behind the store, empty, or of another site.
        store: the database.
        site: the site.

    Raises:
        CorruptArtefact: a part of the log cannot be read.
    """
    logged = logged_events(log) if log.site == site else EventTable(unified([], _COLUMNS), dict.fromkeys(_FIELDS, 0))
    through = log.through if log.site == site else 0
    beyond = store.lacking(site, through, _FIELDS)
    lacking = {name: logged.lacking[name] + beyond[name] for name in _FIELDS}
    return EventTable(unified([logged.table, *_beyond(store, site, through)], _COLUMNS), lacking)


def _beyond(store: Store, site: str, through: int) -> Iterator[pa.Table]:
    while (batch := sound_rows_after(store, site, through, _BATCH_ROWS, _COLUMNS)).through is not None:
        schema = unified([], _COLUMNS).schema
        yield pa.table([_encoded(column) for column in batch.table.columns], schema=schema)
        through = batch.through


def _encoded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.dictionary_encode() if column.type == pa.string() else column

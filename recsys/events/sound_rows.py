"""Sound rows of the store: events as a table, without those that no importer could have written.

SQLite holds a text in a column of numbers, and both databases hold what a damaged page says. Such a row is named and
left out, so that it costs itself alone and not the night.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from recsys.errors import StoreError
from recsys.events.arrays import KINDS
from recsys.events.parts import LOG_SCHEMA
from recsys.store import Store

_MAX_GOT = 200  # characters of what a driver says
_UNDECODABLE = "Could not decode to UTF-8"  # how SQLite's driver calls a text that is none
_ODD = (pa.ArrowException, OverflowError, ValueError)  # what values raise that are of another type


class SoundRows(NamedTuple):
    """Events that follow a ``seq``.

    Attributes:
        table: ``LOG_SCHEMA``, in the order of ``seq``.
        through: the last ``seq`` that was looked at; None when there is nothing more.
        set_aside: ``seq`` and ``got`` of each row that was left out.
    """

    table: pa.Table
    through: int | None
    set_aside: list[dict[str, Any]]


def sound_rows_after(
    store: Store, site: str, seq: int, limit: int, names: Sequence[str] = LOG_SCHEMA.names
) -> SoundRows:
    """The site's next events after ``seq``, at most ``limit``, without those that cannot be events.

    Args:
        store: the database.
        site: the site.
        seq: the last one that was looked at.
        limit: of events.
        names: columns, ``seq`` among them.

    Raises:
        StoreError: the database is out of reach.
    """
    try:
        table = _table_after(store, site, seq, limit, names)
        return SoundRows(table, table["seq"][-1].as_py() if table.num_rows else None, [])
    except _ODD:
        seqs = [int(one) for one in store.event_columns_after(site, seq, limit, ("seq",))["seq"]]
    tables, set_aside = [_table(names, dict.fromkeys(names, ()))], list[dict[str, Any]]()
    _halve(store, site, seqs, tables, set_aside)
    return SoundRows(pa.concat_tables(tables).combine_chunks(), seqs[-1] if seqs else None, set_aside)


def _halve(store: Store, site: str, seqs: list[int], tables: list[pa.Table], set_aside: list[dict[str, Any]]) -> None:
    """Read some events, and each half of them by itself where they cannot be read together."""
    try:
        table = _table_after(store, site, seqs[0] - 1, len(seqs), tables[0].column_names)
        tables.append(table.filter(pc.less_equal(table["seq"], seqs[-1])))  # some may have been forgotten meanwhile
    except _ODD as error:
        if len(seqs) == 1:
            set_aside.append({"seq": seqs[0], "got": f"{error!s:.{_MAX_GOT}}"})
            return
        middle = len(seqs) // 2
        _halve(store, site, seqs[:middle], tables, set_aside)
        _halve(store, site, seqs[middle:], tables, set_aside)


def _table_after(store: Store, site: str, seq: int, limit: int, names: Sequence[str]) -> pa.Table:
    try:
        columns = store.event_columns_after(site, seq, limit, names)
    except StoreError as error:
        if _UNDECODABLE not in error.got:  # out of reach, or a file that is damaged: no row's fault
            raise
        raise ValueError(error.got) from None
    if odd := set(columns.get("kind", ())) - set(KINDS):
        raise ValueError(f"no kind of event: {min(map(repr, odd))}")
    return _table(names, columns)


def _table(names: Sequence[str], columns: Mapping[str, Sequence[Any]]) -> pa.Table:
    schema = pa.schema([LOG_SCHEMA.field(name) for name in names])
    return pa.table([pa.array(columns[field.name], field.type) for field in schema], schema=schema)

"""The events: taken in once each, in bulk, and read again in the order in which they came.

PostgreSQL takes a whole batch as one array per column, SQLite row by row inside its own process; both run at the
speed of their indexes. Everything else is the same statement in both.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import (
    Connection,
    Integer,
    Select,
    Table,
    bindparam,
    case,
    func,
    literal_column,
    select,
    text,
    union_all,
)
from sqlalchemy.exc import OperationalError

from recsys.errors import StoreError
from recsys.store import schema
from recsys.store.engine import Database, as_store_error, by_driver, written_out
from recsys.store.forgetting import reader_digest
from recsys.store.reader_ids import is_made_here
from recsys.store.records import DatedClick, Event, Evidence, Kind, PastEvent, ReaderPast, StoredEvent, Written
from recsys.units import MINUTE_MS, UNDATED, now_ms

ANONYMOUS_REPEAT_MS = MINUTE_MS  # clicks of nobody known from one context: a person takes so long for an article
_CHUNK = 10_000  # identifiers per look-up: both databases take more, none gains by it
_FEW = 4  # readers for whom a statement each costs less than one for all
_READER_COLUMNS = ("site", "id", "created_at")
_KIND_FIELD = StoredEvent._fields.index("kind")
_KIND_OF = {kind.value: kind for kind in Kind}
_NAME_OF = {kind: kind.value for kind in Kind}
_PAST = PastEvent._fields[1:]
_KIND_OF_PAST = PastEvent._fields.index("kind")
_AT_ONCE = 1_000  # events of a reader that are read by one walk; who did more is asked for kind by kind
_NEVER_AGAIN = 1 << 62  # ms UTC: nothing is dated after it
events, readers, forgotten = schema.events, schema.readers, schema.forgotten_readers
choices = schema.reader_choices


class EventStore(Database):
    """The tables of events and readers."""

    def add_events(self, records: Sequence[Event]) -> Written:
        """Take events in, each ``event_id`` of a site once; readers that are new are added too.

        What a reader did before they were forgotten is left out, so that importing an old file does not undo it, and
        whatever names a forgotten reader of an identifier that was made here. What a reader did who switched
        personalisation off is kept without reader and session.

        Returns:
            ``stored`` new ones, ``duplicate`` ones that were there already or twice in this call, ``forgotten`` ones.

        Raises:
            StoreError: the database refused; then none of the events was written.
        """
        if not records:
            return Written(0, 0, 0)
        with self.writing() as connection:
            return _add(connection, records)

    def add_event_groups(self, groups: Sequence[Sequence[Event]]) -> list[Written | Exception]:
        """Take the events of several callers in by one transaction, as if each had called ``add_events`` in turn.

        Returns:
            For each caller its answer; an error for one whose events the database refused, which harms no other.

        Raises:
            StoreError: the database refused all of them; then none of the events was written.
        """
        try:
            with self.writing() as connection:
                return [*_add_together(connection, groups)]
        except StoreError as error:
            if isinstance(error.__cause__, OperationalError):  # out of reach, locked, full: not for what was sent
                raise
        except (TypeError, ValueError, OverflowError):  # what a driver raises of a value that it cannot send
            pass
        with self.writing() as connection:
            return [self._add_alone(connection, records) for records in groups]

    def _add_alone(self, connection: Connection, records: Sequence[Event]) -> Written | Exception:
        """One caller's events, or the error for which none of them was written."""
        try:
            with as_store_error(self._engine.url), connection.begin_nested():
                return _add(connection, records) if records else Written(0, 0, 0)
        except (StoreError, TypeError, ValueError, OverflowError) as error:
            return error

    def preview_events(self, records: Sequence[Event]) -> Written:
        """The answer of ``add_events`` without its writing."""
        given = len(records)
        with self.reading() as connection:
            records = _remembered(connection, records)
            ids = {(record.site, record.event_id) for record in records}
            new = len(ids) - len(_known_ids(connection, records))
        return Written(new, 0, len(records) - new, given - len(records))

    def events_after(self, site: str, seq: int, limit: int) -> list[StoredEvent]:
        """The site's next events after ``seq``, at most ``limit``, in the order of ``seq``."""
        statement, values = written_out(EVENTS_AFTER, self._engine.dialect)
        return _stored(self.fetched(statement, values(site=site, seq=seq, limit=limit)))

    def event_columns_after(
        self,
        site: str,
        seq: int,
        limit: int,
        names: Sequence[str] = StoredEvent._fields,
        *,
        kind: Kind | None = None,
    ) -> dict[str, tuple[Any, ...]]:
        """The same events as columns, kinds by their names: for bulk readers, who would only take the rows apart.

        Args:
            site: whose.
            seq: after which.
            limit: at most so many.
            names: the fields that are wanted.
            kind: of this kind alone.

        Returns:
            The column of each field in ``names``; all of them are empty when there is no event.
        """
        query = _after(site, seq, limit).with_only_columns(*(events.c[name] for name in names))
        if kind is not None:
            query = query.where(events.c.kind == kind.value)
        with self.reading() as connection:
            rows = connection.execute(query).cursor.fetchall()  # plain tuples: half the time
        columns = zip(*rows, strict=True) if rows else [()] * len(names)
        return dict(zip(names, columns, strict=True))

    def lacking(self, site: str, seq: int, names: Sequence[str]) -> dict[str, int]:
        """Number of the site's events after ``seq`` without a value, for each field in ``names``."""
        counts = [func.count(events.c[name]).label(name) for name in names]
        query = select(func.count().label("all"), *counts).where(events.c.site == site, events.c.seq > seq)
        with self.reading() as connection:
            row = connection.execute(query).mappings().one()
        return {name: row["all"] - row[name] for name in names}

    def last_seq(self, site: str) -> int:
        """The highest ``seq`` of the site's events, 0 without any."""
        newest = select(events.c.seq).where(events.c.site == site).order_by(events.c.seq.desc()).limit(1)
        with self.reading() as connection:
            return connection.scalar(newest) or 0

    def clicks_of(self, site: str, reader: str, limit: int) -> list[PastEvent]:
        """The newest ``limit`` clicks and dismissals of one reader, oldest first; undated ones are the oldest."""
        return list(map(PastEvent._make, self._newest_of(site, reader, limit, 0)))

    def clicks_of_many(self, site: str, readers: Collection[str], limit: int) -> dict[str, list[PastEvent]]:
        """The same of several readers, by few statements; those without any are left out."""
        if len(readers) <= _FEW:  # each a statement that is written out already
            return {reader: found for reader in readers if (found := self.clicks_of(site, reader, limit))}
        newest = func.row_number().over(
            partition_by=events.c.reader, order_by=(events.c.time.desc().nulls_last(), events.c.seq.desc())
        )
        time, past = func.coalesce(events.c.time, UNDATED), [events.c[name] for name in _PAST]
        of_all: dict[str, list[PastEvent]] = {}
        for _, ids in _by_site((site, reader) for reader in readers):
            ranked = (
                select(events.c.reader, time.label("dated"), *past, newest.label("place"))
                .where(events.c.site == site, events.c.reader.in_(ids), text("kind IN ('click', 'dismiss')"))
                .subquery()
            )
            query = select(ranked).where(ranked.c.place <= limit)
            with self.reading() as connection:
                for reader, *event, _ in connection.execute(query).cursor.fetchall():
                    of_all.setdefault(reader, []).append(PastEvent(*event))
        return {reader: sorted(found) for reader, found in of_all.items()}

    def history_of(self, site: str, reader: str, clicks: int, impressions: int) -> ReaderPast:
        """The newest ``clicks`` clicks and dismissals of one reader and their newest ``impressions`` impressions.

        Nearly every reader has done so little that all of it comes by one walk, which takes two thirds of the time.

        Returns:
            All of them, oldest first; undated ones are the oldest. Contexts are those of clicks and dismissals.
        """
        statement, values = written_out(READER_PAST, self._engine.dialect)
        rows = self.fetched(statement, values(site=site, reader=reader, limit=_AT_ONCE + 1))
        if len(rows) > _AT_ONCE:
            rows = self._newest_of(site, reader, clicks, impressions)
        return _newest_within(ReaderPast.of(rows), clicks, impressions)

    def _newest_of(self, site: str, reader: str, clicks: int, impressions: int) -> list[tuple[Any, ...]]:
        """The same as rows, however many there are of either."""
        statement, values = written_out(READER_HISTORY, self._engine.dialect)
        return sorted(self.fetched(statement, values(site=site, reader=reader, clicks=clicks, impressions=impressions)))

    def clicks_between(self, site: str, since: int, until: int, through: int) -> list[DatedClick]:
        """The site's clicks that are dated in a span of time, in no order.

        Args:
            site: whose.
            since: ms UTC.
            until: ms UTC, the first one that is too late.
            through: the last ``seq`` that counts.
        """
        query = select(*(events.c[name] for name in DatedClick._fields)).where(
            events.c.site == site,
            events.c.time >= since,
            events.c.time < until,
            events.c.seq <= through,
            text("kind = 'click'"),  # as the index is written
        )
        with self.reading() as connection:
            return [DatedClick._make(row) for row in connection.execute(query).cursor.fetchall()]

    def signed_readers(self, site: str, readers: Collection[str]) -> set[str]:
        """Those of some readers who saw a card by a good token."""
        signed: set[str] = set()
        for _, ids in _by_site((site, reader) for reader in readers):
            query = select(events.c.reader).where(events.c.site == site, events.c.reader.in_(ids)).distinct()
            with self.reading() as connection:
                signed.update(
                    connection.scalars(
                        query.where(events.c.proof == Evidence.SIGNED.value, events.c.kind == Kind.IMPRESSION.value)
                    )
                )
        return signed


def _newest(kinds: str, limit: str) -> Select[Any]:
    """The newest events of one reader, by the index on (reader, site, time)."""
    newest = (
        select(func.coalesce(events.c.time, literal_column(str(UNDATED))), *(events.c[name] for name in _PAST))
        .where(events.c.site == bindparam("site"), events.c.reader == bindparam("reader"), text(f"kind IN ({kinds})"))
        .order_by(events.c.time.desc().nulls_last(), events.c.seq.desc())
        .limit(bindparam(limit, type_=Integer))
    )
    return select(newest.subquery())


READER_HISTORY = union_all(_newest("'click', 'dismiss'", "clicks"), _newest("'impression'", "impressions"))


READER_PAST = (
    select(
        func.coalesce(events.c.time, literal_column(str(UNDATED))),
        *(events.c[name] for name in _PAST[:-1]),
        case((text("kind <> 'impression'"), events.c.context)),
    )
    .where(events.c.site == bindparam("site"), events.c.reader == bindparam("reader"), text("kind <> 'dwell'"))
    .order_by(events.c.time.nulls_first(), events.c.seq)
    .limit(bindparam("limit", type_=Integer))
)


def _newest_within(past: ReaderPast, clicks: int, impressions: int) -> ReaderPast:
    """The newest ``clicks`` clicks and dismissals and the newest ``impressions`` impressions of a past."""
    shown = past.kinds.count(Kind.IMPRESSION.value)
    too_many = {True: shown - impressions, False: len(past.kinds) - shown - clicks}
    if max(too_many.values()) <= 0:
        return past
    kept = []
    for event in zip(*past, strict=True):
        is_shown = event[_KIND_OF_PAST] == Kind.IMPRESSION.value
        too_many[is_shown] -= 1
        if too_many[is_shown] < 0:
            kept.append(event)
    return ReaderPast.of(kept)


EVENTS_AFTER = (
    select(events)
    .where(events.c.site == bindparam("site"), events.c.seq > bindparam("seq"))
    .order_by(events.c.seq)
    .limit(bindparam("limit", type_=Integer))
)


def _add(connection: Connection, records: Sequence[Event]) -> Written:
    """One caller's events, of any number."""
    given, records = len(records), _remembered(connection, _without(_switched_off(connection, records), records))
    if not records:
        return Written(0, 0, 0, given)
    _add_readers(connection, records)
    stored = _insert(connection, events, Event._fields, records)
    return Written(stored, 0, len(records) - stored, given - len(records))


def _add_together(connection: Connection, groups: Sequence[Sequence[Event]]) -> Iterator[Written]:
    """Several callers' events, with as many statements as one caller's; the write lock is held meanwhile."""
    off = _switched_off(connection, [event for records in groups for event in records])
    groups = [_without(off, records) for records in groups]
    kept = set(map(id, _remembered(connection, [event for records in groups for event in records])))
    known = _known_ids(connection, [event for records in groups for event in records])
    new: list[Event] = []
    answers = []
    for records in groups:
        before, remembered = len(new), [event for event in records if id(event) in kept]
        for event in remembered:
            if (event.site, event.event_id) not in known:
                known.add((event.site, event.event_id))
                new.append(event)
        stored = len(new) - before
        answers.append(Written(stored, 0, len(remembered) - stored, len(records) - len(remembered)))
    if new:
        _add_readers(connection, new)
        _insert(connection, events, Event._fields, new)
    return iter(answers)


def _add_readers(connection: Connection, records: Sequence[Event]) -> None:
    named = {(event.site, event.reader) for event in records if event.reader is not None}
    if named:
        now = now_ms()
        _insert(connection, readers, _READER_COLUMNS, [(site, reader, now) for site, reader in sorted(named)])


def _switched_off(connection: Connection, records: Sequence[Event]) -> set[tuple[str, str | None]]:
    """Site and identifier of those readers in some records who switched personalisation off."""
    off: set[tuple[str, str | None]] = set()
    if _is_empty(connection, choices):
        return off
    names = dict.fromkeys((event.site, event.reader) for event in records if event.reader is not None)
    for site, ids in _by_site(names):
        query = select(choices.c.reader).where(choices.c.site == site, choices.c.reader.in_(ids))
        off.update((site, reader) for reader in connection.scalars(query.where(choices.c.personal.is_(False))))
    return off


def _is_empty(connection: Connection, table: Table) -> bool:
    """True for a table without rows; asked of every event, so that it goes to the driver as it is."""
    query = f"SELECT 1 FROM {table.name} LIMIT 1"  # nosec B608
    return by_driver(connection, query).fetchone() is None


def _without(off: Collection[tuple[str, str | None]], records: Sequence[Event]) -> Sequence[Event]:
    """The records, those of some readers as of nobody: a session would tell who it was."""
    if not off:
        return records
    return [
        event._replace(reader=None, session=None) if (event.site, event.reader) in off else event for event in records
    ]


def _remembered(connection: Connection, records: Sequence[Event]) -> Sequence[Event]:
    """The records without those of readers who were forgotten after it happened, or, undated, who ever were."""
    if _is_empty(connection, forgotten):
        return records
    names = {(event.site, event.reader) for event in records if event.reader is not None}
    name_of = {(site, reader_digest(site, reader)): (site, reader) for site, reader in names}
    until = dict.fromkeys(names, -1)
    for site, digests in _by_site(name_of):
        query = select(forgotten.c.digest, forgotten.c.forgotten_at)
        for row in connection.execute(query.where(forgotten.c.site == site, forgotten.c.digest.in_(digests))):
            name = name_of[site, row.digest]
            until[name] = _NEVER_AGAIN if is_made_here(name[1]) else row.forgotten_at
    return [event for event in records if event.reader is None or (event.time or 0) > until[event.site, event.reader]]


def _known_ids(connection: Connection, records: Sequence[Event]) -> set[tuple[str, str]]:
    """Site and identifier of those events that are there already."""
    known: set[tuple[str, str]] = set()
    for site, ids in _by_site(dict.fromkeys((event.site, event.event_id) for event in records)):
        query = select(events.c.event_id).where(events.c.site == site, events.c.event_id.in_(ids))
        known |= {(site, id) for id in connection.scalars(query)}
    return known


def _by_site(keys: Iterable[tuple[str, str]]) -> Iterator[tuple[str, list[str]]]:
    """Keys of site and identifier as lists of one site each, short enough for one query."""
    ids_of: dict[str, list[str]] = {}
    for site, id in keys:
        ids_of.setdefault(site, []).append(id)
    for site, ids in ids_of.items():
        for start in range(0, len(ids), _CHUNK):
            yield site, ids[start : start + _CHUNK]


def _after(site: str, seq: int, limit: int) -> Select[Any]:
    return select(events).where(events.c.site == site, events.c.seq > seq).order_by(events.c.seq).limit(limit)


def _insert(connection: Connection, table: Table, names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> int:
    """Insert tuples and skip those that are there; returns how many were new.

    The driver is called directly: SQLAlchemy's handling of each row costs as much again as SQLite's own. Columns in
    which every value is None are left out, because binding None is the slowest of all in Python's SQLite driver.
    """
    columns = dict(zip(names, zip(*rows, strict=True), strict=True))
    columns = {name: column for name, column in columns.items() if any(value is not None for value in column)}
    if "kind" in columns:
        columns["kind"] = tuple(_NAME_OF[kind] for kind in columns["kind"])
    values: Any
    if connection.dialect.name == "postgresql":
        types = [table.c[name].type.compile(connection.dialect).partition(" COLLATE")[0] for name in columns]
        source = f"SELECT * FROM unnest({', '.join(f'%s::{type}[]' for type in types)})"  # nosec B608
        values = tuple(list(column) for column in columns.values())
    else:
        source = f"VALUES ({', '.join('?' * len(columns))})"
        values = list(zip(*columns.values(), strict=True))
    statement = f"INSERT INTO {table.name} ({', '.join(columns)}) {source} ON CONFLICT DO NOTHING"
    inserted: int = by_driver(connection, statement, values).rowcount
    return inserted


def _stored(rows: Sequence[Any]) -> list[StoredEvent]:
    if not rows:
        return []
    columns = list(zip(*rows, strict=True))
    columns[_KIND_FIELD] = tuple(_KIND_OF[kind] for kind in columns[_KIND_FIELD])
    return list(map(StoredEvent._make, zip(*columns, strict=True)))

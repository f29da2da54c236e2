"""Readers: their rows, and how the store forgets them.

A forgotten reader leaves a hash, never the identifier: enough for whoever knows the id to ask whether it was done, and
for the log and the workers to find what they still hold. What happens later under the same id is a new reader's; what
happened before is not taken in again.
"""

import hashlib
from array import array
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from sqlalchemy import delete, func, insert, select, union_all, update

from recsys.store import schema
from recsys.store.articles import next_change
from recsys.store.audit import write_audit
from recsys.store.engine import Database
from recsys.store.records import Kind
from recsys.units import now_ms

EXPORTED_AT_ONCE = 500  # events of a reader that are read at once
EXPIRED_AT_ONCE = 10_000  # events that are removed in one transaction
articles, events, readers, forgotten = schema.articles, schema.events, schema.readers, schema.forgotten_readers
choices = schema.reader_choices
exposures = schema.exposures


class Forgotten(NamedTuple):
    """Record of a forgotten reader.

    Attributes:
        digest: of the reader, see ``reader_digest``.
        forgotten_at: int ms UTC.
        through: the site's last ``seq`` by then.
        log_cleared_at: int ms UTC, None while the Parquet log may still hold something of them.
        change: the number of that change of the site.
    """

    digest: str
    forgotten_at: int
    through: int
    log_cleared_at: int | None
    change: int


class KindKept(NamedTuple):
    """Events of one kind: number, and time (int ms UTC) of the first and the last, None when all are undated."""

    events: int
    first: int | None
    last: int | None


def reader_digest(site: str, reader: str) -> str:
    """A reader's hash: SHA-256 of site and identifier, in hexadecimal."""
    return hashlib.sha256(f"{site}\n{reader}".encode()).hexdigest()


class ReaderStore(Database):
    """The tables of readers and of those who are forgotten."""

    def kept_events(self, site: str, reader: str) -> dict[str, KindKept]:
        """Events of a reader by kind; empty when the store has none."""
        times = func.count(), func.min(events.c.time), func.max(events.c.time)
        query = select(events.c.kind, *times).where(events.c.site == site, events.c.reader == reader)
        with self.reading() as connection:
            rows = connection.execute(query.group_by(events.c.kind).order_by(events.c.kind)).all()
        return {row[0]: KindKept(*row[1:]) for row in rows}

    def kept_articles(self, site: str, reader: str, kind: Kind, limit: int | None) -> list[dict[str, Any]]:
        """The articles of a reader's events of one kind, newest first: id, title (None if unknown), time (int ms)."""
        joined = events.outerjoin(articles, (articles.c.site == events.c.site) & (articles.c.id == events.c.article))
        query = (
            select(events.c.article, articles.c.title, events.c.time, events.c.session)
            .select_from(joined)
            .where(events.c.site == site, events.c.reader == reader, events.c.kind == kind.value)
            .order_by(events.c.time.desc().nulls_last(), events.c.seq.desc())
            .limit(limit)
        )
        with self.reading() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def reader_since(self, site: str, reader: str) -> int | None:
        """The moment at which the store first heard of a reader, int ms UTC; None for one who did nothing."""
        query = select(readers.c.created_at).where(readers.c.site == site, readers.c.id == reader)
        with self.reading() as connection:
            return connection.scalar(query)

    def dwell_ms_of(self, site: str, reader: str) -> int:
        """Time that a reader spent with articles, as far as it was told, in all: ms."""
        own = (events.c.site == site) & (events.c.reader == reader)
        with self.reading() as connection:
            return int(connection.scalar(select(func.sum(events.c.dwell_ms)).where(own)) or 0)

    def all_events_of(self, site: str, reader: str) -> Iterator[list[dict[str, Any]]]:
        """Everything that a reader did, in the order in which it came, ``EXPORTED_AT_ONCE`` events at once.

        Their numbers alone are held, so that a reader of a hundred thousand events costs a megabyte.
        """
        own = (events.c.site == site) & (events.c.reader == reader)
        with self.reading() as connection:
            numbers = array("q", connection.scalars(select(events.c.seq).where(own).order_by(events.c.seq)))
        columns = [column for column in events.c if column.name not in ("site", "reader")]
        for start in range(0, len(numbers), EXPORTED_AT_ONCE):
            part = numbers[start : start + EXPORTED_AT_ONCE].tolist()
            query = select(*columns).where(own, events.c.seq.in_(part)).order_by(events.c.seq)
            with self.reading() as connection:
                rows = [dict(row) for row in connection.execute(query).mappings()]
            if rows:  # else they were forgotten meanwhile
                yield rows

    def has_reader(self, site: str, reader: str) -> bool:
        """Presence of a reader who did, or chose, anything."""
        did = select(readers.c.id).where(readers.c.site == site, readers.c.id == reader)
        chose = select(choices.c.reader).where(choices.c.site == site, choices.c.reader == reader)
        with self.reading() as connection:
            return connection.scalar(union_all(did, chose).limit(1)) is not None

    def forget_reader(self, site: str, reader: str, by: str) -> int:
        """Delete a reader and all their events; what is beside the store follows by ``forgotten_readers``.

        Returns:
            How many events they had.

        Raises:
            StoreError: the database refused; then nothing was deleted.
        """
        digest = reader_digest(site, reader)
        this = (forgotten.c.site == site) & (forgotten.c.digest == digest)
        with self.writing() as connection, self.overwriting(connection):
            through = connection.scalar(select(func.max(events.c.seq)).where(events.c.site == site)) or 0
            own = (events.c.site == site) & (events.c.reader == reader)
            removed = connection.execute(delete(events).where(own)).rowcount
            connection.execute(delete(readers).where(readers.c.site == site, readers.c.id == reader))
            connection.execute(delete(choices).where(choices.c.site == site, choices.c.reader == reader))
            connection.execute(delete(exposures).where(exposures.c.site == site, exposures.c.reader == reader))
            before = connection.scalar(select(forgotten.c.through).where(this)) or 0
            facts = {"forgotten_at": now_ms(), "through": max(through, before), "log_cleared_at": None}
            connection.execute(delete(forgotten).where(this))
            facts["change"] = next_change(connection, site)
            connection.execute(insert(forgotten).values(site=site, digest=digest, **facts))
            write_audit(connection, site, by, "forget", f"reader sha256:{digest}", before={"events": removed})
        self.empty_write_ahead_log()
        return removed

    def expire_events(self, site: str, before: int) -> int:
        """Delete what happened before a time; undated events stay, and the site's last one, which numbers the next.

        Some ten thousand at once, so that whoever writes meanwhile waits for moments.

        Args:
            site: the site.
            before: int ms UTC.

        Returns:
            How many events were removed.
        """
        last = select(func.max(events.c.seq)).where(events.c.site == site).scalar_subquery()
        old = (events.c.site == site) & (events.c.time < before) & (events.c.seq < last)
        removed, some = 0, EXPIRED_AT_ONCE
        while some == EXPIRED_AT_ONCE:
            with self.writing() as connection, self.overwriting(connection):
                found = connection.scalars(select(events.c.seq).where(old).order_by(events.c.seq).limit(some)).all()
                if found:
                    own = events.c.seq.between(found[0], found[-1])
                    connection.execute(delete(events).where(old, own))
            removed, some = removed + len(found), len(found)
        if removed:
            self.empty_write_ahead_log()
        return removed

    def forgotten_readers(self, site: str, *, changed_after: int = 0, in_log: bool = False) -> list[Forgotten]:
        """Readers who were forgotten, oldest first.

        Args:
            site: the site.
            changed_after: only with a change after this number; see ``ArticleStore.articles``.
            in_log: only those of whom the Parquet log may still hold something.
        """
        query = select(*(forgotten.c[name] for name in Forgotten._fields)).where(forgotten.c.site == site)
        query = query.where(forgotten.c.change > changed_after).order_by(forgotten.c.change)
        if in_log:
            query = query.where(forgotten.c.log_cleared_at.is_(None))
        with self.reading() as connection:
            return [Forgotten(*row) for row in connection.execute(query)]

    def forgotten_reader(self, site: str, reader: str) -> Forgotten | None:
        """The record of one forgotten reader, or None."""
        digest = reader_digest(site, reader)
        return next(
            (reader_record for reader_record in self.forgotten_readers(site) if reader_record.digest == digest), None
        )

    def forgotten_through(self, site: str) -> int:
        """The site's last ``seq`` when a reader was last forgotten, 0 when nobody was."""
        with self.reading() as connection:
            return connection.scalar(select(func.max(forgotten.c.through)).where(forgotten.c.site == site)) or 0

    def last_forgotten(self, site: str) -> int:
        """The number of the change that forgot a reader last, 0 when nobody was."""
        with self.reading() as connection:
            return connection.scalar(select(func.max(forgotten.c.change)).where(forgotten.c.site == site)) or 0

    def log_is_cleared(self, site: str, cleared: Collection[Forgotten]) -> None:
        """Note that the Parquet log holds nothing any more of some readers, unless they were forgotten again since."""
        with self.writing() as connection:
            for record in cleared:
                this = (forgotten.c.site == site) & (forgotten.c.digest == record.digest)
                same = this & (forgotten.c.change == record.change)
                connection.execute(update(forgotten).where(same).values(log_cleared_at=now_ms()))

    def log_is_restored(self, since: int) -> None:
        """Note that the Parquet log may hold readers again who were cleared from it since a time, int ms UTC."""
        with self.writing() as connection:
            connection.execute(update(forgotten).where(forgotten.c.log_cleared_at >= since).values(log_cleared_at=None))

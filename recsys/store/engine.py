"""One database behind two kinds of transaction: ``reading`` waits for nobody, ``writing`` is the only writer.

Reads a URL; produces a ``Database`` whose schema is up to date, opened when it is first used.
Source: SQLAlchemy 2.1 documentation, SQLite dialect, "Serializable isolation / Savepoints / Transactional DDL".
"""

import functools
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Dialect, Engine, SelectBase, create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError

from recsys.config import masked
from recsys.errors import ConfigError, StoreError
from recsys.store.config import StoreConfig
from recsys.store.lost import database_file, mark_existing, refuse_lost
from recsys.store.migrate import is_current, upgrade

WRITER = "recsys_writer"  # the execution option that marks a writing transaction
BUSY_SECONDS = 30.0  # that a SQLite writer waits for another one; a batch of an import takes about 1 s
_ASK_AGAIN_SECONDS = 0.001  # between two looks at whether another SQLite writer has ended: a commit takes some of these
_PRIMARY_CODE = 0xFF  # of SQLite's extended error codes
CONNECT_SECONDS = 5  # that a server may take to answer at all
CACHE_MIB = 64  # SQLite pages that each connection keeps in memory at most
READING_CACHE_KIB = 1024  # the same of those that only read: more of them makes no statement faster
LOCK = 7_305_804_402_211  # this project's own key among PostgreSQL's advisory locks


class Database:
    """A database; the tables' own operations are in the classes that derive from it.

    Args:
        opened: gives an engine whose schema is up to date; called until it does, each time that the database is used.
    """

    def __init__(self, opened: Callable[[], Engine]) -> None:
        self._opened = opened
        self._opening = threading.Lock()
        self._held: Engine | None = None
        self._spare = list[Any]()  # SQLite's connections at rest, for ``fetched``

    @property
    def _engine(self) -> Engine:
        """The engine, opened by whoever needs it first."""
        if self._held is None:
            with self._opening:
                if self._held is None:
                    self._held = self._opened()
        return self._held

    @property
    def is_postgresql(self) -> bool:
        """True for PostgreSQL, where several transactions may write at once."""
        return self._engine.dialect.name == "postgresql"

    @functools.cached_property
    def _is_file(self) -> bool:
        """True for SQLite's file: each of its connections reads the same."""
        return database_file(self._engine.url) is not None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads; it never waits for a writer."""
        with as_store_error(self._engine.url), self._engine.begin() as connection:
            yield connection

    def fetched(self, statement: str, values: Mapping[str, Any] | Sequence[Any]) -> list[Any]:
        """The rows of one statement that reads, by the driver: SQLAlchemy's handling costs as much as the database's.

        Of SQLite it has connections of its own, which are ready a hundred times sooner than those of a pool.

        Args:
            statement: in the driver's own dialect.
            values: as the driver takes them.

        Raises:
            StoreError: the database is out of reach, or refused.
        """
        engine = self._engine
        if self._is_file:
            return self._fetched_from_file(engine, statement, values)
        try:
            with as_store_error(engine.url), closing(engine.raw_connection()) as connection:
                cursor = connection.cursor()
                cursor.execute(statement, values)
                return list(cursor.fetchall())
        except engine.dialect.loaded_dbapi.Error as error:
            raise _store_error(engine.url, error) from error

    def _fetched_from_file(self, engine: Engine, statement: str, values: Any) -> list[Any]:
        """The same of SQLite, where a statement that is read to its end leaves nothing open."""
        try:
            connection = self._spare.pop()
        except IndexError:
            connection = _own_connection(engine)
        try:
            rows: list[Any] = connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            connection.close()
            raise _store_error(engine.url, error) from error
        self._spare.append(connection)
        return rows

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """The one transaction that writes: it commits at the end, or leaves nothing.

        Writers take turns in both databases, so ``seq`` and ``updated_at`` are given out in the order of the commits.
        Without that, a slower transaction could commit a lower number after a reader had polled past it, and the
        reader would never see it. SQLite takes its write lock at the start (``BEGIN IMMEDIATE``): a transaction that
        begins as a reader and writes later fails with "database is locked" as soon as another one wrote in between.
        """
        with as_store_error(self._engine.url), self._engine.connect() as plain:
            connection = plain.execution_options(**{WRITER: True})
            with connection.begin():
                if self.is_postgresql:
                    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
                yield connection

    @contextmanager
    def overwriting(self, connection: Connection) -> Iterator[None]:
        """Let SQLite write zeros over what is deleted in the block; otherwise it stays in free pages of the file.

        In PostgreSQL a vacuum does it.
        """
        if self.is_postgresql:
            yield
            return
        connection.exec_driver_sql("PRAGMA secure_delete = ON")
        try:
            yield
        finally:
            connection.exec_driver_sql("PRAGMA secure_delete = OFF")

    def empty_write_ahead_log(self) -> None:
        """Bring SQLite's log of changes into the file and empty it, as far as no reader is in the way."""
        if not self.is_postgresql:
            with as_store_error(self._engine.url), closing(self._engine.raw_connection()) as connection:
                connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").close()  # outside of any transaction

    def migrate(self) -> None:
        """Bring the schema up to date; of several processes that start at once, one does it and the others wait."""
        with self.reading() as connection:
            current = is_current(connection)
        if not current:
            with self.writing() as connection:
                upgrade(connection)

    def close(self) -> None:
        """Close every connection."""
        with suppress(IndexError):  # whoever reads meanwhile may take the last one
            while True:
                self._spare.pop().close()
        if self._held is not None:
            self._held.dispose()


def _own_connection(engine: Engine) -> Any:
    """The driver's connection to a SQLite file, opened as the pool's are, and nobody else's."""
    with as_store_error(engine.url):
        pooled = engine.raw_connection()
        connection = pooled.dbapi_connection
        pooled.detach()
        assert connection is not None
        connection.execute(f"PRAGMA cache_size=-{READING_CACHE_KIB}").close()
    return connection


def by_driver(connection: Connection, statement: str, values: Sequence[Any] = ()) -> Any:
    """Run a statement of a transaction by the driver: SQLAlchemy's handling costs as much as SQLite's own.

    Args:
        connection: of the transaction.
        statement: in the driver's own dialect.
        values: as the driver takes them; a list of tuples runs it once for each.

    Returns:
        The driver's cursor.

    Raises:
        DBAPIError: the database refused, as SQLAlchemy says it.
    """
    cursor = connection.connection.cursor()
    base = connection.dialect.loaded_dbapi.Error
    try:
        if isinstance(values, list):
            cursor.executemany(statement, values)
        else:
            cursor.execute(statement, values)
    except base as error:
        raise DBAPIError.instance(statement, None, error, base, hide_parameters=True) from error
    return cursor


@functools.cache
def written_out(query: SelectBase, dialect: Dialect) -> tuple[str, Callable[..., Mapping[str, Any] | Sequence[Any]]]:
    """A query as the driver takes it, for ``fetched``.

    Args:
        query: with named parameters; made once, since it is kept.
        dialect: of the database.

    Returns:
        The statement, and a function of the parameters that gives the driver's values.
    """
    written = query.compile(dialect=dialect)
    fixed, names = dict(written.params), written.positiontup

    def values(**given: Any) -> Mapping[str, Any] | Sequence[Any]:
        all_of_them = fixed | given
        return all_of_them if names is None else tuple(all_of_them[name] for name in names)

    return str(written), values


def opened_engine(url: str, config: StoreConfig, cache_mib: int) -> Engine:
    """An engine over an up-to-date schema.

    Raises:
        ConfigError: the URL is not one of SQLite or PostgreSQL.
        StoreError: the database cannot be reached, belongs to a later version, or was there and is lost.
    """
    engine = open_engine(url, config, cache_mib)
    try:
        Database(lambda: engine).migrate()
    except BaseException:
        engine.dispose()
        raise
    return engine


def check_address(url: str) -> None:
    """Make sure that a database's address is one.

    Raises:
        ConfigError: it is not one of SQLite or PostgreSQL.
    """
    _parsed(url)


def open_engine(url: str, config: StoreConfig, cache_mib: int) -> Engine:
    """Connect; for SQLite the folder and the file are made unless they were lost, and the file is put into WAL mode.

    Raises:
        ConfigError: the URL is not one of SQLite or PostgreSQL.
        StoreError: the database cannot be reached, or its file is no longer there.
    """
    parsed = _parsed(url)
    if parsed.get_backend_name() == "postgresql":
        return create_engine(
            parsed, pool_pre_ping=True, hide_parameters=True, connect_args={"connect_timeout": CONNECT_SECONDS}
        )
    file = database_file(parsed)
    # The last one that was used goes out first, since its pages are in memory: the others' stay few.
    order = {"pool_use_lifo": True} if file else {}
    engine = create_engine(parsed, hide_parameters=True, connect_args={"timeout": BUSY_SECONDS}, **order)
    if file:
        refuse_lost(file)
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            file.touch()
        except OSError as error:  # a folder that cannot be written, as of a disk that has failed
            raise _store_error(parsed, error) from error
        _only_existing(engine, file.resolve())
    _follow_sqlite_rules(engine, config, cache_mib)
    try:
        with as_store_error(parsed):
            _use_write_ahead_log(engine, config)
        if file:
            mark_existing(file)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = URL.create("unknown")
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")  # psycopg 3; the bare name means psycopg2
    if parsed.drivername not in ("sqlite", "sqlite+pysqlite", "postgresql+psycopg"):
        raise ConfigError(
            "a database URL that begins with sqlite:/// or postgresql://",
            repr(masked(url)),
            "Correct store.url, or leave it empty for a SQLite file in data_dir.",
        )
    return parsed


def _only_existing(engine: Engine, file: Path) -> None:
    """Let no connection make the file: one that is lost while the store is open must not come back empty."""
    address = f"file:{quote(str(file))}?mode=rw"

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: object, _record: object, positional: list[Any], named: dict[str, Any]) -> None:
        positional[0] = address
        named["uri"] = True


def _follow_sqlite_rules(engine: Engine, config: StoreConfig, cache_mib: int) -> None:
    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver must not begin transactions by itself; "begin" below does
        for pragma in (
            "foreign_keys=ON",
            f"synchronous={config.synchronous.upper()}",
            f"cache_size=-{cache_mib * 1024}",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writer = connection.get_execution_options().get(WRITER)
        if writer:
            _begin_writing(connection)
        else:
            by_driver(connection, "BEGIN").close()


def _begin_writing(connection: Connection) -> None:
    """Take SQLite's write lock, asked for every millisecond.

    SQLite itself waits longer each time, up to 100 ms: beside a process that comes back at once, who waits starves.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    by_driver(connection, "PRAGMA busy_timeout = 0").close()
    try:
        while True:
            try:
                by_driver(connection, "BEGIN IMMEDIATE").close()
                return
            except DBAPIError as error:
                code = getattr(error.orig, "sqlite_errorcode", 0) & _PRIMARY_CODE
                if code != sqlite3.SQLITE_BUSY or time.monotonic() >= deadline:
                    raise
            time.sleep(_ASK_AGAIN_SECONDS)
    finally:
        by_driver(connection, f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000:.0f}").close()


def _use_write_ahead_log(engine: Engine, config: StoreConfig) -> None:
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            with closing(engine.raw_connection()) as connection:
                connection.cursor().execute("PRAGMA journal_mode=WAL").close()
            return
        except sqlite3.OperationalError as error:
            # SQLite does not wait by itself for the exclusive lock that the change of mode needs.
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() >= deadline:
                raise
            time.sleep(0.02)


@contextmanager
def as_store_error(url: URL) -> Iterator[None]:
    """Raise what a driver raises in the block as a ``StoreError``."""
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        raise _store_error(url, error) from error


def _store_error(url: URL, error: Exception) -> StoreError:
    cause = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
    remedy = "Check that the server runs, and store.url with its user and password."
    if url.get_backend_name() == "sqlite":
        remedy = "Check that the folder can be written and that the disk is not full."
        if "locked" in cause:
            remedy = f"Another process has been writing for longer than {BUSY_SECONDS:g} s: stop it, or wait longer."
    return StoreError("a database that answers", f"{cause} ({url.render_as_string(hide_password=True)})", remedy)

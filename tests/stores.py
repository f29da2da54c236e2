"""An empty store on either database, for tests that run on both: import ``server`` and ``store`` to use them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import sqlalchemy

from recsys.store import ReaderPast, Store, StoredEvent, engine, events
from recsys.units import UNDATED
from tests.postgres_server import fresh_database


@pytest.fixture(scope="module")
def server(postgresql: str) -> str:
    """The URL of a PostgreSQL server."""
    return postgresql


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    if request.param == "sqlite":
        opened = Store.open(f"sqlite:///{tmp_path}/store.db")
        yield opened
        opened.close()
        return
    with fresh_database(request.getfixturevalue("server"), "recsys_test") as url:
        opened = Store.open(url)
        yield opened
        opened.close()


@contextmanager
def watched(store: Store) -> Iterator[list[tuple[str, Any]]]:
    """The statements that a store sends in a block, with their values."""
    statements: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if not statement.startswith(("BEGIN", "SELECT pg_")):
            statements.append((statement, values))

    fetched, by_driver = store.fetched, engine.by_driver

    def note_reading(statement: str, values: Any) -> list[Any]:
        statements.append((statement, values))
        return fetched(statement, values)

    def note_writing(connection: Any, statement: str, values: Any = ()) -> Any:
        statements.append((statement, values))
        return by_driver(connection, statement, values)

    sqlalchemy.event.listen(store._engine, "before_cursor_execute", note)
    store.fetched = note_reading  # type: ignore[method-assign]
    try:
        with patch.object(events, "by_driver", note_writing):
            yield statements
    finally:
        del store.fetched
        sqlalchemy.event.remove(store._engine, "before_cursor_execute", note)


def past(*events: StoredEvent) -> ReaderPast:
    """Events as a reader's history has them."""
    return ReaderPast.of(
        [
            (UNDATED if one.time is None else one.time, one.seq, one.kind, one.article, one.position, one.context)
            for one in events
        ]
    )

"""The migrations of an empty database: Alembic runs them once in a process, and their statements are sent again.

Working the statements out takes Alembic ten times as long as the database takes to obey them. A database that is not
empty is migrated by Alembic itself.
"""

from collections.abc import Callable
from typing import Any

import sqlalchemy
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

Upgrade = Callable[[Connection], None]


def repeated(upgrade: Upgrade) -> Upgrade:
    """An ``upgrade`` that works out the statements for an empty database once for each kind of database."""
    sent: dict[str, list[tuple[str, Any]]] = {}

    def quick(connection: Connection) -> None:
        kind = connection.dialect.name
        if MigrationContext.configure(connection).get_current_heads():
            upgrade(connection)
        elif kind in sent:
            for statement, values in sent[kind]:
                connection.exec_driver_sql(statement, values)
        else:
            sent[kind] = _noted(upgrade, connection)

    return quick


def _noted(upgrade: Upgrade, connection: Connection) -> list[tuple[str, Any]]:
    statements: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if not statement.lstrip().startswith(("SELECT", "PRAGMA", "SAVEPOINT", "RELEASE")):
            statements.append((statement, values or None))

    sqlalchemy.event.listen(connection, "before_cursor_execute", note)
    try:
        upgrade(connection)
    finally:
        sqlalchemy.event.remove(connection, "before_cursor_execute", note)
    return statements

"""Run Alembic's migrations from inside the program, so that nobody has to remember to.

Reads ``migrations/versions``; produces the newest schema in the database of a connection.
"""

import functools
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

from recsys.errors import StoreError

_MIGRATIONS = Path(__file__).parent / "migrations"


def alembic_config(connection: Connection | None = None) -> Config:
    """Alembic's settings without an ini file: the scripts that lie beside this module, on this connection."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def is_current(connection: Connection) -> bool:
    """True for a database with the newest schema."""
    return tuple(MigrationContext.configure(connection).get_current_heads()) == _newest()


def upgrade(connection: Connection) -> None:
    """Run the missing migrations inside the connection's transaction: all of them, or none.

    Raises:
        StoreError: a later version of this program has changed the database.
    """
    try:
        command.upgrade(alembic_config(connection), "head")
    except CommandError as error:
        raise StoreError(
            "a database that this version knows", str(error), "Start the newer version again, or restore a backup."
        ) from error


@functools.cache
def _newest() -> tuple[str, ...]:
    """The newest migration of this program, looked for once in a process: each of them is a module to load."""
    return tuple(ScriptDirectory.from_config(alembic_config()).get_heads())

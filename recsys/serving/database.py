"""The database file: notices when the file that was opened is no longer the one at its path.

Reads the file's identity; produces an error. SQLite goes on writing into a file that was deleted or replaced under it,
and what is written there is lost without a word. A server such as PostgreSQL says so itself.
"""

from pathlib import Path

from sqlalchemy.engine import make_url

from recsys.errors import StoreError


class DatabaseFile:
    """The file of an open SQLite database, as it was when it was first seen; nothing for other databases."""

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        name = parsed.database if parsed.get_backend_name() == "sqlite" else None
        self._path = Path(name) if name else None
        self._opened = _identity(self._path)

    def check(self) -> None:
        """Make sure that what is written can be found again.

        Raises:
            StoreError: the file is gone, or another one has taken its place.
        """
        identity = _identity(self._path)
        if self._opened is None:
            self._opened = identity
        if identity != self._opened:
            got = ("no file", "Put it back.") if identity is None else ("another file", "Restart the service.")
            raise StoreError(f"the database file that was opened at {self._path}", *got)


def _identity(path: Path | None) -> tuple[int, int] | None:
    try:
        about = path.stat() if path else None
    except OSError:
        return None
    return (about.st_dev, about.st_ino) if about else None

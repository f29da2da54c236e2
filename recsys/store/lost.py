"""Lost database files: a SQLite file that was there once is never silently made anew.

Reads the folder of the file; produces a refusal, and beside each file a marker that says that it exists. SQLite makes
an empty file of whatever path it is given, and a site would go on without one article, reader or token of its own.
"""

from pathlib import Path

from sqlalchemy.engine import URL

from recsys.errors import StoreError

MARKER_ENDING = ".exists"
_MARKER_TEXT = "Beside this file belongs a database. When it is lost it is not made anew: see docs/operations.md.\n"
_MADE_FROM_IT = ("log", "releases")  # folders of a data folder that hold something only once there was a database


def database_file(url: URL) -> Path | None:
    """The file of a SQLite database; None for one in memory or on a server."""
    name = url.database
    if url.get_backend_name() != "sqlite" or not name or name == ":memory:" or name.startswith("file:"):
        return None
    return Path(name)


def refuse_lost(file: Path) -> None:
    """Refuse to open a file that is not there although it was.

    Raises:
        StoreError: its marker or what was made from it lies beside it.
    """
    evidence = _evidence(file)  # before the file: another process may be making both at this moment, the file first
    if not evidence or file.exists():
        return
    names = " and ".join(str(path) for path in evidence)
    raise StoreError(
        f"the database file {file}",
        f"no file, though there was one: {names} {'is' if len(evidence) == 1 else 'are'} there",
        f"Put it back from a backup. To begin anew with nothing, remove {names}.",
    )


def mark_existing(file: Path) -> None:
    """Leave the marker beside a file that was opened."""
    marker = _marker(file)
    if not marker.exists():
        marker.write_text(_MARKER_TEXT, encoding="utf-8")


def _marker(file: Path) -> Path:
    return file.with_name(file.name + MARKER_ENDING)


def _evidence(file: Path) -> list[Path]:
    folders = [file.parent / name for name in _MADE_FROM_IT]
    full = [folder for folder in folders if folder.is_dir() and any(folder.iterdir())]
    return [path for path in (_marker(file),) if path.exists()] + full

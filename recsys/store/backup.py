"""Backups of a SQLite database, whole and consistent while it is written.

Reads one file; produces another. Copying the file itself would tear it: its last transactions stand in a log beside it.
Source: SQLite's online backup interface, https://www.sqlite.org/backup.html.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from recsys.errors import StoreError


def copy_database(file: Path, to: Path) -> None:
    """Copy a database in one step: everything that was committed before is in it, and no writer waits for it.

    Args:
        file: of the database, which others may write.
        to: a file that is not there yet.

    Raises:
        StoreError: the database cannot be read, or its copy is not whole.
    """
    try:
        source = sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)
        with closing(source), closing(sqlite3.connect(to)) as copy:
            source.backup(copy, pages=-1)
            copy.execute("PRAGMA journal_mode=DELETE").close()  # one file, without a log beside it
            said = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        raise StoreError("a database that can be copied", f"{error} ({file})", "Check the disk.") from error
    if said != "ok":
        raise StoreError("a copy that is whole", f"{said} ({to})", "Check the disk, and run PRAGMA integrity_check.")

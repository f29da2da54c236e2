"""``python -m jobs backup FOLDER`` and ``restore FOLDER``: all that cannot be made anew, while everything goes on.

Reads the data folder; produces a folder with the database, releases, log, keys and labels, and a manifest with the
SHA-256 of each file, which is written last: a folder without one is no backup. The database is copied last, so that no
release is newer than it.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import make_url

from jobs.contexts import Config, context_of
from jobs.runner import Context, open_store
from jobs.terminal import log, who
from recsys import __version__
from recsys.errors import CorruptArtefact, InputError, MissingArtefact
from recsys.releases import CURRENT
from recsys.settings import config_files
from recsys.store.audit import EVERY_SITE
from recsys.store.backup import copy_database
from recsys.store.lost import database_file
from recsys.units import now_ms
from recsys.workspace.disk import fsync_folder, fsync_tree, sha256_of

PANEL = "Backups"
MANIFEST, DATABASE, SETTINGS = "backup.json", "store.db", "settings"
FOLDERS = (
    "releases",
    "log",
    "labels",
    "encoder",
    "feeds",
    "imports",
)  # of the data folder; what is not here is made anew
KEYS = "*.key*"

app = typer.Typer()


@app.command(rich_help_panel=PANEL)
def backup(
    folder: Annotated[Path, typer.Argument(help="A folder that is not there yet")], config: Config = None
) -> None:
    """Copy the database, releases, log, keys and settings to a folder while the service and jobs go on."""
    write_backup(context_of(config, None), folder, config_files(config))


@app.command(rich_help_panel=PANEL)
def restore(folder: Annotated[Path, typer.Argument(help="A backup")], config: Config = None) -> None:
    """Put a backup into a data folder that has no database and no release."""
    read_backup(context_of(config, None), folder)


def write_backup(context: Context, folder: Path, settings: list[Path]) -> None:
    """Write a backup.

    Args:
        context: the invocation.
        folder: that is not there yet.
        settings: files of the configuration, which are kept beside it and never put back.

    Raises:
        InputError: the folder is there already.
        StoreError: the database cannot be copied.
    """
    began, data = now_ms(), context.settings.data_dir
    part = folder.with_name(folder.name + ".part")
    if folder.exists() or part.exists():
        got = f"{folder if folder.exists() else part}, which is there"
        raise InputError("a folder that is not there yet", got, "Name another one, or remove it.")
    part.mkdir(parents=True)
    for name in FOLDERS:
        _copy_folder(data / name, part / name)
    for file in data.glob(KEYS):
        shutil.copy2(file, part / file.name)
    for file in settings:
        (part / SETTINGS).mkdir(exist_ok=True)
        shutil.copy2(file, part / SETTINGS / file.name)
    database = database_file(make_url(context.settings.database_url))
    if database is not None:
        copy_database(database, part / DATABASE)
    files = {name: sha256_of(part / name) for name in _names(part)}
    facts = {"version": __version__, "began_at": began, "database": database is not None, "files": files}
    (part / MANIFEST).write_text(json.dumps(facts, indent=1), encoding="utf-8")
    fsync_tree(part)
    part.rename(folder)
    fsync_folder(folder.parent)
    mebibytes = round(sum((folder / name).stat().st_size for name in files) / 2**20, 1)
    log.info("backed up", job="backup", folder=str(folder), files=len(files), mib=mebibytes)
    if database is None:
        log.warning("the database is not in it", job="backup", remedy="It is on a server: run pg_dump after this.")


def read_backup(context: Context, folder: Path) -> None:
    """Put a backup back.

    Raises:
        MissingArtefact: the folder is no backup.
        CorruptArtefact: a file of it is not what was written.
        InputError: there is a database or a release already.
    """
    facts, data = _checked(folder), context.settings.data_dir
    database = database_file(make_url(context.settings.database_url))
    for path in ([] if database is None else [database]) + [data / "releases" / CURRENT]:
        if path.exists():
            remedy = "Stop the service, and move the old folder away first."
            raise InputError("a data folder without a database and releases", f"{path}", remedy)
    data.mkdir(parents=True, exist_ok=True)
    for path in sorted(folder.iterdir()):
        if path.is_dir() and path.name != SETTINGS:
            shutil.copytree(path, data / path.name, dirs_exist_ok=True)
        elif path.is_file() and path.name not in (MANIFEST, DATABASE):
            shutil.copy2(path, data / path.name)
    if database is not None and facts["database"]:
        database.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(folder / DATABASE, database)
    fsync_tree(data)
    with_log_uncleared(context, facts["began_at"], str(folder))
    log.info("restored", job="restore", folder=str(folder), files=len(facts["files"]))


def with_log_uncleared(context: Context, since: int, folder: str) -> None:
    """Have the log cleared once more of readers whom it may hold again: forgotten while the backup was written."""
    store = open_store(context.settings)
    try:
        store.log_is_restored(since)
        store.record(EVERY_SITE, who(), "restore", f"backup {folder}", after={"began_at": since})
    finally:
        store.close()


def _copy_folder(source: Path, to: Path) -> None:
    """Copy a folder of which others may remove parts meanwhile; what vanishes is left out as a whole."""
    if not source.is_dir():
        return
    to.mkdir(parents=True)
    for path in sorted(source.iterdir()):
        if path.name.startswith("."):  # somebody is writing it
            continue
        try:
            if path.is_dir():
                shutil.copytree(path, to / path.name)
            else:
                shutil.copy2(path, to / path.name)
        except (FileNotFoundError, shutil.Error):
            if path.exists():
                raise
            shutil.rmtree(to / path.name, ignore_errors=True)


def _checked(folder: Path) -> dict[str, Any]:
    try:
        facts: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise MissingArtefact(f"a whole backup in {folder}", str(error), "Run: python -m jobs backup FOLDER") from None
    for name, sha256 in facts["files"].items():
        if not (folder / name).is_file() or sha256_of(folder / name) != sha256:
            raise CorruptArtefact(f"the file {name} as it was backed up", "another one", "Take another backup.")
    return facts


def _names(folder: Path) -> Iterator[str]:
    yield from (path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file())

"""Personal data of one reader, in the database and beside it, and how it goes when they are forgotten.

Reads the store, the Parquet log, the rejects and the list of releases; produces facts as plain values, for the command
and for the admin API alike. A reader is gone at once from the store and from the rejects, from the log as soon as no
run holds it, and from the releases when the last one is pruned that was made before.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recsys.errors import UnknownReader
from recsys.events.log import EventLog
from recsys.releases import Releases
from recsys.store import Forgotten, Kind, Store
from recsys.units import DAY_MS, now_ms
from recsys.workspace import fsync_folder, read_json

LISTED_CLICKS = 20  # clicks that are listed unless all are asked for


@dataclass(frozen=True)
class PersonalDataStores:
    """Stores that may hold something of a reader: the database, the log, the releases, the rejected rows of imports.

    Attributes:
        database: of the installation.
        site: the site.
        log: the Parquet log.
        releases: of the site.
        rejects: folder of JSONL files.
        work: folder of the stages.
    """

    database: Store
    site: str
    log: EventLog
    releases: Releases
    rejects: Path
    work: Path

    @classmethod
    def below(cls, data_dir: Path, database: Store, site: str, releases: Releases) -> "PersonalDataStores":
        """The stores of an installation whose folders stand in ``data_dir``."""
        return cls(database, site, EventLog(data_dir / "log"), releases, data_dir / "rejects", data_dir / "work")


def clear_log(log: EventLog, store: Store, site: str) -> int:
    """Remove from the log what readers did who were forgotten since the last time; hold the workspace's lock.

    Returns:
        How many events were removed.
    """
    forgotten = store.forgotten_readers(site, in_log=True)
    removed = log.forget(site, forgotten)
    store.log_is_cleared(site, forgotten)
    return removed


def expire(log: EventLog, store: Store, site: str, keep_days: int) -> int:
    """Remove what is older than a site keeps events from the store and then from the log.

    Args:
        log: of the site; hold the workspace's lock.
        store: the database.
        site: the site.
        keep_days: 0 removes nothing.

    Returns:
        How many events the store had of these.
    """
    if not keep_days:
        return 0
    before = now_ms() - keep_days * DAY_MS
    removed = store.expire_events(site, before)
    log.expire(before)
    return removed


def forget(stores: PersonalDataStores, reader: str, by: str) -> int:
    """Remove a reader from the store and from the rejected rows; the log and the workers follow by ``clear_log``.

    Args:
        stores: where to look.
        reader: id.
        by: who says so, for the audit.

    Returns:
        How many events the store had. A reader who is forgotten already may be forgotten once more.

    Raises:
        UnknownReader: nobody of that name was ever here.
    """
    _check_known(stores, reader)
    removed = stores.database.forget_reader(stores.site, reader, by)
    for file in stores.rejects.glob("*.jsonl"):
        _remove_rows(file, reader)
    return removed


def personal_data_of(stores: PersonalDataStores, reader: str, *, whole: bool = False) -> dict[str, Any]:
    """Personal data of a reader, as a JSON object.

    Args:
        stores: where to look.
        reader: id.
        whole: every click, not only the ``LISTED_CLICKS``.

    Raises:
        UnknownReader: nobody of that name was ever here.
    """
    _check_known(stores, reader)
    store, site, limit = stores.database, stores.site, None if whole else LISTED_CLICKS
    kinds = store.kept_events(site, reader)
    in_log, parts = stores.log.count_of(reader)
    return {
        "reader": reader,
        "site": site,
        "events": {kind: kept._asdict() for kind, kept in kinds.items()},
        "clicks": store.kept_articles(site, reader, Kind.CLICK, limit),
        "dismissed": store.kept_articles(site, reader, Kind.DISMISS, limit),
        "where": {"store": sum(kept.events for kept in kinds.values()), "log": in_log, "log_parts": parts},
        "forgotten": forgotten_state(stores, reader),
    }


def forgotten_state(stores: PersonalDataStores, reader: str) -> dict[str, Any] | None:
    """State of forgetting a reader, None when nobody asked for it.

    Returns:
        ``forgotten_at`` and ``log_cleared_at`` (int ms UTC, the second None while it is to come), ``releases``: those
        that were made before and still hold what was learned from them among others, ``done``, and ``says``: the same
        for a person.
    """
    forgotten = stores.database.forgotten_reader(stores.site, reader)
    if forgotten is None:
        return None
    names = stores.releases.names()
    before = [name for name in names if last_forgotten(stores.releases.root / name / "events") < forgotten.change]
    unpublished = not names and stores.work.is_dir()
    learned = before or (unpublished and last_forgotten(stores.work / "events") < forgotten.change)
    return {
        "forgotten_at": forgotten.forgotten_at,
        "log_cleared_at": forgotten.log_cleared_at,
        "releases": before,
        "done": forgotten.log_cleared_at is not None and not learned,
        "says": _said(forgotten, before, bool(learned), stores.releases),
    }


def _said(forgotten: Forgotten, before: list[str], learned: bool, releases: Releases) -> str:
    sentences = ["Nothing of them is in the store; every worker has dropped them within a second."]
    if forgotten.log_cleared_at is None:
        sentences.append("The next `python -m jobs events`, or all, clears the Parquet log.")
    else:
        sentences.append("Nothing of them is in the Parquet log.")
    if before:
        newer = len(releases.names()) - len(before)
        count = max(releases.config.keep - newer, 1)
        sentences.append(
            f"Made before it, and with what was learned from them: {', '.join(before)}. The next `python -m jobs all`"
            f" makes one without them; the last of these is removed when {count} more are published."
        )
    elif learned:
        sentences.append("The stages in the workspace were made before it: `python -m jobs all` makes them anew.")
    elif forgotten.log_cleared_at is not None:
        sentences.append("No release is left that was made before: everything is gone.")
    return " ".join(sentences)


def last_forgotten(folder: Path) -> int:
    """The last forgotten reader whom a stage ``events`` is without.

    Args:
        folder: of the stage, in the workspace or in a release.

    Returns:
        The number of the last change that forgot one of them, 0 for none.
    """
    file = folder / "log.json"
    return int(read_json(file).get("forgotten", 0)) if file.is_file() else 0


def _check_known(stores: PersonalDataStores, reader: str) -> None:
    store, site = stores.database, stores.site
    if not store.has_reader(site, reader) and store.forgotten_reader(site, reader) is None:
        remedy = "Check the id, and the site: `site.id` in config.yaml."
        raise UnknownReader(f"a reader of the site {site!r}", f"{reader!r:.300}, of whom nothing is kept", remedy)


def _remove_rows(file: Path, reader: str) -> None:
    """Leave out of a file of rejected rows those in which a reader's identifier stands as a whole word."""
    named = re.compile(rf"(?<!\w){re.escape(reader)}(?!\w)")
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not named.search(_row(line))]
    if len(kept) < len(lines):
        fresh = file.with_name(f".{file.name}.tmp")
        fresh.write_text("".join(kept), encoding="utf-8")
        fsync_folder(fresh)
        fresh.replace(file)
        fsync_folder(file.parent)


def _row(line: str) -> str:
    try:
        rejected = json.loads(line)
    except ValueError:  # an import that was killed left half a line
        return line
    return f"{rejected.get('reason')} {rejected.get('row')}"

"""The log as it counts, in files that are mapped: the stages that walk the log read it and hold none of it.

Reads and produces, in one folder, ``log/NAME.npy`` (the columns of ``Events``, after ``recsys.events.people``) and
``log/texts.parquet`` (what their rows stand for). Article rows are those of the catalogue and of what only clicks know,
sorted by identifier.
"""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from recsys.errors import StaleArtefact
from recsys.events.arrays import Events
from recsys.events.columns import in_files
from recsys.events.log import EventLog
from recsys.events.people import counted_kinds, newest_before, odd_readers, unproven, write_odd_readers
from recsys.workspace import mapped_npy, read_table, write_table

COUNTED_LOG = "log"
_COLUMNS = (
    *("time", "kind", "article", "reader", "session", "impression", "position", "context", "slot", "seq", "proof"),
    "outcome",
)
_TEXTS = ("article_ids", "reader_ids", "contexts", "slots")
_REMEDY = "Run: python -m jobs events"


class LogSummary(NamedTuple):
    """Summary of a log.

    Attributes:
        events: in it.
        newest: ms, the newest event that does not lie ahead of the clock; UNDATED for none.
        held: events that do.
        odd: readers who are left out.
        odd_clicks: of theirs.
        unproven: clicks that nobody vouches for.
    """

    events: int
    newest: int
    held: int
    odd: int
    odd_clicks: int
    unproven: int


def count_log(log: EventLog, catalogue: Collection[str], limit: int, odd_file: Path, folder: Path) -> LogSummary:
    """Read a log once, and write what of it counts and who is left out.

    Args:
        log: the log.
        catalogue: identifiers of its articles.
        limit: ms; what is dated after it lies ahead of the clock and is held back.
        odd_file: for those who are left out.
        folder: for what counts, see ``COUNTED_LOG``; it is made.

    Raises:
        CorruptArtefact: a part of the log cannot be read.
    """
    folder.mkdir()
    events = log.load(in_files(folder))
    dated = events.before((newest := newest_before(events, limit)) + 1)
    odd = odd_readers(dated)
    nameless = [reader.event for reader in odd if reader.reader is None]
    sessions = log.sessions_of(dated.seq[nameless].tolist())
    named = {event: sessions[seq] for event in nameless if (seq := int(dated.seq[event])) in sessions}
    write_odd_readers(odd, named, odd_file)
    save_counted(dated, catalogue, folder)
    held, clicks = len(events) - len(dated), sum(reader.clicks for reader in odd)
    return LogSummary(len(events), newest, held, len(odd), clicks, unproven(dated))


def save_counted(events: Events, catalogue: Collection[str], folder: Path) -> Events:
    """Write what of a log counts, a column at a time, over what was kept there by ``recsys.events.columns.in_files``.

    Args:
        events: the log without what lies ahead of the clock.
        catalogue: identifiers of its articles.
        folder: where to, see ``COUNTED_LOG``.

    Returns:
        What was written, mapped.
    """
    kept, kind, outcome = counted_kinds(events)
    events = replace(events, dwell=np.empty(0, np.int32), outcome=outcome)
    ids = sorted({*catalogue, *events.article_ids})
    row_of = {article_id: row for row, article_id in enumerate(ids)}
    rows = np.array([row_of[article_id] for article_id in events.article_ids], np.int32)
    keep, everything = in_files(folder), kept.all()
    columns: dict[str, Any] = {}
    for name in _COLUMNS:
        column = kind if name == "kind" else getattr(events, name)
        column = column if everything or not len(column) else column[kept]
        columns[name] = keep(name, rows[column] if name == "article" else column)
    (folder / "dwell.npy").unlink(missing_ok=True)  # what it says of articles stands in ``outcome``
    counted = replace(events, **columns, article_ids=ids)
    texts = {name: pa.array([getattr(counted, name)], pa.list_(pa.string())) for name in _TEXTS}
    write_table(folder / "texts.parquet", pa.table(texts | {"through": pa.array([events.through], pa.int64())}))
    return counted


def load_counted(folder: Path) -> Events:
    """Map what ``save_counted`` wrote.

    Args:
        folder: see ``COUNTED_LOG``.

    Raises:
        StaleArtefact: the stage was made by a version that wrote none.
    """
    if not (folder / "texts.parquet").is_file():
        raise StaleArtefact(f"the log as it counts in {folder}", "none", _REMEDY)
    texts = read_table(folder / "texts.parquet")
    there = [name for name in _COLUMNS if name != "outcome" or (folder / "outcome.npy").is_file()]  # 0.15.0 wrote none
    columns: dict[str, Any] = {name: mapped_npy(folder / f"{name}.npy") for name in there}
    columns |= {name: texts[name][0].as_py() for name in (*_TEXTS, "through")}
    return Events(**columns)

"""Odd readers on disk: who is left out of counts and training, and why."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from recsys.events.people import Odd
from recsys.workspace import write_table

SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("reader", "session", "reason")),
        *((name, pa.int64()) for name in ("clicks", "first", "last")),
    ]
)


def write_odd(odd: Sequence[Odd], sessions: pa.ChunkedArray | None, file: Path) -> None:
    """Write them as Parquet: the id of a reader or of a session, the reason, clicks, first and last ms.

    Args:
        odd: who.
        sessions: the log's column, in its order; only asked for where a session without a reader is odd.
        file: where to.
    """
    rows = [
        {
            "reader": one.reader,
            "session": None if one.reader is not None or sessions is None else sessions[one.event].as_py(),
            "reason": str(one.reason),
            "clicks": one.clicks,
            "first": one.first,
            "last": one.last,
        }
        for one in odd
    ]
    write_table(file, pa.Table.from_pylist(rows, SCHEMA))

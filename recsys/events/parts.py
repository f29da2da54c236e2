"""One part of the Parquet log: its schema, how a batch is split by day, and how parts become one table."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recsys.errors import CorruptArtefact
from recsys.store.addresses import aliases_of
from recsys.store.records import ArticleName
from recsys.units import UNDATED
from recsys.workspace import fsync_folder

PART = re.compile(r"part-(\d+)-(\d+)\.parquet")  # its first and last ``seq``
MAX_PARTS = 100  # files that one batch is split into, as long as months or years allow
LOG_SCHEMA = pa.schema(
    [
        pa.field("seq", pa.int64(), nullable=False),
        pa.field("event_id", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("article", pa.string(), nullable=False),
        pa.field("reader", pa.string()),
        pa.field("session", pa.string()),
        pa.field("time", pa.int64()),
        pa.field("slot", pa.string()),
        pa.field("position", pa.int16()),
        pa.field("impression", pa.string()),
        pa.field("dwell_ms", pa.int32()),
        pa.field("context", pa.string()),
        pa.field("proof", pa.int8()),
    ]
)
_ADDED = ("proof",)  # columns that parts written before them lack


def by_day(table: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """Split by UTC day, each part still in the order of ``seq``; events without a time are a day of their own.

    A batch of very many days, as a log of decades has, is split by month, or by year: a file costs more than its rows.
    """
    times = table["time"].fill_null(UNDATED).to_numpy()
    for unit in ("D", "M", "Y"):
        days = times.astype("datetime64[ms]").astype(f"datetime64[{unit}]").astype(np.int64)
        days[times == UNDATED] = UNDATED
        order = np.argsort(days, kind="stable")
        cuts = np.flatnonzero(np.diff(days[order])) + 1
        if len(cuts) < MAX_PARTS:
            break
    for rows in np.split(order, cuts):
        day = days[rows[0]]
        name = "undated" if day == UNDATED else str(np.datetime64(int(day), unit))
        yield name, table.take(pa.array(rows))


def first_seq(file: Path) -> int:
    """The first ``seq`` of a part, by its name."""
    match = PART.fullmatch(file.name)
    return int(match[1]) if match else 0


def written_aside(file: Path, part: pa.Table) -> Path:
    """A part under a name of its own, safe from a power cut, to take the place of ``file``."""
    fresh = file.with_name(f".{file.stem}.tmp")
    pq.write_table(part, fresh, compression="zstd")
    fsync_folder(fresh)
    return fresh


def read_part(file: Path, columns: list[str]) -> pa.Table:
    """Read some columns of one part, texts dictionary-encoded.

    Raises:
        CorruptArtefact: it cannot be read.
    """
    texts = [name for name in columns if LOG_SCHEMA.field(name).type == pa.string()]
    try:
        with pq.ParquetFile(file, read_dictionary=texts) as part:
            lacking = [name for name in _ADDED if name in columns and name not in part.schema_arrow.names]
            table = part.read([name for name in columns if name not in lacking])
            for name in lacking:
                table = table.append_column(LOG_SCHEMA.field(name), pa.nulls(len(table), LOG_SCHEMA.field(name).type))
            return table.select(columns)
    except (pa.ArrowException, OSError) as error:
        raise CorruptArtefact(
            f"a part of the event log in {file}",
            str(error),
            f"Remove {file.parents[1]} and run `python -m jobs events`.",
        ) from None


def unified(parts: list[pa.Table], names: list[str]) -> pa.Table:
    """Parts as one table of one chunk, with one dictionary for each text column."""
    if not parts:
        fields = [LOG_SCHEMA.field(name) for name in names]
        fields = [f.with_type(pa.dictionary(pa.int32(), f.type)) if f.type == pa.string() else f for f in fields]
        return pa.schema(fields).empty_table()
    return pa.concat_tables(parts).unify_dictionaries().combine_chunks()


def find_aliases(names: Collection[str], articles: Iterable[ArticleName]) -> dict[str, str]:
    """Made identifier -> the article's own, for those that occur.

    Args:
        names: identifiers of articles in the events that were made from an address, perhaps.
        articles: those that are known.
    """
    if not names:
        return {}
    pairs = ((alias, article.id) for article in articles for alias in aliases_of(article.id, article.url))
    return {alias: own for alias, own in pairs if alias in names}


def resolved(table: pa.Table, aliases: Mapping[str, str]) -> pa.Table:
    """A table of events whose articles have their own identifiers.

    Args:
        table: with a dictionary-encoded column ``article``, or without one.
        aliases: made identifier -> the article's own.
    """
    if not aliases or "article" not in table.column_names:
        return table
    texts = table["article"].cast(pa.string()).combine_chunks()
    names = pa.array(list(aliases), pa.string())
    positions = pc.index_in(texts, names)
    own = pa.array(list(aliases.values()), pa.string()).take(positions)
    column = pc.if_else(pc.is_valid(positions), own, texts).dictionary_encode()
    return table.set_column(table.column_names.index("article"), "article", column)

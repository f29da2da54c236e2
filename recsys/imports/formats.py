"""CSV, JSON and Parquet files -> batches of columns, in constant memory."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from recsys.errors import ImportRefused
from recsys.imports.delimited import CsvReader
from recsys.imports.jsonl import JsonReader
from recsys.imports.sources import TextSource, open_file
from recsys.imports.tables import Limits, Reject, RowBatch, RowReader

_EXPECTED = {
    "csv": "a CSV file with the names of its columns in the first line",
    "jsonl": "a file of JSON objects",
    "parquet": "a Parquet file",
}
_SAMPLE_ROWS = 100
_FEED = re.compile(r"<(rss|feed|rdf:RDF)[\s>]", re.IGNORECASE)
_JSON_FEED = re.compile(r'"version"\s*:\s*"https?:\\?/\\?/jsonfeed\.org')


@contextmanager
def opened(
    path: Path,
    format: str,
    encoding: str,
    limits: Limits,
    *,
    has_header: bool = True,
    records: str | None = None,
) -> Iterator[RowReader]:
    """Open a file as a table.

    Args:
        path: the file.
        format: csv, jsonl or parquet.
        encoding: of a text file.
        limits: of memory.
        has_header: of CSV: the first line names the columns; else their names are their numbers from 1.
        records: of JSON: keys with dots between them that lead from a wrapper object to the list of records.

    Raises:
        ImportRefused: it is not such a file.
    """
    expected = _EXPECTED[format]
    if format == "parquet":
        with open_file(path, expected) as file:
            yield ParquetReader(path, file, limits)
        return
    with TextSource(path, expected, encoding, limits.max_line_bytes) as source:
        _refuse_markup(source)
        yield CsvReader(source, limits, has_header) if format == "csv" else JsonReader(source, limits, records)


def _refuse_markup(source: TextSource) -> None:
    """Refuse what begins as XML or HTML does, and JSON Feed, with the command that reads it."""
    start, name = source.head.lstrip("\ufeff \t\r\n"), source.path.name
    if start.startswith("{") and _JSON_FEED.search(start):
        raise ImportRefused(source.expected, f"a JSON Feed ({name})", "Use `python -m jobs import feed`.")
    if not start.startswith("<"):
        return
    if _FEED.search(start):
        raise ImportRefused(source.expected, f"an RSS or Atom feed ({name})", "Use `python -m jobs import feed`.")
    got = "an HTML page" if re.match(r"<(!doctype\s+)?html", start, re.IGNORECASE) else "XML"
    raise ImportRefused(source.expected, f"{got} ({name})", "Export it as CSV, JSON or Parquet.")


class ParquetReader:
    """A Parquet file, read a batch at a time."""

    is_open = False

    def __init__(self, path: Path, file: Any, limits: Limits) -> None:
        if path.is_file() and path.stat().st_size == 0:
            raise ImportRefused("a Parquet file", f"{path.name}, which is empty", "Check how it was made.")
        try:
            self._file = pq.ParquetFile(file)
        except (pa.ArrowException, OSError) as error:
            got = f"{str(error).splitlines()[0]} ({path.name})"
            raise ImportRefused("a Parquet file", got, "Use csv or jsonl for a text file.") from None
        self._path, self._limits, self._done = path, limits, 0
        self.names = list(self._file.schema_arrow.names)

    @property
    def progress(self) -> tuple[int, int]:
        """Rows read and rows there are."""
        return self._done, self._file.metadata.num_rows

    def sample(self) -> dict[str, list[Any]]:
        """See ``RowReader``."""
        part = next(self._file.iter_batches(_SAMPLE_ROWS), None)
        return {name: _values(part.column(name)) if part is not None else [] for name in self.names}

    def batches(self, wanted: list[str], reject: Reject) -> Iterator[RowBatch]:
        """See ``RowReader``."""
        parts = self._file.iter_batches(self._limits.batch_rows, columns=wanted)
        while True:
            try:
                part = next(parts, None)
            except (pa.ArrowException, OSError) as error:
                raise ImportRefused(
                    "a Parquet file that can be read to its end",
                    f"{str(error).splitlines()[0]} after row {self._done} of {self._path.name}",
                    "What came before it is stored; get the whole file and import it again.",
                ) from error
            if part is None:
                return
            step = max(1, self._limits.batch_bytes * part.num_rows // max(part.nbytes, 1))
            for some in (part.slice(start, step) for start in range(0, part.num_rows, step)):
                lines = range(self._done + 1, self._done + some.num_rows + 1)
                yield RowBatch(lines, {name: _values(some.column(name)) for name in wanted})
                self._done += some.num_rows


def _values(column: Any) -> list[Any]:
    """A column's values; texts that their writer did not mark as such, as Spark and Impala do, are texts too."""
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        with suppress(pa.ArrowInvalid):  # bytes that are no text stay bytes, and no field takes them
            column = column.cast(pa.large_string())
    values: list[Any] = column.to_pylist()
    return values

"""CSV, JSONL and Parquet files -> batches of columns, in constant memory."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from recsys.errors import ImportRefused
from recsys.imports.jsonl import JsonlTable
from recsys.imports.sources import Line, TextSource, open_file
from recsys.imports.tables import Batch, Limits, Reject, Table, grouped, has_text

DELIMITERS = "\t;|,"


@contextmanager
def opened(path: Path, format: str, encoding: str, limits: Limits) -> Iterator[Table]:
    """Open a file as a table.

    Args:
        path: the file.
        format: csv, jsonl or parquet.
        encoding: of a text file.
        limits: of memory.

    Raises:
        ImportRefused: it is not such a file.
    """
    if format == "parquet":
        with open_file(path, "a Parquet file") as file:
            yield ParquetTable(path, file, limits)
        return
    expected = "a CSV file with the names of its columns in the first line" if format == "csv" else "a JSONL file"
    with TextSource(path, expected, encoding, limits.max_line_bytes) as source:
        yield CsvTable(source, limits) if format == "csv" else JsonlTable(source, limits)


class CsvTable:
    """Comma, tab, semicolon or bar: the one that the first line has most of."""

    is_open = False

    def __init__(self, source: TextSource, limits: Limits) -> None:
        self._source, self._limits = source, limits
        self._lines = source.lines()
        self._problems: dict[int, Line] = {}
        header = next(filter(has_text, self._lines), None)
        if header is None or header.problem or header.text.lstrip()[:1] in ("{", "["):
            got = header.problem or "JSON" if header else "no text at all"
            raise ImportRefused(source.expected, f"{got} ({source.path.name})", "Add the header, or use jsonl.")
        self._delimiter = max(DELIMITERS, key=header.text.count)
        self._number = header.number
        self.names = [name.strip() for name in next(csv.reader([header.text], delimiter=self._delimiter))]
        twice = {name for name in self.names if self.names.count(name) > 1}
        if twice:
            raise ImportRefused("each column's name once", f"{sorted(twice)[0]!r} twice", "Rename one of them.")

    @property
    def progress(self) -> tuple[int, int]:
        """Bytes read and bytes there are."""
        return self._source.done, self._source.size

    def batches(self, wanted: list[str], reject: Reject) -> Iterator[Batch]:
        """See ``Table``."""
        csv.field_size_limit(self._limits.max_line_bytes)
        places = {name: self.names.index(name) for name in wanted}
        for lines, rows in grouped(self._rows(reject), self._limits):
            columns = list(zip(*rows, strict=True))
            yield Batch(lines, {name: list(columns[place]) for name, place in places.items()}, rows)

    def _texts(self) -> Iterator[str]:
        for line in self._lines:
            self._number = line.number
            if line.problem:
                self._problems[line.number] = line
            yield "\n" if line.is_cut else line.text + "\n"  # a quote in half a line would swallow the next ones

    def _rows(self, reject: Reject) -> Iterator[tuple[int, list[str], int]]:
        reader = csv.reader(self._texts(), delimiter=self._delimiter)
        width = len(self.names)
        while True:
            first = self._number + 1
            try:
                row = next(reader, None)
            except csv.Error as error:
                reject(first, f"not CSV: {error}; look for a quote that is never closed", "")
                continue
            if row is None:
                return
            if self._problems:
                line = self._problems.popitem()[1]
                self._problems.clear()
                reject(line.number, line.problem or "", line.text)
            elif not row:
                continue
            elif len(row) != width:
                reject(self._number, f"{len(row)} values for {width} columns", row)
            else:
                yield self._number, row, sum(map(len, row))


class ParquetTable:
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

    def batches(self, wanted: list[str], reject: Reject) -> Iterator[Batch]:
        """See ``Table``."""
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
                yield Batch(lines, {name: some.column(name).to_pylist() for name in wanted})
                self._done += some.num_rows

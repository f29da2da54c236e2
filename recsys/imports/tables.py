"""Batches of rows in constant memory, the form in which every file is read.

A batch ends after ``batch_rows`` rows or ``batch_bytes`` bytes of text, whichever comes first.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from recsys.errors import ImportRefused
from recsys.imports.sources import Line

Reject = Callable[[int, str, Any], None]  # line number, reason, row


@dataclass(frozen=True)
class RowBatch:
    """Some rows of a file.

    Attributes:
        lines: line number of each row, or its row number in Parquet, from 1.
        columns: the wanted columns, each with a value per row.
        rows: the rows as they were read, for the rejects file; None when the columns are all there is.
    """

    lines: Sequence[int]
    columns: dict[str, list[Any]]
    rows: Sequence[Any] | None = None

    def row(self, i: int) -> Any:
        """Row ``i`` as it was read."""
        return self.rows[i] if self.rows is not None else {name: values[i] for name, values in self.columns.items()}

    def has(self, i: int, column: str) -> bool:
        """True if row ``i`` has a column at all: objects of JSON need not."""
        row, column = self.rows[i] if self.rows is not None else None, origin_of(column)
        if not isinstance(row, dict) or column in row:
            return True
        for part in column.split("."):
            if not isinstance(row, dict) or part not in row:
                return False
            row = row[part]
        return True


def made_column(field: str, column: str | None) -> str:
    """The name of a column that is made of another one for a field; no column of a file has such a name."""
    return f"\0{field}\0{column or ''}"


def origin_of(column: str) -> str:
    """The file's column of which one is made; its own name for one of the file."""
    return column.rpartition("\0")[2]


def part_of(batch: RowBatch, keep: Sequence[int]) -> RowBatch:
    """Some rows of a batch."""
    columns = {name: [values[i] for i in keep] for name, values in batch.columns.items()}
    return RowBatch([batch.lines[i] for i in keep], columns, [batch.row(i) for i in keep])


class RowReader(Protocol):
    """A file of rows, read in batches.

    Attributes:
        names: of its columns.
        is_open: later rows may have columns that the first ones have not.
    """

    names: list[str]
    is_open: bool

    @property
    def progress(self) -> tuple[int, int]:
        """Progress of reading: done and total, in bytes or rows."""

    def sample(self) -> dict[str, list[Any]]:
        """The first values of each column, by which one sees what it holds; to be asked before ``batches``."""

    def batches(self, wanted: list[str], reject: Reject) -> Iterator[RowBatch]:
        """Read the rows with the wanted columns; a row that cannot be read goes to ``reject``."""


@dataclass(frozen=True)
class Limits:
    """Limits of memory.

    Attributes:
        batch_rows: records per transaction; larger batches gain nothing, and an import that was killed repeats so many.
        batch_bytes: bytes of text per transaction, where records are whole articles.
        max_line_bytes: a longer line of a text file is rejected without ever being in memory.
    """

    batch_rows: int = 50_000
    batch_bytes: int = 16_000_000
    max_line_bytes: int = 4_000_000


def has_text(line: Line) -> bool:
    """True if a line is more than blanks."""
    return bool(line.text) and not line.text.isspace()


def grouped(rows: Iterator[tuple[int, Any, int]], limits: Limits) -> Iterator[tuple[list[int], list[Any]]]:
    """Collect (line number, row, size in characters) into batches: their line numbers and their rows.

    Raises:
        ImportRefused: the file cannot be read further; the rows before have been handed out.
    """
    lines: list[int] = []
    kept: list[Any] = []
    held = 0
    refusal: ImportRefused | None = None
    try:
        for line, row, size in rows:
            lines.append(line)
            kept.append(row)
            held += size
            if len(kept) == limits.batch_rows or held >= limits.batch_bytes:
                yield lines, kept
                lines, kept, held = [], [], 0
    except ImportRefused as error:
        refusal = error
    if kept:
        yield lines, kept
    if refusal is not None:
        raise refusal

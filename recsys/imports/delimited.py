"""CSV files -> batches of columns."""

import csv
from collections import Counter, deque
from collections.abc import Iterator
from itertools import chain, dropwhile
from typing import Any

from recsys.errors import ImportRefused
from recsys.imports.sources import Line, TextSource
from recsys.imports.tables import Limits, Reject, RowBatch, grouped, has_text

_DELIMITERS = "\t;|,"
_EXCEL = "sep="  # the first line by which Excel is told the delimiter
_NOT_CLOSED = "a quote that is never closed, or one inside a value that is not written twice"
_CR = "a line end (CR) inside a value without quotes"
_LOOK_AHEAD = 100  # lines by which the delimiter and the kind of a column are told
_LOOK_AHEAD_CHARS = 1_000_000  # and no more text than this


class CsvReader:
    """Comma, tab, semicolon or bar between the values: the one that cuts the first lines into equal rows.

    Args:
        source: the text.
        limits: of memory.
        has_header: the first line names the columns; else their names are their numbers from 1.

    Raises:
        ImportRefused: the text is empty, JSON, or a name stands twice in its header.
    """

    is_open = False

    def __init__(self, source: TextSource, limits: Limits, has_header: bool = True) -> None:
        self._source, self._limits = source, limits
        lines = source.lines()
        first = _first_of(dropwhile(lambda line: not has_text(line), lines))
        names_delimiter = first and first[0].text.strip().strip('"').lower().startswith(_EXCEL) and not first[0].problem
        self._delimiter = _named_delimiter(first.pop(0).text) if names_delimiter else ""
        first = list(dropwhile(lambda line: not has_text(line), first))
        if not first or first[0].problem or first[0].text.lstrip()[:1] in ("{", "["):
            got = first[0].problem or "JSON" if first else "no text at all"
            raise ImportRefused(source.expected, f"{got} ({source.path.name})", "Add the header, or use jsonl.")
        self._delimiter = self._delimiter or _delimiter([line.text for line in first])
        self._number = first[0].number
        self._names_line = self._split(first.pop(0).text) if has_header else None
        self._first = first
        self._lines = chain(first, lines)
        self._problems: dict[int, Line] = {}
        self._of_row: list[Line] = []  # the lines of the row that is read
        self._again = deque[Line]()  # lines that a quote without an end has swallowed
        self.names = self._names()

    @property
    def progress(self) -> tuple[int, int]:
        """Bytes read and bytes there are."""
        return self._source.done, self._source.size

    def sample(self) -> dict[str, list[Any]]:
        """See ``RowReader``."""
        reader = csv.reader((line.text + "\n" for line in self._first), delimiter=self._delimiter)
        rows = [row for row in _readable(reader) if len(row) == len(self.names)]
        return {name: [row[i] for row in rows] for i, name in enumerate(self.names)}

    def batches(self, wanted: list[str], reject: Reject) -> Iterator[RowBatch]:
        """See ``RowReader``."""
        csv.field_size_limit(self._limits.max_line_bytes)
        places = {name: self.names.index(name) for name in wanted}
        for lines, rows in grouped(self._rows(reject), self._limits):
            columns = list(zip(*rows, strict=True))
            yield RowBatch(lines, {name: list(columns[place]) for name, place in places.items()}, rows)

    def _names(self) -> list[str]:
        if self._names_line is None:
            widths = Counter(len(self._split(line.text)) for line in self._first if has_text(line))
            return [str(number) for number in range(1, widths.most_common(1)[0][0] + 1)]
        names = [name.strip() or str(number) for number, name in enumerate(self._names_line, 1)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ImportRefused(
                "each column's name once",
                f"{twice[0]!r} twice in the first line",
                "Rename one of them; or, if the first line names no columns, add --no-header and count: title=2.",
            )
        return names

    def _split(self, text: str) -> list[str]:
        return next(csv.reader([text.replace("\r", " ")], delimiter=self._delimiter))

    def _texts(self) -> Iterator[str]:
        while (line := self._again.popleft() if self._again else next(self._lines, None)) is not None:
            self._number = line.number
            self._of_row.append(line)
            if line.problem:
                self._problems[line.number] = line
            yield "\n" if line.is_cut else line.text + "\n"  # a quote in half a line would swallow the next ones

    def _is_closed(self) -> bool:
        """Check that the quote in the lines of a row ends where it should, and not with another row's or the file.

        Without ``strict`` the reader takes both for one long value, and the rows inside it would be lost in silence.
        """
        if len(self._of_row) < 2:
            return True
        strict = csv.reader((line.text + "\n" for line in self._of_row), delimiter=self._delimiter, strict=True)
        try:
            next(strict)
        except csv.Error:
            return False
        return True

    def _rows(self, reject: Reject) -> Iterator[tuple[int, list[str], int]]:
        reader = csv.reader(self._texts(), delimiter=self._delimiter)
        width = len(self.names)
        while True:
            self._of_row.clear()
            try:
                row = next(reader, None)
                error = None if self._problems or self._is_closed() else _NOT_CLOSED
            except csv.Error as problem:
                error = _CR if "new-line" in str(problem) else _NOT_CLOSED
            if error is not None:
                first = self._of_row[0]
                self._problems.clear()
                self._again.extendleft(reversed(self._of_row[1:]))  # only the line with the quote is lost
                reject(first.number, f"not CSV: {error}", first.text)
                reader = csv.reader(self._texts(), delimiter=self._delimiter)
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


def _first_of(lines: Iterator[Line]) -> list[Line]:
    first: list[Line] = []
    held = 0
    for line in lines:
        first.append(line)
        held += len(line.text)
        if len(first) == _LOOK_AHEAD or held > _LOOK_AHEAD_CHARS:
            break
    return first


def _named_delimiter(text: str) -> str:
    return text.strip().strip('"')[len(_EXCEL) :][:1] or "\t"  # a tab at the end is what stripping takes away


def _delimiter(texts: list[str]) -> str:
    """The delimiter that gives most of the first rows the width of the first one, and of such the widest."""

    def fit(delimiter: str) -> tuple[float, int]:
        widths = [len(row) for row in _readable(csv.reader(texts, delimiter=delimiter)) if row]
        width = widths[0] if widths else 0
        return (widths.count(width) / len(widths) if width > 1 else 0.0), width

    return max(_DELIMITERS, key=fit)


def _readable(rows: Iterator[list[str]]) -> Iterator[list[str]]:
    while True:
        try:
            yield next(rows)
        except csv.Error:
            continue
        except StopIteration:
            return

"""JSONL files -> batches of columns."""

import json
from collections.abc import Iterator
from typing import Any

from recsys.errors import ImportRefused
from recsys.imports.sources import Line, TextSource
from recsys.imports.tables import Batch, Limits, Reject, grouped, has_text

LOOK_AHEAD = 100  # lines whose keys are taken as the names of the columns
MAX_DEPTH = 3  # dots in the name of a column


class JsonlTable:
    """One JSON object per line; a column is a key, or keys with dots between them for an object inside an object."""

    is_open = True

    def __init__(self, source: TextSource, limits: Limits) -> None:
        self._source, self._limits = source, limits
        self._lines = source.lines()
        self._first = self._look_ahead()
        self.names = sorted({name for _, _, row in self._first if row for name in _paths(row)})

    @property
    def progress(self) -> tuple[int, int]:
        """Bytes read and bytes there are."""
        return self._source.done, self._source.size

    def batches(self, wanted: list[str], reject: Reject) -> Iterator[Batch]:
        """See ``Table``."""
        for lines, rows in grouped(self._rows(reject), self._limits):
            yield Batch(lines, {name: [_at(row, name) for row in rows] for name in wanted}, rows)

    def _look_ahead(self) -> list[tuple[Line, str | None, dict[str, Any] | None]]:
        """The first lines, whose keys are taken as the names of the columns."""
        first = []
        held = 0
        for line in filter(has_text, self._lines):
            first.append((line, *_parsed(line)))
            held += len(line.text)
            if len(first) == LOOK_AHEAD or held > self._limits.batch_bytes:
                break
        if not any(row is not None for _, _, row in first):
            got = f"{first[0][1]} in the first line of {self._source.path.name}" if first else "no text at all"
            raise ImportRefused(self._source.expected, got, "Each line must be one JSON object; for a table use csv.")
        return first

    def _rows(self, reject: Reject) -> Iterator[tuple[int, dict[str, Any], int]]:
        first, self._first = self._first, []
        for line, problem, row in first:
            if row is None:
                reject(line.number, problem or "", line.text)
            else:
                yield line.number, row, len(line.text)
        for line in filter(has_text, self._lines):
            problem, row = _parsed(line)
            if row is None:
                reject(line.number, problem or "", line.text)
            else:
                yield line.number, row, len(line.text)


def _parsed(line: Line) -> tuple[str | None, dict[str, Any] | None]:
    if line.problem:
        return line.problem, None
    try:
        row = json.loads(line.text)
    except RecursionError:
        return "not JSON: nested too deep", None
    except ValueError as error:
        return f"not JSON: {error}", None
    return (None, row) if isinstance(row, dict) else ("not a JSON object", None)


def _at(row: dict[str, Any], name: str) -> Any:
    if name in row or "." not in name:
        return row.get(name)
    value: Any = row
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _paths(row: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in row.items():
        yield prefix + name
        if isinstance(value, dict) and prefix.count(".") < MAX_DEPTH:
            yield from _paths(value, f"{prefix}{name}.")

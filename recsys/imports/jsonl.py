"""JSON files -> batches of columns: one object per line, or any other layout."""

import json
from collections.abc import Collection, Iterator
from itertools import islice
from typing import Any

from recsys.errors import ImportRefused
from recsys.imports.json_stream import MAX_DEPTH, JsonRecord, streamed, wrapped_lists
from recsys.imports.sources import Line, TextSource
from recsys.imports.tables import Limits, Reject, RowBatch, grouped, has_text

_LOOK_AHEAD = 100  # objects whose keys are taken as the names of the columns

_EXTENDED = frozenset(  # MongoDB Extended JSON, version 2
    ("$oid", "$date", "$numberInt", "$numberLong", "$numberDouble", "$numberDecimal", "$uuid")
)


class JsonReader:
    """Objects; a column is a key, or keys with dots between them for an object inside an object.

    A file of one object per line is read by its lines, so that a broken one costs itself alone; any other as a stream.

    Args:
        source: the text.
        limits: of memory.
        records: keys that lead from the outermost object to the list of records, None if it is one itself.

    Attributes:
        lists: paths to lists of objects inside the first object, which may be a wrapper around them.
        is_alone: there is no second object.

    Raises:
        ImportRefused: there is no object, or no list at ``records``.
    """

    is_open = True

    def __init__(self, source: TextSource, limits: Limits, records: str | None = None) -> None:
        self._source, self._limits = source, limits
        self._records = _by_line(source) if records is None and _has_lines(source.head) else streamed(source, records)
        self._first = self._look_ahead()
        rows = [record.row for record in self._first if record.row is not None]
        self.names = sorted({name for row in rows for name in _paths(row)})
        self.lists = wrapped_lists(source.head) if records is None else []
        self.is_alone = len(self._first) == 1

    @property
    def progress(self) -> tuple[int, int]:
        """Bytes read and bytes there are."""
        return self._source.done, self._source.size

    def sample(self) -> dict[str, list[Any]]:
        """See ``RowReader``."""
        rows = [record.row for record in self._first if record.row is not None]
        return {name: [_at(row, name) for row in rows] for name in self.names}

    def refuse_wrapper(self, fields: Collection[str], needed: Collection[str]) -> None:
        """Refuse objects that are only a wrapper around the list of those that are wanted.

        Args:
            fields: the names that fill a field: those of the fields, and the columns of the map.
            needed: of them, one that each record has.

        Raises:
            ImportRefused: a list inside the first object has more of them; the remedy says which.
        """
        outside = [name for name in fields if name in self.names]
        if not self.is_alone and any(name in self.names for name in needed):
            return
        for path in self.lists:
            elements = _at(self._first[0].row or {}, path)
            objects = [element for element in elements if isinstance(element, dict)][:_LOOK_AHEAD]
            inside = {name for row in objects for name in _paths(row)}
            if len(inside.intersection(fields)) > len(outside) or (self.is_alone and not outside):
                got = f"one whose key {path!r} is a list of them ({self._source.path.name})"
                raise ImportRefused("objects that are one record each", got, f"Add --records {path}.")

    def batches(self, wanted: list[str], reject: Reject) -> Iterator[RowBatch]:
        """See ``RowReader``."""
        for lines, rows in grouped(self._rows(reject), self._limits):
            yield RowBatch(lines, {name: [_at(row, name) for row in rows] for name in wanted}, rows)

    def _look_ahead(self) -> list[JsonRecord]:
        """The first objects, whose keys are taken as the names of the columns."""
        first: list[JsonRecord] = []
        held = 0
        try:
            for record in islice(self._records, _LOOK_AHEAD):
                first.append(record)
                held += record.size
                if held > self._limits.batch_bytes:
                    break
        except ImportRefused as refusal:  # what came before is stored first
            if not first:
                raise
            self._records = _refused(refusal)
        if not any(record.row is not None for record in first):
            name, lists = self._source.path.name, wrapped_lists(self._source.head)
            got = f"{first[0].problem} in line {first[0].line} of {name}" if first else f"no object in {name}"
            remedy = f"For its list add --records {lists[0]}." if lists else "For a table use csv."
            raise ImportRefused(self._source.expected, got, remedy)
        return first

    def _rows(self, reject: Reject) -> Iterator[tuple[int, dict[str, Any], int]]:
        first, self._first = self._first, []
        for records in (first, self._records):
            for record in records:
                if record.row is None:
                    reject(record.line, record.problem, record.text)
                else:
                    yield record.line, record.row, record.size


def _refused(refusal: ImportRefused) -> Iterator[JsonRecord]:
    raise refusal
    yield  # what makes it a generator


def _has_lines(head: str) -> bool:
    """True if each line stands alone: one of the first is a whole object, or none begins as JSON does."""
    if head.lstrip("\ufeff\x1e \t\r\n")[:1] not in ("{", "["):
        return True
    lines = (line.rstrip().rstrip(",") for line in head.split("\n") if line.startswith("{"))
    return not head.lstrip().startswith("[") and any(_loaded(line)[1] is not None for line in lines)


def _by_line(source: TextSource) -> Iterator[JsonRecord]:
    for line in filter(has_text, source.lines()):
        yield _parsed(line)


def _parsed(line: Line) -> JsonRecord:
    problem, row = (line.problem, None) if line.problem else _loaded(line.text)
    if row is None and not line.problem and line.text.rstrip().endswith(","):
        problem, row = _loaded(line.text.rstrip().rstrip(","))
    return JsonRecord(line.number, row, len(line.text), problem or "", "" if row is not None else line.text)


def _loaded(text: str) -> tuple[str | None, dict[str, Any] | None]:
    try:
        row = json.loads(text)
    except RecursionError:
        return "not JSON: nested too deep", None
    except ValueError as error:
        return f"not JSON: {error}", None
    return (None, row) if isinstance(row, dict) else ("not a JSON object", None)


def _at(row: dict[str, Any], name: str) -> Any:
    if name in row or "." not in name:
        return _plain(row.get(name))
    value: Any = row
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return _plain(value)


def _plain(value: Any) -> Any:
    """The value inside MongoDB's wrappers: {"$oid": "65f0"}, {"$date": {"$numberLong": "1730794500000"}}."""
    while isinstance(value, dict) and len(value) == 1 and (name := next(iter(value))) in _EXTENDED:
        value = value[name]
    return value


def _paths(row: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in row.items():
        yield prefix + name
        if isinstance(value, dict) and prefix.count(".") < MAX_DEPTH:
            yield from _paths(value, f"{prefix}{name}.")

"""JSON in any layout -> one object after the other, in bounded memory.

Arrays on one line or many, objects over many lines, commas between or not, several objects one behind the other, and
the list inside a wrapper object: what lies between the objects is skipped, so all of these are one grammar.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from recsys.errors import ImportRefused
from recsys.imports.sources import NOT_TEXT, TextSource

_BETWEEN = re.compile(r"[\s,\x1e\ufeff]*")  # blanks, commas, the record separator of RFC 7464, a stray byte order mark
_TOKENS = re.compile(r'\\.|["{}\[\]\n]')
_STRUCTURE = re.compile(r'"(?:[^"\\]|\\.)*"(?:\s*:)?|\[\s*\{|[\[\]{}]')
_LIST = "[]"
_NO_BRACKET = re.compile(r".[^\[\]{}\n]*", re.DOTALL)
_MAX_SHOWN = 4096  # characters of a value that cannot be read
_KEPT = 1 << 20  # characters read that may stay in the buffer before it is cut
_LONGEST_ESCAPE = 12  # characters: an error so near to the buffer's end may only be a value that goes on
MAX_DEPTH = 3  # objects inside objects that are looked through for lists
_decode = json.JSONDecoder().raw_decode


class JsonRecord(NamedTuple):
    """One object of a file.

    Attributes:
        line: where it begins, from 1.
        row: the object, None if it cannot be read.
        size: characters of it.
        problem: why it cannot be read, empty if it can.
        text: of one that cannot be read.
    """

    line: int
    row: dict[str, Any] | None
    size: int
    problem: str = ""
    text: str = ""


class Cursor:
    """A place in a stream of text, of which only the part around the place is held.

    Args:
        source: the text.
    """

    def __init__(self, source: TextSource) -> None:
        self._source, self._chunks = source, source.chunks()
        self._buffer, self._at = "", 0
        self.line = 1

    def peek(self) -> str:
        """The next character that is neither blank nor comma; empty at the end."""
        while True:
            self._move(_BETWEEN.match(self._buffer, self._at).end())  # type: ignore[union-attr]  # matches anything
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if not self._more():
                return ""

    def skip(self, mark: str) -> bool:
        """Step over one character, if it is next."""
        if self.peek() != mark:
            return False
        self._move(self._at + 1)
        return True

    def record(self) -> JsonRecord:
        """The next value, which must be an object; one that is broken or too large is stepped over to its end."""
        self.peek()
        line, size = self.line, 0
        try:
            row, size = self.value()
        except BrokenJson as error:
            text = self._buffer[self._at : self._at + _MAX_SHOWN]
            if text[:1] in "{[":
                self.leave(0)
            else:
                self._move(_NO_BRACKET.match(self._buffer, self._at).end())  # type: ignore[union-attr]
            return JsonRecord(line, None, len(text), str(error), text)
        if not isinstance(row, dict):
            return JsonRecord(line, None, size, "not a JSON object", json.dumps(row)[:_MAX_SHOWN])
        return JsonRecord(line, row, size)

    def value(self) -> tuple[Any, int]:
        """The next value, and its size in characters.

        Raises:
            BrokenJson: it is no JSON, or too large; the place is still before it.
        """
        self.peek()
        while True:
            try:
                value, end = _decode(self._buffer, self._at)
            except RecursionError:
                raise BrokenJson("not JSON: nested too deep") from None
            except json.JSONDecodeError as error:
                goes_on = error.msg.startswith("Unterminated") or error.pos >= len(self._buffer) - _LONGEST_ESCAPE
                if not goes_on:
                    raise BrokenJson(f"not JSON: {error.msg}") from None
                if len(self._buffer) - self._at > self._source.limit:
                    raise BrokenJson(f"an object of more than {self._source.limit:,} characters") from None
                if not self._more():
                    raise BrokenJson(f"not JSON: {error.msg}") from None
                continue
            if end == len(self._buffer) and self._buffer[end - 1] not in '}]"' and self._more():
                continue  # a number that may go on
            size = end - self._at
            if NOT_TEXT.search(self._buffer, self._at, end):
                raise BrokenJson(self._source.encoding_problem)
            self._move(end)
            return value, size

    def leave(self, depth: int) -> None:
        """Step over values until ``depth`` brackets more are closed than opened; with 0 over one value.

        A string ends at its line's end, whatever its quotes say: one that is missing costs a line.

        Raises:
            ImportRefused: the text ends before.
        """
        in_string = False
        while True:
            for token in _TOKENS.finditer(self._buffer, self._at):
                mark = token.group()
                if mark in ('"', "\n"):
                    in_string = mark == '"' and not in_string
                elif not in_string and mark in "{}[]":
                    depth += 1 if mark in "{[" else -1
                    if depth <= 0:
                        self._move(token.end())
                        return
            self._move(len(self._buffer))
            if not self._more():
                raise ended_early(self._source, self.line)

    def _move(self, at: int) -> None:
        self.line += self._buffer.count("\n", self._at, at)
        self._at = at
        if at > _KEPT:
            self._buffer, self._at = self._buffer[at:], 0

    def _more(self) -> bool:
        """Read on, as much again as is held: a large value is then begun anew a few times only."""
        wanted, parts = len(self._buffer) - self._at, [self._buffer[self._at :]]
        while chunk := next(self._chunks, ""):
            parts.append(chunk)
            wanted -= len(chunk)
            if wanted <= 0:
                break
        self._buffer, self._at = "".join(parts), 0
        return len(parts) > 1


class BrokenJson(ValueError):
    """A value that is no JSON; the text is the reason."""


def ended_early(source: TextSource, line: int) -> ImportRefused:
    """The refusal of a text that ends inside an array or object."""
    return ImportRefused(
        f"{source.expected} that can be read to its end",
        f"the end of {source.path.name} in line {line}, inside an array or object",
        "What came before it is stored; get the whole file and import it again.",
    )


def streamed(source: TextSource, records: str | None) -> Iterator[JsonRecord]:
    """The objects of a text.

    Args:
        source: the text.
        records: keys with dots between them that lead from each outermost object to the list that is wanted; None
            if the outermost objects are.

    Raises:
        ImportRefused: the text ends inside an array or object, or the list is nowhere.
    """
    cursor = Cursor(source)
    depth = 0
    entered = False
    while mark := cursor.peek():
        if mark in "[]":
            cursor.skip(mark)
            depth += 1 if mark == "[" else -1
        elif records is None:
            yield cursor.record()
        elif mark == "{" and cursor.skip("{"):
            left = _enter(cursor, records.split("."))
            if left:
                entered = True
                while cursor.peek() not in ("]", ""):
                    yield cursor.record()
                cursor.leave(left + 1)
        else:
            yield cursor.record()
    if depth > 0:
        raise ended_early(source, cursor.line)
    if records is not None and not entered:
        paths = wrapped_lists(source.head)
        got = f"no such list in {source.path.name}"
        remedy = f"Lists: {', '.join(paths)}." if paths else "It has no list of objects: leave --records out."
        raise ImportRefused(f"a list of objects at --records {records}", got, remedy)


def _enter(cursor: Cursor, path: list[str]) -> int:
    """Step from behind a ``{`` to the first element of the list at a path.

    Returns:
        How many objects are then open; 0 if there is no such list, and all are closed again.
    """
    while cursor.peek() not in ("}", ""):
        try:
            key, _ = cursor.value()
        except BrokenJson:
            break
        cursor.skip(":")
        if key == path[0] and len(path) == 1 and cursor.skip("["):
            return 1
        if key == path[0] and len(path) > 1 and cursor.skip("{"):
            if inner := _enter(cursor, path[1:]):
                return inner + 1
        else:
            _step_over(cursor)
    cursor.leave(1)
    return 0


def _step_over(cursor: Cursor) -> None:
    if cursor.peek() in ("{", "["):
        cursor.leave(0)
    else:
        cursor.value()


def wrapped_lists(text: str) -> list[str]:
    """The paths to lists of objects inside the first object of a text, of which only the beginning is needed."""
    paths: list[str] = []
    open_keys: list[str] = []  # of the objects around the place; LIST for an array
    key = ""
    for token in _STRUCTURE.finditer(text):
        mark = token.group()
        if mark[0] == '"':
            key = mark.rstrip(": \t\r\n")[1:-1] if mark[-1] == ":" else key
        elif mark[0] in "]}":
            open_keys = open_keys[:-1]
            if not open_keys:
                break
        elif mark[0] == "{":
            open_keys.append(key)
        elif open_keys:
            path = ".".join([*open_keys[1:], key])
            if mark[-1] == "{" and _LIST not in open_keys and len(open_keys) <= MAX_DEPTH and path not in paths:
                paths.append(path)
            open_keys += [_LIST] if mark[-1] == "[" else [_LIST, key]
        elif mark[-1] == "{":
            open_keys.append("")
    return paths

"""Word vectors that others have trained, read from their files and checked.

Reads word2vec text and binary, GloVe's text (no header) and fastText's ``.vec``, each also as ``.gz``; keeps the
vectors of the wanted words alone, one line in memory at a time. The format is recognised by the first two lines.

A file is refused when it cannot be one of these: no readable row, another dimension, no line end in its first 4 MiB.
A row is refused, and counted by its reason, when it repeats a wanted word (the first one stays), is not UTF-8, has
another number of values, or values that are not finite or all zero; so is what a file that was cut off lacks.
"""

import gzip
import itertools
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, NamedTuple, cast

import numpy as np

from recsys.errors import ImportRefused
from recsys.words import Matrix

MAX_LINE_BYTES = 1 << 22  # bytes; a line of 2,000 dimensions takes about 50,000
_MAX_WORD_BYTES = 1 << 10  # bytes of a word in a binary file
_BLOCK = 1 << 20  # bytes read at once
_HEADER_FIELDS = 2  # rows and dimensions
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r"))  # bytes that no line of text holds

Rows = Iterator[tuple[bytes, Matrix]]


class Pretrained(NamedTuple):
    """Vectors of a file, and what was refused of it.

    Attributes:
        file: its name.
        vectors: float32 (V, D), in the order of the wanted words; NaN where the file has none.
        rows: rows that could be read.
        used: wanted words that got a vector.
        refused: reason -> rows refused.
    """

    file: str
    vectors: Matrix
    rows: int
    used: int
    refused: dict[str, int]


def read_vectors(file: Path, wanted: Mapping[str, int], embedding_dim: int) -> Pretrained:
    """Read the vectors of the wanted words.

    Args:
        file: of one of the formats above.
        wanted: word -> row, 0 .. V-1. A lower-case word without a row of its own gets that of the first row that is
            the same but for its case ("Paris").
        embedding_dim: D.

    Raises:
        ImportRefused: the file as a whole cannot be used.
    """
    if not file.is_file():
        raise _refusal(file, "no such file")
    vectors = np.full((len(wanted), embedding_dim), np.nan, dtype=np.float32)
    exact: set[str] = set()
    refused: Counter[str] = Counter()
    rows = 0
    with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as opened:
        for name, values in _rows(cast(IO[bytes], opened), file, embedding_dim, refused):
            reason = _take(name, values, wanted, exact, vectors)
            rows += not reason
            refused.update([reason] if reason else [])
    if not rows:
        raise _refusal(file, f"no row that can be used ({dict(refused)})" if refused else "an empty file")
    used = int(np.isfinite(vectors[:, 0]).sum())
    return Pretrained(file.name, vectors, rows, used, dict(sorted(refused.items())))


def _take(name: bytes, values: Matrix, wanted: Mapping[str, int], exact: set[str], vectors: Matrix) -> str:
    """Put one row where it is wanted; returns the reason of a refusal, or an empty string."""
    if not (np.isfinite(values).all() and values.any()):
        return "not finite or zero"
    try:
        word = name.decode("utf-8")
    except UnicodeDecodeError:
        return "not UTF-8"
    if word in exact:
        return "repeated"
    if word in wanted:
        exact.add(word)
        vectors[wanted[word]] = values
    elif (lower := word.lower()) in wanted and lower not in exact and np.isnan(vectors[wanted[lower], 0]):
        vectors[wanted[lower]] = values
    return ""


def _rows(stream: IO[bytes], file: Path, dim: int, refused: Counter[str]) -> Rows:
    """The rows of a file of any of the formats; counts those that cannot be read."""
    first = _read(stream.readline, MAX_LINE_BYTES, refused)
    if len(first) == MAX_LINE_BYTES:
        raise _refusal(file, f"no line end in its first {MAX_LINE_BYTES} bytes")
    fields = first.split()
    header = len(fields) == _HEADER_FIELDS and all(field.isdigit() for field in fields)
    dimensions = int(fields[1]) if header else len(fields) - 1
    if fields and dimensions != dim:
        raise _refusal(file, f"{dimensions} dimensions in its first line")
    lines = iter(lambda: _read(stream.readline, MAX_LINE_BYTES, refused), b"")
    if not header:
        yield from _text_rows(itertools.chain([first], lines), None, dim, refused)
        return
    second = next(lines, b"")
    if _is_text(second):
        yield from _text_rows(itertools.chain([second], lines), int(fields[0]), dim, refused)
    else:
        yield from _binary_rows(stream, second, int(fields[0]), dim, refused)


def _text_rows(lines: Iterator[bytes], rows: int | None, dim: int, refused: Counter[str]) -> Rows:
    """Rows of text: a word, which may hold spaces (GloVe), and D numbers.

    A last line without its end is whole only when no row is missing: its last number may have been longer.
    """
    read = 0
    for line in lines:
        fields = line.split()
        if not fields:
            continue
        read += 1
        try:
            values = np.array([float(field) for field in fields[-dim:]], dtype=np.float32)
        except ValueError:
            values = np.empty(0, dtype=np.float32)
        ended = line.endswith(b"\n") or (read == rows if rows else len(values) == dim)
        if len(fields) > dim and len(values) == dim and ended:
            yield b" ".join(fields[:-dim]), values
        else:
            refused["another number of values" if ended else "cut off"] += 1
    if rows and read < rows:
        refused["missing"] += rows - read


def _binary_rows(stream: IO[bytes], first: bytes, rows: int, dim: int, refused: Counter[str]) -> Rows:
    """Rows of word2vec's binary format: a word, a space, D little-endian float32, perhaps a line end."""
    buffer, place = first, 0
    for row in range(rows):
        space = buffer.find(b" ", place)
        while space < 0 or len(buffer) < space + 1 + 4 * dim:
            more = _read(stream.read, _BLOCK, refused) if space >= 0 or len(buffer) - place < _MAX_WORD_BYTES else b""
            if not more:
                refused["cut off"] += 1
                refused.update({"missing": rows - row - 1} if row + 1 < rows else {})
                return
            buffer, place = buffer[place:] + more, 0
            space = buffer.find(b" ")
        values = np.frombuffer(buffer, dtype="<f4", count=dim, offset=space + 1)
        yield buffer[place:space].lstrip(b"\n"), values
        place = space + 1 + 4 * dim


def _is_text(line: bytes) -> bool:
    """True for a line of text: numbers in binary hold control characters."""
    return len(line) == len(line.translate(None, _CONTROLS))


def _read(call: Callable[[int], bytes], size: int, refused: Counter[str]) -> bytes:
    """Read from a file that may be compressed and end in the middle; nothing more then."""
    try:
        return call(size)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        refused["cut off"] += 1
        return b""


def _refusal(file: Path, got: str) -> ImportRefused:
    expected = f"word vectors of words.embedding_dim dimensions (word2vec, GloVe or fastText .vec) in {file}"
    return ImportRefused(expected, got, "Correct words.pretrained, or words.embedding_dim.")

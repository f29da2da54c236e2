"""Data sets of documents with the keys that people gave them, from files of many makers.

Reads JSON lines or plain lines, compressed or not; produces documents. What cannot be used is counted and left out.
"""

import gzip
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from recsys.errors import ImportRefused

GZIP_MAGIC = b"\x1f\x8b"
KEY_FIELDS = ("keyphrases", "keywords", "keys")  # the first one that a row has is read
BODY_FIELDS = ("body", "text", "abstract", "content")
SEPARATOR = ";"  # between keys that are given as one string


class Document(NamedTuple):
    """One text and its keys.

    Attributes:
        title: may be empty.
        body: may be empty.
        keys: as given, in the order of the file; never empty.
    """

    title: str
    body: str
    keys: list[str]


class DataSet(NamedTuple):
    """The documents of one file.

    Attributes:
        documents: those with a text and at least one key.
        skipped: reason -> rows left out.
    """

    documents: list[Document]
    skipped: dict[str, int]


def read_lines(file: Path) -> Iterator[str]:
    """Lines of a UTF-8 file that hold anything, compressed with gzip or not; what is no UTF-8 becomes U+FFFD."""
    with file.open("rb") as raw:
        packed = raw.read(len(GZIP_MAGIC)) == GZIP_MAGIC
    with gzip.open(file) if packed else file.open("rb") as lines:
        for line in lines:
            if text := line.decode(errors="replace").strip():
                yield text


def read_documents(file: Path, limit: int | None = None) -> DataSet:
    """Read a data set.

    Args:
        file: one JSON object per line: ``title`` and ``body``, ``text``, ``abstract`` or ``content``; ``keyphrases``,
            ``keywords`` or ``keys`` as a list, a list of lists (variants of one key), or a string with ";" between.
        limit: rows read at most.

    Raises:
        ImportRefused: no row has a text and a key.
    """
    documents: list[Document] = []
    skipped = {"unreadable": 0, "no_text": 0, "no_keys": 0}
    for place, line in enumerate(read_lines(file)):
        if place == limit:
            break
        row = _parsed(line)
        title, body = (_text(row, ("title",)), _text(row, BODY_FIELDS)) if row else ("", "")
        keys = _keys(row) if row else []
        if row is None or not (title or body) or not keys:
            skipped["unreadable" if row is None else "no_keys" if title or body else "no_text"] += 1
        else:
            documents.append(Document(title, body, keys))
    if not documents:
        raise ImportRefused(f"rows with text and keys in {file}", f"none: {skipped}", f"Name the keys {KEY_FIELDS[0]}.")
    return DataSet(documents, skipped)


def read_texts(file: Path) -> Iterator[tuple[str, str]]:
    """Texts to learn words from: title and body of each JSON row, or each plain line as a body."""
    for line in read_lines(file):
        row = _parsed(line)
        if row is None:
            yield "", line
        elif any(texts := (_text(row, ("title",)), _text(row, BODY_FIELDS))):
            yield texts


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def _text(row: dict[str, Any], names: Iterable[str]) -> str:
    return next((value for name in names if isinstance(value := row.get(name), str) and value.strip()), "")


def _keys(row: dict[str, Any]) -> list[str]:
    given: Any = next((row[name] for name in KEY_FIELDS if row.get(name)), [])
    if isinstance(given, str):
        given = given.split(SEPARATOR)
    elif not isinstance(given, list):
        given = []
    flat = [key for entry in given for key in (entry if isinstance(entry, list) else [entry])]
    return [key.strip() for key in flat if isinstance(key, str) and key.strip()]

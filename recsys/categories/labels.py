"""Labels: a file of labelled texts -> a clean table, whatever the labels are about: category, sentiment, clickbait.

Reads CSV, JSONL or Parquet; produces ``labels/<task>.parquet``. Only what a row needs is asked for: a label, and a text
of its own or the id of an article.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from recsys.errors import DegenerateInput, ImportRefused, InputError
from recsys.imports.formats import opened
from recsys.imports.tables import Limits, RowBatch
from recsys.workspace import write_table

_FORMATS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
}
_COMPRESSED = (".gz", ".bz2", ".xz", ".zst")
_LIMITS = Limits(batch_rows=10_000, batch_bytes=16_000_000, max_line_bytes=4_000_000)
_TASK = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")  # a task's name is the name of a folder and of a part of an address
_MAX_LABEL_CHARS = 80  # a longer one is a text in the wrong column
_MAX_LABELS = 500  # more are no labels but a column of something else
_ID, _TITLE, _BODY, _LABEL = ("id", "article"), ("title",), ("body", "text"), ("label",)
LABELS_SCHEMA = pa.schema([(name, pa.string()) for name in ("id", "title", "body", "label")])

Row = tuple[str | None, str, str, str]


def read_labels(file: Path, task: str, encoding: str, least: int) -> tuple[pa.Table, dict[str, int]]:
    """Labelled rows of a file.

    Args:
        file: CSV, JSONL or Parquet by its name; .gz, .bz2, .xz and .zst are recognised. Columns: ``label`` (or the
            task's name); ``text``, or ``title`` and ``body``; or ``id``, of an article of the catalogue.
        task: its name.
        encoding: of a text file without a byte order mark.
        least: rows that a label needs; rarer ones are left out.

    Returns:
        Columns of ``LABELS_SCHEMA``, the id null where a row has a text; counts of rows, by what was wrong with them.

    Raises:
        InputError: the task's name cannot be a folder's.
        ImportRefused: the file cannot be read, or has no column of labels or of texts.
        DegenerateInput: no two labels have enough rows, or there are more than labels can be.
    """
    if not _TASK.fullmatch(task):
        raise InputError("a name of small letters, digits, - and _", repr(task), "Choose another --task.")
    counts = Counter({"rows": 0, "unreadable": 0, "without_label": 0, "without_text": 0, "repeated": 0, "rare": 0})
    with opened(file, _format(file), encoding, _LIMITS) as table:
        columns = _columns(table.names, task, file)
        wanted = [name for name in columns.values() if name]

        def reject(line: int, reason: str, row: Any) -> None:
            counts["rows"] += 1
            counts["unreadable"] += 1

        rows = list(dict.fromkeys(_rows(table.batches(wanted, reject), columns, counts)))
    counts["repeated"] = counts["rows"] - counts["unreadable"] - counts["without_label"]
    counts["repeated"] -= counts["without_text"] + len(rows)
    sizes = Counter(row[3] for row in rows)
    counts["rare"] = sum(size for size in sizes.values() if size < least)
    _check(sizes, counts, least, file)
    kept = [row for row in rows if sizes[row[3]] >= least]
    return pa.table(dict(zip(LABELS_SCHEMA.names, zip(*kept, strict=True), strict=True)), schema=LABELS_SCHEMA), dict(
        counts
    )


def save_labels(table: pa.Table, task: str, folder: Path) -> None:
    """Keep a task's rows, in place of those that it had before."""
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / f".{task}.tmp"
    write_table(fresh, table)
    fresh.replace(folder / f"{task}.parquet")


def _format(file: Path) -> str:
    suffixes = [suffix.lower() for suffix in file.suffixes if suffix.lower() not in _COMPRESSED]
    if not suffixes or suffixes[-1] not in _FORMATS:
        raise ImportRefused(f"a file named {', '.join(_FORMATS)}, compressed or not", file.name, "Rename it.")
    return _FORMATS[suffixes[-1]]


def _columns(names: list[str], task: str, file: Path) -> dict[str, str | None]:
    """Columns of the id, the title, the body and the label; None for one that is not there."""
    column_of = {
        field: next((name for name in candidates if name in names), None)
        for field, candidates in {"id": _ID, "title": _TITLE, "body": _BODY, "label": (*_LABEL, task)}.items()
    }
    got = f"{', '.join(map(repr, names))} in {file.name}"
    if column_of["label"] is None:
        raise ImportRefused(f"a column 'label' or {task!r}", got, "Name the column of labels so.")
    if not (column_of["id"] or column_of["title"] or column_of["body"]):
        raise ImportRefused("a column 'text', 'title', 'body' or 'id'", got, "Name the column of texts so.")
    return column_of


def _rows(batches: Iterable[RowBatch], columns: dict[str, str | None], counts: Counter[str]) -> Iterator[Row]:
    """The rows that have a label, and a text or an id; a text counts more than an id."""
    for batch in batches:
        empty: list[Any] = [None] * len(batch.lines)
        values = [batch.columns[name] if (name := columns[field]) else empty for field in LABELS_SCHEMA.names]
        for article, title, body, label in zip(*values, strict=True):
            row = _plain(article), _plain(title), _plain(body), _plain(label)
            counts["rows"] += 1
            if not 0 < len(row[3]) <= _MAX_LABEL_CHARS:
                counts["without_label"] += 1
            elif row[1] or row[2]:
                yield None, *row[1:]
            elif row[0]:
                yield row
            else:
                counts["without_text"] += 1


def _plain(value: Any) -> str:
    """A value as text: numbers and truth values as JSON writes them, nothing for lists and the like."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else "" if value != value else str(value)
    text = str(value) if isinstance(value, str | int) else ""
    return text.encode("utf-8", "replace").decode().strip()  # lone surrogates cannot be stored


def _check(sizes: Counter[str], counts: Counter[str], least: int, file: Path) -> None:
    said = ", ".join(f"{name} {count}" for name, count in counts.items() if count)
    if len(sizes) > _MAX_LABELS:
        raise DegenerateInput(
            f"at most {_MAX_LABELS} labels", f"{len(sizes)} in {file.name}", "Is it the right column?"
        )
    enough = [name for name, size in sizes.items() if size >= least]
    if len(enough) < 2:
        got = f"{len(enough)} ({', '.join(sorted(enough)[:3]) or 'none'}) in {file.name}: {said}"
        raise DegenerateInput(f"two labels with {least} rows each", got, "Give more rows, or correct the column.")

"""What the tests of imports share: files, the counts of an import, and the message of one that is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from recsys.errors import ImportRefused
from recsys.imports import Summary, Target, import_file

SITE = "daily"


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def counts(summary: Summary) -> tuple[int, int, int, int, int]:
    return (summary.read, summary.stored, summary.updated, summary.duplicate, summary.rejected)


def reasons(summary: Summary) -> list[tuple[int, str]]:
    assert summary.rejects is not None
    rows = [json.loads(line) for line in summary.rejects.read_text().splitlines()]
    assert all(set(row) == {"line", "reason", "row"} for row in rows)
    return [(row["line"], row["reason"]) for row in rows]


def refused(target: Target, file: Path, format: str, *maps: str, **options: Any) -> str:
    with pytest.raises(ImportRefused) as refusal:
        import_file(target, file, format, maps, **options)
    return str(refusal.value)

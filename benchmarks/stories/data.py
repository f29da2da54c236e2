"""Labelled streams and pairs: JSON lines, compressed or not -> articles in their order, pairs of texts."""

import gzip
import json
from pathlib import Path
from typing import Any, NamedTuple

from recsys.errors import ImportRefused

_GZIP = b"\x1f\x8b"


class LabelledArticle(NamedTuple):
    """Headline with the story that people put it in.

    Attributes:
        id: of the article, its place in the file where it has none.
        title: as it came.
        body: empty where the file has none.
        time: ms; None where the row has none and others have.
        story: label.
    """

    id: str
    title: str
    body: str
    time: int | None
    story: str


class LabelledPair(NamedTuple):
    """Two texts, and whether people found them to be about one thing."""

    one: str
    other: str
    same: bool


def read_stream(file: Path) -> list[LabelledArticle]:
    """Articles in the order of the file; rows without a story are left out, and a file without times is of one moment.

    Args:
        file: JSON lines with title, story and, where known, id, body (or text) and time (ms).

    Raises:
        ImportRefused: no row has a story.
    """
    rows = [
        LabelledArticle(
            str(row.get("id") or place),
            str(row.get("title") or ""),
            str(row.get("body") or row.get("text") or ""),
            int(row["time"]) if row.get("time") is not None else None,
            str(row["story"]),
        )
        for place, row in enumerate(_rows(file))
        if row.get("story") not in (None, "")
    ]
    if not rows:
        raise ImportRefused("rows with title and story", f"none in {file}", "See the docstring of benchmarks.stories.")
    timed = any(article.time is not None for article in rows)
    return rows if timed else [article._replace(time=0) for article in rows]


def read_pairs(file: Path) -> list[LabelledPair]:
    """Pairs of texts.

    Args:
        file: JSON lines with one, other and same_topic (0 or 1).

    Raises:
        ImportRefused: no row has a label.
    """
    rows = [
        LabelledPair(str(row.get("one") or ""), str(row.get("other") or ""), bool(row["same_topic"]))
        for row in _rows(file)
        if row.get("same_topic") is not None
    ]
    if not rows:
        raise ImportRefused("rows with one, other and same_topic", f"none in {file}", "See benchmarks.stories.")
    return rows


def _rows(file: Path) -> list[dict[str, Any]]:
    data = file.read_bytes()
    text = gzip.decompress(data) if data.startswith(_GZIP) else data
    return [row for line in text.splitlines() if line.strip() and isinstance(row := json.loads(line), dict)]

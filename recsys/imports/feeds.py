"""A feed, in a file or at an address -> the store; what the address said of its version is kept for the next time."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from recsys.errors import ImportRefused
from recsys.imports.feed import EXPECTED, Row, read_feed
from recsys.imports.fetch import MAX_BYTES, Fetched, fetch
from recsys.imports.mapping import ARTICLE_FIELDS, Source
from recsys.imports.rejects import Summary, Tally
from recsys.imports.rows import write_rows
from recsys.imports.sources import open_file
from recsys.imports.tables import Batch, Limits, Reject, grouped
from recsys.imports.target import Target
from recsys.store.addresses import made_id


def import_feed(target: Target, source: str, state: Path, allow_private: bool = False) -> Summary:
    """Import the entries of a feed as articles.

    Args:
        target: where to.
        source: a file, or an http or https address.
        state: folder where versions of feeds are kept, so that one that has not changed is not sent again.
        allow_private: hosts of this machine and its network may be asked, too.

    Raises:
        ImportRefused: it is no feed, or the address cannot be read within the bounds of ``fetch``.
    """
    is_address = source.lower().startswith(("http://", "https://"))
    name = source.rstrip("/").rsplit("/", 1)[-1] if is_address else Path(source).name
    kept = state / f"{made_id(f'{target.site} {source}')}.json"
    with Tally(target.rejects, name[:60] or "feed", target.dry_run) as tally:
        tally.records = "articles"
        fetched = _fetched(source, kept, allow_private) if is_address else None
        if fetched is not None and fetched.is_unchanged:
            tally.note("The feed has not changed since the last import.")
            return tally.summary()
        feed = read_feed(_file_content(Path(source)) if fetched is None else fetched.content, name)
        for sentence in feed.notes:
            tally.note(sentence)
        table = FeedTable(feed.rows, target.limits)
        write_rows(target, table, {field: Source(field, None) for field in table.names}, "articles", tally)
        if fetched is not None and not target.dry_run:
            _keep(kept, source, fetched)
        return tally.summary()


class FeedTable:
    """The entries of a feed as a table with the names of an article's fields."""

    is_open = False

    def __init__(self, rows: list[Row], limits: Limits) -> None:
        self._rows, self._limits = rows, limits
        self.names = [field for field in ARTICLE_FIELDS if any(field in row for row in rows)]
        self.progress = (0, len(rows))

    def sample(self) -> dict[str, list[Any]]:
        """See ``Table``."""
        return {name: [row.get(name) for row in self._rows] for name in self.names}

    def batches(self, wanted: list[str], reject: Reject) -> Iterator[Batch]:
        """See ``Table``."""
        entries = ((number, row, len(str(row))) for number, row in enumerate(self._rows, 1))
        for lines, rows in grouped(entries, self._limits):
            self.progress = (lines[-1], len(self._rows))
            yield Batch(lines, {name: [row.get(name) for row in rows] for name in wanted}, rows)


def _fetched(source: str, kept: Path, allow_private: bool) -> Fetched:
    try:
        known = json.loads(kept.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        known = {}
    return fetch(source, etag=known.get("etag"), modified=known.get("modified"), allow_private=allow_private)


def _keep(kept: Path, source: str, fetched: Fetched) -> None:
    kept.parent.mkdir(parents=True, exist_ok=True)
    state = {"url": source, "etag": fetched.etag, "modified": fetched.modified}
    fresh = kept.with_suffix(".tmp")
    fresh.write_text(json.dumps(state, ensure_ascii=False) + "\n", encoding="utf-8")
    fresh.replace(kept)


def _file_content(path: Path) -> bytes:
    with open_file(path, EXPECTED) as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ImportRefused(EXPECTED, f"{path.name}, which has more than {MAX_BYTES:,} bytes", "Check the path.")
    return content

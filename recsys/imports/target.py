"""Where an import writes, and within which limits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from recsys.imports.config import ImportsConfig
from recsys.imports.seen import Seen
from recsys.imports.tables import Limits
from recsys.imports.values import MINUTE_MS, Reading
from recsys.store import ArticlePatch, Event, Merged, Store, Written
from recsys.store.engine import now_ms

Progress = Callable[[int, int], None]  # done and total, in bytes of a text file or rows of a Parquet file


def _time_or_before(event: Event) -> int:
    return -1 if event.time is None else event.time


def _silent(done: int, total: int) -> None:
    """Show no progress."""


@dataclass(frozen=True)
class Target:
    """Where an import writes.

    Attributes:
        store: the database.
        site: the site that the records belong to.
        rejects: folder for files of rejected rows.
        config: the limits.
        dry_run: write nothing but the rejects.
        progress: called after each batch.
        reading: how values are read that do not say it themselves.
        seen: what the records hold, counted as they pass.
    """

    store: Store
    site: str
    rejects: Path
    config: ImportsConfig = field(default_factory=ImportsConfig)
    dry_run: bool = False
    progress: Progress = _silent
    reading: Reading = field(default_factory=Reading)
    seen: Seen = field(default_factory=Seen)

    @property
    def limits(self) -> Limits:
        """The limits of memory."""
        return Limits(self.config.batch_rows, self.config.batch_bytes, self.config.max_line_bytes)

    @property
    def latest(self) -> int:
        """The latest time that is not taken for an error: int ms UTC."""
        return now_ms() + self.config.max_future_minutes * MINUTE_MS

    def merge(self, patches: Sequence[ArticlePatch]) -> Merged:
        """Merge articles field by field, or say what would happen."""
        merged = self.store.preview_merge(patches) if self.dry_run else self.store.merge_articles(patches)
        untitled = set(merged.untitled)
        self.seen.patches(patch for place, patch in enumerate(patches) if place not in untitled)
        return merged

    def add(self, records: Sequence[Event]) -> Written:
        """Write events in the order of time, undated ones first and as they came; or say what would happen.

        The importers' identifiers begin with the time, so this is also the order of the database's unique index, and
        an index that is filled in its own order is filled fastest.
        """
        records = sorted(records, key=_time_or_before)
        self.seen.events(records)
        return self.store.preview_events(records) if self.dry_run else self.store.add_events(records)

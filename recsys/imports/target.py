"""Destination of an import: the store, the limits, and statistics of what passes."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from recsys.imports.tables import Limits
from recsys.imports.values import ParseOptions
from recsys.store import ArticlePatch, Event, Merged, Store, Written
from recsys.units import MINUTE_MS, NEVER_MS, now_ms

_MAX_FUTURE_MS = 10 * MINUTE_MS  # a time further ahead of this machine's clock is taken for an error

Progress = Callable[[int, int], None]  # done and total, in bytes of a text file or rows of a Parquet file


def _time_or_before(event: Event) -> int:
    return NEVER_MS if event.time is None else event.time


def _silent(done: int, total: int) -> None:
    """Show no progress."""


class RecordStatistics:
    """Languages and times of the records that went to the store, counted as they pass.

    Attributes:
        languages: language of an article -> articles; "" where the file does not say it.
        first: the earliest time of an article or event, int ms UTC; None without any.
        last: the latest.
    """

    def __init__(self) -> None:
        self.languages = Counter[str]()
        self.first: int | None = None
        self.last: int | None = None

    def patches(self, records: Iterable[ArticlePatch]) -> None:
        """Count articles of which a file has some fields."""
        for record in records:
            self._article(record.fields.get("language"), record.fields.get("published_at"))

    def events(self, records: Sequence[Event]) -> None:
        """Count events in the order of time, undated ones first."""
        if records:
            self._time(next((record.time for record in records if record.time is not None), None))
            self._time(records[-1].time)

    def _article(self, language: str | None, published_at: int | None) -> None:
        self.languages[language or ""] += 1
        self._time(published_at)

    def _time(self, time: int | None) -> None:
        if time is not None:
            self.first = time if self.first is None else min(self.first, time)
            self.last = time if self.last is None else max(self.last, time)


@dataclass(frozen=True)
class Target:
    """Destination of an import.

    Attributes:
        store: the database.
        site: the site that the records belong to.
        rejects: folder for files of rejected rows.
        limits: of memory.
        dry_run: write nothing but the rejects.
        progress: called after each batch.
        options: how values are read that do not say it themselves.
        statistics: of the records, counted as they pass.
    """

    store: Store
    site: str
    rejects: Path
    limits: Limits = field(default_factory=Limits)
    dry_run: bool = False
    progress: Progress = _silent
    options: ParseOptions = field(default_factory=ParseOptions)
    statistics: RecordStatistics = field(default_factory=RecordStatistics)

    @property
    def latest(self) -> int:
        """The latest time that is not taken for an error: int ms UTC."""
        return now_ms() + _MAX_FUTURE_MS

    def merge(self, patches: Sequence[ArticlePatch]) -> Merged:
        """Merge articles field by field, or say what would happen."""
        merged = self.store.preview_merge(patches) if self.dry_run else self.store.merge_articles(patches)
        untitled = set(merged.untitled)
        self.statistics.patches(patch for place, patch in enumerate(patches) if place not in untitled)
        return merged

    def add(self, records: Sequence[Event]) -> Written:
        """Write events in the order of time, undated ones first and as they came; or say what would happen.

        The importers' identifiers begin with the time, so this is also the order of the database's unique index, and
        an index that is filled in its own order is filled fastest.
        """
        records = sorted(records, key=_time_or_before)
        self.statistics.events(records)
        return self.store.preview_events(records) if self.dry_run else self.store.add_events(records)

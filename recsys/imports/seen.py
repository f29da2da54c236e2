"""What the records of an import hold, for the lines that it ends with."""

from collections import Counter
from collections.abc import Iterable, Sequence

from recsys.store import ArticlePatch, Event


class Seen:
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

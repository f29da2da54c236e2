"""Trends: the stream of events -> live counts per article, forgetting at several speeds.

Reads one event at a time; produces decayed clicks and impressions, click rates and the popular articles of any moment.
A count decays only when it is touched or read, so an event costs the same however many articles there are. The same
class runs in training and in the service. Time is the event's own; undated events are ignored.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from recsys.config import Section
from recsys.errors import StaleArtefact
from recsys.events import KINDS, UNDATED, Events

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int32]

IMPRESSION, CLICK = KINDS.index("impression"), KINDS.index("click")
HOUR_MS = 3_600_000
FIRST_RATE = (1.0, 10.0)  # clicks, impressions: the click rate that a stream without any event is taken to have
NEVER = -1


class TrendsConfig(Section):
    """How fast the counts forget, and how much evidence moves a click rate."""

    half_lives_hours: tuple[float, float, float] = (1.0, 6.0, 24.0)
    prior_impressions: float = Field(20.0, gt=0)


class Trends:
    """Live counts of A articles at H half-lives."""

    def __init__(self, n_articles: int, config: TrendsConfig) -> None:
        self.config = config
        self._per_ms = 1.0 / (np.array(config.half_lives_hours, np.float64) * HOUR_MS)  # (H,) halvings per ms
        H = len(self._per_ms)
        self._decayed = np.zeros((n_articles, 2, H))  # impressions, clicks as of _last
        self._last = np.full(n_articles, NEVER, np.int64)
        self._first = np.full(n_articles, NEVER, np.int64)
        self._total = np.zeros((n_articles, 2), np.int64)
        self._all_total = np.zeros(2, np.int64)

    def __len__(self) -> int:
        return len(self._last)

    @property
    def all_total(self) -> tuple[int, int]:
        """Impressions and clicks ever, over all articles."""
        shown, clicked = self._all_total.tolist()
        return shown, clicked

    def observe(self, kind: int, row: int, time: int) -> None:
        """Count one event, in constant time and in any order; dwells, dismisses and undated events only pass.

        Args:
            kind: index into ``KINDS``.
            row: article row, < the number of articles.
            time: ms since the epoch.
        """
        if time == UNDATED or (kind != IMPRESSION and kind != CLICK):
            return
        column = int(kind == CLICK)
        first = self._first[row]
        self._first[row] = time if first == NEVER or time < first else first
        self._total[row, column] += 1
        self._all_total[column] += 1
        self._last[row] = self._add(self._decayed[row], int(self._last[row]), column, time)

    def _add(self, decayed: Array, last: int, column: int, time: int) -> int:
        if time < last:  # late: it has already faded as much as if it had come in time
            decayed[column] += np.exp2((time - last) * self._per_ms)
            return last
        if time > last:
            decayed *= np.exp2((last - time) * self._per_ms)
        decayed[column] += 1.0
        return time

    def observe_many(self, kinds: Array, rows: Rows, times: Array) -> None:
        """Count many events at once: the counts of ``observe`` for each, to rounding.

        Args:
            kinds: int (E,), indices into ``KINDS``.
            rows: int32 (E,), article rows.
            times: int64 (E,), ms since the epoch, or UNDATED.
        """
        counted = (times != UNDATED) & ((kinds == IMPRESSION) | (kinds == CLICK))
        rows, times, column = rows[counted], times[counted], (kinds[counted] == CLICK).astype(np.int64)
        last = self._last.copy()
        np.maximum.at(last, rows, times)
        self._decayed *= np.exp2((self._last - last)[:, None] * self._per_ms)[:, None, :]
        np.add.at(self._decayed, (rows, column), np.exp2((times - last[rows])[:, None] * self._per_ms))
        self._last = last
        np.add.at(self._total, (rows, column), 1)
        self._all_total += np.bincount(column, minlength=2)
        first = np.where(self._first == NEVER, np.iinfo(np.int64).max, self._first)
        np.minimum.at(first, rows, times)
        self._first = np.where(self._last == NEVER, NEVER, first)

    def grow(self, n_articles: int) -> None:
        """Make room for new articles; never shrinks."""
        more = n_articles - len(self)
        if more > 0:
            self._decayed = np.concatenate([self._decayed, np.zeros((more, *self._decayed.shape[1:]))])
            self._last = np.concatenate([self._last, np.full(more, NEVER, np.int64)])
            self._first = np.concatenate([self._first, np.full(more, NEVER, np.int64)])
            self._total = np.concatenate([self._total, np.zeros((more, 2), np.int64)])

    def counts(self, rows: Rows, now: int) -> Array:
        """Impressions and clicks of some articles, decayed to ``now``.

        Returns:
            float64 (B, 2, H): impressions, clicks.
        """
        age = np.maximum(now - self._last[rows], 0)  # (B,)
        return np.asarray(self._decayed[rows] * np.exp2(-age[:, None] * self._per_ms)[:, None, :])

    def clicks(self, rows: Rows, now: int) -> Floats:
        """Clicks decayed to ``now``: float32 (B, H)."""
        return self.counts(rows, now)[:, 1].astype(np.float32)

    def impressions(self, rows: Rows, now: int) -> Floats:
        """Impressions decayed to ``now``: float32 (B, H)."""
        return self.counts(rows, now)[:, 0].astype(np.float32)

    def total_clicks(self, rows: Rows) -> npt.NDArray[np.int64]:
        """Clicks ever: int64 (B,)."""
        return np.asarray(self._total[rows, 1])

    def total_impressions(self, rows: Rows) -> npt.NDArray[np.int64]:
        """Impressions ever: int64 (B,)."""
        return np.asarray(self._total[rows, 0])

    def first_seen(self, rows: Rows) -> npt.NDArray[np.int64]:
        """When each article was first shown or clicked: int64 (B,) ms, -1 for never."""
        return np.asarray(self._first[rows])

    def rate(self, impressions: Array, clicks: Array) -> Floats:
        """Smoothed click rates: the stream's own rate, moved by evidence.

        A click without an impression counts as its own impression, so that a log of clicks alone has rates ≤ 1.

        Args:
            impressions: float (…,), not negative.
            clicks: float (…,), not negative.

        Returns:
            float32 (…,) in (0, 1].
        """
        shown, clicked = self.all_total
        stream = (clicked + FIRST_RATE[0]) / (max(shown, clicked) + FIRST_RATE[1])
        prior = self.config.prior_impressions
        smoothed = (clicks + prior * stream) / (np.maximum(impressions, clicks) + prior)
        return np.asarray(smoothed, np.float32)

    def click_rate(self, rows: Rows, now: int) -> Floats:
        """Smoothed click rates at each half-life: float32 (B, H)."""
        counts = self.counts(rows, now)
        return self.rate(counts[:, 0], counts[:, 1])

    def top(self, now: int, n: int, allowed: npt.NDArray[np.bool_]) -> Rows:
        """The articles most clicked lately.

        The shortest half-life in which any allowed article still has half a click decides; when all have faded, the
        clicks ever. Articles that nobody clicked are left out.

        Args:
            now: ms since the epoch.
            n: how many at most.
            allowed: bool (A,).

        Returns:
            int32 (≤ n,) rows, most clicked first; equal ones in row order.
        """
        rows = np.flatnonzero(allowed[: len(self)]).astype(np.int32)
        rows = rows[self._total[rows, 1] > 0]
        decayed = self.counts(rows, now)[:, 1]  # (B, H)
        alive = np.flatnonzero((decayed >= 0.5).any(axis=0))
        strength = decayed[:, alive[0]] if len(alive) else self._total[rows, 1]
        return np.asarray(rows[np.argsort(-strength, kind="stable")[:n]])

    def arrays(self) -> dict[str, Array]:
        """Everything counted, as copies: what ``from_arrays`` restores exactly."""
        return {
            "all_total": self._all_total.copy(),
            "decayed": self._decayed.copy(),
            "first": self._first.copy(),
            "half_lives_hours": np.array(self.config.half_lives_hours, np.float64),
            "last": self._last.copy(),
            "total": self._total.copy(),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array], config: TrendsConfig) -> "Trends":
        """Restore a snapshot.

        Raises:
            StaleArtefact: it was counted with other half-lives.
        """
        had = tuple(float(hours) for hours in arrays["half_lives_hours"])
        if had != config.half_lives_hours:
            raise StaleArtefact(
                f"counts at half-lives {config.half_lives_hours}", f"{had}", "Run: python -m jobs trends"
            )
        trends = cls(0, config)
        trends._decayed, trends._total = arrays["decayed"].copy(), arrays["total"].copy()
        trends._last, trends._first = arrays["last"].copy(), arrays["first"].copy()
        trends._all_total = arrays["all_total"].copy()
        return trends


def counted(events: Events, config: TrendsConfig) -> Trends:
    """The counts after a whole log: E events in time order."""
    trends = Trends(len(events.article_ids), config)
    trends.observe_many(events.kind, events.article, events.time)
    return trends

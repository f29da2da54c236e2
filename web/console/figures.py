"""Figures of the telemetry for people: requests, errors, and the times that lists take, since a while ago.

Reads the registry of all workers, as ``/metrics`` shows it; keeps what it was some minutes ago, so that figures are of
now and not since the start.
"""

import threading
import time
from collections import deque
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families

from recsys.telemetry import exposition

WINDOW_SECONDS = 300.0  # of the figures
LEAST_SECONDS = 30.0  # below which they are those since the start
LISTS_ROUTE = "/api/v1/recommendations"
_REQUESTS, _BUCKETS = "recsys_requests_total", "recsys_request_seconds_bucket"
_EVENTS, _FLOODED = "recsys_events_total", ("strangers", "rate-limited", "too-many")


class Totals(NamedTuple):
    """Counts since the start.

    Attributes:
        at: seconds of the monotonic clock.
        requests: of all routes.
        errors: of them, answered with a status from 500 on.
        lists: cumulative counts of the lists' times by upper bound in seconds.
        flooded: events that were not stored because too many came.
    """

    at: float
    requests: float
    errors: float
    lists: tuple[tuple[float, float], ...]
    flooded: float = 0.0


class Traffic(NamedTuple):
    """Answers of the last minutes.

    Attributes:
        seconds: the span that the figures are of; None: since the start.
        requests: answered.
        errors: of them with a status from 500 on.
        lists: recommended lists among them.
        p50: median time of a list, in seconds; None without one.
        p99: the same of the slowest hundredth.
        flooded: events that were not stored because too many came.
    """

    seconds: float | None
    requests: int
    errors: int
    lists: int
    p50: float | None
    p99: float | None
    flooded: int = 0


def totals_of(text: str, at: float) -> Totals:
    """Counts in a text of Prometheus's format."""
    requests = errors = flooded = 0.0
    lists: dict[float, float] = {}
    for family in text_string_to_metric_families(text):
        for name, labels, value, *_ in family.samples:
            if name == _REQUESTS:
                requests += value
                errors += value if labels["status"] >= "500" else 0
            elif name == _EVENTS and labels["outcome"] in _FLOODED:
                flooded += value
            elif name == _BUCKETS and labels["route"] == LISTS_ROUTE:
                bound = float(labels["le"])
                lists[bound] = lists.get(bound, 0.0) + value
    return Totals(at, requests, errors, tuple(sorted(lists.items())), flooded)


def quantile(buckets: Sequence[tuple[float, float]], q: float) -> float | None:
    """A quantile by linear interpolation within its bucket, in the unit of the bounds; None without observations.

    Args:
        buckets: upper bounds, ascending, the last one infinite, with the counts up to each.
        q: in (0, 1).
    """
    if not buckets or buckets[-1][1] <= 0:
        return None
    wanted = q * buckets[-1][1]
    for (lower, before), (upper, through) in pairwise([(0.0, 0.0), *buckets]):
        if through >= wanted:
            return lower if upper == float("inf") else lower + (upper - lower) * (wanted - before) / (through - before)
    return None


class TrafficWindow:
    """The figures of the last minutes, as far back as somebody has looked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._past: deque[Totals] = deque()

    def now(self) -> Traffic:
        """The figures of this moment."""
        return self.after(totals_of(exposition().decode(), time.monotonic()))

    def after(self, now: Totals) -> Traffic:
        """The figures from what is remembered to some totals, which are remembered."""
        with self._lock:
            while len(self._past) > 1 and self._past[1].at <= now.at - WINDOW_SECONDS:
                self._past.popleft()
            old = self._past[0] if self._past else None
            if not self._past or now.at - self._past[-1].at >= 1:
                self._past.append(now)
        if old is None or now.at - old.at < LEAST_SECONDS or now.requests < old.requests:  # new, or figures were lost
            old = Totals(now.at, 0, 0, ())
        before = dict(old.lists)
        lists = [(bound, count - before.get(bound, 0.0)) for bound, count in now.lists]
        span = now.at - old.at
        return Traffic(
            span if span > 0 else None,
            int(now.requests - old.requests),
            int(now.errors - old.errors),
            int(lists[-1][1]) if lists else 0,
            quantile(lists, 0.5),
            quantile(lists, 0.99),
            max(0, int(now.flooded - old.flooded)),
        )

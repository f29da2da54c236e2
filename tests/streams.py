"""Small streams of events for the tests of trends, and everything that is counted of them by name."""

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import pytest

from recsys.trends.config import TrendsConfig
from recsys.trends.decay import settle_row, settle_slot
from recsys.trends.state import ALL, LANDMARK, NEWEST, TrendState
from recsys.trends.stream import Trends
from recsys.units import HOUR_MS, UNKNOWN_ROW
from tests.clicks import START

A, MINUTE = 12, 60_000
CONFIG = TrendsConfig(max_live_articles=A, max_neighbours=A)
ROWS = np.arange(A, dtype=np.int32)
END = START + 60 * HOUR_MS


class Event(NamedTuple):
    """An event as ``Trends.observe`` takes it."""

    kind: int
    row: int
    time: int
    visitor: str | None = None
    context: str | None = None
    position: int = -1


def feed(trends: Trends, events: Iterable[Event]) -> Trends:
    for kind, row, time, visitor, context, position in events:
        trends.observe(kind, row, time, visitor=visitor, context=context, position=position)
    return trends


def stream(config: TrendsConfig = CONFIG) -> Trends:
    """A stream that knows all articles' categories and dates."""
    trends = Trends(A, config)
    trends.describe_articles((ROWS % 3).astype(np.int16), START - ROWS.astype(np.int64) * HOUR_MS)
    return trends


def some_events(seed: int = 1, n: int = 600, hours: int = 48) -> list[Event]:
    """Impressions and clicks of eight visitors in several places of the country."""
    rng = np.random.default_rng(seed)
    made = []
    for time in (START + np.sort(rng.integers(0, hours * 60, n)) * MINUTE).tolist():
        said = json.dumps({"region": f"p{rng.integers(4)}"})
        visitor = f"v{rng.integers(8)}"
        made.append(Event(int(rng.integers(2)), int(A * rng.random() ** 2), time, visitor, said))
    return made


def settle(state: TrendState) -> None:
    """Write everything at the stream's landmark."""
    for row in range(len(state.row_landmark)):
        settle_row(state, row)
    for at in range(len(state.slot_landmark)):
        settle_slot(state, at)


def named_counts(trends: Trends, now: int) -> dict[str, Any]:
    """Everything counted, by names and faded to ``now``: the same for streams that are written differently."""
    state = trends.state
    settle(state)
    since = float(state.clock[LANDMARK] - now)
    pair, slow = np.exp2(since * state.pair_per_ms), np.exp2(since * state.slow_per_ms)
    names = [{code: value for value, code in known.items()} | {ALL: "all"} for known in trends.values]
    lifts: dict[str, float] = {}
    pairs: dict[str, float] = {}
    for row in np.flatnonzero(state.slot_of != UNKNOWN_ROW).tolist():
        at = state.slot_of[row]
        lifts |= {
            f"{row} {c} {names[c].get(v, v) if c < len(names) else v}": float(state.lifts[at, c, v] * slow[0])
            for c, v in zip(*(place.tolist() for place in np.nonzero(state.lifts[at])), strict=True)
        }
        there = state.neighbour[at] != UNKNOWN_ROW
        for other, strength in zip(state.neighbour[at][there].tolist(), state.pairs[at][there] * pair, strict=True):
            pairs |= {f"{row} {other} {column}": float(value) for column, value in enumerate(strength)}
    return {
        "counts": trends.counts(ROWS, now),
        "total": state.total,
        "all_total": state.all_total,
        "first": state.first,
        "last": state.last,
        "newest": state.clock[NEWEST],
        "positions": state.positions * slow[1],
        "ages": state.ages * slow[1],
        "by_category": state.by_category * slow[1],
        "pairs": pairs,
        "lifts": lifts,
    }


def assert_same(one: Trends, other: Trends, now: int = END, but: tuple[str, ...] = ()) -> None:
    first, second = named_counts(one, now), named_counts(other, now)
    for name in set(first) - set(but):
        if isinstance(first[name], dict):
            assert first[name] == pytest.approx(second[name], rel=1e-4, abs=1e-9), name
        else:
            np.testing.assert_allclose(first[name], second[name], rtol=1e-6, err_msg=name)

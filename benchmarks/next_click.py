"""Next click: what does a reader open next? Item vectors against recent popularity, on a log of clicks.

``python -m benchmarks.next_click --clicks ../shared/data/g1/clicks.parquet [--from-hour 72] [--to-hour 100]``

Every click after the first of its session is a target. Timing is strict: the state is what was known when the previous
click of the session happened, because that is when the list is shown; the target's own time and context are never read.
The target stands against 50 others drawn in proportion to the clicks of the hour before, none of the session's own; all
models rank the same draws. Item vectors are learned anew every ``--refit-minutes`` from the clicks of the
``--train-hours`` before, and ranked by cosine to the mean of the session's clicks so far, no counts. Prints one JSON
object on the last line; ``hr@10_clicked`` leaves out targets that nobody clicked in the hour before, which rarity alone
gives away.
"""

import argparse
import json
import resource
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from recsys.events import KINDS, Events
from recsys.items import ItemsConfig, Vectors
from recsys.items.training import behaviour_vectors, sentences
from recsys.readers import ReadersConfig, reader_vector
from recsys.trends import CLICK, HOUR_MS, Trends, TrendsConfig

OTHERS = 50
TOP = 10
POPULARITY_HOURS = 0.25  # half-life of the popularity baseline: short ones are strong on this log

Array = npt.NDArray[Any]


def load(file: Path, sample: float, seed: int) -> Events:
    """Read a click log; ``sample`` keeps that share of the readers."""
    columns = ["user_id", "session_id", "click_article_id", "click_timestamp"]
    reader, session, article, clicked = (column.to_numpy() for column in pq.read_table(file, columns=columns).columns)
    ids, row = np.unique(article, return_inverse=True)
    readers, reader_row = np.unique(reader, return_inverse=True)
    session_row = np.unique(session, return_inverse=True)[1]
    kept = np.random.default_rng(seed).random(len(readers))[reader_row] < sample
    order = np.flatnonzero(kept)[np.argsort(clicked[kept], kind="stable")]
    n = len(order)
    return Events(
        time=clicked[order].astype(np.int64),
        kind=np.full(n, KINDS.index("click"), np.int8),
        article=row[order].astype(np.int32),
        reader=reader_row[order].astype(np.int32),
        session=session_row[order].astype(np.int32),
        impression=np.full(n, -1, np.int32),
        position=np.full(n, -1, np.int16),
        article_ids=[str(article_id) for article_id in ids],
        reader_ids=[str(reader_id) for reader_id in readers],
        through=n,
    )


def targets_of(events: Events, start: int, stop: int) -> list[tuple[int, Array, int, frozenset[int]]]:
    """Every click after the first of its session, shown between two times, in the order in which they are shown.

    Returns:
        (time of the previous click, rows clicked so far, row of the target, rows of the whole session) of each.
    """
    order = np.lexsort((np.arange(len(events.time)), events.session))
    cuts = np.flatnonzero(np.diff(events.session[order])) + 1
    targets: list[tuple[int, Array, int, frozenset[int]]] = []
    for places in np.split(order, cuts):
        rows, times = events.article[places], events.time[places]
        if times[-1] < start or times[0] >= stop:
            continue
        own = frozenset(rows.tolist())
        shown = [i for i in range(1, len(rows)) if start <= times[i - 1] < min(stop, times[i])]
        fresh = [i for i in shown if rows[i] not in rows[:i]]
        targets += [(int(times[i - 1]), rows[:i], int(rows[i]), own) for i in fresh]
    return sorted(targets, key=lambda target: target[0])


def others(recent: Array, own: frozenset[int], rng: np.random.Generator) -> Array | None:
    """50 different articles drawn in proportion to recent clicks; None when there are too few."""
    drawn: dict[int, None] = {}
    for _ in range(20):
        drawn |= dict.fromkeys(row for row in recent[rng.integers(0, len(recent), 100)].tolist() if row not in own)
        if len(drawn) >= OTHERS:
            return np.array(list(drawn)[:OTHERS], np.int32)
    return None


class Replay:
    """State that moves forward in time: popularity per click, item vectors per refit."""

    def __init__(self, events: Events, options: argparse.Namespace) -> None:
        self.events, self.options = events, options
        self.trends = Trends(len(events.article_ids), TrendsConfig(half_lives_hours=(POPULARITY_HOURS, 1.0, 24.0)))
        self.vectors: Vectors = np.empty((0, 0), np.float32)
        self._next, self._refit_at = 0, 0

    def advance(self, now: int) -> None:
        """Learn everything up to and with ``now``, the time of the click after which the list is shown."""
        stop = int(np.searchsorted(self.events.time, now, side="right"))
        span = slice(self._next, stop)
        for row, clicked in zip(self.events.article[span].tolist(), self.events.time[span].tolist(), strict=True):
            self.trends.observe(CLICK, row, clicked)
        self._next = stop
        if now >= self._refit_at:
            self._refit_at = now + int(self.options.refit_minutes * HOUR_MS / 60)
            self.refit(now)

    def refit(self, now: int) -> None:
        """Learn item vectors from the last hours before ``now``."""
        first, last = np.searchsorted(self.events.time, [now - self.options.train_hours * HOUR_MS, now]).tolist()
        columns = ("time", "kind", "article", "reader", "session", "impression", "position")
        past = replace(self.events, **{name: getattr(self.events, name)[first:last] for name in columns})
        n, seed = len(self.events.article_ids), self.options.seed
        self.vectors = behaviour_vectors(sentences(past), n, ItemsConfig(), seed=seed)

    def recent(self, now: int) -> Array:
        """Rows clicked in the hour up to ``now``."""
        first, last = np.searchsorted(self.events.time, [now - HOUR_MS, now]).tolist()
        return self.events.article[first:last]


def figures(ranks: Array, clicked: Array) -> dict[str, float]:
    """Hit rate and MRR at 10 from ranks counted from 0; ``clicked``: the target had a click in the hour before."""
    hit = ranks < TOP
    gain = np.where(hit, 1.0 / (ranks + 1.0), 0.0)
    return {
        "hr@10": round(float(hit.mean()), 4),
        "mrr@10": round(float(gain.mean()), 4),
        "hr@10_clicked": round(float(hit[clicked].mean()), 4),
        "mrr@10_clicked": round(float(gain[clicked].mean()), 4),
    }


def replay(events: Events, options: argparse.Namespace) -> tuple[dict[str, list[float]], list[bool]]:
    """Rank every target by every model: ranks from 0, ties ordered at random."""
    rng = np.random.default_rng(options.seed)
    start = int(events.time[0])
    targets = targets_of(events, start + options.from_hour * HOUR_MS, start + options.to_hour * HOUR_MS)
    state, half_life = Replay(events, options), ReadersConfig().half_life_clicks
    ranks: dict[str, list[float]] = {"items": [], "recent_popularity": [], "random": []}
    clicked: list[bool] = []
    for now, so_far, target, own in targets:
        state.advance(now)
        recent = state.recent(now)
        drawn = others(recent, own, rng) if len(recent) else None
        if drawn is None:
            continue
        rows = np.append(drawn, target).astype(np.int32)
        wanted = reader_vector(state.vectors, so_far.tolist(), half_life)
        scores = {
            "items": np.nan_to_num(state.vectors[rows] @ wanted),  # unknown: neither like nor unlike
            "recent_popularity": state.trends.clicks(rows, now)[:, 0],
            "random": np.zeros(len(rows)),
        }
        luck = rng.random(len(rows))
        for model, score in scores.items():
            ahead = (score > score[-1]) | ((score == score[-1]) & (luck > luck[-1]))
            ranks[model].append(int(ahead.sum()))
        clicked.append(bool((recent == target).any()))
    return ranks, clicked


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--clicks", type=Path, required=True, help="Parquet file in G1's format")
    parser.add_argument("--from-hour", type=float, default=72)
    parser.add_argument("--to-hour", type=float, default=100)
    parser.add_argument("--sample", type=float, default=1.0, help="share of the readers")
    parser.add_argument("--refit-minutes", type=float, default=60)
    parser.add_argument("--train-hours", type=float, default=24)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began = time.monotonic()
    ranks, clicked = replay(load(options.clicks, options.sample, options.seed), options)
    table = {model: figures(np.array(values), np.array(clicked, bool)) for model, values in ranks.items()}
    seconds = time.monotonic() - began
    for model, values in table.items():
        print(f"{model:20}", "  ".join(f"{name} {value:.4f}" for name, value in values.items()))
    baselines = {model: table[model] for model in ("recent_popularity", "random")}
    ours = {"items": table["items"]}  # of several models, "best" would be the best figure of each
    outcome = {"ours": ours, "baselines": baselines, "best": table["items"], "targets": len(clicked)}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps(outcome | {"seconds": round(seconds, 1), "peak_mib": peak, "seed": options.seed}))


if __name__ == "__main__":
    main()

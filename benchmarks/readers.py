"""Readers: which encoder foresees the next click best? On a log of clicks, and on simulated readers of known tastes.

``python -m benchmarks.readers --clicks ../shared/data/g1/clicks.parquet [--from-hour 72] [--to-hour 100]``
``python -m benchmarks.readers --simulated``

Item vectors alone, no counts: candidates are ranked by how near they are to the interests that an encoder finds. Item
vectors move with every click. A list is shown right after the previous click of the visit and knows what happened until
then, that click included; the article clicked next stands against 50 others drawn in proportion to the clicks of the
hour before (simulated: of the day before, in the reader's language), none of the visit's own. All encoders rank the
same draws. ``visit``: the encoder reads the visit's clicks alone, as it does for a reader without an id; ``reader``:
the reader's earlier clicks as well. The GRU is trained once, on the lists of the ``--train-hours`` before
the first one, each with the vectors of its own moment. Prints one JSON object on the last line; ``over_mean`` is
the difference of MRR@10 to the decayed mean of the same clicks with a 95 % paired bootstrap interval.
"""

import argparse
import json
import resource
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from benchmarks import lee
from benchmarks.bootstrap import paired_interval
from recsys.dataset.encoder_lists import MAX_TRAINING_LISTS, click_log, next_click_lists
from recsys.dataset.log_arrays import NO_COUNTS, apply_events
from recsys.events import KINDS, Events
from recsys.events.visits import visit_ends
from recsys.items.config import ItemsConfig
from recsys.items.online import empty_online
from recsys.readers.config import ReadersConfig
from recsys.readers.encoders import MeanEncoder, ReaderEncoder
from recsys.readers.interests import InterestsEncoder
from recsys.readers.training import fit
from recsys.simulate import READER_PREFIX, simulated_world, visits
from recsys.simulate.config import SimulateConfig
from recsys.store import Kind
from recsys.units import HOUR_MS

OTHERS = 50
TOP = 10
RESAMPLES = 500
START = 1_790_000_000_000  # ms: when the simulated site's log ends

Array = npt.NDArray[Any]


class Log(NamedTuple):
    """A log, and what a list is drawn from.

    Attributes:
        events: C clicks.
        language: int64 (A,), articles of one language are drawn together.
        recent_ms: others are drawn from the clicks of so long before.
        gap_minutes: the longest pause inside a visit.
    """

    events: Events
    language: Array
    recent_ms: int
    gap_minutes: int = 30


def g1(file: Path, sample: float, seed: int) -> Log:
    """Read a click log in G1's format; ``sample`` keeps that share of the readers."""
    columns = ["user_id", "click_article_id", "click_timestamp"]
    reader, article, clicked = (column.to_numpy() for column in pq.read_table(file, columns=columns).columns)
    ids, row = np.unique(article, return_inverse=True)
    readers, reader_row = np.unique(reader, return_inverse=True)
    kept = np.random.default_rng(seed).random(len(readers))[reader_row] < sample
    order = np.flatnonzero(kept)[np.argsort(clicked[kept], kind="stable")]
    events = _events(clicked[order], row[order], reader_row[order], [str(name) for name in ids], len(readers))
    return Log(events, np.zeros(len(ids), np.int64), HOUR_MS)


def simulated(readers: int, days: int, seed: int) -> Log:
    """Simulate readers of the demo's articles; a visit is all that a reader ever clicked, since visits are short."""
    rng, config = np.random.default_rng(seed), SimulateConfig(readers=readers, days=days)
    articles = lee.articles("demo", START, days + 1, rng)
    world = simulated_world(articles, lee.truth(), config, rng)
    stream = visits(world, config, START - days * 24 * HOUR_MS, START, rng)
    clicks = [event for visit in stream for event in visit if event.kind == Kind.CLICK]
    row_of = {article.id: row for row, article in enumerate(articles)}
    clicked = np.array([event.time for event in clicks], np.int64)
    order = np.argsort(clicked, kind="stable")
    row = np.array([row_of[event.article] for event in clicks])[order]
    reader = np.array([int((event.reader or "").removeprefix(READER_PREFIX)) for event in clicks])[order]
    events = _events(clicked[order], row, reader, list(row_of), readers)
    language = np.unique([str(article.language) for article in articles], return_inverse=True)[1]
    return Log(events, language, 24 * HOUR_MS, gap_minutes=24 * 60 * (days + 1))


def _events(clicked: Array, row: Array, reader: Array, ids: list[str], readers: int) -> Events:
    n = len(clicked)
    none = np.full(n, -1)
    return Events(
        time=clicked.astype(np.int64),
        kind=np.full(n, KINDS.index("click"), np.int8),
        article=row.astype(np.int32),
        reader=reader.astype(np.int32),
        session=none.astype(np.int32),
        impression=none.astype(np.int32),
        position=none.astype(np.int16),
        article_ids=ids,
        reader_ids=[str(number) for number in range(readers)],
        through=n,
    )


class ItemReplay:
    """Item vectors that move forward in time with every click."""

    def __init__(self, log: Log, seed: int) -> None:
        self.log = log
        self.arrays = click_log(log.events, log.gap_minutes)
        self.items = empty_online(len(log.events.article_ids), ItemsConfig(), seed=seed)
        self.next = 0

    def apply_until(self, time_ms: int) -> None:
        """Learn every click strictly before ``time_ms``."""
        stop = max(self.next, int(np.searchsorted(self.arrays.time, time_ms)))
        self.next = apply_events(NO_COUNTS, self.items, self.arrays, self.next, stop, 0)


def trained(replay: ItemReplay, start: int, stop: int, options: argparse.Namespace) -> dict[str, ReaderEncoder]:
    """Replay from ``start`` to ``stop``, ms, and fit every encoder on what was clicked meanwhile."""
    replay.apply_until(start)
    config, end, rng = (
        ReadersConfig(),
        int(np.searchsorted(replay.arrays.time, stop)),
        np.random.default_rng(options.seed),
    )
    training_lists = next_click_lists(
        replay.items, replay.arrays, replay.next, end, config, max_lists=MAX_TRAINING_LISTS, rng=rng
    )
    replay.next = end
    encoders: dict[str, ReaderEncoder] = {
        "last click": MeanEncoder(0.01),
        "short mean": MeanEncoder(1.0),
        "mean": MeanEncoder(config.half_life_clicks),
        "interests": InterestsEncoder(config),
    }
    began = time.monotonic()
    encoders["gru"], fitted = fit(training_lists, config.model_copy(update={"encoder": "gru"}), seed=options.seed)
    losses = " ".join(f"{loss:.4f}" for loss in fitted.validation_loss)
    print(f"gru: {len(training_lists)} lists, validation {losses}, {time.monotonic() - began:.0f} s", flush=True)
    return encoders


def lists(
    replay: ItemReplay, start: int, stop: int, share: float, rng: np.random.Generator
) -> Iterator[tuple[int, Array]]:
    """Every click after the first of its visit that is shown in time and new to its visit; a share of them.

    Yields:
        Row, in the table of visits, of the previous click of the visit, and int32 (51,) candidates, the clicked one
        last; in the order of the previous clicks.
    """
    clicks, ends = replay.arrays.clicks, visit_ends(replay.arrays.clicks)
    for before in range(*np.searchsorted(replay.arrays.time, [start, stop]).tolist()):
        row = int(replay.arrays.row[before])
        begin, end = int(clicks.visit_start[row]), int(ends[row])
        if row + 1 == end or clicks.time[row + 1] == clicks.time[row] or rng.random() >= share:
            continue
        target = int(clicks.article[row + 1])
        if not (clicks.article[begin : row + 1] == target).any():
            own = set(clicks.article[begin:end].tolist())
            candidates = _others(replay.log, int(clicks.time[row]), target, own, rng)
            if candidates is not None:
                yield row, candidates


def _others(log: Log, now: int, target: int, own: set[int], rng: np.random.Generator) -> Array | None:
    """50 different articles in proportion to recent clicks, and the target; None when there are too few."""
    events = log.events
    first, stop = np.searchsorted(events.time, [now + 1 - log.recent_ms, now + 1])
    drawn: dict[int, None] = {}
    for _ in range(20):
        rows = events.article[rng.integers(first, stop, 100)]
        rows = rows[log.language[rows] == log.language[target]]
        drawn |= dict.fromkeys(row for row in rows.tolist() if row not in own)
        if len(drawn) >= OTHERS:
            return np.array([*list(drawn)[:OTHERS], target], np.int32)
    return None


def judge(
    replay: ItemReplay, encoders: dict[str, ReaderEncoder], start: int, stop: int, options: argparse.Namespace
) -> Array:
    """Rank every list by every encoder.

    Returns:
        float64 (lists, encoders, 2): rank of the clicked article from 0, from the visit and from the reader's clicks.
    """
    clicks, rng = replay.arrays.clicks, np.random.default_rng(options.seed)
    reader_start = np.searchsorted(clicks.visitor, clicks.visitor)
    kept, ranks = ReadersConfig().max_history, []
    for row, rows in lists(replay, start, stop, options.share, rng):
        replay.apply_until(int(clicks.time[row]) + 1)
        candidates, luck = replay.items.vectors[rows], rng.random(len(rows))
        list_ranks = np.empty((len(encoders), 2))
        for number, begin in enumerate((clicks.visit_start[row], reader_start[row])):
            span = slice(max(int(begin), row + 1 - kept), row + 1)
            clicked, times = clicks.article[span], clicks.time[span]
            for which, encoder in enumerate(encoders.values()):
                score = encoder.encode(replay.items.vectors, clicked, times).nearness(candidates)
                list_ranks[which, number] = ((score > score[-1]) | ((score == score[-1]) & (luck > luck[-1]))).sum()
        ranks.append(list_ranks)
    return np.array(ranks)


def figures(ranks: Array, names: list[str], rng: np.random.Generator) -> dict[str, dict[str, Any]]:
    """HR@10 and MRR@10 of each encoder, by its name and what it read."""
    gain = np.where(ranks < TOP, 1.0 / (ranks + 1.0), 0.0)
    table: dict[str, dict[str, Any]] = {}
    for number, reads in enumerate(("visit", "reader")):
        for place, name in enumerate(names):
            over = paired_interval(gain[:, place, number], gain[:, names.index("mean"), number], rng, RESAMPLES)
            table[f"{name}, {reads}"] = {
                "hr@10": round(float((ranks[:, place, number] < TOP).mean()), 4),
                "mrr@10": round(float(gain[:, place, number].mean()), 4),
                "over_mean": [round(float(value), 4) for value in over],
            }
    return table


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--clicks", type=Path, help="Parquet file in G1's format")
    source.add_argument("--simulated", action="store_true", help="simulated readers of the demo newsroom instead")
    parser.add_argument("--from-hour", type=float, default=72)
    parser.add_argument("--to-hour", type=float, default=100)
    parser.add_argument("--train-hours", type=float, default=48)
    parser.add_argument("--sample", type=float, default=1.0, help="share of the readers")
    parser.add_argument("--share", type=float, default=0.25, help="share of the lists that are judged")
    parser.add_argument("--readers", type=int, default=2_000, help="simulated readers")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began = time.monotonic()
    if options.simulated:
        days = round(options.to_hour / 24)
        log = simulated(options.readers, days, options.seed)
    else:
        log = g1(options.clicks, options.sample, options.seed)
    first = int(log.events.time[0])
    start, stop = first + int(options.from_hour * HOUR_MS), first + int(options.to_hour * HOUR_MS)
    replay = ItemReplay(log, options.seed)
    encoders = trained(replay, start - int(options.train_hours * HOUR_MS), start, options)
    ranks = judge(replay, encoders, start, stop, options)
    table = figures(ranks, list(encoders), np.random.default_rng(options.seed))
    for name, values in table.items():
        low, high = values["over_mean"][1:]
        print(f"{name:20} HR@10 {values['hr@10']:.4f}  MRR@10 {values['mrr@10']:.4f}  [{low:+.4f}, {high:+.4f}]")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    outcome = {"encoders": table, "lists": len(ranks), "seconds": round(time.monotonic() - began, 1)}
    print(json.dumps(outcome | {"peak_mib": peak, "seed": options.seed}))


if __name__ == "__main__":
    main()

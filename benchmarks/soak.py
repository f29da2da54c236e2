"""Soak: a real log of clicks stretched to a year, through everything that fades, and every number finite at the end.

The same clicks are counted twice: as they were, and with the time between them stretched, with a gap of five months in
the middle. Both go the way of training (the walk through the log, lists described, item vectors learned click by click)
and the way of the service (one event after the other, lists described for the readers of the moment). Prints what an
event costs in each, and fails on the first number that is not finite.

    python -m benchmarks.soak --clicks ../shared/data/g1/clicks.parquet --sample 0.05

Prints one JSON object on the last line (docs/design.md).
"""

import argparse
import json
import resource
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.next_click.data import load
from recsys.dataset.impressions import Impressions
from recsys.dataset.replay import LogReplay
from recsys.dataset.temporal_split import split_impressions
from recsys.errors import DegenerateInput
from recsys.events import Events, of_people
from recsys.events.people import visitor_keys
from recsys.events.visitors import Visitors
from recsys.features import NAMES
from recsys.features.config import FeaturesConfig
from recsys.features.matrix import ArticleTables, feature_matrix, kernel_tables
from recsys.items.config import ItemsConfig
from recsys.items.online import empty_online
from recsys.readers import ReaderState
from recsys.readers.config import ReadersConfig
from recsys.trends.config import TrendsConfig
from recsys.trends.state import LANDMARK
from recsys.trends.stream import Trends
from recsys.units import DAY_MS, NEVER_MS

Longs = npt.NDArray[np.int64]

GAP_DAYS = 150  # of silence, in the middle
CANDIDATES = 50  # of a list that the service describes
READERS = ReadersConfig()


class Soaked(NamedTuple):
    """Figures of one way through a log.

    Attributes:
        events: counted.
        lists: described.
        us_per_event: microseconds of CPU, lists included.
        days: from the first event to the last.
    """

    events: int
    lists: int
    us_per_event: float
    days: float


def stretched(events: Events, days: float) -> Events:
    """The same events over so many days, with a gap in the middle as long as there is room for it."""
    span = max(1, int(events.time[-1] - events.time[0]))
    gap = min(GAP_DAYS, days / 2) * DAY_MS
    past = (events.time - events.time[0]) / span
    moved = past * (days * DAY_MS - gap) + gap * (past > 0.5)
    return replace(events, time=(events.time[0] + moved).astype(np.int64))


def check(name: str, values: npt.NDArray[Any]) -> None:
    """Fail on what is not finite.

    Raises:
        DegenerateInput: a number is NaN or infinite.
    """
    if not np.isfinite(values).all():
        raise DegenerateInput(f"finite {name}", f"{int((~np.isfinite(values)).sum())} that are not", "Mend the kernel.")


def tables(n_articles: int, seed: int) -> ArticleTables:
    """Nothing is known of the articles but what their clicks teach."""
    items = empty_online(n_articles, ItemsConfig(), seed=seed)
    unknown = np.full(n_articles, NEVER_MS, np.int64)
    return ArticleTables(items.vectors, np.empty((n_articles, 0), np.float32), unknown.astype(np.int16), unknown, items)


def through_training(events: Events, max_lists: int, seed: int) -> Soaked:
    """Walk the log, describe the newest lists, and look at every count."""
    config = FeaturesConfig(warmup_share=0.0, max_trained_impressions=max_lists)
    rng, began = np.random.default_rng(seed), time.process_time()
    lists = split_impressions(events, config, holdout=0.2, validation=0.1, session_gap_minutes=30, rng=rng)
    walk = LogReplay(events, lists, TrendsConfig(), READERS)
    walk.use_tables(tables(len(events.article_ids), seed))
    for start in range(0, len(lists), 1_000):
        described(walk, lists, start, min(start + 1_000, len(lists)))
    check_counts(walk.trends)
    return soaked(events, len(events), len(lists), began)


def described(walk: LogReplay, lists: Impressions, start: int, stop: int) -> None:
    """Describe some lists and check every column."""
    out = np.full((lists.offsets[stop] - lists.offsets[start], len(NAMES)), np.nan, np.float32)
    walk.describe(start, stop, out)
    check("columns in training", out)


def through_service(events: Events, max_events: int, seed: int) -> Soaked:
    """Take the newest events one by one, as the service does, and describe a list for every hundredth."""
    A, rng, began = len(events.article_ids), np.random.default_rng(seed), time.process_time()
    trends, visitors, known_tables = Trends(A, TrendsConfig()), Visitors(10_000), tables(A, seed)
    trends.describe_articles(known_tables.category, known_tables.published)
    known, lists = kernel_tables(known_tables, trends, READERS), 0
    for number, (kind, row, moment, key) in enumerate(newest(events, max_events)):
        seen = visitors.see(kind, row, moment, str(key), None)
        for one in seen.undone:
            trends.uncount(one.row, one.time)
        if seen.kind is not None:
            trends.observe(seen.kind, row, moment, visitor=str(key), arrived=moment)
        if number % 100 == 0:
            reader = ReaderState.empty(READERS)
            reader.observe(kind, row, moment)
            rows = rng.choice(A, min(A, CANDIDATES), replace=False).astype(np.int32)
            later = moment + int(rng.integers(0, 400)) * DAY_MS  # also by a clock that is far ahead
            known = known._replace(shelf=trends.shelf())
            for now in (moment, later):
                check("columns in service", feature_matrix(known_tables, reader, rows, now, trends, READERS, known))
                lists += 1
    check_counts(trends)
    return soaked(events, min(max_events, len(events)), lists, began)


def newest(events: Events, n: int) -> Iterable[tuple[int, int, int, int]]:
    """Kind, article row, time and visitor of the newest events, oldest first."""
    columns = (events.kind, events.article, events.time, visitor_keys(events))
    return zip(*(column[-n:].tolist() for column in columns), strict=True)


def check_counts(trends: Trends) -> None:
    """Check everything counted, as it stands and as it is read."""
    for name, values in trends.arrays().items():
        check(name, values)
    rows = np.arange(len(trends), dtype=np.int32)
    for now in (trends.newest, trends.newest + 500 * DAY_MS, int(trends.state.clock[LANDMARK]) - 500 * DAY_MS):
        check("counts", trends.counts(rows, now))
        check("click rates", trends.click_rate(rows, now))
    check("shelf lives", trends.shelf())


def soaked(events: Events, n: int, lists: int, began: float) -> Soaked:
    """The figures of a way that began at so many CPU seconds."""
    days = float(events.time[-1] - events.time[0]) / DAY_MS
    return Soaked(n, lists, round((time.process_time() - began) / max(1, n) * 1e6, 1), round(days, 1))


def main() -> None:
    """Run the soak."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--clicks", type=Path, required=True, help="Parquet file in G1's format")
    parser.add_argument("--days", type=float, default=365.0, help="to which the log is stretched")
    parser.add_argument("--sample", type=float, default=1.0, help="share of the readers")
    parser.add_argument("--lists", type=int, default=100_000, help="described in training, the newest")
    parser.add_argument("--served", type=int, default=200_000, help="events that the service takes, the newest")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began = time.monotonic()
    log = of_people(load(options.clicks, options.sample, options.seed))
    warm = log.where(slice(200))  # compiled before anything is measured
    through_training(warm, 50, options.seed)
    through_service(warm, 200, options.seed)
    found: dict[str, dict[str, Any]] = {"ours": {}, "baselines": {}}
    for place, events in (("baselines", log), ("ours", stretched(log, options.days))):
        trained = through_training(events, options.lists, options.seed)
        served = through_service(events, options.served, options.seed)
        for name, one in (("training", trained), ("service", served)):
            found[place][name] = one._asdict()
            print(
                f"{name:9} {one.days:6.1f} days {one.events:9,} events {one.lists:7,} lists {one.us_per_event:7.1f} us"
            )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    facts = {"best": found["ours"]["training"], "seconds": round(time.monotonic() - began, 1), "peak_mib": peak}
    print(json.dumps(found | facts | {"finite": True, "seed": options.seed}))


if __name__ == "__main__":
    main()

"""Outcome of a run: click rates by day, and how long new articles wait for their first 100 impressions."""

from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.closed_loop.loop import Served
from benchmarks.closed_loop.scene import Scene
from recsys.metrics.diversity import coverage, intra_list_diversity, miscalibration, mixtures, topic_entropy
from recsys.store import Kind
from recsys.units import DAY_MS, HOUR_MS

FIRST = 100  # impressions after which a new article has been seen
KNOWN = {"0": (0, 1), "1-2": (1, 3), "3+": (3, 1 << 30)}  # clicks of a reader before a visit: from, to
WITHIN_HOURS = 24.0  # of its publication; articles of the last day have no such time, and are not judged

Figures = dict[str, Any]
Hours = npt.NDArray[np.float64]


def figures(served: Served, scene: Scene) -> Figures:
    """All figures of one arm.

    Returns:
        "click_rate": clicks per card shown; "click_rate_looked": per card looked at; "hours_to_100": median hours from
        publication to the hundredth impression, None where most articles never have it; "reached_100": share of the
        articles that have it within a day; "shown": share of all new articles ever shown; "diversity": share of the
        pairs in a list that are of two categories; "topic_entropy": bits; "miscalibration": nats, of a list's
        categories from the reader's taste; where readers read and hide, "seconds_per_list", "reads_per_list" (of half a
        minute) and "hides_per_list"; "coverage": share of all articles that any list held; "by_day": the first
        three, a list each, of the visits of that day and of the articles published on it; "by_known_clicks": click
        rate of the visits of readers who had clicked so often before, None without any.
    """
    day = (served.moment - scene.start) // DAY_MS
    hours = hours_to(served, scene, FIRST)
    born = (scene.world.published - scene.start) // DAY_MS
    judged = (born >= 0) & (born < scene.days - 1)
    days = range(scene.days)
    by_day = {
        "click_rate": [_rate(served.clicked[day == d], served.shown[day == d] >= 0) for d in days],
        "hours_to_100": [_median(hours[born == d]) for d in days[:-1]],
        "reached_100": [_share(hours[born == d] <= WITHIN_HOURS) for d in days[:-1]],
    }
    first = hours_to(served, scene, 1)
    return {
        "click_rate": _rate(served.clicked, served.shown >= 0),
        "click_rate_looked": _rate(served.clicked, served.looked),
        "hours_to_100": _median(hours[judged]),
        "reached_100": _share(hours[judged] <= WITHIN_HOURS),
        "shown": _share(np.isfinite(first[judged])),
        **_variety(served, scene),
        **(_outcomes(served) if scene.kept is not None else {}),
        "by_day": by_day,
        "by_known_clicks": _by_known_clicks(served, scene),
    }


def _outcomes(served: Served) -> dict[str, float]:
    """Figures of what came of the lists where readers read and hide."""
    lists = max(len(served.seconds), 1)
    return {
        "seconds_per_list": round(float(served.seconds.sum() / lists), 2),
        "reads_per_list": round(float(served.reads.sum() / lists), 4),
        "hides_per_list": round(float(served.hidden.sum() / lists), 4),
    }


def _by_known_clicks(served: Served, scene: Scene) -> dict[str, float | None]:
    clicks, known = np.zeros(len(scene.world.reader_ids), np.int64), np.zeros(len(served.reader), np.int64)
    for event in scene.warm_up:
        clicks[scene.reader_of[str(event.reader)]] += event.kind == Kind.CLICK
    for visit, (reader, made) in enumerate(zip(served.reader, served.clicked.sum(axis=1), strict=True)):
        known[visit] = clicks[reader]
        clicks[reader] += made
    some = {name: (known >= least) & (known < end) for name, (least, end) in KNOWN.items()}
    return {name: _rate(served.clicked[of], served.shown[of] >= 0) if of.any() else None for name, of in some.items()}


def _variety(served: Served, scene: Scene) -> dict[str, float]:
    """Figures of the lists that clicks do not give; wanted are the categories that each reader has a taste for."""
    world = scene.world
    shares = mixtures(served.shown, world.category, len(world.categories))
    kinds = np.eye(len(world.categories), dtype=np.float32)[world.category]  # two articles differ by their category
    return {
        "diversity": round(intra_list_diversity(served.shown, kinds), 3),
        "topic_entropy": round(topic_entropy(shares), 3),
        "miscalibration": round(miscalibration(world.taste[served.reader], shares), 3),
        "coverage": round(coverage(served.shown, len(world.articles)), 3),
    }


def hours_to(served: Served, scene: Scene, impressions: int) -> Hours:
    """Hours from each article's publication to its n-th impression: float64 (A,), infinite where it has fewer."""
    kept = served.shown >= 0
    rows = served.shown[kept]
    moments = np.repeat(served.moment, kept.sum(axis=1))
    order = np.argsort(rows, kind="stable")  # lists are in time order, and stay so
    starts = np.searchsorted(rows[order], np.arange(len(scene.world.articles) + 1))
    nth = starts[:-1] + impressions - 1
    out = np.full(len(scene.world.articles), np.inf)
    there = nth < starts[1:]
    out[there] = (moments[order][nth[there]] - scene.world.published[there]) / HOUR_MS
    return out


def _rate(clicked: npt.NDArray[np.bool_], cards: npt.NDArray[np.bool_]) -> float:
    return round(float(clicked.sum() / max(cards.sum(), 1)), 4)


def _share(reached: npt.NDArray[np.bool_]) -> float | None:
    return round(float(reached.mean()), 3) if len(reached) else None


def _median(hours: Hours) -> float | None:
    middle = float(np.median(hours)) if len(hours) else np.inf
    return round(middle, 2) if np.isfinite(middle) else None


def mean_of(tables: list[Figures]) -> Figures:
    """The mean over seeds of each figure; of medians that some seed has not, None."""
    first = tables[0]
    return {key: _mean([table[key] for table in tables]) for key in first}


def _mean(values: list[Any]) -> Any:
    if isinstance(values[0], dict):
        return mean_of(values)
    if isinstance(values[0], list):
        return [_mean(list(column)) for column in zip(*values, strict=True)]
    return None if any(value is None for value in values) else round(float(np.mean(values)), 4)

"""Closed loop: simulated readers served for some days by the whole recommender, and by simple arms beside it.

``python -m benchmarks.closed_loop [--days 7] [--readers 500] [--seeds 1] [--levers [NAME …]] [--outcomes [NAME …]]``

Everything is simulated: readers of known tastes, articles that lose their news value, cards that are looked at less
often further down (``recsys.simulate``). All arms have the same readers, visits, articles and luck, and begin with the
same day of clicks on a site without recommender. Each then lives in its own loop: what it shows is what it learns from.
``recommender`` is what a site runs: the nightly jobs and the service, on a simulated clock. ``oracle`` knows the true
chance of every click; ``oracle_varied`` as well, but keeps to ``recommend.max_per_category``; ``oracle_tastes`` knows
the readers' tastes and not how good an article is; ``oracle_unseen_1`` and ``_2`` and ``oracle_tastes_unseen_1`` and
``_2`` give one and two last cards to what fewer than a hundred have seen: the least that haste costs. ``ideal_learner``
knows how readers choose, and must find their tastes out, as every recommender must: it is the ceiling of the first
days; ``ideal_learner_varied`` keeps to the recommender's limits per category. ``--levers`` runs the recommender again
without exploration, without these limits, and with articles that name no source, so that no source is limited.
``--outcomes`` lets some articles be read longer than others, and hidden more often (``outcomes.py``), and runs an
oracle of clicks by several weights of these outcomes, one that knows how each article is read, and, with
``recommender``, the whole recommender by its own weights and by clicks alone.
``popularity`` is the best of nine kinds and ``item_knn`` of two, chosen afterwards. Prints the figures by day, and one
JSON object on the last line.
"""

import argparse
import json
import logging
import resource
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import structlog

from benchmarks.closed_loop.arms import AndNews, AndUnseen, Arm, Chance, ClickRate, ItemKnn, Oracle, Popularity
from benchmarks.closed_loop.chart import draw
from benchmarks.closed_loop.figures import Figures, figures, mean_of
from benchmarks.closed_loop.learner import IdealLearner
from benchmarks.closed_loop.loop import serve
from benchmarks.closed_loop.scene import Scene, make_scene
from benchmarks.closed_loop.site import Site
from benchmarks.closed_loop.weighed import WeighedOracle
from recsys.recommend.config import RecommendConfig
from recsys.simulate.config import SimulateConfig

HALF_LIVES = (2.0, 8.0, 24.0)  # hours, of popularity
KNN_HALF_LIFE = 48.0
UNSEEN_PLACES = (1, 2)  # of eight, that an oracle gives to what few have seen
OURS, POPULARITY, ITEM_KNN = "recommender", "popularity", "item_knn"
UNSOURCED = f"{OURS}_unsourced"
REFERENCES = (POPULARITY, "oracle", "oracle_tastes")  # every click rate is divided by theirs
LEVERS: dict[str, dict[str, Any]] = {  # the recommender without one part of its lists
    f"{OURS}_unexplored": {"recommend": {"explore_impressions": 0}},
    f"{OURS}_unlimited": {"recommend": {"max_per_category": 1_000}},
    UNSOURCED: {},
}

WEIGHTS = ((0.0, 0.0), (0.5, 0.25), (1.0, 0.0), (1.0, 0.5), (2.0, 1.0))  # of outcomes


def simple_arms(scene: Scene) -> Iterator[tuple[str, Arm]]:
    """Every arm that needs no training."""
    yield "random", Chance(scene)
    for hours in HALF_LIVES:
        yield f"{POPULARITY}_clicks_{hours:g}h", Popularity(scene, hours)
        yield f"{POPULARITY}_and_news_{hours:g}h", AndNews(Popularity(scene, hours), scene)
        yield f"{POPULARITY}_rate_{hours:g}h", ClickRate(scene, hours)
    yield f"{ITEM_KNN}_plain", ItemKnn(scene, KNN_HALF_LIFE)
    yield f"{ITEM_KNN}_and_news", AndNews(ItemKnn(scene, KNN_HALF_LIFE), scene)
    yield "oracle", Oracle(scene)
    yield "oracle_varied", Oracle(scene, RecommendConfig().max_per_category)
    yield "oracle_tastes", Oracle(scene, tastes_only=True)
    for places in UNSEEN_PLACES:
        yield f"oracle_unseen_{places}", AndUnseen(Oracle(scene), scene, places)
        yield f"oracle_tastes_unseen_{places}", AndUnseen(Oracle(scene, tastes_only=True), scene, places)
    yield "ideal_learner", IdealLearner(scene)
    yield "ideal_learner_varied", IdealLearner(scene, varied=True)


def run(scene: Scene, levers: Mapping[str, dict[str, Any]] = {}) -> dict[str, Figures]:
    """Every arm's figures, the recommender's first, then its own with each of some settings."""
    ours: dict[str, dict[str, Any]] = {OURS: {}}
    table = {name: _recommender(scene, name, changes) for name, changes in (ours | dict(levers)).items()}
    return table | {name: figures(serve(arm, scene), scene) for name, arm in simple_arms(scene)}


def _recommender(scene: Scene, name: str, changes: dict[str, Any]) -> Figures:
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(Site(scene, Path(folder), changes, unsourced=name == UNSOURCED)) as site,
    ):
        began = time.perf_counter()
        told = figures(serve(site, scene), scene)
        seconds, nights = time.perf_counter() - began, sum(site.nights)
        lists = f"{1000 * (seconds - nights) / len(scene.visits):.1f} ms a visit"
        visits = f"{len(scene.visits):,} visits"
        print(f"seed {scene.seed}, {name}: {visits}, nights {nights:.0f} s, {lists}, {site.tiers}", flush=True)
        held_back = "; ".join(f"night {night}: {said}" for night, said in site.held_back.items())
        of = f"{len(site.held_back)} of {len(site.nights)} nights"
        print(f"the gate held {of} back. {held_back}".rstrip(), flush=True)
    return told


def weighed(scene: Scene, *, whole: bool) -> dict[str, Figures]:
    """Figures of an oracle of clicks by each of some weights of outcomes; ``whole``: the recommender's, too."""
    table: dict[str, Figures] = {}
    if whole:
        by_clicks = {"recommend": {"outcome_weights": (0, 0)}}
        table[OURS] = _recommender(scene, OURS, {})
        table[f"{OURS}_by_clicks"] = _recommender(scene, f"{OURS}_by_clicks", by_clicks)
    for read, hidden in WEIGHTS:
        table[f"oracle_{read:g}_{hidden:g}"] = figures(serve(WeighedOracle(scene, (read, hidden)), scene), scene)
    table["oracle_of_reads"] = figures(serve(WeighedOracle(scene, knows=True), scene), scene)
    return table


def summary(table: dict[str, Figures]) -> dict[str, Any]:
    """Ours and the baselines with their ratios, overall and by day; the best of several kinds stands for all."""
    told = {OURS: table[OURS]}
    tried: dict[str, dict[str, float]] = {}
    for kind in (POPULARITY, ITEM_KNN):
        tried[kind] = {name: table[name]["click_rate"] for name in table if name.startswith(kind)}
        told[kind] = table[max(tried[kind], key=tried[kind].__getitem__)]
    told |= {name: values for name, values in table.items() if not name.startswith((POPULARITY, ITEM_KNN))}
    for values in told.values():
        for name in REFERENCES:
            values[f"of_{name}"] = _ratio(values["click_rate"], told[name]["click_rate"])
            pairs = zip(values["by_day"]["click_rate"], told[name]["by_day"]["click_rate"], strict=True)
            values["by_day"][f"of_{name}"] = [_ratio(own, its) for own, its in pairs]
    return {
        "ours": {OURS: told[OURS]},
        "baselines": {name: values for name, values in told.items() if name != OURS},
        "best": {key: value for key, value in told[OURS].items() if key != "by_day"},
        "tried": tried,
        "simulated": True,
    }


def _ratio(one: float, other: float) -> float | None:
    return round(one / other, 3) if other else None


def show(told: dict[str, Any]) -> None:
    """Print every arm's figures, then by day."""
    table: dict[str, Figures] = told["ours"] | told["baselines"]
    for kind, tried in told["tried"].items():
        print(
            f"{kind}, the best of:", "  ".join(f"{name.removeprefix(kind)[1:]} {rate}" for name, rate in tried.items())
        )
    print("simulated readers, all days")
    for name, values in table.items():
        print(f"  {name:14}", "  ".join(f"{key} {value}" for key, value in values.items() if key != "by_day"))
    for figure in next(iter(table.values()))["by_day"]:
        print(f"by day: {figure}")
        for name, values in table.items():
            shown = ("    -  " if value is None else f"{value:7.3f}" for value in values["by_day"][figure])
            print(f"  {name:14}", " ".join(shown))


@contextmanager
def warnings_alone() -> Iterator[None]:
    """Keep the nightly jobs' start and end lines out of the figures."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    try:
        yield
    finally:
        structlog.configure(**before)


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line's options."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.closed_loop", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--days", type=int, default=7, help="that are judged, after a day without recommender")
    parser.add_argument("--readers", type=int, default=500)
    parser.add_argument("--articles-per-day", type=int, default=50, help="in both languages together")
    parser.add_argument("--cards", type=int, default=8, help="of a list")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1], help="of readers, articles, luck and training")
    names = [name.removeprefix(f"{OURS}_") for name in LEVERS]
    parser.add_argument(
        "--levers",
        nargs="*",
        choices=names,
        help="the recommender without each part of its lists, too, or without these",
    )
    parser.add_argument(
        "--outcomes",
        nargs="*",
        choices=[OURS],
        help="articles differ by how they are read and hidden: an oracle by several weights, or the recommender, too",
    )
    parser.add_argument("--out", type=Path, help="folder for the pictures by day")
    options = parser.parse_args(given)
    options.levers = names if options.levers == [] else options.levers or []
    return options


def by_outcomes(options: argparse.Namespace, scenes: Iterator[Scene]) -> dict[str, Any]:
    """Run the arms of ``--outcomes`` and print them; returns what the JSON object says of them."""
    table = mean_of([weighed(scene, whole=bool(options.outcomes)) for scene in scenes])
    for name, own in table.items():
        print(f"  {name:26}", "  ".join(f"{key} {value}" for key, value in own.items() if "by_" not in key))
    ours = OURS if options.outcomes else "oracle_{:g}_{:g}".format(*RecommendConfig().outcome_weights)
    baselines = {name: own for name, own in table.items() if name != ours}
    return {"ours": {ours: table[ours]}, "baselines": baselines, "best": table[ours], "simulated": True}


def by_arms(options: argparse.Namespace, scenes: Iterator[Scene]) -> dict[str, Any]:
    """Run the recommender and the simple arms and print them; returns what the JSON object says of them."""
    levers = {name: LEVERS[name] for name in (f"{OURS}_{lever}" for lever in options.levers)}
    told = summary(mean_of([run(scene, levers) for scene in scenes]))
    show(told)
    if options.out:
        drawn = draw(told["ours"] | told["baselines"], options.out)
        print("drawn:", ", ".join(map(str, drawn)))
    return told


def main() -> None:
    """Run the benchmark."""
    options, began = arguments(), time.monotonic()
    config, outcomes = SimulateConfig(readers=options.readers, days=options.days), options.outcomes is not None
    scenes = (
        make_scene(config, options.articles_per_day, seed, options.cards, outcomes=outcomes) for seed in options.seeds
    )
    with warnings_alone():
        told = (by_outcomes if outcomes else by_arms)(options, scenes)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    costs = {"seconds": round(time.monotonic() - began, 1), "peak_mib": peak}
    print(json.dumps(told | costs | {"seed": options.seeds[0], "seeds": options.seeds}))


if __name__ == "__main__":
    main()

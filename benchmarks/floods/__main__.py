"""Floods against a real service: how many places they move an article, live and after the next training.

    python -m benchmarks.floods [--readers 300] [--keep FOLDER]

The demo newsroom with its simulated readers is built by the real commands and served on this machine; true readers, who
look at lists and click in them, come first. Then each attack is made on an article of its own. Its place is that in the
lists of strangers and of some readers, of 50 cards; one that is not there stands at 51. ``two_of_200_readers`` is no
attack but what two clicks of people who look at lists move. Afterwards one training without the attacks and one with
them are compared by the counts that they learn, each article's rank with its own clicks of the second among the others'
of the first; one without the true readers says how many of their clicks count. Prints a table, and one JSON object.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cost import run_process
from benchmarks.floods.attacks import RING, Site, attacks, true_readers
from benchmarks.serve.data import environment
from benchmarks.serve.service import Service
from recsys.store import Store
from recsys.trends.config import TrendsConfig
from recsys.trends.files import load_trends
from recsys.units import now_ms
from recsys.workspace import read_table

SIMULATED = {"RECSYS_SIMULATE__READERS": "150", "RECSYS_SIMULATE__DAYS": "3"}
LENGTH = 50  # of the lists in which places are counted
SITE = "default"
TRENDS = ("events", "trends")  # what a folder's other stages were made from stays the same
INVENTED = (
    "one_reader",
    "invented_readers",
    "one_session",
    "nobody",
    "contexts",
    "ring",
    "ring_with_lists",
    "forged",
    "buried",
)  # attacks that no card of a list vouches for
PROBES = 5  # readers of the simulated log, beside a stranger


def job(data: Path, *words: str) -> None:
    """Run a command of the project in a data folder."""
    run_process([sys.executable, "-m", "jobs", *words], environment(data) | SIMULATED)


def places(site: Site, probes: Sequence[str | None]) -> list[dict[str, int]]:
    """The place of each article in the list of each probe, from 1."""
    asked = [{"k": LENGTH} | ({} if reader is None else {"reader": reader}) for reader in probes]
    return [{name: place for place, name in enumerate(site.lists(**query)[1], 1)} for query in asked]


def moved(before: Sequence[dict[str, int]], after: Sequence[dict[str, int]], article: str) -> int:
    """The most places that an article has moved in anybody's list."""
    return max(abs(a.get(article, LENGTH + 1) - b.get(article, LENGTH + 1)) for a, b in zip(before, after, strict=True))


def learned(data: Path) -> dict[str, int]:
    """The clicks of each article as the training of a folder counts them."""
    for name in TRENDS:
        job(data, name)
    folder = data / "work" / "trends"
    ids: list[str] = read_table(folder / "ids.parquet", columns=["id"])["id"].to_pylist()
    trends = load_trends(folder, ids, TrendsConfig(), 30).trends
    return dict(zip(ids, trends.total_clicks(np.arange(len(ids), dtype=np.int32)).tolist(), strict=True))


def rank(counts: dict[str, int], article: str) -> int:
    """Rank of an article by its clicks, from 1; equals by name."""
    return 1 + sum((-clicks, name) < (-counts.get(article, 0), article) for name, clicks in counts.items())


def measured(data: Path, readers: int, rng: np.random.Generator, folder: Path) -> dict[str, Any]:
    """Make every attack on one service, then train with them and without."""
    store = Store.open(f"sqlite:///{data / 'store.db'}")
    known = [event.reader for event in store.events_after(SITE, 0, 2_000) if event.reader]
    articles = [article.id for article in store.articles(SITE) if (article.published_at or 0) < now_ms()]
    store.close()
    probes = [None, *dict.fromkeys(known[:: max(1, len(known) // PROBES)])][: PROBES + 1]
    table: dict[str, Any] = {}
    untouched = Path(shutil.copytree(data, folder / "untouched"))
    with Service(data, 2, folder / "web.log") as service:
        site = Site(service.port)
        clicked = true_readers(site, readers, articles, rng)
        time.sleep(1.0)
        quiet = places(site, probes)
        unlisted = [name for name in articles if not any(name in one for one in quiet)]
        before_seq = _stored(data)
        clean = Path(shutil.copytree(data, folder / "clean"))
        top = next(iter(quiet[0]))
        targets = dict[str, str]()
        for name, attack in attacks(site, unlisted, top, rng).items():
            before, began, stored = places(site, probes), time.monotonic(), _stored(data)
            targets[name] = attack()
            seconds = time.monotonic() - began
            time.sleep(1.0)
            table[name] = {
                "places_live": moved(before, places(site, probes), targets[name]),
                "seconds": round(seconds, 1),
                "stored": _stored(data) - stored,
            }
        table["all"] = {"stored": _stored(data) - before_seq, "answers": site.answers, "outcomes": site.outcomes}
    counts = [learned(clean), learned(data)]
    gained = sum(counts[0].values()) - sum(learned(untouched).values())
    table["true_readers"] = {"clicks": clicked, "left_out": round(1 - gained / clicked, 4)}
    for name, article in targets.items():
        clicks = counts[1].get(article, 0)
        table[name]["clicks_trained"] = clicks - counts[0].get(article, 0)
        table[name]["places_trained"] = rank(counts[0], article) - rank(counts[0] | {article: clicks}, article)
    return table


def _stored(data: Path) -> int:
    store = Store.open(f"sqlite:///{data / 'store.db'}")
    try:
        return store.last_seq(SITE)
    finally:
        store.close()


def main(given: Sequence[str] | None = None) -> dict[str, Any]:
    """Build, attack, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.floods", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--readers", type=int, default=300, help="true ones, before the attacks")
    parser.add_argument("--keep", type=Path, help="folder that is built once and used again")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(given)
    with tempfile.TemporaryDirectory() as scratch:
        kept = options.keep or Path(scratch) / "kept"
        if not (kept / "releases").exists():
            job(kept, "simulate")
            job(kept, "all")
        folder = Path(scratch)
        data = Path(shutil.copytree(kept, folder / "data"))
        table = measured(data, options.readers, np.random.default_rng(options.seed), folder)
    print(f"{'attack':32} {'live':>5} {'trained':>8} {'clicks':>7} {'stored':>7}")
    for name, row in table.items():
        if "places_live" in row:
            told = (row["places_live"], row["places_trained"], row["clicks_trained"], row["stored"])
            print(f"{name:32} {told[0]:5} {told[1]:8} {told[2]:7} {told[3]:7}")
    invented = [table[name] for name in INVENTED]
    best = {
        "places_live": max(row["places_live"] for row in invented),
        "places_trained": max(row["places_trained"] for row in invented),
        "true_readers_left_out": table["true_readers"]["left_out"],
        "stored": max(row["stored"] for row in invented),
        "ring_with_cards_left_out": 1 - table["ring_with_cards"]["clicks_trained"] / RING,
        "ring_left_out": 1 - table["ring_with_lists"]["clicks_trained"] / RING,
    }
    result = {"ours": table, "baselines": {}, "best": best, "seed": options.seed}
    print(json.dumps(result))
    return result


if __name__ == "__main__":
    main()

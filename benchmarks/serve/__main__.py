"""The service under load: what an answer costs, how many there can be, how fresh they are, what a worker holds.

A data folder of simulated articles and visits is built by the real commands, with a release by the jobs (``--keep``
keeps it), and ``python -m web`` serves a copy of it on this machine, beside the client, which is a process of its own
and says what it costs itself.

    python -m benchmarks.serve --articles 100000 --readers 100000 --rate 500 --seconds 60 --keep /tmp/serve100k
    python -m benchmarks.serve --articles 10000 --keep /tmp/serve10k --only rate,saturation
    python -m benchmarks.serve --articles 10000 --keep /tmp/serve10k --only soak --rate 150 --seconds 3600

Prints a table, and one JSON object on the last line (docs/design.md).
"""

import argparse
import json
import os
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.serve import load
from benchmarks.serve.data import Size, built, copied, environment, explain
from benchmarks.serve.freshness import StorePublisher, freshness
from benchmarks.serve.ingestion import ingestion
from benchmarks.serve.load import Setting, Table
from benchmarks.serve.memory import memory
from benchmarks.serve.noise import watched
from benchmarks.serve.report import best_of, printed
from benchmarks.serve.service import Service
from benchmarks.serve.soak import soak
from benchmarks.serve.swaps import swaps
from benchmarks.serve.workload import visitors_of
from recsys.releases import Releases
from recsys.workspace import Workspace

PARTS = ("rate", "saturation", "beyond", "freshness", "events", "swaps", "memory")
KNOWN = (*PARTS, "soak")  # which takes long, and is done where it is asked for
EVENTS_PER_ARTICLE = 8.7
GUESS = 3_000.0  # answers per second that are not surpassed on two cores


def measure(options: argparse.Namespace, kept: Path, folder: Path) -> dict[str, Table]:
    """Run the parts that are asked for, each on one service that goes on from the part before.

    Args:
        options: the command line's.
        kept: the built folder.
        folder: for the copy that is served, on the same file system.

    Returns:
        Part -> its figures; "start" is always among them.
    """
    data = copied(kept, folder)
    url, visitors = f"sqlite:///{data / 'store.db'}", visitors_of(kept)
    rng, found = np.random.default_rng(options.seed), dict[str, Table]()
    quiet = options.background if options.background is not None else options.rate
    with Service(data, options.workers, folder / "warm.log") as warm:
        cold = warm.ready_seconds  # it may compile
    with Service(data, options.workers, folder / "web.log") as service:
        setting = Setting(service, visitors, options.k, rng)
        largest = service.memory()[0]
        found["start"] = {
            "first_start_s": round(cold, 2),
            "listens_s": round(service.first_seconds, 2),
            "ready_s": round(service.ready_seconds, 2),
            "ready_rss_mib": round(largest.rss),
            "ready_pss_mib": round(largest.pss),
        }
        parts: dict[str, Callable[[], Table]] = {
            "memory": lambda: memory(setting, options.articles, folder / "empty"),
            "rate": lambda: load.at_rate(setting, options.rate, options.seconds) | _weight(service),
            "saturation": lambda: load.saturation(setting, GUESS),
            "beyond": lambda: load.beyond(setting, _saturated(setting, found), options.seconds / 3),
            "freshness": lambda: freshness(setting, StorePublisher(url), _texts(kept), quiet, options.seconds),
            "swaps": lambda: swaps(
                setting, Releases(data / "releases"), Workspace(data / "work"), options.swaps, quiet
            ),
            "events": lambda: ingestion(setting, url, options.seconds / 4),
            "soak": lambda: soak(setting, data, environment(data), _texts(kept), options.rate, options.seconds),
        }
        for part, run in parts.items():
            if part in options.only:
                began = time.monotonic()
                found[part] = run()
                print(f"{part:12} {time.monotonic() - began:6.1f} s  {_said(found[part])}", flush=True)
    return found


def _weight(service: Service) -> Table:
    """Memory of the largest process, and of all together."""
    processes = service.memory()
    return {
        "worker_mib": round(processes[0].rss),
        "worker_pss_mib": round(processes[0].pss),
        "service_pss_mib": round(sum(one.pss for one in processes)),
    }


def _saturated(setting: Setting, found: dict[str, Table]) -> float:
    if "saturation" not in found:
        found["saturation"] = load.saturation(setting, GUESS)
    return float(found["saturation"]["saturation_rps"])


def _texts(kept: Path) -> list[str]:
    """Bodies of some articles."""
    with (kept / "articles.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line)["body"] for line, _ in zip(lines, range(200), strict=False)]


def _said(table: Table) -> str:
    return ", ".join(f"{name} {value}" for name, value in table.items() if isinstance(value, int | float))[:600]


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line's options."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serve", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--articles", type=int, default=100_000)
    parser.add_argument("--readers", type=int, default=100_000, help="and nameless sessions together, at most")
    parser.add_argument("--events", type=int, help=f"of the log; default: {EVENTS_PER_ARTICLE} an article")
    parser.add_argument("--words", type=int, default=120, help="of each article's body")
    parser.add_argument("--rate", type=float, default=500.0, help="requests per second, one in ten an event")
    parser.add_argument("--background", type=float, help="the same during freshness and swaps; default: --rate")
    parser.add_argument("--seconds", type=float, default=60.0, help="at the rate, of freshness, of soak")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--k", type=int, default=20, help="cards of a list")
    parser.add_argument("--swaps", type=int, default=5, help="releases that are published under load")
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(PARTS), help=",".join(KNOWN))
    parser.add_argument("--keep", type=Path, help="folder that is built once and used again; default: a temporary one")
    parser.add_argument("--build", action="store_true", help="build the folder and do no more")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(given)
    if unknown := set(options.only) - set(KNOWN):
        parser.error(f"--only: {', '.join(sorted(unknown))}: none of {', '.join(KNOWN)}")
    return options


def main(given: Sequence[str] | None = None) -> dict[str, Any]:
    """Build what is missing, measure, print."""
    options, began = arguments(given), time.monotonic()
    events = options.events or round(EVENTS_PER_ARTICLE * options.articles)
    size = Size(options.articles, options.readers, events, options.words, options.seed)
    with tempfile.TemporaryDirectory() as scratch:
        kept = options.keep or Path(scratch) / "kept"
        facts = built(kept, size)
        (kept / "README.txt").write_text(explain(kept, facts), encoding="utf-8")
        if options.build:
            return facts
        with tempfile.TemporaryDirectory(dir=kept.parent, prefix="serving-") as copy, watched() as noise:
            before = os.getloadavg()[0]
            found = measure(options, kept, Path(copy))
    found["machine"] = noise | {"load_before": round(before, 2), "cores": os.cpu_count()}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    result = {
        "ours": found,
        "baselines": {},
        "best": best_of(found),
        "articles": options.articles,
        "seconds": round(time.monotonic() - began, 1),
        "peak_mib": peak,
        "seed": options.seed,
    }
    printed(found, options)
    print(json.dumps(result))
    return result


if __name__ == "__main__":
    main()

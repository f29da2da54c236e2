"""Answer: CPU time of one recommended list, whole and by stage, through the application's own WSGI call.

``python -m benchmarks.answer --data FOLDER [FOLDER ...] [--k 20] [--requests 2000] [--rounds 5] [--plot FILE.svg]``

The readers with the most clicks ask in turn, one thread, no network. What counts is the thread's CPU as the kernel
counts it; the median of the rounds stands in the table, because other work on the machine makes everybody slower. The
stages are those of ``/metrics``, timed by the same clock; what is left of the whole is the way of the request.
``cheap`` is the answer that a loaded worker gives (``recsys.cheap``). Several folders are measured one after the other,
each in a process of its own, and may be drawn beside each other: how the cost of an answer grows with the articles.

Prints one JSON object on the last line.
"""

import argparse
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from matplotlib.figure import Figure

from recsys import telemetry
from web.app import close_app, create_app
from web.gateway.wsgi import CHEAP, Application, call, environ_of
from web.installation import KEY, Installation

WARM_REQUESTS = 300
READERS = 500
MICROSECONDS = 1e6


def readers_of(data: Path, n: int) -> list[str]:
    """The readers with the most clicks."""
    query = "SELECT reader FROM events WHERE kind = 'click' GROUP BY reader ORDER BY count(*) DESC, reader LIMIT ?"
    with sqlite3.connect(data / "store.db") as database:
        return [str(row[0]) for row in database.execute(query, (n,))]


def environ(reader: str, k: int, cheap: bool) -> dict[str, Any]:
    """The WSGI environment of one request for a list, as the gateway makes it."""
    scope: Any = SimpleNamespace(
        method="GET",
        path="/api/v1/recommendations",
        query_string=f"reader={reader}&k={k}",
        client="127.0.0.1:1",
        server="127.0.0.1:8080",
        scheme="http",
        headers={"host": "127.0.0.1:8080", "accept": "*/*"},
    )
    made = environ_of(scope, b"")
    return made | {CHEAP: True} if cheap else made


def asked(application: Application, readers: Sequence[str], k: int, n: int, cheap: bool) -> tuple[float, int]:
    """CPU seconds of ``n`` answers, and the bytes of the last one."""
    environs = [environ(readers[place % len(readers)], k, cheap) for place in range(n)]
    size = 0
    began = time.thread_time()
    for one in environs:
        reply = call(application, one)
        size = len(reply.body)
        if reply.status != 200:
            raise SystemExit(f"expected 200; got {reply.status}: {reply.body.decode()[:200]}")
    return time.thread_time() - began, size


def stage_seconds() -> dict[str, float]:
    """Seconds spent in each stage so far."""
    samples = [sample for metric in telemetry.STAGE_SECONDS.collect() for sample in metric.samples]
    return {sample.labels["stage"]: sample.value for sample in samples if sample.name.endswith("_sum")}


def measure(application: Application, readers: Sequence[str], k: int, n: int, cheap: bool) -> dict[str, float]:
    """One round: µs of CPU per answer, whole and by stage, and the bytes of one."""
    before = stage_seconds()
    seconds, size = asked(application, readers, k, n, cheap)
    after = stage_seconds()
    figures = {stage: (value - before[stage]) / n * MICROSECONDS for stage, value in after.items()}
    figures["the rest"] = seconds / n * MICROSECONDS - sum(figures.values())
    return figures | {"whole": seconds / n * MICROSECONDS, "bytes": float(size)}


def measured(data: Path, options: argparse.Namespace) -> dict[str, Any]:
    """The figures of one data folder, with its number of articles."""
    os.environ["RECSYS_DATA_DIR"] = str(data)
    readers = readers_of(data, READERS)
    telemetry.StageClock.seconds = staticmethod(time.thread_time)
    app = create_app()
    figures: dict[str, Any] = {}
    try:
        for name, cheap in (("whole", False), ("cheap", True)):
            asked(app, readers, options.k, max(WARM_REQUESTS, len(readers)), cheap)
            rounds = [measure(app, readers, options.k, options.requests, cheap) for _ in range(options.rounds)]
            figures[name] = {key: round(statistics.median(row[key] for row in rounds), 1) for key in rounds[0]}
        here: Installation = app.extensions[KEY]
        return figures | {"articles": len(here.live.catalogue.ids)}
    finally:
        close_app(app)


def in_a_process(data: Path, options: argparse.Namespace) -> dict[str, Any]:
    """The same in a process of its own, which what was measured before has not warmed."""
    sizes = [f"--{name}={getattr(options, name)}" for name in ("k", "requests", "rounds")]
    command = [sys.executable, "-m", "benchmarks.answer", "--data", str(data), *sizes]
    made = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    figures: dict[str, Any] = json.loads(made.splitlines()[-1])["ours"][str(data)]
    return figures


def drawn(figures: Sequence[dict[str, Any]], k: int, file: Path) -> None:
    """Draw the stages of an answer by the number of articles."""
    figure = Figure(figsize=(7, 3.2))
    axes = figure.subplots()
    names = [f"{one['articles']:,}" for one in figures]
    below = [0.0] * len(figures)
    for stage in (key for key in figures[0]["whole"] if key not in ("whole", "bytes")):
        heights = [one["whole"][stage] / 1000 for one in figures]
        axes.bar(names, heights, 0.5, below, label=stage)
        below = [under + height for under, height in zip(below, heights, strict=True)]
    axes.set(xlabel="articles", ylabel="ms of CPU", title=f"An answer of {k} cards by stage")
    axes.legend(frameon=False, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None})  # equal figures give equal bytes


def main() -> None:
    """Read the command line, measure in rounds, print the table and the JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.answer", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="data folders of newsrooms with a release")
    parser.add_argument("--k", type=int, default=20, help="articles of a list")
    parser.add_argument("--requests", type=int, default=2_000, help="answers per round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--plot", type=Path, help="picture of the stages, by the number of articles")
    options = parser.parse_args()
    measuring = measured if len(options.data) == 1 else in_a_process
    ours = {str(data): measuring(data, options) for data in options.data}
    columns = [(f"{one['articles']:,}", one) for one in ours.values()]
    print(f"{'CPU µs per answer':20}" + "".join(f"{name:>12}{'cheap':>8}" for name, _ in columns) + "   (articles)")
    for key in columns[0][1]["whole"]:
        print(f"{key:20}" + "".join(f"{one['whole'][key]:12.0f}{one['cheap'][key]:8.0f}" for _, one in columns))
    if options.plot:
        drawn(list(ours.values()), options.k, options.plot)
    last = columns[-1][1]
    best = {
        "cpu_us": last["whole"]["whole"],
        "cheap_cpu_us": last["cheap"]["whole"],
        "answer_bytes": last["whole"]["bytes"],
    }
    print(json.dumps({"ours": ours, "baselines": {}, "best": best}))


if __name__ == "__main__":
    main()

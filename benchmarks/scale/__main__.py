"""CPU time and memory of every stage, and of the service, at growing numbers of simulated articles and events.

Each size is a folder of its own, built as that of ``benchmarks.serve`` is: real imports, every stage as a process of
its own (``python -m jobs STAGE``), a release. A folder knows which commands it has behind it, so that a run that was
broken off goes on at the next one, and a size that is done costs nothing.

    python -m benchmarks.scale --sizes 1000,10000,30000,100000 --folder /tmp/scale
    python -m benchmarks.scale --sizes 1000,100000,300000,1000000 --folder /tmp/scale --picture docs/pictures/scale.svg
    python -m benchmarks.scale --sizes 1000,100000 --words 300 --until categories --full

The smallest size is taken off the others before exponents are fitted: it is what starting the commands takes. Prints a
table, and one JSON object on the last line (docs/design.md).
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.cost import Cost
from benchmarks.scale.chart import picture
from benchmarks.scale.growth import as_markdown, growth_of, report
from benchmarks.serve.data import CHEAP, Size, built
from recsys.errors import ArtefactError
from recsys.runs.stages import STAGES

EVENTS_PER_ARTICLE = 10
SERVED = ("cpu_ms", "p50_ms", "p99_ms", "errors", "worker_mib", "ready_s")
SERVICE = "service.json"  # in a size's folder


def size_of(articles: int, options: argparse.Namespace) -> Size:
    """A size by its articles: as many visitors, ten times as many events."""
    return Size(articles, articles, EVENTS_PER_ARTICLE * articles, options.words, options.seed)


def measured(folder: Path, size: Size, options: argparse.Namespace) -> tuple[dict[str, Cost], dict[str, Any]]:
    """Build a size, and serve it.

    Returns:
        The cost of each command; the service's figures, none where the build ends before there is a release.
    """
    settings = {name: CHEAP[name] for name in CHEAP if not options.full or name.startswith("RECSYS_SITE__")}
    facts = built(folder, size, settings, options.until)
    costs = {name: Cost(**cost) for name, cost in facts["costs"].items()}
    return costs, _served(folder, size, options) if options.until is None and options.rate else {}


def _served(folder: Path, size: Size, options: argparse.Namespace) -> dict[str, Any]:
    """The service's figures at a rate, measured once."""
    file = folder / SERVICE
    if not file.is_file():
        words: dict[str, Any] = asdict(size)
        words |= {"rate": options.rate, "seconds": options.seconds, "only": "rate", "keep": folder}
        command = [sys.executable, "-m", "benchmarks.serve", *(f"--{name}={value}" for name, value in words.items())]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode:
            got = f"{run.returncode}: {run.stderr[-2000:]}"
            raise ArtefactError(f"exit code 0 of {' '.join(command)}", got, "Run the command by itself.")
        best = json.loads(run.stdout.splitlines()[-1])["best"]
        file.write_text(json.dumps({name: best[name] for name in SERVED} | {"rate": options.rate}), encoding="utf-8")
    served: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    print(f"{size.articles:9,} articles  {'service':16} {served}", flush=True)
    return served


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line's options."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--sizes", default="1000,10000,30000,100000", help="articles, with commas between")
    parser.add_argument("--words", type=int, default=60, help="of each article's body")
    parser.add_argument(
        "--until", choices=list(STAGES), help="the last stage; default: all, a release, and the service"
    )
    parser.add_argument("--full", action="store_true", help="train as much as a site does, not as little as serves")
    parser.add_argument("--rate", type=float, default=100.0, help="requests per second to the service; 0: none")
    parser.add_argument("--seconds", type=float, default=20.0, help="of requests")
    parser.add_argument("--folder", type=Path, help="where sizes are kept and gone on with; default: a temporary one")
    parser.add_argument("--picture", type=Path, help="SVG file to draw")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(given)
    if options.full and options.until is None:
        parser.error("--full: with --until, because the service is measured on a folder that benchmarks.serve knows")
    options.sizes = sorted({int(part) for part in options.sizes.split(",")})
    return options


def main(given: Sequence[str] | None = None) -> dict[str, Any]:
    """Measure every size, print."""
    options, began = arguments(given), time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch)
        both = [measured(folder / str(size), size_of(size, options), options) for size in options.sizes]
    tables, services = [costs for costs, _ in both], [served for _, served in both]
    growth = growth_of(options.sizes, tables)
    print(as_markdown(options.sizes, tables, growth))
    if options.picture:
        options.picture.write_text(picture(options.sizes, tables, growth), encoding="utf-8")
    result = report(options.sizes, tables, services, options.seed, time.monotonic() - began)
    print(json.dumps(result))
    return result


if __name__ == "__main__":
    main()

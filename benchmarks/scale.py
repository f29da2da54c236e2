"""Seconds and memory of the stages at growing numbers of simulated articles, with the fitted exponent of time.

Each size is imported into a store of its own in a temporary folder, and each stage runs as people run it, as a process
of its own (``python -m jobs STAGE``), so that its peak of memory is its own, worker processes included.

    python -m benchmarks.scale --articles 100000 --words 300 --workers 2
    python -m benchmarks.scale --articles 100000 --sizes 0.1,0.3,1 --until categories

Prints a table for each size, and one JSON object on the last line (docs/design.md).
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.simulated_articles import write_articles
from recsys.errors import ArtefactError
from recsys.runs.stages import STAGES

Table = dict[str, "Cost"]


def measure(articles: int, options: argparse.Namespace) -> Table:
    """Import one size and run the stages on it."""
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        file = folder / "articles.jsonl"
        write_articles(file, articles, options.words, options.chinese, options.seed)
        environment = {"RECSYS_DATA_DIR": str(folder / "data"), "RECSYS_JOBS__WORKERS": str(options.workers)}
        jobs = [sys.executable, "-m", "jobs"]
        table = {"import": run_process([*jobs, "import", "jsonl", str(file), "--kind", "articles"], environment)}
        for stage in stages_until(options.until):
            table[stage] = run_process([*jobs, stage, "--seed", str(options.seed)], environment)
            print(f"{articles:9,} articles  {stage:11} {_shown(table[stage])}", flush=True)
    judged = [cost for stage, cost in table.items() if stage not in ("import", "events")]
    table["total"] = Cost(
        round(sum(cost.seconds for cost in judged), 2),
        round(sum(cost.cpu_seconds for cost in judged), 2),
        max(cost.peak_mib for cost in judged),
    )
    print(f"{articles:9,} articles  {'total':11} {_shown(table['total'])}  (tokens to {options.until})", flush=True)
    return table


def stages_until(last: str) -> list[str]:
    """The stages in order, up to and including one."""
    names = list(STAGES)
    return names[: names.index(last) + 1]


def exponents(sizes: Sequence[int], tables: Sequence[Table]) -> dict[str, float]:
    """Fit seconds ~ articles ** exponent for each stage, by least squares on logarithms.

    Returns:
        Stage -> exponent; none where there is only one size.
    """
    if len(sizes) < 2:
        return {}
    logs = np.log(sizes)
    return {
        stage: round(float(np.polyfit(logs, np.log([max(table[stage].seconds, 1e-3) for table in tables]), 1)[0]), 3)
        for stage in tables[0]
    }


def _shown(cost: Cost) -> str:
    return f"{cost.seconds:9.1f} s {cost.cpu_seconds:9.1f} CPU s {cost.peak_mib:7,} MiB"


def report(sizes: Sequence[int], tables: Sequence[Table], seed: int, seconds: float) -> dict[str, Any]:
    """The JSON object of docs/design.md; a model is a stage, "best" is the largest size's total."""
    growth = exponents(sizes, tables)
    ours = {
        stage: {
            f"{field}@{size}": value
            for size, table in zip(sizes, tables, strict=True)
            for field, value in table[stage]._asdict().items()
        }
        | ({"exponent": growth[stage]} if growth else {})
        for stage in tables[0]
    }
    total = tables[-1]["total"]
    return {
        "ours": ours,
        "baselines": {},
        "best": total._asdict() | {"articles": sizes[-1]},
        "seconds": round(seconds, 1),
        "peak_mib": total.peak_mib,
        "seed": seed,
    }


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__.split("\n")[0])
    parser.add_argument("--articles", type=int, default=100_000)
    parser.add_argument("--words", type=int, default=300, help="of each article's body")
    parser.add_argument("--sizes", default="1", help="multiples of --articles, with commas between")
    parser.add_argument("--workers", type=int, default=2, help="threads or processes that each stage may use")
    parser.add_argument("--chinese", type=float, default=0.0, help="share of the articles that are in Chinese")
    parser.add_argument("--until", default="categories", choices=list(STAGES), help="the last stage")
    parser.add_argument("--folder", type=Path, help="where the temporary folder goes; default: the system's")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began = time.monotonic()
    sizes = sorted({max(1, round(float(part) * options.articles)) for part in options.sizes.split(",")})
    tables = [measure(size, options) for size in sizes]
    result = report(sizes, tables, options.seed, time.monotonic() - began)
    for stage, exponent in exponents(sizes, tables).items():
        print(f"{stage:11} seconds grow with articles to the power of {exponent}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()

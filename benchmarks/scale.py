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

POLL_SECONDS = 0.1  # between two looks at a stage's memory

Table = dict[str, "Cost"]


class Cost(NamedTuple):
    """Cost of one stage.

    Attributes:
        seconds: from start to end of its process.
        cpu_seconds: of it and its worker processes.
        peak_mib: resident memory of it and its worker processes together, mapped files counted once.
    """

    seconds: float
    cpu_seconds: float
    peak_mib: int


def run_process(command: Sequence[str], environment: dict[str, str]) -> Cost:
    """Run a command to its end and measure it.

    Raises:
        ArtefactError: it failed; the message ends with what it said last.
    """
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, env=os.environ | environment, stdout=said, stderr=said)
        peak: list[int] = [0]
        watch = threading.Thread(target=_watch, args=(process, peak))
        watch.start()
        code = process.wait()
        watch.join()
        said.seek(0)
        tail = said.read()[-2000:].decode(errors="replace")
    if code:
        raise ArtefactError(f"exit code 0 of {' '.join(command)}", f"{code}: {tail}", "Run the command by itself.")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(round(time.monotonic() - began, 2), round(cpu, 2), peak[0])


def _watch(process: subprocess.Popen[bytes], peak: list[int]) -> None:
    while process.poll() is None:
        peak[0] = max(peak[0], resident_kib(_family(process.pid)) // 1024)
        time.sleep(POLL_SECONDS)


def resident_kib(processes: Sequence[int]) -> int:
    """Resident memory of several processes together: each one's own, and the largest share of mapped files once."""
    tables = [dict(row.split(":", 1) for row in _read(Path(f"/proc/{one}/status")).splitlines()) for one in processes]
    own, files = (
        [sum(int(table.get(name, "0 kB").split()[0]) for name in names) for table in tables]
        for names in (("RssAnon", "RssShmem"), ("RssFile",))
    )
    return sum(own) + max(files, default=0)


def _family(process: int) -> list[int]:
    """A process and all that descend from it."""
    found, waiting = [], [process]
    while waiting:
        found.append(waiting.pop())
        for children in Path(f"/proc/{found[-1]}/task").glob("*/children"):
            waiting += map(int, _read(children).split())
    return found


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:  # the process has ended meanwhile
        return ""


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

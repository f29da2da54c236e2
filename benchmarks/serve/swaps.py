"""Releases published under load: what a swap costs those who are answered meanwhile, and what it leaves behind.

Each publish is a real one, of the built workspace: with the report's files and without them in turn, so that its bytes
differ from the live release's, and everything that is served is laid out anew by every worker.
"""

import time
from typing import NamedTuple

import numpy as np

from benchmarks.serve.client import COMPLETE, LIST, Outcomes
from benchmarks.serve.load import Setting, Table, open_run, percentile, started, summary
from recsys.releases import Releases
from recsys.runs.stages import STAGES, served_files
from recsys.workspace import Workspace

FACTS = ("code_version", "seed", "config", "run", "gaps")  # of a manifest, that a publish is told
PATIENCE_SECONDS = 300.0  # that a swap may take
POLL_SECONDS = 0.1
REST_SECONDS = 2.0  # between two swaps
DECORATION = "report"  # a stage whose files are released, and that no worker reads


class Swap(NamedTuple):
    """One swap: when it was published and when the last worker had taken it over, in seconds of the machine's clock."""

    name: str
    began: float
    published: float
    taken: float


def swaps(setting: Setting, releases: Releases, workspace: Workspace, number: int, rate: float) -> Table:
    """Publish so many releases one after the other, under load.

    Args:
        setting: the circumstances.
        releases: of the data folder that is served.
        workspace: its finished stages.
        number: of publishes.
        rate: requests per second meanwhile.
    """
    seconds = 15.0 * number + 10.0  # of load that is prepared; it is cut off when the last swap is done
    before = setting.service.memory()[0]
    done: list[Swap] = []
    with started(open_run(setting, rate, seconds)) as running:
        time.sleep(REST_SECONDS)
        while len(done) < number and not running.done():
            done.append(_swap(setting, releases, workspace, len(done)))
            time.sleep(REST_SECONDS)
        outcomes = running.result()
    after = setting.service.memory()[0]
    known = {*releases.names(), *(swap.name for swap in done)}
    return {
        "swaps": len(done),
        "publish_p50_seconds": round(float(np.median([swap.published - swap.began for swap in done])), 2),
        "taken_p50_seconds": round(float(np.median([swap.taken - swap.published for swap in done])), 2),
        "rss_before_mib": round(before.rss),
        "rss_after_mib": round(after.rss),
        "rss_growth": round(after.rss / before.rss, 3),
        "foreign_releases": len(outcomes.releases - known),
        **split(outcomes, done),
        **{f"swap_{name}": value for name, value in summary(outcomes).items()},
    }


def split(outcomes: Outcomes, done: list[Swap]) -> Table:
    """Latency of lists during swaps, and between them."""
    began = np.array(outcomes.planned) + outcomes.began
    during = np.zeros(len(began), np.bool_)
    for swap in done:
        during |= (began >= swap.began) & (began <= swap.taken)
    lists = (np.array(outcomes.kind) == LIST) & (np.array(outcomes.outcome) == COMPLETE)
    latency = np.array(outcomes.latency)
    inside, outside = (percentile(latency[lists & where], 99) for where in (during, ~during))
    return {"p99_during_ms": inside, "p99_between_ms": outside, "p99_ratio": round(inside / outside, 2)}


def _swap(setting: Setting, releases: Releases, workspace: Workspace, number: int) -> Swap:
    live = releases.manifest(str(releases.current()))
    stages = [stage for stage in STAGES if stage != DECORATION or DECORATION not in live["stages"]]
    began = time.monotonic()
    name = releases.publish(workspace, served_files(*stages), {fact: live[fact] for fact in FACTS if fact in live})
    published = time.monotonic()
    lines = setting.service.one_per_worker()
    for line in lines.values():
        while line.get("/readyz")[1]["release"] != name:
            if time.monotonic() - published > PATIENCE_SECONDS:
                raise TimeoutError(f"swap {number}: {name} is not served after {PATIENCE_SECONDS:.0f} s")
            time.sleep(POLL_SECONDS)
        line.close()
    return Swap(name, began, published, time.monotonic())

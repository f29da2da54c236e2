"""Releases published under load: what a swap costs those who are answered meanwhile, and what it leaves behind.

Each publish is a real one, of the built workspace: with the report's files and without them in turn, so that its bytes
differ from the live release's, and everything that is served is laid out anew by every worker.
"""

import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.serve.client import COMPLETE, LIST, Outcomes
from benchmarks.serve.load import Setting, Table, open_run, percentile, started, summary
from recsys.releases import Releases
from recsys.runs.stages import STAGES, served_files
from recsys.workspace import Workspace

FACTS = ("code_version", "seed", "config", "run", "gaps")  # of a manifest, that a publish is told
PATIENCE_SECONDS = 300.0  # that a swap may take
POLL_SECONDS = 0.2
REST_SECONDS = 2.0  # between two swaps
AT_ONCE = 5  # swaps during one run of the client
SWAP_SECONDS = 120.0  # of load that is prepared for each; it ends with the last swap
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
    before, known = setting.service.memory()[0], set(releases.names())
    done, outcomes = list[Swap](), Outcomes()
    while len(done) < number:
        some = min(AT_ONCE, number - len(done))
        append(outcomes, _under_load(setting, releases, workspace, some, rate, done))
        print(f"{len(done)} of {number} swaps, {round(setting.service.memory()[0].rss)} MiB", flush=True)
    after = setting.service.memory()[0]
    known |= {swap.name for swap in done}
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


def _under_load(
    setting: Setting, releases: Releases, workspace: Workspace, number: int, rate: float, done: list[Swap]
) -> Outcomes:
    """Some swaps, which are added to ``done``, during one run of the client that ends with the last of them."""
    with tempfile.TemporaryDirectory() as folder:
        stop = Path(folder) / "stop"
        run = open_run(setting, rate, number * SWAP_SECONDS)._replace(stop=str(stop))
        with started(run) as running:
            try:
                time.sleep(REST_SECONDS)
                for _ in range(number):
                    done.append(_swap(setting, releases, workspace))
                    time.sleep(REST_SECONDS)
            finally:
                stop.touch()
            return running.result()


def append(outcomes: Outcomes, more: Outcomes) -> None:
    """Add a later run's requests, their times counted from the start of the first one."""
    outcomes.began = outcomes.began or more.began
    later = more.began - outcomes.began
    outcomes.planned += [planned + later for planned in more.planned]
    for name in ("index", "kind", "outcome", "latency", "size", "faults"):
        getattr(outcomes, name).extend(getattr(more, name))
    outcomes.cpu, outcomes.retried = outcomes.cpu + more.cpu, outcomes.retried + more.retried
    outcomes.releases |= more.releases


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


def _swap(setting: Setting, releases: Releases, workspace: Workspace) -> Swap:
    began = time.monotonic()
    name = publish_other(releases, workspace)
    published = time.monotonic()
    while served_by(setting) != {name}:
        if time.monotonic() - published > PATIENCE_SECONDS:
            raise TimeoutError(f"{name} is not served after {PATIENCE_SECONDS:.0f} s")
        time.sleep(POLL_SECONDS)
    return Swap(name, began, published, time.monotonic())


def publish_other(releases: Releases, workspace: Workspace) -> str:
    """Publish a workspace with the report if the live release has none, else without it; returns the new name."""
    live = releases.manifest(str(releases.current()))
    stages = [stage for stage in STAGES if stage != DECORATION or DECORATION not in live["stages"]]
    return releases.publish(workspace, served_files(*stages), {fact: live[fact] for fact in FACTS if fact in live})


def served_by(setting: Setting) -> set[str | None]:
    """The releases that the workers say they serve; None of one that did not answer."""
    lines, found = setting.service.one_per_worker(), set[str | None]()
    for line in lines.values():
        try:
            found.add((line.get("/readyz")[1] or {}).get("release"))
        except OSError:
            found.add(None)
        line.close()
    return found if len(lines) == setting.service.workers else found | {None}

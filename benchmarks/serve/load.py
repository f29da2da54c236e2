"""Load: at a rate, until it saturates, and beyond; the client runs in a process of its own.

Every figure of time is measured from when a request was planned. Seconds of CPU are those of the whole service between
the first request and the last answer, divided by the requests that were answered: nine lists and one event, HTTP,
polling and everything included.
"""

import multiprocessing
import time
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.serve.client import COMPLETE, EVENT, LIST, OUTCOMES, SHED, Outcomes, Run, drive
from benchmarks.serve.service import Line, Service
from benchmarks.serve.workload import Visitors, arrivals, workload

CONNECTIONS = 64  # kept open by a run; enough that two workers get about half each
DEADLINE_SECONDS = 10.0
GOOD_SECONDS = 1.0  # an answer that takes longer has come too late to be shown
WARM_SECONDS = 5.0  # of load before anything is measured
STEP_SECONDS = 5.0  # of each step towards saturation
STEPS = (4, 8, 16, 32, 64, 128)  # connections that are kept busy
GROWTH = 1.03  # a step that brings less is the last one
BEYOND = 1.5  # times saturation

Table = dict[str, Any]


class Setting(NamedTuple):
    """The circumstances of the runs.

    Attributes:
        service: that is measured.
        visitors: who comes.
        k: cards of a list.
        rng: draws everything.
    """

    service: Service
    visitors: Visitors
    k: int
    rng: np.random.Generator


@contextmanager
def started(run: Run) -> Iterator[Future[Outcomes]]:
    """A run of the client in a process of its own, which begins at once; it is waited for at the end."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool.submit(drive, run)


def open_run(setting: Setting, rate: float, seconds: float) -> Run:
    """Requests at random times, so many per second."""
    times = arrivals(rate, seconds, setting.rng)
    requests, kinds = workload(setting.visitors, len(times), setting.k, setting.rng)
    return Run(setting.service.port, requests, kinds, times, seconds, CONNECTIONS, DEADLINE_SECONDS, setting.k)


def closed_run(setting: Setting, connections: int, seconds: float, guess: float) -> Run:
    """So many connections that are always busy; ``guess``: answers per second that are not surpassed."""
    requests, kinds = workload(setting.visitors, round(guess * seconds) + 100, setting.k, setting.rng)
    return Run(setting.service.port, requests, kinds, (), seconds, connections, DEADLINE_SECONDS, setting.k)


def driven(run: Run) -> Outcomes:
    """A run to its end."""
    with started(run) as running:
        return running.result()


def at_rate(setting: Setting, rate: float, seconds: float) -> Table:
    """Latency, errors and CPU at so many requests per second, after some seconds at half of that."""
    driven(open_run(setting, max(1.0, rate / 2), min(WARM_SECONDS, seconds)))
    run = open_run(setting, rate, seconds)
    with started(run) as running:
        before, began = setting.service.cpu_seconds(), time.monotonic()
        outcomes = running.result()
        used, took = setting.service.cpu_seconds() - before, time.monotonic() - began
    answered = max(1, counts(outcomes)["complete"])
    return summary(outcomes) | {
        "cpu_ms": round(1000 * used / answered, 3),
        "cores": round(used / took, 2),
        "body_kib": round(float(np.mean(_of(outcomes, LIST, "size") or [0])) / 1024, 2),
    }


def saturation(setting: Setting, guess: float) -> Table:
    """Complete lists and events per second when connections are always busy, more of them until it brings nothing."""
    steps: dict[int, float] = {}
    for connections in STEPS:
        outcomes = driven(closed_run(setting, connections, STEP_SECONDS, guess))
        steps[connections] = round(counts(outcomes)["complete"] / _span(outcomes), 1)
        earlier = [rate for number, rate in steps.items() if number != connections]
        if earlier and steps[connections] < GROWTH * max(earlier):
            break
    return {"saturation_rps": max(steps.values()), "steps": {str(number): rate for number, rate in steps.items()}}


def beyond(setting: Setting, saturated: float, seconds: float) -> Table:
    """More than it can do: the share that is answered in time all the same, and how soon the others are told."""
    run = open_run(setting, BEYOND * saturated, seconds)
    with started(run) as running:
        health = _health(setting.service, running)
        outcomes = running.result()
    latency, outcome = np.array(outcomes.latency), np.array(outcomes.outcome)
    good = (outcome == COMPLETE) & (latency <= GOOD_SECONDS)
    per_second = float(good.sum()) / _span(outcomes)
    return {
        "goodput_beyond": round(per_second / saturated, 3),
        "good_rps": round(per_second, 1),
        "shed_p99_ms": percentile(latency[outcome == SHED], 99),
        "health": health,
        **{f"beyond_{name}": value for name, value in summary(outcomes).items()},
    }


def _health(service: Service, running: "Future[Outcomes]") -> str:
    """Health checks that were answered within a second, of all that were made while a run lasts."""
    asked = answered = 0
    while not running.done():
        asked += 1
        try:
            with closing(Line(service.port, timeout=1.0)) as line:
                answered += line.get("/healthz")[0] == 200
        except OSError:  # that is the figure
            pass
        time.sleep(0.25)
    return f"{answered} of {asked}"


def counts(outcomes: Outcomes) -> dict[str, int]:
    """Number of requests by how they ended."""
    numbers = np.bincount(outcomes.outcome, minlength=len(OUTCOMES)).tolist()
    return dict(zip(OUTCOMES, numbers, strict=True))


def summary(outcomes: Outcomes) -> Table:
    """Figures of one run: latency of complete lists, errors, and what the client itself cost."""
    ended = counts(outcomes)
    complete = np.array(outcomes.outcome) == COMPLETE
    kinds, latency = np.array(outcomes.kind), np.array(outcomes.latency)
    lists, events = latency[complete & (kinds == LIST)], latency[complete & (kinds == EVENT)]
    total = len(outcomes.outcome)
    return {
        "requests": total,
        "rps": round(ended["complete"] / _span(outcomes), 1),
        "p50_ms": percentile(lists, 50),
        "p99_ms": percentile(lists, 99),
        "p999_ms": percentile(lists, 99.9),
        "max_ms": percentile(lists, 100),
        "event_p99_ms": percentile(events, 99),
        "errors": total - ended["complete"],
        "ended": {name: number for name, number in ended.items() if number},
        "retried": outcomes.retried,
        "client_cpu_ms": round(1000 * outcomes.cpu / max(1, total), 3),
        "faults": outcomes.faults,
    }


def percentile(seconds: npt.NDArray[np.float64], percent: float) -> float:
    """A percentile of times, in ms; NaN of none."""
    return round(1000 * float(np.percentile(seconds, percent)), 2) if len(seconds) else float("nan")


def _span(outcomes: Outcomes) -> float:
    """Seconds from the start to the last answer."""
    ends = np.array(outcomes.planned) + np.array(outcomes.latency)
    return max(1e-3, float(ends.max(initial=0.0)))


def _of(outcomes: Outcomes, kind: int, name: str) -> list[float]:
    return [
        value
        for value, its_kind, outcome in zip(getattr(outcomes, name), outcomes.kind, outcomes.outcome, strict=True)
        if its_kind == kind and outcome == COMPLETE
    ]

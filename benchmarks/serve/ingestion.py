"""Events in: how many are acknowledged per second, in batches and one by one, and whether a kill -9 loses any.

Whoever was told that an event was accepted must find it in the database, whatever happens to the worker that said so.
"""

import os
import signal
import time
from collections.abc import Sequence

import sqlalchemy as sa

from benchmarks.serve.client import COMPLETE, EVENT, Outcomes, Run
from benchmarks.serve.load import DEADLINE_SECONDS, Setting, Table, driven, started, summary
from benchmarks.serve.workload import batches
from recsys.store import schema

BATCH = 100  # events of a request: 20 KB
CONNECTIONS = 16
KILL_AFTER = 0.4  # of a run's seconds


def ingestion(setting: Setting, url: str, seconds: float, guess: float = 3_000.0) -> Table:
    """Post events in batches, then one by one, then one by one while a worker is killed.

    Args:
        setting: the circumstances.
        url: of the database.
        seconds: of each part.
        guess: requests per second that are not surpassed.
    """
    table: Table = {}
    for name, size in (("batch", BATCH), ("single", 1)):
        run, _ = _run(setting, size, seconds, guess, f"{name}{time.time_ns()}")
        outcomes = driven(run)
        told = summary(outcomes)
        rate = outcomes.outcome.count(COMPLETE) * size / _seconds(outcomes)
        table |= {
            f"{name}_events_per_second": round(rate, 1),
            f"{name}_p99_ms": told["event_p99_ms"],
            f"{name}_errors": told["errors"],
        }
    return table | killed(setting, url, seconds, guess)


def killed(setting: Setting, url: str, seconds: float, guess: float) -> Table:
    """Kill a worker in the middle of single events, and look for every one that was acknowledged."""
    run, ids = _run(setting, 1, seconds, guess, f"kill{time.time_ns()}")
    lines = setting.service.one_per_worker()
    victim = next(iter(lines))
    for line in lines.values():
        line.close()
    with started(run) as running:
        time.sleep(KILL_AFTER * seconds)
        os.kill(victim, signal.SIGKILL)
        dead = time.monotonic()
        back = None
        while back is None and time.monotonic() - dead < 120:
            lines = setting.service.one_per_worker()
            for line in lines.values():
                line.close()
            if len(lines) == setting.service.workers:
                back = time.monotonic() - dead
        outcomes = running.result()
    acknowledged = [
        name
        for index, outcome in zip(outcomes.index, outcomes.outcome, strict=True)
        if outcome == COMPLETE
        for name in ids[index]
    ]
    return {
        "killed_acknowledged": len(acknowledged),
        "killed_lost": len(acknowledged) - stored(url, acknowledged),
        "killed_errors": len(outcomes.outcome) - len(acknowledged),
        "killed_back_seconds": None if back is None else round(back, 1),
    }


def stored(url: str, ids: Sequence[str]) -> int:
    """Number of the events that are in the database."""
    engine, number = sa.create_engine(url), 0
    with engine.connect() as connection:
        for start in range(0, len(ids), 500):
            some = schema.events.c.event_id.in_(ids[start : start + 500])
            number += connection.scalar(sa.select(sa.func.count()).select_from(schema.events).where(some)) or 0
    engine.dispose()
    return number


def _run(setting: Setting, size: int, seconds: float, guess: float, prefix: str) -> tuple[Run, list[list[str]]]:
    number = round(guess * seconds / (1 if size == 1 else size / 10))
    requests, ids = batches(setting.visitors.articles, number, size, prefix)
    kinds = [EVENT] * len(requests)
    return Run(setting.service.port, requests, kinds, (), seconds, CONNECTIONS, DEADLINE_SECONDS, setting.k), ids


def _seconds(outcomes: Outcomes) -> float:
    return max((begun + took for begun, took in zip(outcomes.planned, outcomes.latency, strict=True)), default=1.0)

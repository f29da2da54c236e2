"""Requests of a run, written before its clock starts: lists for the log's own visitors, and clicks of the same ones.

Visitors are drawn from the events of the built folder, so that they come as often as they did there; some are new. A
request in ten is one click on an article that was clicked of late.
"""

import json
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.serve.client import EVENT, LIST
from recsys.units import HOUR_MS
from web.api.evidence import owned_id

NEW_VISITORS = 0.1  # share of the lists that are for somebody whom nobody has seen
EVENT_SHARE = 0.1  # of the requests
RECENT_HOURS = 12


class Visitors(NamedTuple):
    """Visitors by the clicks of the log, and the articles that they open.

    Attributes:
        readers: identifier of the reader of each event of the log, None of a nameless one.
        sessions: of each.
        articles: of the clicks of the last hours.
    """

    readers: list[str | None]
    sessions: list[str]
    articles: list[str]


class Workload(NamedTuple):
    """Requests and their kinds, in the order in which they are sent."""

    requests: list[bytes]
    kinds: list[int]


def visitors_of(folder: Path) -> Visitors:
    """The visitors of a built folder, by its events."""
    table = pq.read_table(folder / "events.parquet", columns=["kind", "reader", "session", "article", "time"])
    recent = pc.greater(table["time"], pc.subtract(pc.max(table["time"]), RECENT_HOURS * HOUR_MS))
    clicks = table.filter(pc.and_(pc.equal(table["kind"], "click"), recent))
    seen = table.filter(pc.equal(table["kind"], "click"))
    return Visitors(seen["reader"].to_pylist(), seen["session"].to_pylist(), clicks["article"].to_pylist())


def workload(visitors: Visitors, number: int, k: int, rng: np.random.Generator) -> Workload:
    """Draw requests.

    Args:
        visitors: who comes.
        number: requests.
        k: cards asked for.
        rng: draws everything.
    """
    run, requests, kinds = uuid.uuid4().hex[:12], list[bytes](), list[int]()
    rows = rng.integers(len(visitors.sessions), size=number).tolist()
    opened = rng.integers(len(visitors.articles), size=number).tolist()
    is_event, is_new = (rng.random(number) < EVENT_SHARE).tolist(), (rng.random(number) < NEW_VISITORS).tolist()
    for place, row in enumerate(rows):
        reader, session = visitors.readers[row], visitors.sessions[row]
        if is_event[place]:
            event = click(f"{run}-{place}", visitors.articles[opened[place]], reader, session)
            requests.append(posted("/api/v1/events", json.dumps(event)))
        else:
            who = f"session={session}" if reader is None else f"reader={reader}&session={session}"
            if is_new[place]:
                who = f"session=new{run}{place}"
            requests.append(asked(f"/api/v1/recommendations?{who}&slot=front&k={k}"))
        kinds.append(EVENT if is_event[place] else LIST)
    return Workload(requests, kinds)


def arrivals(rate: float, seconds: float, rng: np.random.Generator) -> list[float]:
    """Times at which requests come, at random: a Poisson process of so many per second."""
    gaps = rng.exponential(1 / rate, size=max(1, round(rate * seconds * 1.2) + 50))
    times: npt.NDArray[np.float64] = np.cumsum(gaps)
    return [float(time) for time in times[times < seconds]]


def click(event_id: str, article: str, reader: str | None, session: str | None) -> dict[str, str]:
    """One click as the API takes it; its time is when it comes."""
    event = {"event_id": event_id, "kind": "click", "article": article, "reader": reader, "session": session}
    return {name: value for name, value in event.items() if value is not None}


def asked(path: str) -> bytes:
    """The bytes of a GET."""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n\r\n".encode()


def posted(path: str, body: str) -> bytes:
    """The bytes of a POST of JSON."""
    data = body.encode()
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(data)}"
    return f"{head}\r\n\r\n".encode() + data


def batches(articles: Sequence[str], number: int, size: int, prefix: str) -> tuple[list[bytes], list[list[str]]]:
    """Requests of several events each, and the identifiers under which those of each one are stored."""
    requests, ids = [], []
    for place in range(number):
        names = [f"{prefix}-{place}-{event}" for event in range(size)]
        events = [
            click(name, articles[(place * size + event) % len(articles)], None, f"{prefix}v{place}.{event // 5}")
            for event, name in enumerate(names)
        ]
        body = events[0] if size == 1 else {"events": events}
        requests.append(posted("/api/v1/events", json.dumps(body)))
        ids.append([owned_id(event["event_id"], None, event["session"]) for event in events])
    return requests, ids

"""Clients that mean harm: drips, bodies without an end, bombs, and strings of every kind in every place."""

import functools
import gzip
import json
import random
import socket
import statistics
import string
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from urllib.parse import quote

from tests.chaos.lab import Lab, Outcome, Served, event

HEALTH_CHECKS = 12
LIST = "/api/v1/recommendations?k=5"
EVENTS_HEAD = b"POST /api/v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


def slow(lab: Lab) -> Outcome:
    """A hundred connections that drip, bodies that never end, bombs of gzip: others are answered meanwhile."""
    outcome, folder = Outcome(), lab.copy()
    with lab.serving(folder) as service:
        before = _p98(service, lab.many(200, 80))
        for name, attack in (("drip", _drip), ("an endless body", _endless), ("a bomb", _bomb)):
            with _attacked(service, attack, lab.many(100, 100)) as tries:
                seconds = []
                for _ in range(HEALTH_CHECKS):
                    answer = service.get("/healthz", seconds=5.0)
                    outcome.expect(answer.status == 200, "wrong", f"{name}: health {answer.status}")
                    time.sleep(0.1)
                for _ in range(lab.many(100, 40)):
                    answer = service.get(LIST)
                    outcome.expect(answer.status == 200, "wrong", f"{name}: a list {answer.status}")
                    seconds.append(answer.seconds)
            outcome.tries += tries[0]
            during = statistics.quantiles(seconds, n=50)[-1]
            outcome.said.append(f"{name}: p98 of others {before * 1e3:.0f} -> {during * 1e3:.0f} ms")
        outcome.expect(service.get(LIST).status == 200, "wrong", "no list afterwards")
        outcome.expect("Traceback" not in service.text(), "wrong", "a traceback in the log")
    return outcome


def _p98(service: Served, asks: int) -> float:
    return statistics.quantiles([service.get(LIST).seconds for _ in range(asks)], n=50)[-1]


@contextmanager
def _attacked(service: Served, attack: Callable[[Served, threading.Event], None], clients: int) -> Iterator[list[int]]:
    """So many clients of one kind at once for the length of a block; yields the number of attacks."""
    stop, tries = threading.Event(), [0]

    def again() -> None:
        while not stop.is_set():
            tries[0] += 1
            with suppress(OSError):
                attack(service, stop)

    threads = [threading.Thread(target=again, daemon=True) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield tries
    finally:
        stop.set()
        for thread in threads:
            thread.join(20)


def _drip(service: Served, stop: threading.Event) -> None:
    with socket.create_connection(("127.0.0.1", service.port), 5) as client:
        for byte in EVENTS_HEAD:
            client.send(bytes([byte]))
            if stop.wait(0.3):
                return


def _endless(service: Served, stop: threading.Event) -> None:
    with socket.create_connection(("127.0.0.1", service.port), 5) as client:
        client.sendall(EVENTS_HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        while not stop.wait(0.5):
            client.sendall(b"10\r\n" + b"x" * 16 + b"\r\n")


def _bomb(service: Served, stop: threading.Event) -> None:
    packed = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    answer = service.ask("POST", "/api/v1/events", _packed(), packed)
    if answer.status >= 500 and answer.status != 503:
        raise OSError(f"a bomb was answered {answer.status}")
    stop.wait(0.5)


@functools.cache
def _packed() -> bytes:
    """Thirty megabytes of blanks in thirty kilobytes."""
    return gzip.compress(b'{"events": [' + b" " * 30_000_000)


ODD = (
    *(
        "",
        " ",
        "\0",
        "\x1b[31m",
        "\n",
        "\r\nX-Injected: 1",
        "../../etc/passwd",
        "%00",
        "%2e%2e%2f",
        "a" * 257,
        "a" * 5_000,
    ),
    *("中文", "🦊", "\u202e", "\ufeff", "\ud800", "é", "e\u0301", "ﬁ", "İ", "ß", "null", "None", "NaN", "undefined"),
    *("0", "-1", "1e309", "9" * 30, "1.0", "0x10", "true", "[]", "{}", "[object Object]", "=1+1", "@SUM(1)", "-2+3"),
    *("' OR 1=1 --", '"; DROP TABLE events; --', "<script>1</script>", "{{7*7}}", "${7*7}", "%s%s%n", "$(id)", "`id`"),
    *("2024-02-30", "2016-12-31T23:59:60Z", "0000-00-00", "9999-12-31T23:59:59.999999Z", "1970-01-01", "yesterday"),
    *("24:00", "2024-03-31T02:30:00", "-292277022657-01-27", "1711846800", str(2**63), str(-(2**63) - 1), str(2**64)),
)
TEXTS = (
    "event_id",
    "kind",
    "article",
    "reader",
    "session",
    "slot",
    "impression",
    "time",
    "position",
    "dwell_ms",
    "context",
)
PATHS = (
    *("/api/v1/articles/{}", "/api/v1/articles/{}/similar", "/api/v1/tags/{}", "/api/v1/readers/{}"),
    *("/article/{}", "/category/{}", "/stories/{}", "/tag/{}", "/admin/api/runs/{}", "/widget/{}"),
    *("/api/v1/recommendations?reader={}", "/api/v1/recommendations?k={}", "/api/v1/recommendations?session={}"),
    *("/api/v1/recommendations?article={}", "/api/v1/recommendations?lang={}", "/api/v1/recommendations?exclude={}"),
    *("/api/v1/recommendations?slot={}", "/api/v1/today?lang={}", "/api/v1/recommendations?include={}"),
)


def generated(rng: random.Random) -> str:
    """A string that nobody would send who means well, of one of several kinds."""
    kind = rng.randrange(6)
    if kind == 0:
        return rng.choice(ODD)
    if kind == 1:
        return "".join(chr(rng.randrange(0x110000)) for _ in range(rng.randrange(1, 20)))
    if kind == 2:
        return "".join(chr(rng.randrange(256)) for _ in range(rng.randrange(1, 300)))
    if kind == 3:
        return rng.choice(ODD) + rng.choice(ODD)
    if kind == 4:
        return str(rng.choice((rng.randrange(-(2**70), 2**70), rng.uniform(-1e300, 1e300), rng.random())))
    return "".join(rng.choice(string.printable) for _ in range(rng.randrange(1, 60)))


def strings(lab: Lab) -> Outcome:
    """Generated strings as identifiers, times, numbers and tags: no 5xx, no traceback, no header of theirs."""
    outcome, folder = Outcome(), lab.copy()
    with lab.serving(folder, env={"RECSYS_WEB__ADDRESS_EVENTS": "1000000"}) as service:
        key = lab.key(folder)
        wanted = lab.many(12_000, 2_500)
        requests = [_request(lab.rng, key) for _ in range(wanted)]

        def send(one: tuple[str, str, bytes | None, dict[str, str]]) -> None:
            method, path, body, headers = one
            answer = service.ask(method, path, body, headers)
            what = f"{method} {path[:120]} {(body or b'')[:160]!r}: {answer.status} {answer.body[:160]!r}"
            overloaded = answer.status == 503 and "retry-after" in answer.headers
            outcome.expect(0 < answer.status < 500 or overloaded, "wrong", what)
            outcome.expect("x-injected" not in answer.headers, "wrong", f"a header of theirs: {what}")
            if answer.status >= 400 and path.startswith(("/api", "/admin/api")):
                outcome.expect(answer.is_problem or method == "HEAD", "wrong", f"no problem: {what}")

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(send, requests))
        outcome.tries = wanted
        outcome.expect(service.get(LIST).status == 200, "wrong", "no list afterwards")
        log = service.text()
        outcome.expect("Traceback" not in log, "wrong", "a traceback in the log")
        outcome.expect("\x1b[31m" not in log.replace("\x1b[0m", ""), "wrong", "a control sequence of theirs in the log")
    done = lab.job(folder, "events")
    outcome.expect(done.returncode == 0, "wrong", f"events afterwards: {done.stderr[-300:]}")
    return outcome


def _request(rng: random.Random, key: str) -> tuple[str, str, bytes | None, dict[str, str]]:
    if rng.random() < 0.45:
        value = generated(rng).encode("utf-8", "surrogatepass")
        return "GET", rng.choice(PATHS).format(quote(value, safe="")), None, {}
    headers = {"Content-Type": "application/json"}
    if rng.random() < 0.2:
        fields = ("title", "body", "url", "image", "language", "category", "published_at", "expires_at", "entities")
        article = {"title": "T", "body": "B"} | {name: generated(rng) for name in rng.sample(fields, 3)}
        name = quote(generated(rng).encode("utf-8", "surrogatepass"), safe="")
        return (
            "PUT",
            f"/api/v1/articles/{name}",
            json.dumps(article).encode(),
            headers | {"Authorization": f"Bearer {key}"},
        )
    sent = event(rng.randrange(10**9)) | {name: _value(rng) for name in rng.sample(TEXTS, rng.randrange(1, 4))}
    return "POST", "/api/v1/events", json.dumps({"events": [sent]}).encode(), headers


def _value(rng: random.Random) -> object:
    return rng.choice(
        (generated(rng), generated(rng), rng.randrange(-(2**65), 2**65), rng.random(), None, [], {}, True)
    )

"""PostgreSQL that crashes, fails over to a copy or has no connection left: what was acknowledged is there, once."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psycopg
import yaml

from recsys.store import Scope, Store
from tests.chaos.lab import Lab, Outcome, Served, event
from tests.newsroom import QUICK, SITE, fill_toy, toy_settings
from tests.postgres_server import INSTALLED, REMEDY, USER, RestartableServer

LIST = "/api/v1/recommendations?k=5"
BATCH = 20
AWAY_SECONDS = (0.5, 4.0)
MENDS_SECONDS = 15.0
HOARD = "hoard"  # name of the connections that take all there are

Harm = Callable[[Served, set[str]], None]


def restarts(lab: Lab) -> Outcome:
    """The server crashes and comes back, again and again, while events are posted and lists are asked for."""
    outcome = Outcome(skipped="" if INSTALLED else REMEDY)
    if outcome.skipped:
        return outcome
    server = RestartableServer(_folder(lab, "restarts"))

    def harm(service: Served, acknowledged: set[str]) -> None:
        for _ in range(lab.many(20, 3)):
            time.sleep(lab.rng.uniform(0.2, 1.5))
            server.kill()
            outcome.tries += 1
            _lists_for(service, outcome, lab.rng.uniform(*AWAY_SECONDS))
            server.start()
            _mended(outcome, acknowledged)

    with _ended([server]):
        _over(lab, outcome, "restarts", server.url, harm)
    return outcome


def failovers(lab: Lab) -> Outcome:
    """The server crashes for good, and its copy, which every commit had waited for, takes its place."""
    outcome = Outcome(skipped="" if INSTALLED else REMEDY)
    if outcome.skipped:
        return outcome
    servers = [RestartableServer(_folder(lab, "first"))]
    servers.append(RestartableServer(_folder(lab, "copy-0"), servers[0]))
    hosts = "&".join(f"host=127.0.0.1:{server.port}" for server in servers)
    url = f"postgresql://{USER}@/postgres?{hosts}&target_session_attrs=read-write"

    def harm(service: Served, acknowledged: set[str]) -> None:
        for number in range(1, 1 + lab.many(8, 2)):
            time.sleep(lab.rng.uniform(0.2, 1.5))
            lost, copy = servers
            lost.kill()
            outcome.tries += 1
            _lists_for(service, outcome, lab.rng.uniform(*AWAY_SECONDS))
            copy.promote()
            _mended(outcome, acknowledged)
            servers[:] = [copy, RestartableServer(_folder(lab, f"copy-{number}"), copy, lost.port)]

    with _ended(servers):
        _over(lab, outcome, "failovers", url, harm)
    return outcome


def exhausted(lab: Lab) -> Outcome:
    """Others take every connection of the server, and the service's own are ended."""
    outcome = Outcome(skipped="" if INSTALLED else REMEDY)
    if outcome.skipped:
        return outcome
    server = RestartableServer(_folder(lab, "exhausted"))

    def harm(service: Served, acknowledged: set[str]) -> None:
        for _ in range(lab.many(10, 2)):
            time.sleep(lab.rng.uniform(0.2, 1.0))
            with ExitStack() as held:
                first = held.enter_context(_connection(server.url))
                _take_all(held, server.url)
                ours = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = %s"
                first.execute(ours + " AND application_name <> %s", ("client backend", HOARD))
                _take_all(held, server.url)
                outcome.tries += 1
                _lists_for(service, outcome, lab.rng.uniform(*AWAY_SECONDS))
            _mended(outcome, acknowledged)

    with _ended([server]):
        _over(lab, outcome, "exhausted", server.url, harm)
    return outcome


def _folder(lab: Lab, name: str) -> Path:
    folder = lab.folder / f"postgresql-{name}"
    folder.mkdir()
    lab.folder.chmod(0o755)  # the server runs as a user of its own
    return folder


@contextmanager
def _ended(servers: list[RestartableServer]) -> Iterator[None]:
    try:
        yield
    finally:
        for server in servers:
            with suppress(ProcessLookupError):
                server.kill()


def _connection(url: str) -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(url, autocommit=True, application_name=HOARD)


def _take_all(held: ExitStack, url: str) -> None:
    """Connect until nobody is let in."""
    with suppress(psycopg.OperationalError):
        while True:
            held.enter_context(_connection(url))


def _over(lab: Lab, outcome: Outcome, name: str, url: str, harm: Harm) -> None:
    """Serve a newsroom over a database while it is harmed and events are posted, and compare what is there."""
    folder = lab.folder / f"over-{name}"
    folder.mkdir()
    settings = toy_settings(folder, store={"url": url})
    fill_toy(settings)
    store = Store.open(url, settings.store)
    key = store.add_token("chaos", Scope.WRITE, SITE)
    served = {"store": {"url": url}, "jobs": {"schedules": {}}, "web": {"workers": 2}}
    (folder / "config.yaml").write_text(yaml.safe_dump(QUICK | served))
    with lab.serving(folder) as service, _posting(service, outcome, key) as acknowledged:
        harm(service, acknowledged)
    rows = store.event_columns_after(SITE, 0, 10_000_000, ("event_id",))["event_id"]
    for missing in sorted(acknowledged - set(rows))[:5]:
        outcome.fault("lost", missing)
    outcome.expect(len(rows) == len(set(rows)), "wrong", "events that are there twice")
    outcome.said.append(f"{len(acknowledged)} events acknowledged")
    store.close()


@contextmanager
def _posting(service: Served, outcome: Outcome, key: str) -> Iterator[set[str]]:
    """Events that are posted all the while; gives the identifiers of those that were acknowledged."""
    acknowledged, stop = set[str](), threading.Event()

    def post() -> None:
        number = 0
        while not stop.is_set():
            batch = [event(f"pg-{number + n}") for n in range(BATCH)]
            answer = service.post_events(batch, key, seconds=60)
            if answer.status == 202:
                acknowledged.update(str(one["event_id"]) for one in batch)
                number += BATCH
            outcome.expect(answer.status in (202, 503), "wrong", f"an event: {answer.status} {answer.body[:120]!r}")
            time.sleep(0.02)

    poster = threading.Thread(target=post, daemon=True)
    poster.start()
    try:
        yield acknowledged
    finally:
        stop.set()
        poster.join(60)


def _lists_for(service: Served, outcome: Outcome, seconds: float) -> None:
    """Ask for lists while the database is away; each must come."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        answer = service.get(LIST)
        outcome.expect(answer.status == 200, "wrong", f"a list without the database: {answer.status}")
        time.sleep(0.1)


def _mended(outcome: Outcome, acknowledged: set[str]) -> None:
    """Wait until an event is taken again."""
    before, deadline = len(acknowledged), time.monotonic() + MENDS_SECONDS
    while len(acknowledged) == before and time.monotonic() < deadline:
        time.sleep(0.05)
    outcome.expect(len(acknowledged) > before, "wrong", "no event is taken when it is back")

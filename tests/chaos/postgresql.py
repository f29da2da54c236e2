"""PostgreSQL that crashes under load and comes back: what was acknowledged is there, and nothing outlasts the fault."""

import threading
import time
from contextlib import suppress

import yaml

from recsys.store import Scope, Store
from tests.chaos.lab import Lab, Outcome, Served, event
from tests.newsroom import QUICK, SITE, fill_toy, toy_settings
from tests.postgres_server import INSTALLED, REMEDY, RestartableServer

LIST = "/api/v1/recommendations?k=5"
BATCH = 20
AWAY_SECONDS = (0.5, 4.0)
MENDS_SECONDS = 15.0


def restarts(lab: Lab) -> Outcome:
    """The server crashes and comes back, again and again, while events are posted and lists are asked for."""
    outcome = Outcome(skipped="" if INSTALLED else REMEDY)
    if outcome.skipped:
        return outcome
    place, folder = lab.folder / "postgresql", lab.folder / "over-postgresql"
    for made in (place, folder):
        made.mkdir()
    lab.folder.chmod(0o755)  # the server runs as a user of its own
    server = RestartableServer(place)
    try:
        settings = toy_settings(folder, store={"url": server.url})
        fill_toy(settings)
        store = Store.open(server.url, settings.store)
        key = store.add_token("chaos", Scope.WRITE, SITE)
        served = {"store": {"url": server.url}, "jobs": {"schedules": {}}, "web": {"workers": 2}}
        (folder / "config.yaml").write_text(yaml.safe_dump(QUICK | served))
        with lab.serving(folder) as service:
            acknowledged = _crashes(lab, outcome, server, service, key)
        rows = store.event_columns_after(SITE, 0, 10_000_000, ("event_id",))["event_id"]
        for name in sorted(acknowledged - set(rows))[:5]:
            outcome.fault("lost", name)
        outcome.expect(len(rows) == len(set(rows)), "wrong", "events that are there twice")
        outcome.said.append(f"{len(acknowledged)} events acknowledged")
        store.close()
    finally:
        with suppress(ProcessLookupError):
            server.kill()
    return outcome


def _crashes(lab: Lab, outcome: Outcome, server: RestartableServer, service: Served, key: str) -> set[str]:
    """Crash the server again and again; returns the identifiers of the events that were acknowledged."""
    acknowledged, stop = set[str](), threading.Event()

    def post() -> None:
        number = 0
        while not stop.is_set():
            batch = [event(f"pg-{number + n}") for n in range(BATCH)]
            answer = service.post_events(batch, key)
            if answer.status == 202:
                acknowledged.update(str(one["event_id"]) for one in batch)
                number += BATCH
            outcome.expect(answer.status in (202, 503), "wrong", f"an event: {answer.status} {answer.body[:120]!r}")
            time.sleep(0.02)

    poster = threading.Thread(target=post, daemon=True)
    poster.start()
    for _ in range(lab.many(20, 3)):
        time.sleep(lab.rng.uniform(0.2, 1.5))
        server.kill()
        outcome.tries += 1
        until = time.monotonic() + lab.rng.uniform(*AWAY_SECONDS)
        while time.monotonic() < until:
            answer = service.get(LIST)
            outcome.expect(answer.status == 200, "wrong", f"a list without the database: {answer.status}")
            time.sleep(0.1)
        server.start()
        before, deadline = len(acknowledged), time.monotonic() + MENDS_SECONDS
        while len(acknowledged) == before and time.monotonic() < deadline:
            time.sleep(0.05)
        outcome.expect(len(acknowledged) > before, "wrong", "no event is taken when it is back")
    stop.set()
    poster.join(30)
    return acknowledged

"""A long time at one rate, with all that happens on a site meanwhile: does memory, or anything else, go on growing?

Requests come in pieces of a minute. Beside each piece a feed brings articles (``python -m jobs import feed``, from a
server in this process), some of them are taken down, and in every fifth a release is published; in the middle the site
is trained again (``python -m jobs all``) while requests go on. Between two pieces it is looked at what the service
holds. What grows while a worker comes to know its readers is no leak: growth counts from the end of the first sixth.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from email.utils import formatdate
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.serve.client import COMPLETE, Outcomes
from benchmarks.serve.load import Setting, Table, open_run, started, summary
from benchmarks.serve.service import Service
from benchmarks.serve.swaps import append, publish_other
from recsys.releases import Releases
from recsys.store import Outcome as StoredAs
from recsys.store import Store
from recsys.workspace import Workspace

PIECE_SECONDS = 60.0
FEWEST = 6  # pieces of a run, however short
RELEASE_EVERY = 5  # pieces
FED, TAKEN_DOWN = 10, 3  # articles of each piece
SETTLED = 6  # growth counts from the end of so many-th of the run
ENDED_WELL = (0, 2)  # exit codes of ``all``: published, and kept back by the gate of candidates
SHARED_MEMORY = Path("/dev/shm")


class Seen(NamedTuple):
    """Holdings of a service at one moment.

    Attributes:
        rss: MiB of the largest process.
        pss: MiB of all processes.
        descriptors: open file descriptors of all processes.
        threads: of all processes.
        shared: bytes of shared memory of this machine.
    """

    rss: float
    pss: float
    descriptors: int
    threads: int
    shared: int


def soak(
    setting: Setting, data: Path, environment: Mapping[str, str], texts: Sequence[str], rate: float, seconds: float
) -> Table:
    """Requests for a long time, while articles come and go, releases are published, and the site is trained again.

    Args:
        setting: the circumstances.
        data: the folder that is served.
        environment: of the jobs.
        texts: bodies of the articles that the feed brings.
        rate: requests per second.
        seconds: for how long.
    """
    pieces = max(FEWEST, round(seconds / PIECE_SECONDS))
    releases, workspace = Releases(data / "releases"), Workspace(data / "work")
    store, known = Store.open(f"sqlite:///{data / 'store.db'}"), set(releases.names())
    outcomes, seen, said, hidden = Outcomes(), list[Seen](), list[str](), 0
    training: subprocess.Popen[bytes] | None = None
    with feed(texts) as (address, bring):
        for piece in range(pieces):
            with started(open_run(setting, rate, seconds / pieces)) as running:
                names = bring(piece)
                said += _feed(address, environment)
                for name in names[:TAKEN_DOWN]:
                    hidden += store.hide_article("default", name, "soak") is StoredAs.HIDDEN
                if piece == pieces // 2:
                    training = _started(["all"], environment)
                if piece % RELEASE_EVERY == 1 and (training is None or training.poll() is not None):
                    known.add(publish_other(releases, workspace))
                append(outcomes, running.result())
            seen.append(look(setting.service))
            known |= set(releases.names())
            print(f"{piece + 1} of {pieces}: {seen[-1]}", flush=True)
    code = training.wait() if training is not None else None
    store.close()
    if code not in ENDED_WELL:
        said.append(f"python -m jobs all: exit code {code}")
    foreign = outcomes.releases - known - set(releases.names())
    return {
        "pieces": pieces,
        "fed": FED * pieces,
        "hidden": hidden,
        "releases": len(outcomes.releases),
        "trained_exit_code": code,
        "foreign_releases": len(foreign),
        **growth(seen),
        **{f"soak_{name}": value for name, value in summary(outcomes).items()},
        "soak_broken": sum(outcome != COMPLETE for outcome in outcomes.outcome),
        "faults": said[:8],
    }


def growth(seen: Sequence[Seen]) -> Table:
    """Medians of what was held at the end by those of when readers were known: the last sixth by the second."""
    some = max(1, len(seen) // SETTLED)
    early, late = (np.median(np.array(part), axis=0) for part in (seen[some : 2 * some], seen[-some:]))
    table: Table = {}
    for place, name in enumerate(Seen._fields):
        table |= {f"{name}_early": round(float(early[place]), 1), f"{name}_late": round(float(late[place]), 1)}
        table[f"{name}_growth"] = round(float(late[place] / early[place]), 3) if early[place] else None
    return table


def look(service: Service) -> Seen:
    """Holdings of a service now."""
    memory, family = service.memory(), [Path(f"/proc/{process}") for process in service.family()]
    shared = sum(file.stat().st_blocks * 512 for file in SHARED_MEMORY.rglob("*") if file.is_file())
    return Seen(
        round(memory[0].rss, 1),
        round(sum(one.pss for one in memory), 1),
        sum(_entries(process / "fd") for process in family),
        sum(_entries(process / "task") for process in family),
        shared,
    )


def _entries(folder: Path) -> int:
    try:
        return len(list(folder.iterdir()))
    except OSError:  # the process has ended meanwhile
        return 0


@contextmanager
def feed(texts: Sequence[str]) -> "Iterator[tuple[str, _Bring]]":
    """A feed at an address of this machine, and what brings new articles into it."""
    bring = _Bring(texts)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/rss+xml")
            self.end_headers()
            self.wfile.write(bring.document.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Nothing is said of requests."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/rss.xml", bring
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Bring:
    """New articles of a feed."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts, self.document = texts, ""

    def __call__(self, piece: int) -> list[str]:
        names = [f"soak-{piece}-{number}" for number in range(FED)]
        texts = [self._texts[(piece * FED + number) % len(self._texts)] for number in range(FED)]
        items = "".join(
            f'<item><guid isPermaLink="false">{name}</guid><link>https://news.example/{name}</link>'
            f"<title>{escape(text[:60])}</title><description>{escape(text)}</description>"
            f"<pubDate>{formatdate(time.time() - 60)}</pubDate></item>"
            for name, text in zip(names, texts, strict=True)
        )
        self.document = (
            '<?xml version="1.0"?><rss version="2.0"><channel><title>Soak</title><link>https://news.example</link>'
            f"<description>Simulated</description><language>en</language>{items}</channel></rss>"
        )
        return names


def _feed(address: str, environment: Mapping[str, str]) -> list[str]:
    """Import the feed; what went wrong, in words."""
    process = _started(["import", "feed", address, "--allow-private"], environment)
    said, _ = process.communicate()
    return [] if process.returncode == 0 else [f"import feed: {process.returncode}: {said.decode()[-300:]}"]


def _started(words: list[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "jobs", *words]
    where = subprocess.PIPE if words[0] == "import" else subprocess.DEVNULL
    return subprocess.Popen(command, env=os.environ | environment, stdout=where, stderr=subprocess.STDOUT)

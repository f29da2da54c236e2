"""Roll back and activate: how long until every worker answers with the other release, by API and by command.

    python -m benchmarks.serve --articles 100000 --readers 100000 --build --keep FOLDER
    python -m benchmarks.rollback --folder FOLDER [--workers 2] [--rounds 3]

Serves a copy of a data folder that has a release, beside which it lays the same files as a second one, with a name and
a signature of its own. A move is over when a connection to each worker has said the other name (``/readyz``); it begins
with the request, or with the start of the command, whose own time is told beside it: it loads libraries and verifies
every byte of the release. Nobody else asks meanwhile. Successors take idle cores alone, so the load of the machine
stands beside each move.
"""

import argparse
import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.serve.data import copied, environment
from benchmarks.serve.service import Service
from recsys.errors import LostProcess
from recsys.releases import Releases
from recsys.releases.config import ReleasesConfig
from recsys.releases.signing import MANIFEST
from recsys.store import Scope, Store
from recsys.workspace import write_json

MOST_SECONDS = 5.0  # that a move may take
GIVEN_UP_SECONDS = 120.0
PAUSE_SECONDS = 2.0  # between two moves
ADMIN_API = "/admin/api"


def second_release(root: Path) -> tuple[str, str]:
    """The names of the live release, and of another one with the same files, later and not yet live."""
    releases = Releases(root, ReleasesConfig())
    live, name = str(releases.current()), f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-0000"
    manifest = root / name / MANIFEST
    shutil.copytree(root / live, root / name, copy_function=os.link)
    manifest.unlink()  # or the one that is linked would change
    write_json(manifest, releases.manifest(live) | {"name": name})
    for signature in (root / name).glob(f"{MANIFEST}.*"):
        signature.unlink()
    releases.signatures.sign(root / name)
    return live, name


def until_all_say(service: Service, release: str, began: float) -> float:
    """Seconds from a moment until a connection to each worker says a release.

    Raises:
        LostProcess: they did not.
    """
    while time.monotonic() - began < GIVEN_UP_SECONDS:
        lines = service.one_per_worker()
        try:
            said = [line.get("/readyz")[1]["release"] for line in lines.values()]
        except OSError:  # one was taken over by its successor in between
            said = []
        finally:
            for line in lines.values():
                line.close()
        if said == [release] * service.workers:
            return time.monotonic() - began
    raise LostProcess(f"{service.workers} workers with {release}", "others", "See the log of the service.")


def by_api(service: Service, token: str) -> Callable[[str], None]:
    """Moves as a script asks for them."""

    def ask(path: str) -> None:
        line = http.client.HTTPConnection("127.0.0.1", service.port, timeout=GIVEN_UP_SECONDS)
        line.request("POST", f"{ADMIN_API}{path}", headers={"Authorization": f"Bearer {token}"})
        answer = line.getresponse()
        said = answer.read()
        line.close()
        if answer.status != 200:
            raise LostProcess("a move", f"{answer.status}: {said[:200]!r}", "See the log of the service.")

    return ask


def by_command(data: Path) -> Callable[[str], None]:
    """Moves as an operator types them."""

    def run(words: str) -> None:
        command = [sys.executable, "-m", "jobs", *words.split()]
        subprocess.run(command, env=os.environ | environment(data), check=True, capture_output=True)

    return run


def measured(folder: Path, scratch: Path, workers: int, rounds: int, site: str) -> list[dict[str, Any]]:
    """Move there and back, by both ways, some times."""
    data = copied(folder, scratch)
    live, other = second_release(data / "releases")
    store = Store.open(f"sqlite:///{data / 'store.db'}")
    token = store.add_token("benchmark", Scope.OPERATOR, site)
    store.close()
    rows = []
    with Service(data, workers, scratch / "web.log") as service:
        api, command = by_api(service, token), by_command(data)
        moves = (
            ("activate by API", api, f"/releases/{other}/activate", other),
            ("roll back by API", api, "/releases:rollback", live),
            ("promote by command", command, f"promote {other}", other),
            ("roll back by command", command, "rollback", live),
        )
        for _ in range(rounds):
            for name, does, what, then in moves:
                began = time.monotonic()
                does(what)
                asked = time.monotonic() - began
                seconds = until_all_say(service, then, began)
                load = round(os.getloadavg()[0], 1)
                rows.append(
                    {"move": name, "asked_seconds": round(asked, 2), "seconds": round(seconds, 2), "load": load}
                )
                said = f"its own {asked:6.2f} s, all {workers} workers after {seconds:6.2f} s"
                print(f"{name:22} {said}, load {load}", flush=True)
                time.sleep(PAUSE_SECONDS)
    return rows


def main(given: Sequence[str] | None = None) -> dict[str, Any]:
    """Copy, serve, move, print one JSON object."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rollback", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--folder", type=Path, required=True, help="with data/ that has a release; it stays as it is")
    parser.add_argument("--site", default="default", help="site.id of the folder")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(given)
    with tempfile.TemporaryDirectory(dir=options.folder.resolve().parent) as scratch:
        rows = measured(options.folder, Path(scratch) / "copy", options.workers, options.rounds, options.site)
    ours: dict[str, dict[str, float]] = {}
    for name in dict.fromkeys(row["move"] for row in rows):
        some = [row for row in rows if row["move"] == name]
        ours[name] = {"most_seconds": max(row["seconds"] for row in some)}
        ours[name] |= {"most_asked_seconds": max(row["asked_seconds"] for row in some)}
    best = {"most_seconds": max(row["most_seconds"] for row in ours.values()), "allowed_seconds": MOST_SECONDS}
    result = {"ours": ours, "moves": rows, "baselines": {}, "best": best, "seed": 0}
    print(json.dumps(result))
    return result


if __name__ == "__main__":
    main()

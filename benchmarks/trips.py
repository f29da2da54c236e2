"""Trips: how many files one request and one training enter, and how often a call crosses from one file to another.

A reader of the code makes the same trips. Builds a small simulated newsroom in a temporary folder, or takes the one in
``--data``; then traces one ``GET /api/v1/recommendations`` of a reader with clicks in a warmed application, and the
stages ``features`` and ``ctr`` as ``python -m jobs`` runs them. A file is entered when one of its functions is called;
a move is a call from a function of another file of the project. A call into machine code (numba) counts, what it calls
in turn leaves no trace. ``ctr_files`` are the files of the room ``ctr`` that its stage enters, ``features_files`` those
of ``features`` and ``dataset`` that theirs enters; ``ctr_trip_files`` and ``features_trip_files`` count what they enter
in all of ``recsys``.

    python -m benchmarks.trips
    python -m benchmarks.trips --data data --list

Prints one JSON object on the last line (docs/design.md).
"""

import argparse
import json
import os
import runpy
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from web.app import close_app, create_app

ROOT = Path(__file__).resolve().parents[1]
SMALL = {"RECSYS_SIMULATE__READERS": "150", "RECSYS_SIMULATE__DAYS": "3"}
WARM_REQUESTS = 5
TRACED = ("features", "ctr")


@dataclass
class Trip:
    """The files that calls entered.

    Attributes:
        packages: whose files count.
        within: file and function during whose call they count; without it, always.
        root: the project's root.
        files: calls by file, as a path below the project's root.
        moves: calls that crossed from one file to another, by both.
    """

    packages: tuple[str, ...]
    within: tuple[str, str] | None = None
    root: Path = ROOT
    files: Counter[str] = field(default_factory=Counter)
    moves: Counter[tuple[str, str]] = field(default_factory=Counter)
    _names: dict[str, str | None] = field(default_factory=dict)
    _depth: int = 0
    _threads: dict[int, bool] = field(default_factory=dict)

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        """Count one event of ``sys.setprofile``."""
        if self.within is not None and event in ("call", "return"):
            place = (frame.f_code.co_filename, frame.f_code.co_name)
            self._depth += (event == "call") - (event == "return") if place == self.within else 0
        began_within = self._threads.setdefault(threading.get_ident(), self.within is None or self._depth > 0)
        within = began_within or threading.current_thread() is threading.main_thread()
        if event != "call" or frame.f_code.co_name == "<module>" or not within or (self.within and not self._depth):
            return
        entered = self.name_of(frame)
        if entered is None:
            return
        self.files[entered] += 1
        caller = frame.f_back
        while caller is not None and self.name_of(caller) is None:
            caller = caller.f_back
        if caller is not None and (left := self.name_of(caller)) is not None and left != entered:
            self.moves[left, entered] += 1

    def name_of(self, frame: FrameType) -> str | None:
        """The frame's file below the project's root; None where it is not in the packages."""
        path = frame.f_code.co_filename
        if path not in self._names:
            file = Path(path)
            inside = file.is_relative_to(self.root) and file.relative_to(self.root).parts[0] in self.packages
            self._names[path] = file.relative_to(self.root).as_posix() if inside else None
        return self._names[path]


@contextmanager
def traced(trip: Trip) -> Iterator[None]:
    """Count the calls of this thread, and of those that it starts."""
    threading.setprofile(trip)
    sys.setprofile(trip)
    try:
        yield
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


def build(data: Path) -> None:
    """Simulate a small newsroom and train it."""
    environment = os.environ | SMALL | {"RECSYS_DATA_DIR": str(data)}
    for job in ("simulate", "all"):
        subprocess.run([sys.executable, "-m", "jobs", job], env=environment, check=True, stdout=sys.stderr)


def request_trip(data: Path) -> Trip:
    """One answer to the reader with the most clicks, after some others."""
    os.environ["RECSYS_DATA_DIR"] = str(data)
    app = create_app()
    try:
        client = app.test_client()
        address = f"/api/v1/recommendations?reader={reader_of(data)}&k=10"
        for _ in range(WARM_REQUESTS):
            client.get(address)
        trip = Trip(("recsys", "web"))
        with traced(trip):
            answer = client.get(address)
        given = answer.get_json()
        if given["tier"] != "personal" or len(given["items"]) != 10:
            raise SystemExit(f"expected a personal list of ten articles; got {given['tier']}, {len(given['items'])}")
        return trip
    finally:
        close_app(app)


def reader_of(data: Path) -> str:
    """The reader with the most clicks."""
    query = "SELECT reader FROM events WHERE kind = 'click' GROUP BY reader ORDER BY count(*) DESC, reader LIMIT 1"
    with sqlite3.connect(data / "store.db") as database:
        return str(database.execute(query).fetchone()[0])


def stage_trip(data: Path, stage: str) -> Trip:
    """One stage, made anew in a process of its own: all that ``run`` of ``jobs/STAGE.py`` calls in ``recsys``."""
    environment = os.environ | SMALL | {"RECSYS_DATA_DIR": str(data)}
    command = [sys.executable, "-m", "benchmarks.trips", "--stage", stage]
    child = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    traced_calls = json.loads(child.stdout.splitlines()[-1])
    trip = Trip(("recsys",))
    trip.files.update(traced_calls["files"])
    trip.moves.update({(left, entered): n for left, entered, n in traced_calls["moves"]})
    return trip


def follow(stage: str) -> None:
    """Run one stage in this process, and print its trip."""
    trip = Trip(("recsys",), within=(str(ROOT / "jobs" / f"{stage}.py"), "run"))
    sys.argv = ["jobs", stage, "--fresh"]
    try:
        with traced(trip):
            runpy.run_module("jobs", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code:
            raise
    print(json.dumps({"files": trip.files, "moves": [(*both, n) for both, n in trip.moves.items()]}))


def files_in(trip: Trip, *names: str) -> int:
    """The number of files entered that stand in some rooms."""
    return sum(file.split("/")[1].removesuffix(".py") in names for file in trip.files)


def show(title: str, trip: Trip, in_detail: bool) -> None:
    """Print a trip, and with it each file and the busiest crossings."""
    print(f"{title:9} {len(trip.files):3} files  {sum(trip.moves.values()):8,} moves")
    if in_detail:
        for file, calls in sorted(trip.files.items()):
            print(f"          {file:45} {calls:8,} calls")
        for (left, entered), n in trip.moves.most_common(40):
            print(f"          {left:40} -> {entered:40} {n:6,}")


def main() -> None:
    """Trace the trips."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.trips", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, help="data folder of a newsroom with a release; else one is simulated")
    parser.add_argument("--list", action="store_true", help="name every file and the busiest crossings")
    parser.add_argument("--stage", choices=TRACED, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.stage:
        follow(options.stage)
        return
    with tempfile.TemporaryDirectory() as folder:
        data = options.data or Path(folder)
        if options.data is None:
            build(data)
        training, rows = stage_trip(data, "ctr"), stage_trip(data, "features")
        request = request_trip(data)
    for title, trip in (("request", request), ("ctr", training), ("features", rows)):
        show(title, trip, options.list)
    best = {
        "request_files": len(request.files),
        "request_moves": sum(request.moves.values()),
        "ctr_files": files_in(training, "ctr"),
        "features_files": files_in(rows, "features", "dataset"),
    }
    whole = {"ctr_trip_files": len(training.files), "features_trip_files": len(rows.files)}
    print(json.dumps({"ours": best | whole, "baselines": {}, "best": best}))


if __name__ == "__main__":
    main()

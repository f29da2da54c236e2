"""Runs under ``kill -9``: a worker and its child processes are killed at random moments while runs are queued.

Each try queues a run of one job after another, kills the worker, its child, or both once or twice while it goes on,
starts the worker again and waits for the end. Counted are runs that nobody ended (lost), that went on twice at a time
(doubled), that were tried as often as may be and gave no result, releases that do not open (torn), processes that were
left behind (orphans), and releases that a run published after it had been given up.

The lease, the heartbeat and the pause before the next attempt are a tenth of what they are, so that a try takes
seconds; everything else is as it is served.
"""

import itertools
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import yaml

from recsys.errors import ArtefactError, Busy
from recsys.releases import Releases
from recsys.runs.lifecycle import MAX_ATTEMPTS
from recsys.runs.stages import STAGES
from recsys.store import Run, Store
from recsys.units import now_ms
from recsys.workspace import Workspace
from tests.newsroom import QUICK, SITE, fill_toy, toy_settings, train

ROOT = Path(__file__).resolve().parents[2]
JOBS = ("all", *STAGES, "publish")
QUICKER = (
    "import runpy, sys; from recsys.runs import lifecycle; "
    "lifecycle.LEASE_SECONDS, lifecycle.HEARTBEAT_SECONDS, lifecycle.BACKOFF_MS = 6.0, 0.4, 500; "
)
WORKER = QUICKER + (
    "from jobs import worker; worker.PROGRAM = (sys.executable, '-c', sys.argv[1], 'jobs'); "
    "sys.argv = ['jobs', 'worker']; runpy.run_module('jobs', run_name='__main__')"
)
CHILD = QUICKER + "sys.argv = ['jobs', *sys.argv[2:]]; runpy.run_module('jobs', run_name='__main__')"
TRY_SECONDS = 240.0
GONE_SECONDS = 60.0  # a process whose run has ended ends by itself, on a busy machine in some seconds
EARLY = 0.25  # share of the kills before a run's process says that it has begun
START_SECONDS = 4.0  # in which that is
END_SECONDS = 0.5  # for which a process may live on when its job is done


class Newsroom:
    """A toy newsroom whose runs are done by a worker that can be killed.

    Args:
        folder: for its data.
        rng: decides who is killed when.
    """

    def __init__(self, folder: Path, rng: random.Random) -> None:
        self.rng, self.settings = rng, toy_settings(folder)
        fill_toy(self.settings)
        train(self.settings)
        (folder / "config.yaml").write_text(yaml.safe_dump(QUICK | {"jobs": {"schedules": {}}}))
        self.env = {**os.environ, "RECSYS_DATA_DIR": str(folder), "RECSYS_CONFIG": str(folder / "config.yaml")}
        self.store = Store.open(self.settings.database_url, self.settings.store)
        self.releases = Releases(folder / "releases", self.settings.releases)
        self.log = (folder / "worker.log").open("ab")
        self.worker = self._worker()
        self.counts: Counter[str] = Counter()
        self.told: list[str] = []
        workspace = Workspace(self.settings.data_dir / "work")
        self.lasts = {stage: float(workspace.record(stage).facts.get("seconds", 0.0)) for stage in STAGES}
        self.lasts |= {"all": sum(self.lasts.values()), "publish": 1.0}

    def _worker(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-c", WORKER, CHILD]
        return subprocess.Popen(command, cwd=ROOT, env=self.env, stdout=self.log, stderr=self.log)

    def close(self) -> None:
        """End the worker."""
        self.worker.terminate()
        self.worker.wait(60)
        self.store.close()
        self.log.close()

    def once(self, job: str) -> None:
        """One try: a run of a job, somebody of which is killed once or twice while it goes on."""
        fresh = job != "publish" and self.rng.random() < 0.75
        run = self.store.queue_run(Run.asked(SITE, job, {"fresh": True} if fresh else {}, "chaos", now_ms()))
        chain = {run.id}
        for _ in range(self.rng.randint(1, MAX_ATTEMPTS - 1)):
            if self.rng.random() < EARLY:
                self._wait(chain, self.rng.uniform(0.0, START_SECONDS))
            else:
                self._wait(chain, TRY_SECONDS, until_begun=True)
                self._wait(chain, self.rng.uniform(0.0, END_SECONDS + self.lasts[job]))
            self._kill(job)
        deadline = time.monotonic() + TRY_SECONDS
        while self.store.active_runs(SITE) and time.monotonic() < deadline:
            self._look(chain)
            time.sleep(0.1)
        self._judge(chain)

    def _wait(self, chain: set[str], seconds: float, *, until_begun: bool = False) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and (active := self.store.active_runs(SITE)):
            if until_begun and any(run.state == "running" and run.pid for run in active):
                return
            self._look(chain)
            time.sleep(0.05)

    def _look(self, chain: set[str]) -> None:
        active = self.store.active_runs(SITE)
        chain.update(run.id for run in active)
        if sum(run.state == "running" for run in active) > 1:
            self.counts["doubled"] += 1

    def _kill(self, job: str) -> None:
        child = next((run.pid for run in self.store.active_runs(SITE) if run.state == "running" and run.pid), None)
        whom = self.rng.choice(("worker", "child", "both"))
        if whom in ("worker", "both"):
            self.worker.kill()
            self.worker.wait()
        if child is not None and whom in ("child", "both"):
            try:
                os.kill(child, signal.SIGKILL)
            except ProcessLookupError:  # it has ended by itself
                child = None
        if child is not None or whom == "worker":  # else nobody was there to be killed
            self.counts[f"killed: {whom}"] += 1
            self.counts[f"of {job}"] += 1
        if self.worker.poll() is not None:
            self.worker = self._worker()

    def _judge(self, chain: set[str]) -> None:
        self.counts["tries"] += 1
        rows = [row for row in (self.store.run(id) for id in chain) if row is not None]
        states = Counter(row.state for row in rows)
        if any(row.state in ("queued", "running") for row in rows):
            self.counts["lost"] += 1
        elif not states["succeeded"]:
            self.counts["without result"] += 1
            self.told.extend(f"{row.job} {row.attempt} {row.state} by signal or not: {row.error}" for row in rows)
        self.counts["attempts"] += len(rows)
        try:
            self.releases.open()
        except (ArtefactError, Busy):
            self.counts["torn"] += 1
        made_by = {row.id for row in rows if row.state == "succeeded"}
        manifest = self.releases.manifest(str(self.releases.current()))
        if manifest["run"] in chain - made_by:
            self.counts["published by a run that was given up"] += 1
        deadline = time.monotonic() + GONE_SECONDS
        while (orphans := _processes(self.settings.data_dir, {self.worker.pid})) and time.monotonic() < deadline:
            time.sleep(0.2)  # one that has ended its run takes a moment to end itself
        self.counts["orphans"] += len(orphans)
        self.told.extend(orphans)


def _processes(folder: Path, besides: set[int]) -> list[str]:
    """The command lines of processes of this data folder, once all runs have ended."""
    mark = f"RECSYS_DATA_DIR={folder}".encode()
    found: list[str] = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark in path.read_bytes().split(b"\0") and int(path.parent.name) not in besides:
                words = (path.parent / "cmdline").read_bytes().split(b"\0")
                found.append(f"left behind: {b' '.join(words).decode(errors='replace'):.200}")
        except OSError:  # it has ended, or is another user's
            continue
    return found


def killed_in(counts: Mapping[str, int]) -> int:
    """How often somebody was killed."""
    return sum(number for name, number in counts.items() if name.startswith("killed"))


def measure(folder: Path, kills: int, seed: int, told: Callable[[str], None], *, newsrooms: int = 3) -> Counter[str]:
    """Try one job after another until so many processes were killed.

    Args:
        folder: for the newsrooms' data.
        kills: in all of them together.
        seed: of the random moments.
        told: takes a line for people after each try.
        newsrooms: how many are tried at once: most of a try is waiting for a lease to end and for the next attempt.

    Returns:
        Counts by name: those killed by what they were and by the job that went on; of "lost", "doubled", "without
        result", "torn", "orphans" and "published by a run that was given up" none is wanted.
    """
    rngs = [random.Random(seed + number) for number in range(newsrooms)]
    with ExitStack() as stack:
        rooms = [stack.enter_context(closing(Newsroom(folder / str(n), rng))) for n, rng in enumerate(rngs)]
        pool = stack.enter_context(ThreadPoolExecutor(newsrooms))
        begun = range(newsrooms)
        parts = [pool.submit(_tried, rooms[n], n * len(JOBS) // newsrooms, -(-kills // newsrooms), told) for n in begun]
        return sum((part.result() for part in parts), Counter[str]())


def _tried(newsroom: Newsroom, first: int, kills: int, told: Callable[[str], None]) -> Counter[str]:
    counts, folder = newsroom.counts, newsroom.settings.data_dir.name
    for job in itertools.islice(itertools.cycle(JOBS), first, None):
        if (killed := killed_in(counts)) >= kills:
            break
        newsroom.once(job)
        told(f"newsroom {folder}: {killed} of {kills} killed, then {job}: {dict(counts)}")
        for line in newsroom.told:
            told(f"  {line}")
        newsroom.told.clear()
    return counts

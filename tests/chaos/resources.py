"""Resources that run out: the disk, the right to write, file descriptors, memory, the database."""

import os
import shutil
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from recsys.errors import ArtefactError
from recsys.releases import Releases
from tests.chaos.lab import Lab, Outcome, Reply, Served, event, said_clearly

LIST = "/api/v1/recommendations?k=5"
ROOM_MIB = 12  # of a small disk, beyond what the newsroom takes
READ_ONLY = ("unshare", "-m", "sh", "-c", 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"')


@contextmanager
def small_disk(lab: Lab) -> Iterator[Path]:
    """A copy of the newsroom on a disk of its own that has hardly any room left."""
    source = lab.copy()
    size = sum(path.stat().st_size for path in source.rglob("*") if path.is_file())
    disk = source.with_name(f"{source.name}-disk")
    disk.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={(size >> 20) * 2 + ROOM_MIB}m", "none", str(disk)], check=True
    )
    try:
        yield Path(shutil.copytree(source, disk, dirs_exist_ok=True, copy_function=shutil.copy))
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def may_mount() -> str:
    """The reason for which nothing can be mounted here; empty where it can."""
    return "" if os.geteuid() == 0 and shutil.which("mount") and shutil.which("unshare") else "needs root, to mount"


def fill(folder: Path, left: int) -> Path:
    """Leave so many bytes free on a disk; returns the file that takes the rest."""
    filler = folder / "filler"
    filler.unlink(missing_ok=True)
    with filler.open("wb") as file:
        rest = shutil.disk_usage(folder).free - left
        while rest > 0:
            rest -= file.write(b"\0" * min(rest, 1 << 20))
    return filler


def _whole(outcome: Outcome, folder: Path, what: str) -> None:
    """Count the live release as torn if it does not open."""
    try:
        Releases(folder / "releases").open()
    except ArtefactError as error:
        outcome.fault("torn", f"{what}: {error}")


def _post(outcome: Outcome, service: Served, number: int, acknowledged: set[str]) -> int:
    answer = service.post_events([event(number)])
    if answer.status == 202 and answer.json["accepted"]:
        acknowledged.add(f"chaos-{number}")
    outcome.expect(answer.status in (202, 503), "wrong", f"an event: {answer.status} {answer.body[:150]!r}")
    return answer.status


def _mends(outcome: Outcome, service: Served, number: int, acknowledged: set[str], what: str) -> None:
    """Count it as wrong if events are not taken again within some seconds after a fault has ended."""
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        if _post(outcome, service, number, acknowledged) == 202:
            return
        time.sleep(0.3)
    outcome.fault("wrong", f"{what}: no events are taken when it is over")


def _none_lost(lab: Lab, outcome: Outcome, folder: Path, acknowledged: set[str]) -> None:
    for name in sorted(acknowledged - lab.stored(folder)):
        outcome.fault("lost", name)


def disk(lab: Lab) -> Outcome:
    """A disk that is full while the service takes events and while jobs write."""
    outcome = Outcome(skipped=may_mount())
    if outcome.skipped:
        return outcome
    with small_disk(lab) as folder:
        acknowledged: set[str] = set()
        with lab.serving(folder) as service:
            for number in range(lab.many(6, 2)):
                filler = fill(folder, lab.rng.choice((0, 4_096, 30_000)))
                outcome.tries += 1
                for step in range(60):
                    _post(outcome, service, number * 1_000 + step, acknowledged)
                outcome.expect(service.get(LIST).status == 200, "wrong", "no list while the disk is full")
                outcome.expect(service.get("/healthz").status == 200, "wrong", "no health while the disk is full")
                filler.unlink()
                _mends(outcome, service, number * 1_000 + 999, acknowledged, "a full disk")
        _none_lost(lab, outcome, folder, acknowledged)
        commands = [("all", "--fresh"), ("publish",), ("events",), ("words", "--fresh"), ("backup", str(folder / "b"))]
        for number in range(lab.many(12, 3)):
            words = commands[number % len(commands)]
            filler = fill(folder, lab.rng.choice((0, 20_000, 300_000, 600_000)))
            outcome.tries += 1
            done = lab.job(folder, *words)
            text = done.stdout + done.stderr
            outcome.expect(
                done.returncode in (0, 1, 2), "wrong", f"{words[0]}: exit code {done.returncode}: {text[-300:]}"
            )
            outcome.expect("Traceback" not in text, "wrong", f"{words[0]}: a traceback: {text[-400:]}")
            filler.unlink()
            _whole(outcome, folder, words[0])
        done = lab.job(folder, "all")
        outcome.expect(done.returncode == 0, "wrong", f"all when there is room again: {done.stderr[-300:]}")
    return outcome


def read_only(lab: Lab) -> Outcome:
    """A data folder that cannot be written: lists are served, events refused, and every command says so."""
    outcome, folder = Outcome(skipped=may_mount()), lab.copy()
    if outcome.skipped:
        return outcome
    prefix = [*READ_ONLY, str(folder)]
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    for words in (("events",), ("all",), ("publish",), ("hide", "football-1"), ("runs",))[: lab.many(5, 3)]:
        outcome.tries += 1
        done = lab.job(folder, *words, prefix=prefix)
        text = done.stdout + done.stderr
        outcome.expect(
            done.returncode in ((0, 1) if words == ("runs",) else (1,)), "wrong", f"{words}: {done.returncode}"
        )
        outcome.expect("Traceback" not in text, "wrong", f"{words}: a traceback: {text[-400:]}")
    outcome.tries += 1
    with lab.serving(folder, prefix, wait=0) as service:
        outcome.expect(service.wait(120), "wrong", f"it does not serve: {service.text()[-300:]}")
        outcome.expect(service.get(LIST).status == 200, "wrong", "no list")
        answer = service.post_events([event(1)])
        outcome.expect(answer.status == 503 and answer.is_problem, "wrong", f"an event: {answer.status}")
    changed = [path.name for path, at in before.items() if not path.is_file() or path.stat().st_mtime_ns != at]
    outcome.expect(not changed, "torn", f"written all the same: {changed[:5]}")
    return outcome


def descriptors(lab: Lab) -> Outcome:
    """More connections than file descriptors: who is connected is answered, and everybody when they are gone."""
    outcome, folder = Outcome(), lab.copy()
    limit = 90
    limited = ["sh", "-c", f'ulimit -n {limit}; exec "$@"', "sh"]
    acknowledged: set[str] = set()
    with lab.serving(folder, limited, workers=1) as service:
        for number in range(lab.many(6, 2)):
            outcome.tries += 1
            with ExitStack() as held:
                for _ in range(2 * limit):
                    held.enter_context(socket.create_connection(("127.0.0.1", service.port), 5))
                time.sleep(1.0)
                outcome.expect(service.process.poll() is None, "wrong", "the parent has ended")
            deadline = time.monotonic() + 10
            while (status := service.get(LIST, seconds=5.0).status) != 200 and time.monotonic() < deadline:
                time.sleep(0.2)
            outcome.expect(status == 200, "wrong", f"a list when they are gone: {status}")
            _mends(outcome, service, number, acknowledged, "no descriptors")
    _none_lost(lab, outcome, folder, acknowledged)
    return outcome


def memory(lab: Lab) -> Outcome:
    """Jobs under a limit of memory: they fail or end well, and the live release stays whole."""
    outcome, folder = Outcome(), lab.copy()
    for number in range(lab.many(8, 2)):
        current = Releases(folder / "releases").current()  # of a try before, which may have ended well
        mib = lab.rng.randrange(700, 2_400)
        outcome.tries += 1
        limited = ["sh", "-c", f'ulimit -v {mib * 1024}; exec "$@"', "sh"]
        done = lab.job(folder, *(("all", "--fresh"), ("words", "--fresh"))[number % 2], prefix=limited)
        _whole(outcome, folder, f"{mib} MiB")
        if done.returncode != 0:
            now = Releases(folder / "releases").current()
            outcome.expect(now == current or number % 2 == 0, "torn", f"{mib} MiB: something was published")
    outcome.tries += 1
    done = lab.job(folder, "all")
    outcome.expect(done.returncode == 0, "wrong", f"all without a limit: {(done.stdout + done.stderr)[-300:]}")
    return outcome


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """A SQLite database that somebody else is writing."""
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


def lock(lab: Lab) -> Outcome:
    """A database that is locked for a minute: lists go on, events are told to come again, and then taken."""
    outcome, folder, seconds = Outcome(), lab.copy(), lab.many(60, 10)
    acknowledged: set[str] = set()
    with lab.serving(folder) as service, ThreadPoolExecutor(4) as pool:
        _post(outcome, service, 0, acknowledged)
        with locked(folder / "store.db"):
            deadline, number, waiting = time.monotonic() + seconds, 1, list[Future[Reply]]()
            while time.monotonic() < deadline:
                outcome.tries += 1
                if sum(not one.done() for one in waiting) < 4:
                    waiting.append(pool.submit(service.post_events, [event(number)], "", 60.0))
                    number += 1
                answer = service.get(LIST)
                outcome.expect(
                    answer.status == 200 and answer.seconds < 2, "wrong", f"a list: {answer.status} {answer.seconds}"
                )
                outcome.expect(service.get("/healthz").status == 200, "wrong", "no health")
                time.sleep(0.1)
            done = lab.job(folder, "hide", "football-2", seconds=90) if not lab.quick else None
            if done is not None:
                said_clearly(outcome, done, "hide", "Another process")
        for place, one in enumerate(waiting, 1):
            answer = one.result()
            if answer.status == 202:
                acknowledged.add(f"chaos-{place}")
            else:
                outcome.expect(answer.status == 503, "wrong", f"an event: {answer.status} {answer.body[:100]!r}")
                outcome.expect("retry-after" in answer.headers, "wrong", "no Retry-After")
        _mends(outcome, service, number, acknowledged, "a lock")
    _none_lost(lab, outcome, folder, acknowledged)
    return outcome


def _gone(file: Path, kept: Path) -> None:
    shutil.move(file, kept)


def _replaced(file: Path, kept: Path) -> None:
    shutil.move(file, kept)
    shutil.copyfile(kept, file)


def lost_database(lab: Lab) -> Outcome:
    """The database's file deleted, replaced or cut off under the service: nothing is taken that nobody would find."""
    outcome = Outcome()
    harms: tuple[Callable[[Path, Path], None], ...] = (_gone, _replaced)
    for harm in harms:
        folder, acknowledged = lab.copy(), set[str]()
        file, kept = folder / "store.db", folder / "kept.db"
        with lab.serving(folder) as service:
            _post(outcome, service, 0, acknowledged)
            harm(file, kept)
            outcome.tries += 1
            for number in range(1, 20):
                answer = service.post_events([event(number)])
                outcome.expect(answer.status == 503, "wrong", f"{harm.__name__}: an event {answer.status}")
                outcome.expect(service.get(LIST).status == 200, "wrong", f"{harm.__name__}: no list")
            if harm is _gone:
                outcome.expect(not file.exists(), "wrong", "an empty database was made")
                said_clearly(outcome, lab.job(folder, "events"), "events without a database", "store.db")
            file.unlink(missing_ok=True)
            shutil.move(kept, file)
            _mends(outcome, service, 100, acknowledged, harm.__name__)
        _none_lost(lab, outcome, folder, acknowledged)
    return outcome


def rows(lab: Lab) -> Outcome:
    """Rows that no importer could have written, in both tables: named, and in nobody's way."""
    outcome, folder = Outcome(), lab.copy()
    changes = {
        "events": ("time = 'yesterday'", "article = x'ff00'", "position = 99999", "kind = 'views'", "session = x'00'"),
        "articles": ("published_at = 'soon'", "title = x'ff'", "entities = '[oslo'", "hidden = 'perhaps'"),
    }
    with lab.serving(folder) as service:
        database = sqlite3.connect(folder / "store.db")
        database.execute("PRAGMA ignore_check_constraints = 1")
        for table, sets in changes.items():
            ids = [row[0] for row in database.execute(f"SELECT rowid FROM {table} ORDER BY random() LIMIT {len(sets)}")]
            for row, change in zip(ids, sets, strict=True):
                outcome.tries += 1
                change_too = ", change = 10000" if table == "articles" else ""
                database.execute(f"UPDATE {table} SET {change}{change_too} WHERE rowid = {row}")
        database.execute("UPDATE changes SET last = 10000")
        database.commit()
        database.close()
        time.sleep(1.5)
        outcome.expect(service.get(LIST).status == 200, "wrong", "no list")
        acknowledged: set[str] = set()
        _mends(outcome, service, 1, acknowledged, "damaged rows")
        time.sleep(1.0)
        ready = service.get("/readyz")
        outcome.expect(ready.status == 200, "wrong", f"not ready: {ready.body[:300]!r}")
    shutil.rmtree(folder / "log")
    done = lab.job(folder, "all")
    text = done.stdout + done.stderr
    outcome.expect(done.returncode == 0, "wrong", f"all: {done.returncode} {text[-400:]}")
    outcome.expect("Traceback" not in text, "wrong", f"a traceback: {text[-400:]}")
    outcome.expect("set aside" in text, "wrong", "nothing is named")
    _none_lost(lab, outcome, folder, acknowledged)
    return outcome

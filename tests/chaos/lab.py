"""Laboratory of the cases: a small trained newsroom that is built once, its copies, and real processes over them.

The newsroom is the toy of the tests, with two releases. A case gets a copy of it, starts ``python -m web`` and
``python -m jobs`` on the copy, does its harm, and counts what came of it.
"""

import http.client
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple
from zlib import crc32

import yaml

from benchmarks.serve.service import free_port
from jobs.runner import Context, run_stages
from jobs.stages import stage_of
from recsys.runs.stages import STAGES
from recsys.settings import Settings
from recsys.store import Scope, Store
from tests.newsroom import QUICK, SITE, fill_toy, published, toy_settings, train

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 180.0
COMMAND_SECONDS = 240.0
SAID = 8  # failures of a case that are told
SERVED = {"jobs": {"schedules": {}}, "web": {"workers": 2, "poll_seconds": 0.25}}


@dataclass
class Outcome:
    """Counts of one case.

    Attributes:
        tries: harms that were done.
        lost: things that were acknowledged and are not there.
        torn: damaged or half things that were taken for whole.
        wrong: wrong answers: an error that outlasts its fault or was none of ours to make, a traceback, silence.
        said: the first failures, in words.
        seconds: that it took.
        skipped: the reason for which nothing was done.
    """

    tries: int = 0
    lost: int = 0
    torn: int = 0
    wrong: int = 0
    said: list[str] = field(default_factory=list)
    seconds: float = 0.0
    skipped: str = ""

    def fault(self, kind: str, what: str) -> None:
        """Count one failure: ``kind`` is lost, torn or wrong."""
        setattr(self, kind, getattr(self, kind) + 1)
        if len(self.said) < SAID:
            self.said.append(f"{kind}: {what}")

    def expect(self, true: bool, kind: str, what: str) -> None:
        """Count a failure unless something is true."""
        if not true:
            self.fault(kind, what)


class Reply(NamedTuple):
    """One answer: status (0: none came), body, headers in lower case, seconds."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    seconds: float

    @property
    def json(self) -> Any:
        """The body as JSON, None where it is none."""
        with suppress(ValueError):
            return json.loads(self.body)
        return None

    @property
    def is_problem(self) -> bool:
        """True for an error that is answered as ours are."""
        return self.headers.get("content-type", "").startswith("application/problem+json") and "code" in (
            self.json or {}
        )


class Served:
    """One running service.

    Args:
        folder: its data.
        env: of its processes.
        prefix: command before ``python``.
        log: where what it says goes.
        workers: processes that answer.
    """

    def __init__(self, folder: Path, env: Mapping[str, str], prefix: Sequence[str], log: Path, workers: int) -> None:
        self.port, self.folder, self.log = free_port(), folder, log
        self._said = log.open("ab")
        command = [*prefix, sys.executable, "-m", "web", "--port", str(self.port)]
        more = {"RECSYS_WEB__WORKERS": str(workers)}
        self.process = subprocess.Popen(
            command, cwd=ROOT, env={**env, **more}, stdout=self._said, stderr=self._said, start_new_session=True
        )

    def wait(self, seconds: float = START_SECONDS) -> bool:
        """Wait until lists are answered; False where that does not come."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.process.poll() is None:
            if self.get("/readyz").status == 200:
                return True
            time.sleep(0.05)
        return False

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = 20.0,
    ) -> Reply:
        """Send one request on a connection of its own; an answer that does not come has status 0."""
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        try:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            content, status = answer.read(), answer.status
            told = {name.lower(): value for name, value in answer.getheaders()}
        except (OSError, http.client.HTTPException) as error:
            return Reply(0, repr(error).encode(), {}, time.monotonic() - began)
        finally:
            connection.close()
        return Reply(status, content, told, time.monotonic() - began)

    def get(self, path: str, seconds: float = 20.0) -> Reply:
        """A GET."""
        return self.ask("GET", path, seconds=seconds)

    def post_events(self, events: Iterable[Mapping[str, Any]], key: str = "", seconds: float = 20.0) -> Reply:
        """Post events, with a write key where there is one."""
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
        return self.ask("POST", "/api/v1/events", json.dumps({"events": list(events)}).encode(), headers, seconds)

    def family(self) -> list[int]:
        """Process ids: the parent's and of all that descend from it."""
        found, waiting = list[int](), [self.process.pid]
        while waiting:
            found.append(waiting.pop())
            for children in Path(f"/proc/{found[-1]}/task").glob("*/children"):
                with suppress(OSError):
                    waiting += map(int, children.read_text().split())
        return found

    def close(self) -> None:
        """End it, by force if it does not end by itself."""
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)  # of its own session
            self.process.wait()
        self._said.close()

    def text(self) -> str:
        """Everything that it has said."""
        return self.log.read_text(errors="replace")


class Lab:
    """Everything that a case needs.

    Args:
        folder: for all data.
        seed: of whatever is random.
        quick: fewer tries.
        told: is told of progress.
    """

    def __init__(self, folder: Path, seed: int, *, quick: bool, told: Callable[[str], None]) -> None:
        self.folder, self.quick, self.told, self.rng = folder, quick, told, random.Random(seed)
        self.base = folder / "base"
        self._made = 0

    def build(self) -> None:
        """Build the newsroom: fill it, train it, publish it twice."""
        self.base.mkdir(parents=True)
        settings = toy_settings(self.base)
        fill_toy(settings)
        train(settings)
        context = Context(settings, seed=2)
        run_stages(context, [stage_of(name) for name in STAGES])
        published(context, force=True)
        (self.base / "config.yaml").write_text(yaml.safe_dump(QUICK | SERVED))

    def many(self, whole: int, quick: int) -> int:
        """A number of tries."""
        return quick if self.quick else whole

    def copy(self) -> Path:
        """A copy of the newsroom in a folder of its own."""
        self._made += 1
        folder = self.folder / f"copy-{self._made}"
        shutil.copytree(self.base, folder, copy_function=shutil.copy)
        return folder

    def settings(self, folder: Path, **changes: Any) -> Settings:
        """The settings of a copy."""
        return toy_settings(folder, **changes)

    def env(self, folder: Path) -> dict[str, str]:
        """The environment of a process over a copy."""
        named = {"RECSYS_DATA_DIR": str(folder), "RECSYS_CONFIG": str(folder / "config.yaml")}
        return {**os.environ, **named}

    @contextmanager
    def serving(
        self,
        folder: Path,
        prefix: Sequence[str] = (),
        workers: int = 2,
        wait: float = START_SECONDS,
        env: Mapping[str, str] = MappingProxyType({}),
    ) -> Iterator[Served]:
        """A service for the length of a block, ready where ``wait`` is not 0."""
        served = Served(folder, {**self.env(folder), **env}, prefix, folder.with_suffix(".log"), workers)
        try:
            if wait and not served.wait(wait):
                raise RuntimeError(f"the service did not start: {served.text()[-1500:]}")
            yield served
        finally:
            served.close()

    def job(
        self,
        folder: Path,
        *words: str,
        prefix: Sequence[str] = (),
        seconds: float = COMMAND_SECONDS,
        env: Mapping[str, str] = MappingProxyType({}),
    ) -> "subprocess.CompletedProcess[str]":
        """Run ``python -m jobs``; code 124 where it does not end."""
        command = [*prefix, sys.executable, "-m", "jobs", *words]
        try:
            return subprocess.run(
                command,
                cwd=ROOT,
                env={**self.env(folder), **env},
                capture_output=True,
                text=True,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(command, 124, "", "it did not end")

    @contextmanager
    def store(self, folder: Path) -> Iterator[Store]:
        """The store of a copy."""
        settings = self.settings(folder)
        opened = Store.open(settings.database_url, settings.store)
        try:
            yield opened
        finally:
            opened.close()

    def key(self, folder: Path, scope: Scope = Scope.WRITE, name: str = "chaos") -> str:
        """A token of a copy."""
        with self.store(folder) as store:
            return store.add_token(name, scope, SITE)

    def stored(self, folder: Path) -> set[str]:
        """The identifiers of all events in a copy's store."""
        with self.store(folder) as store:
            rows = store.event_columns_after(SITE, 0, 10_000_000, ("event_id",))["event_id"]
        return {str(name).partition("~")[0] for name in rows}  # who sent it without a key stands behind the sign


def said_clearly(
    outcome: Outcome, done: "subprocess.CompletedProcess[str]", what: str, names: str = "", code: int = 1
) -> None:
    """Count a command that did not refuse with its exit code, without a traceback, and with a name in its message."""
    text = done.stdout + done.stderr
    outcome.expect(done.returncode == code, "wrong", f"{what}: exit code {done.returncode}: {text[-300:]}")
    outcome.expect("Traceback" not in text, "wrong", f"{what}: a traceback: {text[-300:]}")
    outcome.expect(names in text, "wrong", f"{what}: {names} is not named: {text[-300:]}")


def event(number: int | str, article: str = "football-1", **more: Any) -> dict[str, Any]:
    """A click whose identifier is ``number``."""
    return {
        "event_id": f"chaos-{number}",
        "kind": "click",
        "article": article,
        "reader": f"reader-{crc32(str(number).encode()) % 50}",
    } | more


def flipped(content: bytes, rng: random.Random) -> bytes:
    """The content with one bit changed."""
    at = rng.randrange(len(content))
    return content[:at] + bytes([content[at] ^ (1 << rng.randrange(8))]) + content[at + 1 :]


def shortened(content: bytes, rng: random.Random) -> bytes:
    """The content without its end."""
    return content[: rng.randrange(len(content))]

"""Every command that the documentation shows is run, as it stands there, against a small newsroom."""

import json
import os
import re
import shlex
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
import yaml

from tests.commands import job
from tests.newsroom import QUICK

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
ELSEWHERE = {
    "make run": ".ci/demo runs it",
    "make test": "this is it",
    "source .venv/bin/activate": "`python` is the one that runs this",
    "make chaos": "takes long: tests/test_chaos.py runs two of its cases",
    "CHAOS=quick make chaos": "eight minutes",
    "python -m tests.chaos --only disk-full --seed 3": "mounts a disk",
    "python -m tests.chaos --write": "changes docs/reliability.md",
    "python -m jobs person ann --role owner": "asks for a password: tests/test_sessions.py",
    "python -m benchmarks.list_rules --readers 20": "needs a hundred articles: tests/test_list_rules.py runs it",
}
BANDIT_COLUMNS = ["timestamp", "item_id", "position", "click", "propensity_score"]
FENCE = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    """All lines of all ``sh`` blocks, without their comments."""
    lines = [
        line for document in DOCUMENTS for block in FENCE.findall(document.read_text()) for line in block.splitlines()
    ]
    return list(dict.fromkeys(shlex.join(shlex.split(line, comments=True)) for line in lines if line.strip()))


@dataclass
class Place:
    """Where the commands run: their own data folder and files, and a service on a free port."""

    folder: Path
    env: dict[str, str]
    port: int
    token: str = ""
    admin: str = ""  # the last one that may look at jobs

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        words = [self.at_home(word) for word in shlex.split(command)]
        if words[:3] == [sys.executable, "-m", "jobs"]:
            return job(*words[3:], env=self.env)
        return subprocess.run(words, cwd=ROOT, env=self.env, capture_output=True, text=True, timeout=200, check=False)

    def run_with(self, command: str, **environment: str) -> None:
        """Run a command that is not shown, in another environment."""
        here = Place(self.folder, self.env | environment, self.port)
        assert here.run(command).returncode == 0

    def at_home(self, word: str) -> str:
        for shown, real in {
            "data.html": str(self.folder / "data.html"),
            "clicks.parquet": str(self.folder / "clicks.parquet"),
            "labels.jsonl": str(self.folder / "labels.jsonl"),
            "explored.csv": str(self.folder / "explored.csv"),
            "../shared/data/mind_sample": str(self.folder / "mind"),
            "../shared/data/bandit": str(self.folder / "bandit"),
            "../shared/data/bbc/": str(self.folder) + "/",
            "../shared/data/g1/": str(self.folder) + "/",
            "127.0.0.1:8080": f"127.0.0.1:{self.port}",
            "TOKEN": self.token,
        }.items():
            if word.startswith("/") or shown not in word:
                continue
            word = word.replace(shown, real)
        return sys.executable if word == "python" else word


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def write_files(folder: Path) -> None:
    """Small files in the shape that the documentation's commands expect."""
    words = ["goal", "keeper", "league", "coach"], ["bank", "bond", "share", "profit"]
    labels = [{"text": " ".join(words[n % 2] * (1 + n // 2)), "label": ["play", "work"][n % 2]} for n in range(12)]
    (folder / "labels.jsonl").write_text("".join(json.dumps(row) + "\n" for row in labels))
    clicks = [(f"r{n % 9}", f"s{n % 9}", f"a{n % 20}", 1_790_000_000_000 + n * 60_000) for n in range(400)]
    table = pd.DataFrame(clicks, columns=["user_id", "session_id", "click_article_id", "click_timestamp"])
    table.to_parquet(folder / "clicks.parquet")
    (folder / "mind").mkdir()
    news = [f"N{n}\tsports\tgolf\tTitle {n}\tAbstract {n}\thttps://example.org/{n}\t[]\t[]" for n in range(6)]
    (folder / "mind" / "news.tsv").write_text("\n".join(news) + "\n")
    shown = "N0-1 N1-0 N2-0 N3-0"
    rows = [f"{n}\tU{n % 3}\t11/{10 + n % 4}/2019 1:0{n % 10}:00 PM\tN4 N5\t{shown}" for n in range(12)]
    (folder / "mind" / "behaviors.tsv").write_text("\n".join(rows) + "\n")
    (folder / "bandit").mkdir()
    shows = [(n, n % 4, 1 + n % 3, int(n % 17 == 0), 0.25) for n in range(240)]
    logged = pd.DataFrame(shows, columns=BANDIT_COLUMNS)
    for name in ("bts_men", "random_men"):
        logged.to_csv(folder / "bandit" / f"{name}.csv.gz", index=False)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("docs")
    write_files(folder)
    (folder / "config.yaml").write_text(yaml.safe_dump({**QUICK, "site": {"id": "default"}}))
    port = free_port()
    env = {name: value for name, value in os.environ.items() if not name.startswith("RECSYS_")} | {
        "RECSYS_DATA_DIR": str(folder / "data"),
        "RECSYS_CONFIG": str(folder / "config.yaml"),
        "RECSYS_WEB__PORT": str(port),
    }
    here = Place(folder, env, port)
    with subprocess.Popen([sys.executable, "-m", "web"], cwd=ROOT, env=env, stderr=subprocess.DEVNULL) as service:
        try:
            wait_until_ready(port, service)
            yield here
        finally:
            service.terminate()


def wait_until_ready(port: int, service: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 180  # machine code may have to be made first
    while time.monotonic() < deadline and service.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise AssertionError("the service did not start")


def test_there_are_commands_to_run() -> None:
    assert len(commands()) >= 12
    assert {"make run", "make test"} <= set(commands())


@pytest.mark.slow
def test_every_command_that_is_shown_works_in_the_order_in_which_it_stands(place: Place) -> None:
    for command in commands():
        if command in ELSEWHERE:
            continue
        if "rollback" in command:
            epochs = {"RECSYS_CTR__EPOCHS": "2"}  # a second release, to go back from, which the gate may refuse
            Place(place.folder, place.env | epochs, place.port).run("python -m jobs all")
            place.run_with("python -m jobs publish --force", **epochs)
        if command.startswith("make "):
            done = place.run(f"make -n {command[5:]}")
        elif command.startswith("curl "):
            done = place.run(command.replace("curl ", "curl -fsS ", 1))
        else:
            done = place.run(command)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        if command.startswith("python -m jobs token") and "--role" in command:
            place.token = done.stdout.strip()
            place.admin = place.admin if "--role write" in command else place.token
        if command.startswith("curl "):
            wait_for_runs(place)


def wait_for_runs(place: Place) -> None:
    """Let a worker do what a command queued, so that the next command finds the workspace free."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{place.port}/admin/api/runs", headers={"Authorization": f"Bearer {place.admin}"}
    )

    def waiting() -> bool:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return any(run["state"] in ("queued", "running") for run in json.load(answer)["runs"])

    if not place.admin or not waiting():
        return
    worker = subprocess.Popen([sys.executable, "-m", "jobs", "worker"], cwd=ROOT, env=place.env)
    deadline = time.monotonic() + 120
    while waiting() and time.monotonic() < deadline:
        time.sleep(0.3)
    worker.terminate()
    worker.wait(30)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_and_picture_leads_to_a_file(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", document.read_text())
    missing = [link for link in targets if "://" not in link and not (document.parent / link).exists()]
    assert missing == []

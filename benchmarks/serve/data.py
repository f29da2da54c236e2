"""A data folder to serve from: simulated articles and visits through the real imports, and a release by the jobs.

Produces ``FOLDER/data``, the data folder, and ``FOLDER/built.json``, what it was built with and what each command took.
A folder that was built with the same is used again, and a
build that was broken off goes on where it stood. A run works on a copy, of which the release's files are hard links.
"""

import json
import os
import shutil
import sqlite3
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from benchmarks.cost import run_process
from benchmarks.serve.clicks import Articles, simulated_events
from benchmarks.simulated_articles import write_articles
from recsys.errors import ImportRefused
from recsys.runs.stages import STAGES
from recsys.units import DAY_MS, now_ms

MARKER = "built.json"
BEGUN = (
    "begun.json"  # the same of a folder that is not done: a build that was broken off goes on after its last command
)
ARTICLES, EVENTS = "articles.jsonl", "events.parquet"
FORMAT = 1  # raised when the same parameters would build another folder
ARTICLE_DAYS = 60  # over which the articles were published, up to now
EVENT_DAYS = 5  # over which they were visited, up to now
BATCH = 20_000  # articles written at once
# Real training, and no more of it than makes every file that is served: what is measured is serving, not ranking.
CHEAP = {
    "RECSYS_SITE__LANGUAGE": "en",
    "RECSYS_SITE__TIMEZONE": "UTC",
    "RECSYS_SITE__NAME": "Simulated site",
    "RECSYS_WORDS__MAX_TRAINED_WORDS": "4000000",
    "RECSYS_CATEGORIES__COMPARE": "[]",
    "RECSYS_ITEMS__MAX_TRAINED_CLICKS": "200000",
    "RECSYS_FEATURES__MAX_TRAINED_IMPRESSIONS": "20000",
    "RECSYS_FEATURES__REFITS": "1",
    "RECSYS_CTR__EPOCHS": "4",
}


@dataclass(frozen=True)
class Size:
    """Parameters of a folder.

    Attributes:
        articles: how many.
        readers: and nameless sessions together, at most.
        events: impressions and clicks together, about.
        words: of each article's body.
        seed: of all randomness.
    """

    articles: int = 100_000
    readers: int = 100_000
    events: int = 870_000
    words: int = 120
    seed: int = 1


def environment(data: Path, workers: int = 2, settings: Mapping[str, str] = CHEAP) -> dict[str, str]:
    """The settings with which a folder was built, and is served and published from."""
    return {**settings, "RECSYS_DATA_DIR": str(data), "RECSYS_JOBS__WORKERS": str(workers)}


def built(
    folder: Path, size: Size, settings: Mapping[str, str] | None = None, until: str | None = None
) -> dict[str, Any]:
    """Build a folder, unless it was built with the same; go on with one that was begun with it.

    Args:
        folder: where to.
        size: parameters.
        settings: that it is built with; CHEAP by default.
        until: the last stage; by default all, and a release.

    Returns:
        The marker's content: the parameters, the newest event's time, and seconds and memory of each command.

    Raises:
        ImportRefused: the folder holds something else.
        ArtefactError: a command failed.
    """
    marker = folder / MARKER
    settings = CHEAP if settings is None else settings
    wanted = {"format": FORMAT, "size": asdict(size), "settings": settings}
    if marker.exists():
        found: dict[str, Any] = json.loads(marker.read_text(encoding="utf-8"))
        if {name: found.get(name) for name in wanted} != wanted:
            raise ImportRefused(f"a folder built with {wanted}", f"another one: {marker}", "Name another --keep.")
        return found
    facts = _begun(folder, size, wanted)
    begun = folder / BEGUN
    around = environment(folder / "data", settings=settings)
    for name, command in _commands(folder, size).items():
        if name not in facts["costs"]:
            cost = run_process([sys.executable, "-m", "jobs", *command], around)
            print(f"{size.articles:9,} articles  {name:16} {cost.shown()}", flush=True)
            facts["costs"][name] = cost._asdict()
            begun.write_text(json.dumps(facts), encoding="utf-8")
        if name == until:
            return facts
    shutil.rmtree(folder / "data" / "rejects", ignore_errors=True)
    marker.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    begun.unlink()
    return facts


def _commands(folder: Path, size: Size) -> dict[str, list[str]]:
    """The commands that build a folder, in order, by their names in the marker."""
    seed = ["--seed", str(size.seed)]
    return {
        "import articles": ["import", "jsonl", str(folder / ARTICLES), "--kind", "articles"],
        "import events": ["import", "parquet", str(folder / EVENTS), "--kind", "events"],
        **{stage: [stage, *seed] for stage in STAGES},
        "publish": ["publish", *seed],
    }


def _begun(folder: Path, size: Size, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Facts of a folder that was begun, or of a new one, with its articles and events written."""
    begun = folder / BEGUN
    if begun.exists():
        facts: dict[str, Any] = json.loads(begun.read_text(encoding="utf-8"))
        if {name: facts.get(name) for name in wanted} != wanted:
            raise ImportRefused(f"a folder begun with {wanted}", f"another one: {begun}", "Name another --keep.")
        return facts
    if folder.exists() and any(folder.iterdir()):
        raise ImportRefused("an empty folder, or one built before", str(folder), f"Remove it: it has no {MARKER}.")
    folder.mkdir(parents=True, exist_ok=True)
    until, rng = now_ms(), np.random.default_rng(size.seed)
    articles = _write_articles(folder / ARTICLES, size, until, rng)
    table = simulated_events(articles, size.events, size.readers, until - EVENT_DAYS * DAY_MS, until, rng)
    pq.write_table(table, folder / EVENTS)
    facts = {**wanted, "events": table.num_rows, "until": until, "costs": {}}
    begun.write_text(json.dumps(facts), encoding="utf-8")
    return facts


def _write_articles(file: Path, size: Size, until: int, rng: np.random.Generator) -> Articles:
    """Write the articles with dates, addresses and pictures, and say which they are."""
    plain = file.with_suffix(".plain")
    write_articles(plain, size.articles, size.words, 0.0, size.seed)
    published = np.sort(rng.integers(until - ARTICLE_DAYS * DAY_MS, until, size.articles))
    ids, topics = [], []
    with plain.open(encoding="utf-8") as lines, file.open("w", encoding="utf-8") as dated:
        for row, moment in zip(map(json.loads, lines), published.tolist(), strict=True):
            ids.append(row["id"])
            topics.append(int(row["category"].removeprefix("topic")))
            address = f"https://news.example/{row['id']}"
            more = {"published_at": moment, "language": "en", "url": address, "image": f"{address}.jpg"}
            dated.write(json.dumps(row | more | {"source": "Simulated"}) + "\n")
    plain.unlink()
    return Articles(ids, published, np.array(topics))


def copied(folder: Path, target: Path) -> Path:
    """A copy of a built folder's data to serve from: the database is copied, files that never change are linked.

    Args:
        folder: as ``built`` made it.
        target: on the same file system; it must not exist.

    Returns:
        The data folder of the copy.
    """
    source, data = folder / "data", target / "data"
    data.mkdir(parents=True)
    with sqlite3.connect(source / "store.db") as old, sqlite3.connect(data / "store.db") as new:
        old.backup(new)
    for path in _files(source):
        (data / path).parent.mkdir(parents=True, exist_ok=True)
        unchanging = path.parts[0] in ("releases", "work") and path.suffix
        (os.link if unchanging and path.name != "manifest.json" else shutil.copyfile)(source / path, data / path)
    return data


def _files(source: Path) -> Iterator[Path]:
    for path in sorted(source.rglob("*")):
        if path.is_file() and not path.name.startswith("store.db"):
            yield path.relative_to(source)


def explain(folder: Path, facts: Mapping[str, Any]) -> str:
    """Instructions for opening a folder by hand: text for people."""
    settings = "\n".join(f"export {name}={value!r}" for name, value in environment(folder / "data").items())
    code = f"copied(Path({str(folder)!r}), Path('/tmp/mine'))"
    copy = f"from pathlib import Path; from benchmarks.serve.data import copied; {code}"
    when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(facts["until"] / 1000))
    return (
        f"Built {when} with {facts['size']}, {facts['events']:,} events.\n\n"
        "Serving writes to the database, so work on a copy (seconds: what never changes is linked), and name it in"
        f" RECSYS_DATA_DIR:\n\n"
        f'python -c "{copy}"\n\n'
        f"{settings.replace(str(folder / 'data'), '/tmp/mine/data')}\npython -m web --port 8090\n\n"
        "Requests as its visitors make them: benchmarks/serve/workload.py (visitors_of, workload). Articles:"
        f" {folder}/articles.jsonl; events: {folder}/events.parquet.\n"
    )

"""Pages of the console: first byte, size, and sentences of the other language, at the size of a folder.

    python -m benchmarks.serve --articles 100000 --readers 100000 --build --keep FOLDER
    python -m benchmarks.console --data FOLDER/data [--rounds 5] [--only PAGE PAGE]

Serves a copy of a data folder with one worker, signs in as its owner, and asks for every page of the console that
stands in the table of roles, in both languages: once after the start, then some rounds. The first byte of the first
answer and the median and the largest of the rounds, ms; the size of the body as it is and as it is sent, KB. A page
beyond ``MOST_MS`` or ``MOST_KB`` is named. Beside them stands an empty answer (``/healthz``) of the same service.
"""

import argparse
import gzip
import http.client
import json
import re
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

from benchmarks.serve.service import Service
from recsys.report.files import PAGES, file_name
from recsys.store import Scope, Store, hashed_password
from web import roles

MOST_MS, MOST_KB = 200.0, 150.0
NO_TITLE = "zqxjzqxj"  # in no title: all of them are looked through
NAME, PASSWORD = "benchmark", "a password of the benchmark"
LANGUAGES = ("zh", "en")
HAN = re.compile(r"[\u4e00-\u9fff]")
LETTERS = re.compile(r"[A-Za-z]{2,}")
SILENT = ("script", "style", "code", "pre", "svg", "option", "title")


class Timed(NamedTuple):
    """One answer: ms to its first byte, status, bytes as they were sent, the page."""

    ms: float
    status: int
    sent: int
    page: str


class Sentences(HTMLParser):
    """The texts of a page that its words say: not those that name their language, nor of code and scripts.

    Attributes:
        texts: in order.
    """

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Enter an element; what names its own language is a title, and no sentence of the page."""
        named = dict(attrs)
        self.texts += [named[name] or "" for name in ("aria-label", "title", "placeholder") if named.get(name)]
        if tag not in ("meta", "link", "input", "br", "img", "hr"):
            self._open.append((tag, tag in SILENT or ("lang" in named and tag != "html")))

    def handle_endtag(self, tag: str) -> None:
        """Leave it."""
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        """Take a text in."""
        if data.strip() and not any(silent for _, silent in self._open):
            self.texts.append(" ".join(data.split()))


class Desk:
    """Somebody who has signed in."""

    def __init__(self, port: int) -> None:
        self._port, self._cookie = port, ""
        self._line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        body = json.dumps({"name": NAME, "password": PASSWORD})
        headers = {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"}
        self._line.request("POST", "/admin/api/session", body, headers)
        answer = self._line.getresponse()
        answer.read()
        self._cookie = (answer.headers["Set-Cookie"] or "").partition(";")[0]

    def get(self, path: str) -> Timed:
        """One page."""
        headers = {"Cookie": self._cookie, "Accept-Encoding": "gzip"}
        began = time.perf_counter()
        self._line.request("GET", path, headers=headers)
        answer = self._line.getresponse()
        first = answer.read(1)
        ms = (time.perf_counter() - began) * 1000
        body = first + answer.read()
        text = gzip.decompress(body) if answer.headers.get("Content-Encoding") == "gzip" else body
        return Timed(ms, answer.status, len(body), text.decode())


def pages(article: str, story: str, named: Mapping[str, str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Every page of the console: its address, and what it is asked with.

    Args:
        article: id of one.
        story: id of one.
        named: part of the console -> what stands in its address, such as ``releases`` and the name of one.
    """
    word, words = {"like": "news"}, [{}, {"q": "a"}, {"q": NO_TITLE}]
    asked: dict[str, list[dict[str, str]]] = {
        "/console/articles": words,
        "/console/articles/one": [{"id": article}],
        "/console/stories/one": [{"id": story}],
        "/console/stories": words,
        "/console/trace": [{}, {"article": article}],
        "/console/front": words,
        "/console/words": [{}, word],
    }
    for entry in roles.ALLOWED:
        method, _, route = entry.partition(" ")
        if method != "GET" or not route.startswith("/console"):
            continue
        path = route
        for part, name in named.items():
            path = re.sub(rf"(/{part}/)<string:\w+>", rf"\g<1>{name}", path)
        files = [file_name(page, lang) for lang in LANGUAGES for page in PAGES] if "<string:file>" in path else [""]
        for file in files:
            for query in asked.get(route, [{}]):
                if "<" not in (address := path.replace("<string:file>", file)):
                    yield address, query


def measured(data: Path, folder: Path, site: str, rounds: int, only: Sequence[str]) -> dict[str, Any]:
    """Serve, sign in, ask."""
    store = Store.open(f"sqlite:///{data / 'store.db'}")
    store.set_person(NAME, Scope.OWNER, site, hashed_password(PASSWORD))
    runs = store.runs(1, site)
    store.close()
    rows: dict[str, Any] = {}
    with Service(data, 1, folder / "web.log") as service:
        desk = Desk(service.port)
        empty = [desk.get("/healthz").ms for _ in range(50)]
        release = next(iter(sorted((one.name for one in (data / "releases").iterdir() if one.is_dir()), reverse=True)))
        found = desk.get(f"/admin/api/articles?{urlencode({'last': 1})}")
        article = json.loads(found.page)["articles"][0]["id"]
        story = json.loads(desk.get("/admin/api/stories").page)["stories"]
        run = runs[0].id if runs else "<none>"
        named = list(pages(article, story[0]["story"] if story else article, {"releases": release, "runs": run}))
        for lang in LANGUAGES:
            for path, query in named:
                other = path.endswith(".html") and path.endswith(".zh.html") != (lang == "zh")  # the other's report
                if other or not any(part in path for part in only):
                    continue
                address = f"{path}?{urlencode(query | {'lang': lang})}"
                first, more = desk.get(address), [desk.get(address) for _ in range(rounds)]
                rows[f"{path}{'?' + urlencode(query) if query else ''} {lang}"] = {
                    "status": first.status,
                    "first_ms": round(first.ms, 1),
                    "median_ms": round(statistics.median(one.ms for one in more), 1),
                    "most_ms": round(max(one.ms for one in more), 1),
                    "kb": round(len(first.page.encode()) / 1000, 1),
                    "sent_kb": round(first.sent / 1000, 1),
                    "foreign": foreign(first.page, lang) if first.status < 300 else [],  # nobody reads a redirect
                }
    return {"pages": rows, "empty_ms": round(statistics.median(empty), 2)}


def foreign(page: str, lang: str) -> list[str]:
    """Texts of a page that are not in its language."""
    read = Sentences()
    read.feed(page)
    if lang == "en":
        return [text for text in dict.fromkeys(read.texts) if HAN.search(text)]
    return [text for text in dict.fromkeys(read.texts) if not HAN.search(text) and len(LETTERS.findall(text)) > 2]


def main(given: Sequence[str] | None = None) -> dict[str, Any]:
    """Copy, serve, print a table and one JSON object."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.console", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="data folder with a release, which stays as it is")
    parser.add_argument("--site", default="default", help="site.id of the folder")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="*", default=[""], help="parts of routes")
    options = parser.parse_args(given)
    with tempfile.TemporaryDirectory() as scratch:
        data = Path(shutil.copytree(options.data, Path(scratch) / "data", symlinks=True))
        result = measured(data, Path(scratch), options.site, options.rounds, options.only)
    print(f"{'page':64} {'first':>7} {'median':>7} {'most':>7} {'KB':>7} {'sent':>6}")
    for name, row in result["pages"].items():
        told = (row["first_ms"], row["median_ms"], row["most_ms"], row["kb"], row["sent_kb"])
        print(f"{name:64} {told[0]:7} {told[1]:7} {told[2]:7} {told[3]:7} {told[4]:6} {row['status']}")
        for text in row["foreign"]:
            print(f"    not in the page's language: {text[:150]}")
    rows = result["pages"].values()
    best = {
        "median_ms": max(row["median_ms"] for row in rows),
        "first_ms": max(row["first_ms"] for row in rows),
        "kb": max(row["kb"] for row in rows),
        "beyond": [name for name, row in result["pages"].items() if row["median_ms"] > MOST_MS or row["kb"] > MOST_KB],
    }
    result = {"ours": result, "baselines": {}, "best": best, "seed": 0}
    print(json.dumps(result, ensure_ascii=False))
    return result


if __name__ == "__main__":
    main()

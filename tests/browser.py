"""A hand-made newsroom, a small API that answers as the service does, and a browser to read them with.

``HandNewsroom`` is a ``web.demo.site.Newsroom`` over a list of articles. ``served`` runs the demo site and the API on a
free port of this machine, so that pages and widget are tested by themselves: what they get is in plain sight here.
"""

import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest
from flask import Flask, Response, jsonify, request
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from urllib3.exceptions import HTTPError
from werkzeug.serving import make_server

import web.demo.site
import web.widget.handlers
from recsys.tags import Tag, TagKind, Tags
from web import texts
from web.demo.making import ListFacts
from web.demo.pages import ArticlePage, Card, Newsroom, StoryPage, TagPage

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

HOUR, DAY = 3_600_000, 86_400_000  # milliseconds
CHROMEDRIVER = Path("/usr/bin/chromedriver")
HOSTILE = '<script>document.title="owned"</script><img src=x onerror=\'document.title="owned"\'>'
STORIES = {
    "zh": (
        ("sports", "汐州飞鱼补时绝杀，时隔四轮重返榜首", "补时第三分钟，替补登场的十九岁小将抢点推射破门。"),
        ("sports", "青训教练接过教鞭，首要目标是保级", "新帅首次带队训练，重点演练由守转攻时的边路推进。"),
        ("business", "央行下调存款准备金率，释放长期资金", "市场人士认为，此举有助于降低实体经济融资成本。"),
        ("technology", "国产开源推荐系统公布词向量评测结果", "评测覆盖中英文新闻，全部数据和代码可以复现。"),
        ("cars", "新款纯电轿车续航突破八百公里", "厂家说，电池在零下十度仍能保持八成的续航。"),
        ("entertainment", "话剧《长河》加演十场，门票一小时售罄", "导演说，加演场次仍然保留全部现场配乐。"),
    ),
    "en": (
        (
            "sports",
            "Stoppage-time winner sends the Flyers back to the top",
            "A substitute scored from close.",
        ),
        (
            "society",
            "Winds drive a huge bushfire towards Hill Top",
            "Some 500 residents have left their homes.",
        ),
        ("world", "Interim president resigns after one week in office", "Key allies would not support the default."),
        (
            "business",
            "Airline cuts a third of its flights for the winter",
            "Fuel prices have risen for six months.",
        ),
        (
            "politics",
            "Parliament passes the water bill at the third attempt",
            "The upper house’s amendments stay out.",
        ),
        ("technology", "An open recommender learns a front page in a minute", "Every figure comes with its command."),
    ),
}


def tee(
    bar: Sequence[tuple[str, float]] = (), stem: Sequence[tuple[str, float]] = (("alpha", 0.5), ("beta", 0.1))
) -> Tags:
    """Tags from categories and keywords."""
    across = tuple(Tag(name, weight, TagKind.CATEGORY) for name, weight in bar)
    return Tags(across, tuple(Tag(name, weight, TagKind.KEYWORD) for name, weight in stem))


def articles(now: int) -> list[ArticlePage]:
    """Six stories in each language, and one in English whose every field is hostile."""
    found = [
        ArticlePage(
            id=f"{lang}-{n}",
            title=title,
            body=(opening, opening[::-1]),
            source="Demo Wire",
            language=lang,
            category=category,
            given=n % 2 == 0,
            tags=tee(((category, 1.0),) if n % 2 == 0 else ((category, 0.87), ("world", 0.11))),
            published_at=now - (n + 1) * HOUR,
        )
        for lang, stories in STORIES.items()
        for n, (category, title, opening) in enumerate(stories)
    ]
    address = "javascript:document.title='owned'"
    hostile = ArticlePage(
        "en/hostile?#",
        HOSTILE,
        (HOSTILE,),
        url=address,
        image=address,
        source=HOSTILE,
        language="en",
        tags=tee(((HOSTILE, 0.3),), ((HOSTILE, 1.0),)),
    )
    return [*found, hostile]


class HandNewsroom:
    """A newsroom over a list of articles, in the order given."""

    def __init__(self, pages: Sequence[ArticlePage], *, simulated: bool = True) -> None:
        self.pages = list(pages)
        self.name, self.timezone, self.language = "The Morning Vector", "Asia/Shanghai", "zh"
        self.simulated = simulated
        self.release: str | None = "20261120T031500Z-7f3a" if pages else None

    @property
    def list_facts(self) -> ListFacts:
        return ListFacts(50, 8.0, 48.0, 3, 0.2, 1, is_trained=True)

    def front(self, lang: str, now: int) -> list[Card]:
        return [_card(page) for page in self.pages if page.language == lang]

    def by_category(self, category: str, lang: str, now: int) -> list[Card]:
        return [_card(page) for page in self.pages if page.language == lang and page.category == category]

    def categories(self, lang: str) -> list[str]:
        return list(dict.fromkeys(page.category for page in self.pages if page.language == lang and page.category))

    def article(self, id: str) -> ArticlePage | None:
        return next((page for page in self.pages if page.id == id), None)

    def story(self, id: str) -> StoryPage | None:
        found = [page for page in self.pages if id in (page.id, page.story and page.story.id)]
        if not found:
            return None
        times = [page.published_at for page in found if page.published_at is not None]
        first, last = (min(times), max(times)) if times else (None, None)
        cards = tuple(map(_card, found))
        return StoryPage(id, found[0].title, cards, 1 + len(cards), first, last, found[0].tags.stem)

    def tagged(self, tag: str, lang: str, page: int, now: int) -> TagPage | None:
        found = [one for one in self.pages if tag in {mine.name for mine in (*one.tags.stem, *one.tags.bar[:1])}]
        shown = found[page - 1 : page] if page > 0 else []
        head = Tag(tag, 0.5, TagKind.KEYWORD)
        return TagPage(head, tuple(map(_card, shown)), len(found), page, len(found), (head,)) if shown else None

    def tags(self, lang: str, now: int) -> list[Tag]:
        return list(dict.fromkeys(tag for page in self.pages for tag in page.tags.stem))

    def meant(self, tag: str, lang: str, now: int) -> list[str]:
        return ["alpha"] if tag.startswith("alph") else [HOSTILE]

    def today(self, lang: str) -> list[Card]:
        pages = [page for page in self.pages if page.language == lang][:8]
        return [_card(page, clicks=900 // (n + 1)) for n, page in enumerate(pages)]


def _card(page: ArticlePage, clicks: int | None = None) -> Card:
    return Card(
        page.id,
        page.title,
        " ".join(page.body)[:300],
        page.image,
        page.source,
        page.language,
        page.category,
        page.published_at,
        clicks,
    )


def site(room: Newsroom) -> Flask:
    """The demo site over a newsroom, without an API."""
    app = Flask("web")
    app.extensions["live"] = room
    app.register_blueprint(web.widget.handlers.blueprint)
    app.register_blueprint(web.demo.site.blueprint)
    return app


class Api:
    """The recommender's answers, as the contract has them: unread articles in order, and every event kept."""

    def __init__(self, room: HandNewsroom) -> None:
        self.room = room
        self.events: list[dict[str, Any]] = []
        self.asked: list[dict[str, str]] = []
        self.broken = False
        self.delay = 0.0  # seconds before a list
        self.paths: list[str] = []  # of every request, with its query
        self.tokens: list[str | None] = []  # in the header, of every list
        self.cookies: list[str] = []
        self.beacons: list[dict[str, Any]] = []
        self.readers: list[str] = []  # who asked for an id got these
        self.refused: set[str] = set()  # tokens that are not taken

    def install(self, app: Flask) -> None:
        app.add_url_rule("/api/v1/recommendations", "recommendations", self.recommendations)
        app.add_url_rule("/api/v1/articles/<path:id>/similar", "similar", self.similar)
        app.add_url_rule("/api/v1/events", "events", self.accept, methods=["POST"])
        app.add_url_rule("/api/v1/readers", "readers", self.admit, methods=["POST"])
        app.before_request(self.note)
        app.after_request(self.open_to_all)

    def note(self) -> None:
        self.paths.append(request.full_path)
        self.cookies += request.cookies

    def open_to_all(self, response: Response) -> Response:
        if request.path.startswith("/api/"):
            response.headers["Access-Control-Allow-Origin"] = "*"
            response.headers["Access-Control-Allow-Headers"] = "Reader-Token"
        return response

    def admit(self) -> tuple[Response, int]:
        assert json.loads(request.get_data()) == {}
        time.sleep(self.delay)
        token = request.headers.get("Reader-Token")
        if token in self.refused:
            return jsonify(title="Unauthorized", status=401), 401
        if token is not None:  # another one for the same reader
            return jsonify(reader=token.removeprefix("token-of-").rstrip("+"), token=token + "+"), 201
        self.readers.append(f"random-{len(self.readers)}")
        return jsonify(reader=self.readers[-1], token=f"token-of-{self.readers[-1]}"), 201

    def recommendations(self) -> Response | tuple[Response, int]:
        self.asked.append(dict(request.args))
        self.tokens.append(request.headers.get("Reader-Token"))
        time.sleep(self.delay)
        if self.broken:
            return jsonify(title="Service Unavailable", status=503, code="no_release"), 503
        read = {event["article"] for event in self.events if event["kind"] != "impression"} | {
            request.args.get("article")
        }
        shown = {*map(unquote, request.args.get("exclude", "").split(","))}
        items = self._items(lambda page: page.id not in read | shown) or self._items(lambda page: page.id not in read)
        answer = {"impression_id": f"impression-{len(self.asked)}", "tier": "personal", "release": self.room.release}
        state = self.tokens[-1] and ("invalid" if self.tokens[-1] in self.refused else "valid")
        reader = None if state == "invalid" else request.args.get("reader")
        return jsonify(answer | {"reader": reader, "token": state, "generated_at": _now(), "items": items})

    def similar(self, id: str) -> Response:
        return jsonify(article=id, release=self.room.release, items=self._items(lambda page: page.id != id))

    def accept(self) -> tuple[Response, int]:
        assert request.mimetype == "text/plain"
        self.beacons.append(json.loads(request.get_data()))
        found = self.beacons[-1]["events"]
        self.events += found
        return jsonify(accepted=len(found), duplicate=0, rejected=[]), 202

    def of_kind(self, kind: str, count: int = 1) -> list[dict[str, Any]]:
        """The events of one kind, once ``count`` of them have come; whatever has come after five seconds."""
        for _ in range(100):
            found = [event for event in self.events if event["kind"] == kind]
            if len(found) >= count:
                break
            time.sleep(0.05)
        return found

    def _items(self, wanted: Callable[[ArticlePage], bool]) -> list[dict[str, Any]]:
        lang, k = request.args["lang"], int(request.args["k"])
        pages = [page for page in reversed(self.room.pages) if page.language == lang and wanted(page)][:k]
        return [_item(page, n, lang) for n, page in enumerate(pages)]


def _item(page: ArticlePage, position: int, lang: str) -> dict[str, Any]:
    reason = "因为你读过《头条》" if lang == "zh" else "Because you read “Lead”"
    return {
        "id": page.id,
        "title": page.title,
        "url": page.url,
        "image": page.image,
        "source": page.source,
        "category": page.category,
        "category_name": texts.category_name(page.category, lang) if page.category else None,
        "language": page.language,
        "published_at": page.published_at,
        "position": position,
        "reason": {"kind": "because_you_read", "text": reason, "article": "lead", "keywords": []},
    }


def _now() -> int:
    return int(time.time() * 1000)


@contextmanager
def served(app: "WSGIApplication") -> Iterator[str]:
    """Serve an app on a free port of 127.0.0.1; yields its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def chromium(profile: Path) -> webdriver.Chrome:
    """A headless Chromium that sends nothing anywhere by itself; the test is skipped without one, but fails in CI."""
    if not CHROMEDRIVER.exists() or not shutil.which("chromium"):
        message = "needs chromium and chromium-driver (apt-get install chromium chromium-driver)"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    options = Options()
    options.binary_location = str(shutil.which("chromium"))
    for flag in (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--lang=en",
        f"--user-data-dir={profile}",
    ):
        options.add_argument(flag)
    options.accept_insecure_certs = True  # of the proxy of a test
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=Service(str(CHROMEDRIVER)))


def has_crashed(driver: webdriver.Chrome) -> bool:
    """True where the tab, or the whole browser, answers no more."""
    try:
        driver.execute_script("return 1")
    except (WebDriverException, HTTPError):
        return True
    return False

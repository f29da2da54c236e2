"""The demo site's pages, as a browser without JavaScript would get them."""

import dataclasses
import gzip
import re
import time
from base64 import b64encode
from hashlib import sha384
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import pytest
from flask.testing import FlaskClient

from recsys.tags import Tag, TagKind, Tags
from tests.browser import DAY, HOSTILE, HOUR, STORIES, HandNewsroom, articles, site
from web import texts
from web.demo.art import TONES, art, tone
from web.demo.pages import ArticlePage
from web.demo.site import paragraphs
from web.widget.script import widget_script

ROOT = Path(__file__).resolve().parents[1]
NOW = 1_795_219_200_000  # 2026-11-21 08:00 in Shanghai


@pytest.fixture
def client() -> FlaskClient:
    return site(HandNewsroom(articles(int(time.time() * 1000)))).test_client()


def test_the_front_page_speaks_the_language_that_is_asked_for_and_remembers_it(client: FlaskClient) -> None:
    chinese = client.get("/?lang=zh")
    assert 'lang="zh-CN"' in chinese.text
    assert "晨间向量" in chinese.text
    assert STORIES["zh"][0][1] in chinese.text
    assert "今日点击" in client.get("/").text, "the cookie"
    english = client.get("/?lang=en")
    assert 'lang="en"' in english.text
    assert STORIES["en"][0][1] in english.text
    assert "Most clicked today" in client.get("/", headers={"Accept-Language": "zh"}).text, "the cookie wins"


@pytest.mark.parametrize(
    ("accepts", "lang"),
    [("zho", "zh-CN"), ("en-GB", "en"), ("zh-TW,en;q=0.5", "zh-CN"), ("fr", "zh-CN"), ("", "zh-CN")],
)
def test_without_a_wish_the_browser_decides_and_then_the_site(client: FlaskClient, accepts: str, lang: str) -> None:
    answer = client.get("/", headers={"Accept-Language": accepts})
    assert f'<html lang="{lang}">' in answer.text
    assert "Accept-Language" in answer.headers["Vary"]


def test_an_old_storys_date_is_said_once() -> None:
    published = int(time.time() * 1000) - 30 * DAY
    old, new = (dataclasses.replace(articles(NOW)[0], published_at=at) for at in (published, published + 29 * DAY))
    date = texts.date(published, "en", "Asia/Shanghai")
    for story, ago in ((old, []), (new, ["1 day ago"])):
        page = site(HandNewsroom([story])).test_client().get(f"/article/{story.id}?lang=en").text
        byline = re.search(r'<p class="byline".*?</p>', page, re.S)
        assert byline is not None
        assert re.findall(r'class="ago">([^<]*)', byline[0]) == ago
        assert byline[0].count(date) == (story is old)


def test_on_a_danish_site_an_english_browser_puts_no_english_story_first() -> None:
    pages = articles(NOW)
    danish = dataclasses.replace(pages[0], id="dk", title="Ny bro over havnen", language="da")
    room = HandNewsroom([*pages, danish])
    room.language = "da"
    client = site(room).test_client()
    for accepts, lang in (("en-US,en;q=0.9", "en"), ("zh-CN", "zh-CN"), ("da", "en")):
        answer = client.get("/", headers={"Accept-Language": accepts}).text
        assert f'<html lang="{lang}">' in answer
        assert '<guess-you-like lang="da"' in answer
        assert re.findall(r'data-article="([^"]+)" data-slot="front"', answer) == ["dk"]
    assert '<guess-you-like lang="en"' in client.get("/?lang=en").text, "who asks gets it"


def test_an_unknown_language_is_not_remembered(client: FlaskClient) -> None:
    assert "Set-Cookie" not in client.get("/?lang=xx").headers


def test_every_story_on_the_front_page_stands_there_once_outside_the_list_of_today(client: FlaskClient) -> None:
    slots = re.findall(r'data-article="([^"]+)" data-slot="(\w+)"', client.get("/?lang=en").text)
    shown = [article for article, slot in slots if slot != "today"]
    assert sorted(shown) == sorted(set(shown))
    assert len(shown) == len(STORIES["en"]) + 1


def test_counts_made_by_simulated_readers_are_labelled_and_others_are_not() -> None:
    pages = articles(NOW)
    for path in ("/?lang=en", "/category/sports?lang=en", "/article/en-0?lang=en", "/about?lang=en"):
        simulated = site(HandNewsroom(pages)).test_client().get(path).text
        real = site(HandNewsroom(pages, simulated=False)).test_client().get(path).text
        assert 'class="simulated"' in simulated
        assert texts.TEXTS["en"]["simulated_hint"] not in real
        assert 'class="simulated"' not in real


@pytest.mark.parametrize("path", ["/?lang=en", "/article/en/hostile%3F%23?lang=en"])
def test_a_hostile_article_is_shown_as_text(client: FlaskClient, path: str) -> None:
    page = client.get(path).text
    assert "&lt;script&gt;" in page
    assert HOSTILE not in page
    assert "<script>document" not in page
    assert "javascript:" not in page


def test_the_policy_forbids_scripts_of_others_and_inline_ones(client: FlaskClient) -> None:
    page = client.get("/?lang=en")
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    assert "unsafe-inline" not in page.headers["Content-Security-Policy"]
    assert " style=" not in page.text
    assert not re.search(r"<script(?! src=)", page.text)
    assert not re.search(r'(?:src|href)="https?://', page.text), "the page asks nothing of any other host"


def test_the_article_page_says_who_chose_the_category_and_how_sure_the_machine_is(client: FlaskClient) -> None:
    given, by_machine = client.get("/article/en-0?lang=en").text, client.get("/article/en-1?lang=en").text
    assert "Filed under" in given
    assert "confidence </span>" not in given
    assert "Sorted by machine" in by_machine
    assert "confidence </span>87%" in by_machine
    assert re.findall(r'<rect width="([\d.]+)%"', given) == ["100.0", "20.0"], "the stem: alpha 0.5, beta 0.1"
    assert re.findall(r'href="/category/(\w+)\?*">', by_machine.partition('class="tee"')[2]) == ["society", "world"]


def test_the_machine_never_claims_to_be_entirely_sure(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    room = client.application.extensions["live"]
    page = room.article("en-1")
    sure = page.tags._replace(bar=(page.tags.bar[0]._replace(weight=0.9999),))
    monkeypatch.setattr(room, "article", lambda id: dataclasses.replace(page, tags=sure))
    assert "99%" in client.get("/article/en-1?lang=en").text


def test_a_keyword_that_says_the_section_again_is_no_chip() -> None:
    page = dataclasses.replace(articles(NOW)[0], id="w", category="weather", given=True)
    words = [Tag(name, 0.5, TagKind.KEYWORD) for name in ("Weather", "Snow", "天气")]
    page = dataclasses.replace(page, tags=Tags((Tag("weather", 1.0, TagKind.CATEGORY),), tuple(words)))
    for lang, left in (("en", ["Weather", "Snow", "天气"]), ("zh", ["天气", "Snow"])):
        chips = site(HandNewsroom([page])).test_client().get(f"/article/w?lang={lang}").text.partition("<details>")[0]
        assert re.findall(r'<a class="chip[^>]*>([^<]*)</a>', chips) == left


def test_an_image_is_shown_when_there_is_one_and_drawn_when_there_is_none() -> None:
    pages = [ArticlePage("a", "A", (), image="https://example.org/a.jpg", language="en")]
    pages.append(ArticlePage("b", "B", (), image="javascript:1", language="en"))
    client = site(HandNewsroom(pages)).test_client()
    assert '<img src="https://example.org/a.jpg"' in client.get("/article/a").text
    assert "<img" not in client.get("/article/b").text
    assert '<svg class="art' in client.get("/article/b").text


def test_a_body_in_one_piece_is_divided_between_sentences_and_loses_nothing() -> None:
    english = " ".join(f'The {n}th sentence costs 3.5 dollars, "they said." It ends here.' for n in range(30))
    for body in (english, "“今天下雨。”他说。" * 200):
        parts = paragraphs((body,))
        assert len(parts) > 2
        assert "".join(parts).replace(" ", "") == body.replace(" ", "")
        assert all(part[-1] in '."。”' and part[0] in "TI“他" for part in parts)
    assert paragraphs(("first " * 200, "second")) == ["first " * 200, "second"], "given paragraphs stay"


@pytest.mark.parametrize("path", ["/nothing", "/article/unknown", "/category/unknown", "/article/", "/%00", "/a//b"])
def test_an_unknown_address_gets_a_page_in_the_same_style(client: FlaskClient, path: str) -> None:
    answer = client.get(path, query_string={"lang": "en"}, follow_redirects=True)
    assert answer.status_code == 404
    assert "This page is not in the paper" in answer.text
    assert "<nav" in answer.text


def test_addresses_of_machines_are_left_to_the_service() -> None:
    app = site(HandNewsroom([]))
    app.add_url_rule("/api/v1/events", "events", lambda: "", methods=["POST"])
    for path, status in {"/api/v1/unknown": 404, "/admin/unknown": 404, "/api/v1/events": 405}.items():
        answer = app.test_client().get(path)
        assert answer.status_code == status
        assert "<nav" not in answer.text


@pytest.mark.parametrize("lang", texts.LANGUAGES)
def test_an_empty_catalogue_says_which_command_fills_it(lang: str) -> None:
    answer = site(HandNewsroom([])).test_client().get(f"/?lang={lang}")
    assert answer.status_code == 200
    assert "make run" in answer.text
    assert "python -m jobs import" in answer.text


def test_the_widget_can_be_installed_on_another_site(client: FlaskClient) -> None:
    answer = client.get("/widget.js")
    assert "javascript" in answer.headers["Content-Type"]
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    packed = client.get("/widget.js", headers={"Accept-Encoding": "gzip"})
    assert (packed.headers["Content-Encoding"], packed.headers["Vary"]) == ("gzip", "Accept-Encoding")
    assert len(packed.data) <= 12_000, "as it is sent"
    assert gzip.decompress(packed.data) == answer.data
    assert '<script src="http://localhost/widget.js" defer></script>' in unescape(client.get("/about").text)
    again = client.get("/widget.js", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_a_version_of_the_widget_stays_at_its_address_and_can_be_checked(client: FlaskClient) -> None:
    line = next(line for line in unescape(client.get("/about").text).splitlines() if "integrity" in line)
    source, integrity = re.findall(r'(?:src|integrity)="([^"]+)"', line)
    answer = client.get(source.removeprefix("http://localhost"))
    assert "immutable" in answer.headers["Cache-Control"]
    assert integrity == "sha384-" + b64encode(sha384(answer.data).digest()).decode()
    other = client.get("/widget-0123456789ab.js")
    assert (other.status_code, other.headers["Location"]) == (302, "/widget.js")
    assert other.headers["Access-Control-Allow-Origin"] == "*"
    assert "no-cache" in other.headers["Cache-Control"]


def test_the_documentation_shows_this_version() -> None:
    lines = widget_script().lines("http://127.0.0.1:8080")
    assert lines in (ROOT / "docs" / "widget.md").read_text(), "python -m web.widget prints what docs/widget.md shows"


def test_an_article_without_a_picture_has_one_for_the_widget(client: FlaskClient) -> None:
    answer = client.get("/art/any/id?category=sports")
    assert answer.mimetype == "image/svg+xml"
    root = ElementTree.fromstring(answer.text)
    assert "tone-4" in root.attrib["class"]
    assert ".tone-4 { --h" in "".join(root.itertext()), "with its colours inside"
    assert client.get("/art/other?category=sports").data != answer.data


def test_both_languages_have_every_text() -> None:
    assert texts.TEXTS["zh"].keys() == texts.TEXTS["en"].keys()
    assert all(text.strip() for table in texts.TEXTS.values() for text in table.values())


@pytest.mark.parametrize(
    ("gone", "english", "chinese"),
    [
        (0, "just now", "刚刚"),
        (60_000, "1 minute ago", "1分钟前"),
        (3 * HOUR, "3 hours ago", "3小时前"),
        (DAY, "1 day ago", "1天前"),
        (7 * DAY, "14 November 2026", "2026年11月14日"),
        (-HOUR, "21 November 2026", "2026年11月21日"),
        (10**18, "7 January 1", "1年1月7日"),
    ],
)
def test_times_are_written_as_a_newspaper_would(gone: int, english: str, chinese: str) -> None:
    assert texts.ago(NOW - gone, NOW, "en", "UTC") == english
    assert texts.ago(NOW - gone, NOW, "zh", "UTC") == chinese


def test_a_date_is_the_one_of_the_site_and_not_of_the_server() -> None:
    assert texts.date(NOW - 4 * HOUR, "en", "Asia/Shanghai", weekday=True) == "Saturday, 21 November 2026"
    assert texts.date(NOW - 4 * HOUR, "zh", "America/New_York", weekday=True) == "2026年11月20日 星期五"


@pytest.mark.parametrize(
    ("category", "english", "chinese"),
    [
        ("sports", "Sports", "体育"),
        ("体育", "Sports", "体育"),
        ("local-news", "Local news", "Local news"),
        ("NBA", "NBA", "NBA"),
    ],
)
def test_categories_are_named_for_readers(category: str, english: str, chinese: str) -> None:
    assert texts.category_name(category, "en") == english
    assert texts.category_name(category, "zh") == chinese


def test_a_drawing_is_the_same_every_time_and_carries_nothing_of_the_article() -> None:
    assert art(HOSTILE, HOSTILE) == art(HOSTILE, HOSTILE)
    assert len({art(str(n), "sports") for n in range(50)}) == 50
    assert "owned" not in art(HOSTILE, HOSTILE)
    assert all(0 <= tone(name) < TONES for name in ("sports", "\ud800", "", None, HOSTILE))

"""Stories as the API and the site show them: newest first, one of each text, nothing that may not be shown."""

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from recsys.catalogue.articles import CatalogueArticle
from recsys.catalogue.catalogue import Catalogue
from recsys.units import now_ms
from tests.browser import HOUR, HandNewsroom, articles, site
from tests.recommenders import NOW, entry
from tests.service import Service, article, fill, four, plain_settings, problem, serving
from web.demo.pages import ArticlePage, Card, MoreOnStory
from web.stories import others_of, story_list


@pytest.fixture
def event(tmp_path: Path) -> Iterator[Service]:
    """Four articles, an hour apart, a1 the newest; a4 began a story that a1 and a2 are of."""
    with four(tmp_path) as service:
        joined(service, "a4", "a1", "a2")
        yield service


def joined(service: Service, story: str, *others: str, copies: bool = False) -> None:
    """Put articles into the story that another one began; or make them copies of it, too."""
    catalogue = service.live.catalogue
    with catalogue.changing():
        for other in (story, *others):
            row, first = catalogue.row_of[other], catalogue.row_of[story]
            catalogue.columns.stories.put(row, first)
            if copies:
                catalogue.columns.copies.put(row, first)


def catalogue_of(*entries: CatalogueArticle, story: str = "a0") -> Catalogue:
    """A catalogue whose articles a0, a1, … are of one story."""
    catalogue = Catalogue([f"a{row}" for row in range(len(entries))])
    for row, one in enumerate(entries):
        catalogue.put(f"a{row}", one, None, story)
    return catalogue


@pytest.mark.parametrize("asked", ["a4", "a1", "a2"])
def test_a_story_is_found_by_any_of_its_articles_and_told_newest_first(event: Service, asked: str) -> None:
    told = event.get(f"/api/v1/stories/{asked}")
    items = told["items"]
    assert [item["id"] for item in items] == ["a1", "a2", "a4"]
    assert (told["id"], told["title"], told["articles"]) == ("a4", "Title of a1", 3)
    assert (told["last_published_at"], told["first_published_at"]) == (
        items[0]["published_at"],
        items[2]["published_at"],
    )
    assert {item["reason"]["kind"] for item in items} == {"same_story"}
    assert event.get(f"/api/v1/stories/{asked}", lang="zh")["items"][0]["reason"]["text"] == "同一件事的报道"


def test_an_article_of_no_event_is_a_story_of_one(event: Service) -> None:
    told = event.get("/api/v1/stories/a3", include="tags,scores")
    assert (told["id"], told["articles"], [item["id"] for item in told["items"]]) == ("a3", 1, ["a3"])
    assert told["first_published_at"] == told["last_published_at"] == told["items"][0]["published_at"]
    assert (told["items"][0]["score_kind"], "tags" in told["items"][0]) == ("none", True)


def test_copies_of_one_text_are_told_once(event: Service) -> None:
    joined(event, "a4", "a2", copies=True)
    told = event.get("/api/v1/stories/a2")
    assert ([item["id"] for item in told["items"]], told["articles"]) == (["a1", "a2"], 2)


def test_what_is_taken_down_is_in_no_story_and_a_story_of_it_alone_is_unknown(event: Service) -> None:
    event.live.catalogue.take_down("a1", "a3")
    told = event.get("/api/v1/stories/a1")
    assert ([item["id"] for item in told["items"]], told["title"]) == (["a2", "a4"], "Title of a2")
    assert "'a3'" in problem(event.client.get("/api/v1/stories/a3"), 404, "unknown-story")
    assert event.client.get("/stories/a3").status_code == 404
    event.live.catalogue.take_down("a2", "a4")
    assert event.client.get("/api/v1/stories/a4").status_code == 404


@pytest.mark.parametrize("name", ["nobody", "a1/similar", "..%2Fa1", "%00"])
def test_an_unknown_story_is_a_problem(event: Service, name: str) -> None:
    problem(event.client.get(f"/api/v1/stories/{name}"), 404, "unknown-story")
    assert event.client.get(f"/stories/{name}").status_code == 404


def test_a_story_keeps_its_articles_though_the_first_belongs_to_another(event: Service) -> None:
    joined(event, "a3", "a4")
    assert [item["id"] for item in event.get("/api/v1/stories/a4")["items"]] == ["a1", "a2"]
    assert [item["id"] for item in event.get("/api/v1/stories/a3")["items"]] == ["a3", "a4"]


def test_a_large_story_is_bounded(tmp_path: Path) -> None:
    settings, now = plain_settings(tmp_path), now_ms()
    fill(settings, *(article(f"n{number:04}", published_at=now - (number + 1) * 1000) for number in range(400)))
    with serving(settings) as service:
        joined(service, "n0399", *(f"n{number:04}" for number in range(399)))
        told = service.get("/api/v1/stories/n0200", k=50)
        assert [item["id"] for item in told["items"]] == [f"n{number:04}" for number in range(50)]
        assert (told["articles"], told["id"]) == (400, "n0399")
        assert told["first_published_at"] == now - 400_000
        assert len(service.get("/api/v1/stories/n0200")["items"]) == 10
        problem(service.client.get("/api/v1/stories/n0200?k=51"), 422, "invalid")
        page = service.client.get("/stories/n0200?lang=en").text
        assert page.count('data-slot="story"') == 100
        assert "400 articles" in page
        assert "These are the newest 100." in page


def test_the_tags_of_a_story_are_those_that_most_of_its_articles_show() -> None:
    shown = [("fire", "harbour"), ("fire", "harbour", "crane"), ("fire", "crane"), ("fire",)]
    told = story_list(
        catalogue_of(*(entry(row, None, keywords=words) for row, words in enumerate(shown))), "a2", NOW, 10
    )
    assert told is not None
    assert [(tag.name, tag.weight) for tag in told.tags] == [("fire", 1.0)], "half is not most"


def test_an_undated_article_stands_last_and_says_nothing_of_the_time() -> None:
    dated = catalogue_of(entry(0, None, published_at=None), entry(1, None, published_at=NOW - HOUR))
    told = story_list(dated, "a0", NOW, 10)
    assert told is not None
    assert (told.rows.tolist(), told.first, told.last) == ([1, 0], NOW - HOUR, NOW - HOUR)
    undated = story_list(catalogue_of(entry(0, None, published_at=None)), "a0", NOW, 10)
    assert undated is not None
    assert (undated.first, undated.last) == (None, None)


def test_what_is_still_to_come_is_in_no_story() -> None:
    catalogue = catalogue_of(entry(0, None), entry(1, None, published_at=NOW + 1), entry(2, None, expires_at=NOW))
    told = story_list(catalogue, "a1", NOW, 10)
    assert told is not None
    assert told.rows.tolist() == [0]
    assert story_list(catalogue, "a1", NOW + 1, 10) is not None
    assert others_of(catalogue, 0, NOW, 3)[1].tolist() == []
    assert others_of(catalogue, 0, NOW + 1, 3)[1].tolist() == [1]


def test_an_article_page_names_three_others_of_its_story_and_no_copy_of_itself(event: Service) -> None:
    assert "More on this story" not in event.client.get("/article/a3?lang=en").text
    joined(event, "a4", "a2", copies=True)
    page = event.client.get("/article/a4?lang=en").text
    assert "More on this story" in page
    assert re.findall(r'data-article="(\w+)" data-slot="story"', page) == ["a1"]
    assert 'href="/stories/a4"' in page
    assert "这件事的更多报道" in event.client.get("/article/a4?lang=zh").text
    many = catalogue_of(*(entry(row, None) for row in range(6)))
    assert others_of(many, 0, NOW, 3)[1].tolist() == [1, 2, 3]


def test_the_page_of_a_story_leads_to_its_articles_by_day_and_hour(event: Service) -> None:
    page = event.client.get("/stories/a2?lang=en").text
    assert re.findall(r'href="/article/(\w+)" data-article', page) == ["a1", "a2", "a4"]
    assert "3 articles" in page
    assert "<h1" in page
    times = re.findall(r'<time datetime="[^"]+">(\d\d:\d\d)</time>', page)
    assert len(times) == 3


def test_each_day_of_a_story_is_named_once() -> None:
    pages = [page for page in articles(NOW) if page.language == "en"][:4]
    days = [0, 1, 30, None]
    story = MoreOnStory("s", (Card("x", "X"),))
    told = [
        dataclasses.replace(page, story=story, published_at=None if ago is None else NOW - ago * HOUR, source="Wire")
        for page, ago in zip(pages, days, strict=True)
    ]
    page = site(HandNewsroom(told)).test_client().get("/stories/s?lang=en").text
    assert len(re.findall(r"<h2>\w+, \d+ \w+ \d{4}</h2>", page)) == 2
    assert page.count("<h2>Undated</h2>") == 1
    assert page.count('<span class="source">Wire</span>') == 4
    assert 'class="chip' in page
    assert "事件" in site(HandNewsroom(told)).test_client().get("/stories/s?lang=zh").text


def test_a_hostile_headline_is_text_on_the_page_of_its_story() -> None:
    hostile: ArticlePage = articles(NOW)[-1]
    told = dataclasses.replace(hostile, story=MoreOnStory("s/?#", (Card("x", hostile.title),)), published_at=NOW)
    client = site(HandNewsroom([told])).test_client()
    for path in ("/stories/s%2F%3F%23?lang=en", "/article/en/hostile%3F%23?lang=en"):
        page = client.get(path)
        assert page.status_code == 200
        assert hostile.title not in page.text
    assert 'href="/stories/s/%3F%23"' in page.text

"""Copies of one wire story in the service: in the lists of a release, and of articles that came after it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jobs.runner import open_store
from recsys.store import Article
from tests.newsroom import HOUR, NOW, Toy, fill_toy, toy_settings, train
from tests.service import Service, article, fill, plain_settings, serving

BODY = (
    "The striker missed a penalty in the last minute of the final, and the keeper of the visitors was carried off the"
    " field by his team. The coach said that the league would remember the season for a long time, and the club will"
    " welcome the cup in its stadium tomorrow."
)
LATE = BODY.replace("striker", "winger").replace("penalty", "sitter").replace("coach", "president")


def wire(number: int, **more: Any) -> Article:
    facts = {"title": f"{['Final decided', 'Cup won', 'Late miss'][number % 3]} by the keeper", "body": BODY}
    return article(f"wire-{number}", source=f"Paper {number}", **(facts | more))


@pytest.fixture(scope="module")
def newsroom(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    """The toy newsroom with six copies of one story, trained and published."""
    settings = toy_settings(tmp_path_factory.mktemp("copies"))
    withheld = fill_toy(settings)
    store = open_store(settings)
    store.put_articles([wire(n, published_at=NOW - HOUR * (n + 1), category="football") for n in range(6)])
    store.close()
    train(settings)
    return Toy(settings, withheld, {})


def service_over(newsroom: Toy, **web: Any) -> Any:
    return serving(newsroom.settings.model_copy(update={"web": newsroom.settings.web.model_copy(update=web)}))


def wires(ids: list[str]) -> list[str]:
    return [name for name in ids if name.startswith("wire")]


def test_every_list_holds_one_copy_and_a_reader_of_one_is_offered_none(newsroom: Toy) -> None:
    with service_over(newsroom, poll_seconds=60.0) as service:
        everyone = [f"football-fan-{n:02d}" for n in range(4)]
        assert all(wires(service.ids(reader=reader, k=50)) == ["wire-0"] for reader in everyone)
        assert wires(service.ids(k=50)) == ["wire-0"]
        service.click("wire-4", reader="football-fan-00")
        assert wires(service.ids(reader="football-fan-00", k=50)) == []
        assert wires(service.ids(reader="football-fan-01", k=50)) == ["wire-0"]
        assert wires(service.ids(reader="new", article="wire-3", k=50)) == []
        assert [item["id"] for item in service.get("/api/v1/today")["items"]] == ["wire-0"]
        tagged = service.get("/api/v1/tags/football", k=50)
        assert wires([item["id"] for item in tagged["items"]]) == ["wire-0"]
        assert tagged["articles"] == len(tagged["items"])
        page = service.client.get("/en/").text
        assert page.count("/en/article/wire-") == page.count("/en/article/wire-0")


@pytest.mark.parametrize("name", ["wire-0", "wire-5"])
def test_similar_to_a_copy_shows_other_stories(newsroom: Toy, name: str) -> None:
    with service_over(newsroom, poll_seconds=60.0) as service:
        items = service.get(f"/api/v1/articles/{name}/similar", k=5)["items"]
        assert len(items) == 5
        assert wires([item["id"] for item in items]) == []
        assert service.get(f"/api/v1/articles/{name}")["id"] == name


def test_an_article_posted_now_joins_its_copies_and_a_take_down_shows_the_next(newsroom: Toy) -> None:
    with service_over(newsroom, poll_seconds=60.0) as service:
        put(service, wire(7, title="Keeper carried off", body="CITY (Wire) - " + BODY))
        assert wires(service.ids(k=50)) == ["wire-7"]
        put(service, wire(7, title="Keeper carried off", body=BODY, hidden=True))
        assert wires(service.ids(k=50)) == ["wire-0"]


def test_copies_that_are_all_newer_than_the_release_are_one_as_well(newsroom: Toy) -> None:
    with service_over(newsroom, poll_seconds=60.0) as service:
        late = [
            article(f"late-{n}", title=f"Winger misses {name}", body=LATE)
            for n, name in enumerate(["sitter", "late", "again"])
        ]
        put(service, *late)
        assert sum(name.startswith("late") for name in service.ids(k=50)) == 1
        assert wires(service.ids(k=50)) != []


def test_copies_are_one_before_the_first_release(tmp_path: Path) -> None:
    settings = plain_settings(tmp_path)
    fill(settings, *(wire(n) for n in range(3)), article("other"))
    with serving(settings) as service:
        assert len(wires(service.ids(k=9))) == 1
        assert "other" in service.ids(k=9)


def put(service: Service, *articles: Article) -> None:
    service.store.put_articles(articles)
    service.live.refresh()


def test_finding_a_new_articles_copies_takes_little_memory(newsroom: Toy) -> None:
    with service_over(newsroom, poll_seconds=60.0) as service:
        table = service.live._state._copies.leaders._table
        arrays = (table._values, table._before, table._shared)
        assert sum(array[0].nbytes for array in arrays) <= 200
        assert table._last.nbytes <= 8 << 20
        assert np.asarray(table._values).dtype == np.uint16

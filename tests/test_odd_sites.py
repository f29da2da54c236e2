"""Sites that lack what others have: each gets a release that says what it lacks and serves, or a refusal that helps."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from jobs.__main__ import _make_all
from jobs.runner import Context, open_store
from recsys.errors import InputError
from recsys.releases import Release, Releases
from recsys.settings import Settings
from recsys.store import Article, Event, Kind
from recsys.workspace import load_npy, read_json, read_table
from tests.newsroom import NOW, SITE, TOPICS, fill_toy, toy_settings, train
from tests.service import serving

BRIEF = {"words": {"embedding_dim": 8, "epochs": 1}, "items": {"embedding_dim": 4, "epochs": 1}, "ctr": {"epochs": 1}}
WORDS = " ".join(TOPICS.values()).split()
READER = "r0"


def articles(count: int, category: str | None = None, text: str = "", **more: object) -> list[Article]:
    rng = np.random.default_rng(1)
    bodies = [text or " ".join(rng.choice(WORDS, 12)) for _ in range(count)]
    facts = {"category": category} | more
    return [
        replace(Article(f"a{row}", SITE, body, body, published_at=NOW - row), **facts)  # type: ignore[arg-type]
        for row, body in enumerate(bodies)
    ]


def clicks(count: int, among: int, *, readers: int = 7, kind: Kind = Kind.CLICK, dated: bool = True) -> list[Event]:
    rng = np.random.default_rng(2)
    return [
        Event(
            f"e{row}",
            SITE,
            kind,
            f"a{rng.integers(among)}",
            f"r{row % readers}",
            None,
            NOW + row * 60_000 if dated else None,
        )
        for row in range(count)
    ]


class Site(NamedTuple):
    """What a site gave, and what its release must say that it lacks, among others."""

    articles: Sequence[Article]
    events: Sequence[Event]
    lacks: frozenset[str] = frozenset()


def site(texts: Sequence[Article], events: Sequence[Event], *lacks: str) -> Site:
    return Site(texts, events, frozenset(lacks))


NO_MODEL = ("click-model", "judgement")
SITES = {
    "clicks without texts": site([], clicks(60, 9), "articles"),
    "texts without clicks": site(articles(12, "news"), [], "events"),
    "one article": site(articles(1), [], "events", "categories"),
    "one article and its clicks": site(articles(1), clicks(5, 1), *NO_MODEL, "item-vectors-from-clicks"),
    "one reader": site(articles(12, "news"), clicks(30, 12, readers=1), "impressions"),
    "one category": site(articles(12, "news"), clicks(40, 12), "categories"),
    "no category": site(articles(12), clicks(40, 12), "categories"),
    "no language": site(articles(6, text="1234 !!! 😀"), clicks(20, 6)),
    "five articles and five clicks": site(articles(5), clicks(5, 5), "impressions"),
    "undated clicks only": site(articles(12), clicks(40, 12, dated=False), "times"),
    "impressions only": site(articles(12), clicks(40, 12, kind=Kind.IMPRESSION), "clicks", *NO_MODEL),
    "no clicks but dismisses": site(articles(12), clicks(40, 12, kind=Kind.DISMISS), "clicks", "impressions"),
    "two articles of one text": site(articles(2, text=" ".join(WORDS)), clicks(9, 2)),
    "all articles hidden": site(articles(5, hidden=True), clicks(20, 5), "shown-articles"),
    "empty bodies": site(articles(12, body=""), clicks(40, 12), "bodies"),
    "no dates at all": site(articles(8, published_at=None), clicks(9, 8, dated=False), "publication-times", "times"),
    "empty texts": site(articles(5, title="!", body=""), clicks(20, 5), "bodies", "word-vectors"),
}


def filled(folder: Path, given: Site) -> Settings:
    settings = toy_settings(folder, web={"poll_seconds": 60.0}, **BRIEF)
    store = open_store(settings)
    store.put_articles(given.articles)
    store.add_events(given.events)
    store.close()
    return settings


@pytest.mark.parametrize("name", list(SITES))
def test_a_site_of_any_kind_gets_a_whole_release_that_says_what_it_lacks_and_serves(tmp_path: Path, name: str) -> None:
    given = SITES[name]
    settings = filled(tmp_path, given)
    train(settings, drawn=True)
    release = Releases(tmp_path / "releases").open()
    ids = read_table(release.path("items") / "ids.parquet")["id"].to_pylist()
    assert set(ids) == {article.id for article in given.articles} | {event.article for event in given.events}
    space = read_json(release.path("words") / "space.json")
    vectors = load_npy(release.path("articles") / "vectors.npy")
    assert vectors.shape == (len(given.articles), space["embedding_dim"])
    assert given.lacks <= set(release.manifest["gaps"])
    page = (release.path("report") / "index.html").read_text(encoding="utf-8")
    assert all(lack in page for lack in release.manifest["gaps"])
    check_lists(settings, release, given)


def check_lists(settings: Settings, release: Release, given: Site) -> None:
    """Ask for lists: 200, finite, and never empty while anything may be shown."""
    shown = [article.id for article in given.articles if not article.hidden]
    with serving(settings) as service:
        assert service.live.release == release.name
        for query in ({}, {"reader": READER}, {"reader": "new", "article": "a0"}):
            items = service.get("/api/v1/recommendations", k=50, include="scores", **query)["items"]
            assert all(math.isfinite(item["score"]) and 0 <= item["score"] <= 1 for item in items)
            assert {item["id"] for item in items} <= set(shown)
            assert items or query or not shown
        service.get("/api/v1/today")
        if shown:
            similar = service.get("/api/v1/articles/a0/similar", include="scores")["items"]
            assert all(math.isfinite(item["score"]) for item in similar)


def test_a_whole_site_lacks_nothing_that_it_gave(tmp_path: Path) -> None:
    settings = toy_settings(tmp_path, **BRIEF)
    fill_toy(settings)
    train(settings, drawn=True)
    assert Releases(tmp_path / "releases").open().manifest["gaps"] == []


def test_an_empty_store_is_refused_with_the_remedy_and_a_good_release_stays(tmp_path: Path) -> None:
    good = filled(tmp_path, SITES["one article"])
    live = train(good, drawn=True)
    mistyped = good.model_copy(update={"data_dir": tmp_path / "typo"})
    other_site = good.model_copy(update={"site": good.site.model_copy(update={"id": "nobody"})})
    for settings in (mistyped, other_site):
        with pytest.raises(InputError, match="RECSYS_DATA_DIR") as refused:
            _make_all(Context(settings, seed=1), None)
        assert refused.value.exit_code == 2
    assert Releases(tmp_path / "releases").current() == live
    assert Releases(tmp_path / "typo" / "releases").current() is None

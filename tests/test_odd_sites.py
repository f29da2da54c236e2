"""Sites that lack what others have: every one of them is trained, published and says what it could not learn."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from jobs.runner import open_store
from recsys.releases import Releases
from recsys.store import Article, Event, Kind
from recsys.workspace import load_npy, read_json, read_table
from tests.newsroom import NOW, SITE, TOPICS, toy_settings, train

BRIEF = {"words": {"embedding_dim": 8, "epochs": 1}, "items": {"embedding_dim": 4, "epochs": 1}, "ctr": {"epochs": 1}}
WORDS = " ".join(TOPICS.values()).split()


def articles(count: int, category: str | None = None, text: str = "") -> list[Article]:
    rng = np.random.default_rng(1)
    bodies = [text or " ".join(rng.choice(WORDS, 12)) for _ in range(count)]
    return [
        Article(f"a{row}", SITE, body, body, category=category, published_at=NOW - row)
        for row, body in enumerate(bodies)
    ]


def clicks(count: int, among: int) -> list[Event]:
    rng = np.random.default_rng(2)
    return [
        Event(f"e{row}", SITE, Kind.CLICK, f"a{rng.integers(among)}", f"r{row % 7}", None, NOW + row * 60_000)
        for row in range(count)
    ]


SITES: dict[str, tuple[Sequence[Article], Sequence[Event]]] = {
    "nothing at all": ([], []),
    "texts without clicks": (articles(12, "news"), []),
    "clicks without texts": ([], clicks(60, 9)),
    "one article": (articles(1), []),
    "one category": (articles(12, "news"), clicks(40, 12)),
    "no category": (articles(12), clicks(40, 12)),
    "no language": (articles(6, text="1234 !!! 😀"), clicks(20, 6)),
    "five articles and five clicks": (articles(5), clicks(5, 5)),
}


@pytest.mark.parametrize("name", list(SITES))
def test_a_site_of_any_kind_gets_a_whole_release(tmp_path: Path, name: str) -> None:
    texts, events = SITES[name]
    settings = toy_settings(tmp_path, **BRIEF)
    store = open_store(settings)
    store.put_articles(texts)
    store.add_events(events)
    store.close()
    train(settings)
    release = Releases(tmp_path / "releases").open()
    ids = read_table(release.path("items") / "ids.parquet")["id"].to_pylist()
    assert set(ids) == {article.id for article in texts} | {event.article for event in events}
    space = read_json(release.path("words") / "space.json")
    vectors = load_npy(release.path("articles") / "vectors.npy")
    assert vectors.shape == (len(texts), space["embedding_dim"])
    if not texts:
        assert space["words"] == 0
    assert (release.path("report") / "index.html").stat().st_size > 0

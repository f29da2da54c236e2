"""Simulated readers behave as they were made to: tastes, places, age and time can be read back from the events."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from recsys import demo
from recsys.errors import DegenerateInput
from recsys.events import EventLog
from recsys.simulate import READER_PREFIX, SimulatedWorld, simulated_world, visits
from recsys.simulate.config import SimulateConfig
from recsys.store import Article, Event, Kind, Store
from recsys.units import DAY_MS, HOUR_MS

NOW = 1_790_000_000_000
CONFIG = SimulateConfig(readers=120, days=4)


def newsroom(seed: int = 1) -> tuple[SimulatedWorld, list[Event]]:
    rng = np.random.default_rng(seed)
    world = simulated_world(demo.articles("demo", NOW, 5, rng), demo.truth(), CONFIG, rng)
    return world, [event for visit in visits(world, CONFIG, NOW - 4 * DAY_MS, NOW, rng, cards=6) for event in visit]


def test_the_same_seed_gives_the_same_newsroom_and_another_seed_another() -> None:
    first, second, third = newsroom(1)[1], newsroom(1)[1], newsroom(2)[1]
    assert first == second
    assert first != third


def test_every_click_follows_an_impression_of_the_same_visit() -> None:
    _, events = newsroom()
    shown = {(event.impression, event.article): event for event in events if event.kind == Kind.IMPRESSION}
    clicks = [event for event in events if event.kind == Kind.CLICK]
    assert len(clicks) > 300
    for click in clicks:
        card = shown[click.impression, click.article]
        assert (card.time or 0) < (click.time or 0) <= NOW
        assert card.position == click.position


def test_event_ids_are_unique_readers_are_marked_and_nothing_is_in_the_future() -> None:
    _, events = newsroom()
    assert len({event.event_id for event in events}) == len(events)
    assert all((event.reader or "").startswith(READER_PREFIX) for event in events)
    assert all(NOW - 4 * DAY_MS <= (event.time or 0) <= NOW for event in events)


def test_readers_see_their_language_and_only_what_is_published() -> None:
    world, events = newsroom()
    article = {a.id: a for a in world.articles}
    language = dict(zip(world.reader_ids, world.language, strict=True))
    for event in events:
        assert article[event.article].language == language[str(event.reader)]
        assert (article[event.article].published_at or 0) <= (event.time or 0)


def test_readers_click_what_they_like() -> None:
    world, events = newsroom()
    row = {article.id: number for number, article in enumerate(world.articles)}
    reader = {name: number for number, name in enumerate(world.reader_ids)}

    def taste(kind: Kind) -> float:
        return float(
            np.mean(
                [world.taste[reader[str(e.reader)], world.category[row[e.article]]] for e in events if e.kind == kind]
            )
        )

    assert taste(Kind.CLICK) > 1.7 * taste(Kind.IMPRESSION)


def test_higher_cards_and_newer_articles_are_clicked_more() -> None:
    world, events = newsroom()
    shown = Counter(event.position for event in events if event.kind == Kind.IMPRESSION)
    clicked = Counter(event.position for event in events if event.kind == Kind.CLICK)
    assert clicked[0] / shown[0] > 1.5 * clicked[5] / shown[5]
    assert world.news_value(np.array([0]), int(world.published[0])) == 1.0
    assert world.news_value(np.array([0]), int(world.published[0]) + 14 * HOUR_MS) == pytest.approx(0.7)


def test_articles_without_a_known_category_are_refused() -> None:
    article = Article(id="a", site="demo", title="A", published_at=NOW, language="en")
    with pytest.raises(DegenerateInput, match="'a' without"):
        simulated_world([article], {}, CONFIG, np.random.default_rng(1))
    with pytest.raises(DegenerateInput, match="none"):
        simulated_world([], {}, CONFIG, np.random.default_rng(1))


def test_the_demo_newsroom_has_texts_in_both_languages_and_leaves_some_unsorted() -> None:
    articles = demo.articles("demo", NOW, 5, np.random.default_rng(1))
    chinese = [article for article in articles if article.language == "zh"]
    english = Counter(article.category for article in articles if article.language == "en")
    assert sum(english.values()) == 77
    assert all(count >= 5 for count in english.values()), english
    by_category = Counter(article.category for article in chinese)
    assert all(by_category[name] >= 12 for name in ("sports", "business", "entertainment", "cars", "technology"))
    assert by_category[None] >= 5
    assert len({article.title for article in articles}) == len(articles)
    assert all(len(article.body) > 100 for article in articles)
    assert set(demo.truth()) == {article.id for article in articles}


def test_a_log_of_simulated_readers_says_so_and_one_of_others_does_not(tmp_path: Path) -> None:
    for number, reader in enumerate(("ann", f"{READER_PREFIX}0001")):
        store = Store.open(f"sqlite:///{tmp_path / 'store.db'}")
        store.add_events([Event(f"e{number}", "demo", Kind.CLICK, "a", reader, time=NOW)])
        log = EventLog(tmp_path / "log")
        log.append(store, "demo")
        store.close()
        assert log.has_reader(READER_PREFIX) == (reader != "ann")

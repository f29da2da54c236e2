"""The closed loop: nothing is shown too early or again, luck is shared, and the figures are those of hand."""

import json
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from benchmarks.closed_loop import __main__ as benchmark
from benchmarks.closed_loop.arms import AndNews, AndUnseen, Arm, Chance, ClickRate, ItemKnn, Oracle, Popularity
from benchmarks.closed_loop.chart import draw
from benchmarks.closed_loop.figures import figures, hours_to, mean_of
from benchmarks.closed_loop.loop import Served, serve
from benchmarks.closed_loop.newsroom import published, subjects
from benchmarks.closed_loop.outcomes import Promise
from benchmarks.closed_loop.scene import START, Rows, Scene, Visit, make_scene
from benchmarks.closed_loop.site import Site
from recsys.errors import ArtefactError
from recsys.events.outcomes import READ_MS
from recsys.simulate import attention
from recsys.simulate.config import SimulateConfig
from recsys.store import Event, Kind
from recsys.units import DAY_MS, HOUR_MS

CONFIG = SimulateConfig(readers=30, days=2)
QUICK: dict[str, Any] = {
    "words": {"embedding_dim": 16, "epochs": 3},
    "items": {"embedding_dim": 8, "epochs": 5},
    "ctr": {"epochs": 10, "batch_size": 64},
    "features": {"refits": 1},
}


@pytest.fixture(scope="module")
def scene() -> Scene:
    return make_scene(CONFIG, 12, seed=1, cards=6)


class Watched:
    """Passes everything on to an arm, and keeps what happened."""

    def __init__(self, arm: Arm) -> None:
        self.arm = arm
        self.out: set[int] = set()
        self.events: list[tuple[int, Event]] = []
        self.lists: list[tuple[Visit, list[int]]] = []
        self.nights: list[int] = []

    def publish(self, rows: list[int], now: int) -> None:
        self.out |= set(rows)
        self.arm.publish(rows, now)

    def learn(self, events: list[Event], now: int) -> None:
        self.events += [(now, event) for event in events]
        self.arm.learn(events, now)

    def night(self, now: int) -> None:
        self.nights.append(now)
        self.arm.night(now)

    def choose(self, visit: Visit, candidates: Rows, k: int) -> Rows:
        rows = self.arm.choose(visit, candidates, k)
        assert set(rows.tolist()) <= self.out, "an article was shown that nobody has published"
        self.lists.append((visit, rows.tolist()))
        return rows


def check_rules(watched: Watched, served: Served, scene: Scene) -> None:
    """Nothing is shown early, in another language, or again once it was opened; nothing is clicked unseen."""
    opened = {
        (event.reader, scene.row_of[event.article]): event.time
        for _, event in reversed(watched.events)
        if event.kind == Kind.CLICK
    }
    assert len(opened) > 20
    for visit, rows in watched.lists:
        reader = scene.world.reader_ids[visit.reader]
        for row in rows:
            assert scene.world.published[row] <= visit.moment
            assert scene.world.articles[row].language == scene.world.language[visit.reader]
            assert (opened.get((reader, row)) or scene.end) > visit.moment
    assert not (served.clicked & ~served.looked).any()
    assert not (served.looked & (served.shown < 0)).any()
    shown = {
        (event.impression, event.article, event.position) for _, event in watched.events if event.kind == "impression"
    }
    clicks = [(now, event) for now, event in watched.events if event.kind == Kind.CLICK]
    assert all((event.impression, event.article, event.position) in shown for _, event in clicks)
    later = [(now, event) for now, event in clicks if now > scene.start]
    assert len(later) <= served.clicked.sum(), "a click that nobody made"
    assert all(event.time == now for now, event in later)


@pytest.mark.parametrize(
    "arm",
    [
        Chance,
        Oracle,
        lambda scene: AndUnseen(Oracle(scene), scene, 2),
        lambda scene: ItemKnn(scene, 48.0),
        lambda scene: ClickRate(scene, 8.0),
    ],
)
def test_every_arm_keeps_the_rules(arm: Any, scene: Scene) -> None:
    watched = Watched(arm(scene))
    check_rules(watched, serve(watched, scene), scene)
    assert watched.nights == [START, START + DAY_MS]
    times = [now for now, _ in watched.events]
    assert times == sorted(times)


def test_the_last_cards_are_what_the_reader_likes_best_of_what_few_have_seen(scene: Scene) -> None:
    visit = scene.visits[-1]
    out = scene.candidates(visit, np.zeros(len(scene.world.articles), np.bool_))
    best = Oracle(scene).choose(visit, out, len(out)).tolist()
    arm = AndUnseen(Oracle(scene), scene, places=2, enough=1, hours=1e9)
    assert arm.choose(visit, out, 6).tolist() == best[:6], "nobody has seen anything"
    seen = [Event("e", "simulated", Kind.IMPRESSION, scene.world.articles[row].id, "r") for row in best[:6]]
    arm.learn(seen, visit.moment)
    assert arm.choose(visit, out, 6).tolist() == [*best[:4], *best[6:8]]
    arm.hours = -1.0
    assert arm.choose(visit, out, 6).tolist() == best[:6], "none is young"


def test_an_arm_that_shows_what_is_not_out_yet_is_refused(scene: Scene) -> None:
    class Early(Chance):
        def choose(self, visit: Visit, candidates: Rows, k: int) -> Rows:
            return np.array([len(scene.world.articles) - 1])

    with pytest.raises(ArtefactError, match="different candidates"):
        serve(Early(scene), scene)


def test_an_arm_that_shows_an_article_twice_is_refused(scene: Scene) -> None:
    class Twice(Chance):
        def choose(self, visit: Visit, candidates: Rows, k: int) -> Rows:
            return candidates[[0, 0]]

    with pytest.raises(ArtefactError, match="one twice"):
        serve(Twice(scene), scene)


def test_the_oracle_is_far_above_chance_and_the_limit_on_categories_costs_it_clicks(scene: Scene) -> None:
    def expected(arm: Arm) -> float:
        served = serve(arm, scene)
        chances = [
            scene.world.click_probability(reader, rows, moment) * attention(len(rows))
            for reader, rows, moment in zip(served.reader, served.shown, served.moment, strict=True)
        ]
        return float(np.mean(chances))

    chance, oracle, tastes = expected(Chance(scene)), expected(Oracle(scene)), expected(Oracle(scene, tastes_only=True))
    assert oracle > 2 * chance
    assert chance < tastes < oracle
    assert chance < expected(Oracle(scene, 2)) < oracle


def test_the_same_seed_gives_the_same_figures_and_another_seed_others(scene: Scene) -> None:
    def table(of: Scene) -> dict[str, Any]:
        return {name: figures(serve(arm, of), of) for name, arm in benchmark.simple_arms(of)}

    first = table(scene)
    assert first == table(make_scene(CONFIG, 12, seed=1, cards=6))
    assert first != table(make_scene(CONFIG, 12, seed=2, cards=6))


def test_two_lists_share_their_luck_where_they_agree(scene: Scene) -> None:
    visit = scene.visits[10]
    rows = scene.candidates(visit, np.zeros(len(scene.world.articles), np.bool_))
    one, other = rows[:6], np.concatenate([rows[:3], rows[7:10]])
    answers = [scene.answer(visit, chosen) for chosen in (one, other, one)]
    assert np.array_equal(answers[0].looked, answers[1].looked)
    assert np.array_equal(answers[0].clicked[:3], answers[1].clicked[:3])
    assert answers[0].events == answers[2].events


def test_readers_click_as_often_as_the_truth_says(scene: Scene) -> None:
    served = serve(Oracle(scene), scene)
    expected = sum(
        float((scene.world.click_probability(reader, rows, moment) * attention(len(rows))).sum())
        for reader, rows, moment in zip(served.reader, served.shown, served.moment, strict=True)
    )
    assert abs(served.clicked.sum() - expected) < 4 * np.sqrt(expected)


def test_articles_are_new_texts_of_their_category_published_by_day() -> None:
    articles, truth = published(12, 2, 1, START, np.random.default_rng(1))
    assert len({article.body for article in articles}) == len(articles) == 36
    times = [article.published_at or 0 for article in articles]
    assert times == sorted(times)
    assert START - 2 * DAY_MS < times[0] < times[-1] < START + DAY_MS
    given = [article for article in articles if article.category is not None]
    assert 0 < len(given) < len(articles)
    assert all(truth[article.id] == article.category for article in given)
    words = {
        kind: set().union(*(s.pools[2] for s in subjects() if (s.language, s.category) == kind))
        for kind in [("en", "sports")]
    }
    english = next(a for a in articles if a.language == "en" and truth[a.id] == "sports")
    assert {word.strip(".").lower() for word in english.body.split()} <= words["en", "sports"]


def click(scene: Scene, reader: int, row: int, time: int, kind: Kind = Kind.CLICK, position: int = 0) -> Event:
    name = f"{reader}-{row}-{time}-{kind}"
    article = scene.world.articles[row].id
    return Event(name, "simulated", kind, article, scene.world.reader_ids[reader], None, time, "front", position)


def test_popularity_fades_and_equal_ones_are_newest_first(scene: Scene) -> None:
    arm = Popularity(scene, half_life_hours=1.0)
    then = START + 10 * HOUR_MS
    arm.learn([click(scene, 0, 0, START), click(scene, 1, 0, START), click(scene, 2, 1, then)], then)
    visit = Visit(0, then, 0)
    assert arm.choose(visit, np.array([0, 1, 2, 3]), 4).tolist() == [1, 0, 3, 2]
    assert AndNews(arm, scene).choose(visit, np.array([0, 1, 2, 3]), 4).tolist() == [1, 3, 0, 2]


def test_the_click_rate_tries_new_articles_before_those_that_nobody_opens(scene: Scene) -> None:
    arm = ClickRate(scene, half_life_hours=8.0)
    arm.learn([click(scene, 0, 0, START, Kind.IMPRESSION) for _ in range(40)], START)
    arm.learn([click(scene, 0, 1, START, Kind.IMPRESSION) for _ in range(4)] + [click(scene, 0, 1, START)] * 3, START)
    assert arm.choose(Visit(0, START, 0), np.array([0, 1, 2]), 3).tolist() == [1, 2, 0]


def test_item_knn_follows_those_who_read_the_same(scene: Scene) -> None:
    arm = ItemKnn(scene, half_life_hours=48.0)
    arm.learn([click(scene, 0, 0, START), click(scene, 0, 1, START + 1), click(scene, 1, 0, START + 2)], START + 2)
    arm.learn([click(scene, 2, 2, START + 3), click(scene, 3, 2, START + 4)], START + 4)
    assert arm.choose(Visit(0, START + 5, 1), np.array([1, 2, 3]), 3).tolist() == [1, 2, 3]
    assert arm.choose(Visit(0, START + 5, 4), np.array([1, 2, 3]), 3).tolist() == [2, 1, 3]


def test_hours_to_the_nth_impression_are_counted_from_publication(scene: Scene) -> None:
    row = int(np.flatnonzero(scene.world.published > START)[0])
    born = int(scene.world.published[row])
    moments = born + np.array([1, 2, 5]) * HOUR_MS
    shown = np.array([[row, -1], [-1, -1], [3, row]])
    clicked, nothing = np.array([[True, False], [False] * 2, [False] * 2]), np.zeros(3, np.int64)
    served = Served(moments, nothing, shown, shown >= 0, clicked, np.zeros(3), nothing, nothing)
    assert hours_to(served, scene, 1)[row] == 1.0
    assert hours_to(served, scene, 2)[row] == 5.0
    assert hours_to(served, scene, 3)[row] == np.inf
    told = figures(served, scene)
    assert told["click_rate"] == told["click_rate_looked"] == round(1 / 3, 4)
    assert told["hours_to_100"] is None
    assert told["reached_100"] == 0.0
    fresh = figures(served, replace(scene, warm_up=[]))["by_known_clicks"]
    first = round(1 / int((shown[0] >= 0).sum()), 4)
    assert fresh == {"0": first, "1-2": 0.0, "3+": None}, "a click counts from the next visit on"


def test_the_best_popularity_stands_for_all_and_ratios_are_against_it() -> None:
    def one(rate: float) -> dict[str, Any]:
        return {"click_rate": rate, "by_day": {"click_rate": [rate, 2 * rate]}}

    table = {"recommender": one(0.3), "popularity_a": one(0.1), "popularity_b": one(0.2), "oracle": one(0.4)}
    table |= {"oracle_tastes": one(0.3), "item_knn_a": one(0.2), "item_knn_b": one(0.1)}
    told = benchmark.summary(mean_of([table, table]))
    assert set(told["baselines"]) == {"popularity", "item_knn", "oracle", "oracle_tastes"}
    assert told["tried"]["popularity"] == {"popularity_a": 0.1, "popularity_b": 0.2}
    assert told["baselines"]["item_knn"]["click_rate"] == 0.2
    assert told["best"] == {"click_rate": 0.3, "of_popularity": 1.5, "of_oracle": 0.75, "of_oracle_tastes": 1.0}
    assert told["ours"]["recommender"]["by_day"]["of_popularity"] == [1.5, 1.5]


def test_the_pictures_say_that_their_readers_are_simulated(tmp_path: Path) -> None:
    by_day = {"click_rate": [0.1, 0.2], "hours_to_100": [None], "reached_100": [0.5]}
    for file in draw({"recommender": {"by_day": by_day}, "oracle": {"by_day": by_day}}, tmp_path):
        assert "simulated" in file.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, scene: Scene) -> Iterator[Site]:
    with closing(Site(scene, tmp_path_factory.mktemp("site"), QUICK)) as site:
        yield site


def test_the_whole_recommender_keeps_the_rules_and_shows_what_was_published_just_now(site: Site, scene: Scene) -> None:
    watched = Watched(site)
    served = serve(watched, scene)
    check_rules(watched, served, scene)
    assert len(site.nights) == 2
    assert site.tiers["personal"] > len(scene.visits) / 2
    first = hours_to(served, scene, 1)[scene.world.published >= scene.start]
    assert np.isfinite(first).mean() > 0.5
    waited = np.median(first[np.isfinite(first)])
    assert waited < 2.0, "articles that come through the day wait for the next release"
    chance = serve(Chance(scene), scene)
    assert served.clicked.sum() > 1.2 * chance.clicked.sum()


def test_the_command_ends_with_one_json_object(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    class Instant(Chance):
        """Stands for the site, which another test serves."""

        nights: tuple[float, ...] = (1.0, 2.0)
        held_back: ClassVar = {2: "vectors: none"}
        tiers: tuple[str, ...] = ()

        def __init__(self, scene: Scene, folder: Path, changes: dict[str, Any], *, unsourced: bool) -> None:
            super().__init__(scene)
            given.append(changes)

        def close(self) -> None: ...

    given: list[dict[str, Any]] = []
    monkeypatch.setattr(benchmark, "Site", Instant)
    command = [
        *["closed_loop", "--days", "1", "--readers", "9", "--articles-per-day", "6", "--levers", "--out"],
        str(tmp_path),
    ]
    monkeypatch.setattr(sys, "argv", command)
    benchmark.main()
    printed = capsys.readouterr().out
    assert "the gate held 1 of 2 nights back. night 2: vectors: none" in printed
    told = json.loads(printed.splitlines()[-1])
    assert told["simulated"] is True
    assert told["ours"]["recommender"]["click_rate"] == told["baselines"]["random"]["click_rate"]
    assert {"best", "seconds", "peak_mib", "seed"} <= set(told)
    assert given == [{}, *benchmark.LEVERS.values()]
    assert set(benchmark.LEVERS) <= set(told["baselines"])
    assert sorted(file.name for file in tmp_path.iterdir()) == ["click_rate.svg", "hours_to_100.svg"]


def test_where_readers_read_and_hide_nothing_else_of_a_visit_changes(scene: Scene) -> None:
    visit, nothing = scene.visits[0], np.zeros(len(scene.world.articles), np.bool_)
    rows = scene.candidates(visit, nothing)[: scene.cards]
    A = len(scene.world.articles)
    never, always = (Promise(np.full(A, share), np.full(A, share)) for share in (0.0, 1.0))
    plain = scene.answer(visit, rows).events
    for kept, hidden in ((never, 0), (always, 1)):
        answer = replace(scene, kept=kept).answer(visit, rows)
        hides = [event for event in answer.events if event.kind is Kind.DISMISS]
        assert len(hides) == hidden * int((answer.looked & ~answer.clicked).sum())
        rest = [event for event in answer.events if event.kind is not Kind.DISMISS]
        assert [event._replace(dwell_ms=None) for event in rest] == [event._replace(dwell_ms=None) for event in plain]
        dwells = [event.dwell_ms or 0 for event in rest if event.kind is Kind.DWELL]
        assert all((dwell >= READ_MS) == bool(hidden) for dwell in dwells)

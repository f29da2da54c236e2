"""Ranking and re-ranking: scores in [0, 1] that say what they are, and few articles of each category in a list."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recsys.catalogue.eligibility import source_shares
from recsys.recommend.context import Tier
from recsys.recommend.rank import ScoreKind, answered_scores
from recsys.recommend.rerank import DiversifiedList, SourceLimits, category_limits
from recsys.store import Event, Kind
from tests.newsroom import HOUR, NOW, SITE, TOPICS, Toy, toy_settings, train
from tests.recommenders import ask, entry, newsroom, reader, rows, two_topics
from tests.service import article, copy_of, fill, plain_settings, serving


def test_a_probability_is_answered_as_it_is_and_a_cosine_never_below_nothing() -> None:
    scores = np.array([0.7, -0.2, 1.0000001], np.float32)
    for kind in (ScoreKind.CLICK, ScoreKind.SIMILARITY):
        assert answered_scores(kind, scores, scores).tolist() == pytest.approx([0.7, 0.0, 1.0])


def test_odds_up_to_a_factor_become_the_share_of_each_candidate() -> None:
    odds = np.log(np.array([1, 2, 5], np.float32)) + 30
    assert answered_scores(ScoreKind.NEXT_CLICK, odds, odds).tolist() == pytest.approx([1 / 8, 2 / 8, 5 / 8])
    late = np.array([31.0, 1e9, -1e9], np.float32)  # of no candidate
    assert answered_scores(ScoreKind.NEXT_CLICK, late, odds).tolist() == pytest.approx([np.e / 8, 1, 0], rel=1e-5)
    assert answered_scores(ScoreKind.NEXT_CLICK, odds[:0], odds[:0]).tolist() == []


FOOT, MARKETS = 0, 1  # codes of categories


class Odds:
    """A click model that learned from clicks alone."""

    probability = False
    reads_ids = False

    def score(self, candidates: Any) -> Any:
        return np.arange(len(candidates), dtype=np.float32) * 9 - 30


def test_each_list_says_what_its_scores_are() -> None:
    far = newsroom([entry(row, None) for row in range(3)], [(1.0, 0.0), (-1.0, 0.0), (0.0, 1.0)], fresh=0)
    near = ask(far, reader(0), k=3)
    assert [(card.row, card.score, card.kind) for card in near.cards] == [
        (2, pytest.approx(0.0, abs=1e-6), ScoreKind.SIMILARITY),
        (1, 0.0, ScoreKind.SIMILARITY),
    ]
    assert {card.kind for card in ask(two_topics(), k=8).cards} == {ScoreKind.NONE}
    recommender = two_topics()
    recommender.model = Odds()
    cards = ask(recommender, reader(0), k=8).cards
    assert {card.kind for card in cards} == {ScoreKind.NEXT_CLICK}
    assert sum(card.score for card in cards) == pytest.approx(1)


def test_the_only_article_of_a_language_is_not_certain_to_be_opened_next() -> None:
    stories = [entry(0, None), entry(1, None, language="da"), entry(2, None), entry(3, None)]
    recommender = newsroom(stories, [(1.0, 0.0), (0.9, 0.1), (0.8, 0.2), (0.7, 0.3)], model=Odds())
    cards = ask(recommender, reader(0), k=3, lang="da").cards
    assert cards[0].row == 1
    assert cards[0].score < 0.5
    assert sum(card.score for card in cards) == pytest.approx(1, abs=1e-4)


def kinds(items: list[dict[str, Any]]) -> set[str]:
    """The kinds of an answer's scores, which all lie between 0 and 1."""
    assert all(0 <= item["score"] <= 1 for item in items)
    return {item["score_kind"] for item in items}


def properties_of(spec: Any, *names: str) -> Iterator[tuple[str, Any]]:
    """Properties of these names, wherever they stand in a description."""
    if isinstance(spec, dict):
        yield from ((name, value) for name, value in spec.get("properties", {}).items() if name in names)
        for value in spec.values():
            yield from properties_of(value, *names)
    elif isinstance(spec, list):
        for value in spec:
            yield from properties_of(value, *names)


def test_the_service_answers_probabilities_where_readers_were_shown_lists(toy: Toy, tmp_path: Path) -> None:
    with serving(copy_of(toy, tmp_path / "site")) as service:
        ask_for = partial(service.get, include="scores")
        name = service.ids(reader="football-fan-03")[0]
        assert kinds(ask_for("/api/v1/recommendations", reader="football-fan-03", k=16)["items"]) == {"click"}
        assert kinds(ask_for("/api/v1/recommendations")["items"]) == {"click"}, "of a stranger too"
        assert kinds(ask_for(f"/api/v1/articles/{name}/similar", k=16)["items"]) >= {"similarity"}
        assert kinds(ask_for("/api/v1/tags/football")["items"]) == {"tag"}
        service.click(name)
        assert kinds(ask_for("/api/v1/today")["items"]) == {"none"}
        spec = service.get("/openapi.json")
    described = dict(properties_of(spec, "score", "score_kind"))
    assert (described["score"]["minimum"], described["score"]["maximum"]) == (0, 1)
    assert all(kind in described["score_kind"]["description"] for kind in ScoreKind)


WORDS = " ".join(TOPICS.values()).split()


def test_a_log_of_clicks_alone_gives_shares_of_the_next_click(tmp_path: Path) -> None:
    settings = toy_settings(tmp_path, ctr={"epochs": 1})
    rng = np.random.default_rng(4)
    stories = [
        article(f"a{n}", title=" ".join(rng.choice(WORDS, 5)), body=" ".join(rng.choice(WORDS, 30)), published_at=NOW)
        for n in range(20)
    ]
    fill(settings, *stories)
    with serving(plain_settings(tmp_path)) as service:
        clicks = [
            Event(f"c{n}", SITE, Kind.CLICK, f"a{rng.integers(20)}", f"u{n % 40}", None, NOW + n * HOUR // 20)
            for n in range(400)
        ]
        service.store.add_events(clicks)
    train(settings)
    with serving(plain_settings(tmp_path)) as service:
        assert service.live._frame.state.recommender.model is not None
        items = service.get("/api/v1/recommendations", reader="u7", k=6, include="scores")["items"]
        assert kinds(items) == {"next-click"}


@pytest.mark.parametrize(
    ("share", "clicks", "allowed"),
    [
        (1.0, 0, 3),
        (1.0, 1, 7),  # two thirds sure: two thirds of the list
        (1.0, 45, 8),  # nine tenths of it would be too much
        (0.6, 45, 6),  # 5.4 places
        (0.2, 1_000_000, 3),
    ],
)
def test_a_category_may_have_its_share_of_the_clicks_as_far_as_these_can_tell(
    share: float, clicks: int, allowed: int
) -> None:
    assert category_limits({FOOT: share}, clicks, 10, 3, 0.8) == {FOOT: allowed}


def test_the_least_goes_before_the_most_in_short_lists() -> None:
    assert category_limits({FOOT: 1.0}, 100, 2, 3, 0.8) == {FOOT: 3}


def test_a_share_that_is_a_whole_number_of_places_is_not_rounded_up() -> None:
    assert category_limits({FOOT: 0.1 + 0.2}, 10**12, 10, 1, 0.8) == {FOOT: 3}


def test_each_category_closes_at_its_own_limit_and_articles_without_one_never() -> None:
    made = DiversifiedList(6, {FOOT: 3}, 1, np.array([-1, FOOT, MARKETS] * 4))
    made.offer(np.array([1, 2, 4, 5]))
    assert made.closed == [MARKETS]
    made.offer(np.array([7, 10, 0, 3, 6]))
    assert sorted(made.closed) == [FOOT, MARKETS]
    assert (made.picked, made.over) == ([1, 2, 4, 7, 0, 3], [5, 10])


WIRE, POST, OWN = 0, 1, -1  # codes of sources


def test_a_source_closes_at_its_share_of_the_list_and_the_sites_own_never() -> None:
    sources = np.array([OWN, WIRE, POST] * 4, np.int32)
    made = DiversifiedList(5, {}, 9, np.zeros(12, np.int16), SourceLimits(sources, np.array([0.5, 0.2])))
    made.offer(np.array([1, 4, 2]))
    assert made.closed_sources == [POST], "a fifth of five is one; half of it is three"
    made.offer(np.array([7, 10, 5, 0]))
    assert (made.picked, made.over) == ([1, 4, 2, 7, 0], [10, 5])
    assert sorted(made.closed_sources) == [WIRE, POST]


def test_what_is_over_one_limit_does_not_count_towards_the_other() -> None:
    categories, sources = np.array([FOOT, MARKETS, FOOT, FOOT], np.int16), np.array([WIRE, WIRE, POST, OWN], np.int32)
    made = DiversifiedList(2, {}, 1, categories, SourceLimits(sources, np.array([0.5, 0.5])))
    made.offer(np.array([0, 1, 2, 3]))
    assert (made.picked, made.over) == ([0], [1, 2, 3]), "one of the wire is half; football has its one"
    assert made.filled() == [0, 1]


def test_a_source_without_an_article_among_the_newest_has_half_a_list() -> None:
    made = DiversifiedList(4, {}, 9, np.zeros(4, np.int16), SourceLimits(np.full(4, 7, np.int32), np.array([1.0])))
    made.offer(np.arange(4, dtype=np.int32))
    assert made.picked == [0, 1]
    made.offer_open(np.arange(2, 4, dtype=np.int32))
    assert made.picked == [0, 1], "it is closed"


def test_a_source_that_writes_all_of_one_language_fills_the_lists_of_that_language() -> None:
    sources, language = (
        np.array([WIRE, WIRE, POST, OWN, OWN, OWN, OWN], np.int32),
        np.array([1, 1, 0, 0, 0, 0, 0], np.int16),
    )
    assert source_shares(sources, language).tolist() == [1.0, 0.5]
    assert source_shares(sources[3:], language[3:]).tolist() == []
    assert source_shares(sources[:0], language[:0]).tolist() == []


@pytest.mark.parametrize(("wire", "cards"), [(20, 5), (40, 7), (54, 9), (60, 10)])
def test_a_list_is_half_of_one_source_at_most_unless_most_of_the_site_is(wire: int, cards: int) -> None:
    entries = [
        entry(row, None, source="Wire" if row < wire else None) for row in range(60)
    ]  # the newest are the wire's
    made = ask(newsroom(entries), k=10)
    assert len(made.cards) == 10
    assert sum(row < wire for row in rows(made)) == cards


FOOTBALL = 60  # articles, the newest; then ten each of three other categories


@pytest.mark.parametrize(("clicked", "football"), [(0, 3), (1, 7), (45, 8)])
def test_who_reads_football_alone_gets_more_of_it_the_surer_that_is_and_never_it_alone(
    clicked: int, football: int
) -> None:
    others = [entry(FOOTBALL + n, ["markets", "arts", "travel"][n // 10]) for n in range(30)]
    made = ask(newsroom([*(entry(row, "football") for row in range(FOOTBALL)), *others]), reader(*range(clicked)), k=10)
    assert made.tier is (Tier.CATEGORY_POPULAR if clicked else Tier.FRESH)
    assert sum(row < FOOTBALL for row in rows(made)) == football


def test_a_list_is_of_one_category_alone_where_nothing_else_is_left() -> None:
    made = ask(newsroom([entry(row, "football") for row in range(FOOTBALL)]), reader(*range(45)), k=10)
    assert len(made.cards) == 10

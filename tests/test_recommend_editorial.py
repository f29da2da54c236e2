"""Pins, boosts and buries in lists over a hand-made catalogue: football is rows 0 to 3, markets 4 to 7."""

from typing import Any

import numpy as np
import pytest

from recsys.catalogue.editorial import EditorialRows, Pin
from recsys.features.rows import CandidateRows
from recsys.readers import ReaderState
from recsys.recommend.answer import Recommender
from recsys.recommend.context import ANONYMOUS, RequestContext, Tier
from recsys.recommend.editorial import boosted_scores, placed
from recsys.recommend.pin_cost import pin_cost
from recsys.recommend.rank import ScoreKind
from recsys.recommend.reasons import ReasonKind
from recsys.recommend.trace import trace
from recsys.store import Decision, DecisionKind
from recsys.trends import CLICK, IMPRESSION
from recsys.units import DAY_MS, HOUR_MS, MINUTE_MS
from tests.recommenders import NOW, ask, entry, newsroom, reader, rows, two_topics

PIN, BOOST, BURY = DecisionKind.PIN, DecisionKind.BOOST, DecisionKind.BURY


def decide(recommender: Recommender, *decisions: tuple[Any, ...]) -> None:
    """Let decisions hold for an hour: row, kind, and what else is to be said."""
    made = []
    for number, (row, kind, *said) in enumerate(decisions):
        more = said[0] if said else {}
        until = more.pop("until", NOW + HOUR_MS)
        made.append(Decision(f"a{row}", kind, until, NOW, "ann", number, **more))
    recommender.catalogue.decide(made)


def pinned(row: int, place: int, **more: Any) -> tuple[Any, ...]:
    return row, PIN, {"place": place} | more


def test_pins_stand_at_their_places_with_their_reason_and_the_rest_around_them() -> None:
    recommender = two_topics()
    before = rows(ask(recommender, reader(0), k=5))
    assert before == [1, 2, 3, 7, 6]
    decide(recommender, pinned(4, 2), pinned(5, 5))
    made = ask(recommender, reader(0), k=5)
    assert rows(made) == [1, 4, 2, 3, 5]
    kinds = [card.reason.kind for card in made.cards]
    assert [kind is ReasonKind.EDITORS_CHOICE for kind in kinds] == [False, True, False, False, True]
    assert [card.score for card in made.cards if card.row in (4, 5)] == [0.0, 0.0]
    assert made.tier is Tier.PERSONAL


def test_the_limit_per_category_does_not_hold_for_pins_nor_count_them() -> None:
    recommender = two_topics(max_per_category=1)
    before = rows(ask(recommender, k=2))
    decide(recommender, pinned(2, 1), pinned(3, 2))
    made = rows(ask(recommender, k=4))
    assert made[:2] == [2, 3]
    assert made[2:] == before


def test_a_pin_does_not_stand_for_who_has_read_or_dismissed_it_or_sees_it_already() -> None:
    recommender = two_topics()
    decide(recommender, pinned(4, 1))
    cases: list[tuple[tuple[ReaderState | None, ...], dict[str, Any]]] = [
        ((reader(0, 4),), {}),
        ((reader(0, dismissed=(4,)),), {}),
        ((None, reader(4)), {}),
        ((), {"exclude": ["a4"]}),
        ((), {"article": "a4"}),
    ]
    for states, more in cases:
        assert 4 not in rows(ask(recommender, *states, k=8, **more))
    assert rows(ask(recommender, reader(0), k=8))[0] == 4


@pytest.mark.parametrize("facts", [{"hidden": True}, {"expires_at": NOW}, {"published_at": NOW + 1}])
def test_a_pin_stands_only_while_the_article_may_be_shown(facts: dict[str, Any]) -> None:
    recommender = two_topics()
    decide(recommender, pinned(4, 1))
    recommender.catalogue.put("a4", entry(4, "markets", **facts))
    assert 4 not in rows(ask(recommender, reader(0), k=8))


def test_a_pin_of_a_slot_stands_in_the_lists_of_that_slot_alone() -> None:
    recommender = two_topics()
    decide(recommender, pinned(4, 1, slot="front"), pinned(5, 2))
    assert rows(ask(recommender, reader(0), k=3, request=RequestContext(None, "front")))[:2] == [4, 5]
    for slot in ("side", None):
        assert rows(ask(recommender, reader(0), k=3, request=RequestContext(None, slot))) == [1, 5, 2]


def test_a_pin_in_another_language_stands_only_where_the_reader_s_is_not_known() -> None:
    recommender = two_topics()
    recommender.catalogue.put("a4", entry(4, "markets", language="zh"))
    recommender.catalogue.put("a5", entry(5, "markets", language="und"))
    decide(recommender, pinned(4, 1), pinned(5, 2))
    assert rows(ask(recommender, reader(0), k=8))[1] == 5, "nobody knows its language"
    assert 4 not in rows(ask(recommender, reader(0), k=6))
    assert rows(ask(recommender, None, k=8, lang="en"))[0] != 4
    assert rows(ask(recommender, None, k=8, lang="zh"))[0] == 4
    assert rows(ask(recommender, None, k=8, home="en"))[0] == 4, "the site's language is only a guess"
    assert rows(ask(recommender, reader(0), k=8, lang="fr"))[:2] == [4, 5], "no article is in it: none comes first"


def test_of_two_pins_at_one_place_the_later_stands_and_the_earlier_moves_down() -> None:
    pins = [Pin(3, 1, None), Pin(2, 2, None), Pin(1, 1, None)]  # the last one first
    assert placed(pins, 8) == [(3, 1), (2, 2), (1, 3)]
    assert placed(pins[::-1], 8) == [(1, 1), (2, 2), (3, 3)]
    assert placed([Pin(2, 1, None), Pin(1, 1, None), Pin(3, 2, None)], 8) == [(2, 1), (1, 2), (3, 3)]
    assert placed([Pin(9, 7, None)], 8) == [(9, 7)]
    assert placed([], 8) == []


def test_ten_pins_fill_eight_places_and_the_earliest_are_left_out() -> None:
    pins = [Pin(row, 1, None) for row in range(10)]
    assert placed(pins, 8) == [(row, row + 1) for row in range(8)]
    recommender = two_topics()
    decide(recommender, *(pinned(row, 1) for row in range(8)))
    made = ask(recommender, k=3)
    assert (rows(made), made.tier) == ([7, 6, 5], Tier.EDITORS)


def test_a_list_of_one_is_the_pin_and_a_place_beyond_the_list_is_not_shown() -> None:
    recommender = two_topics()
    decide(recommender, pinned(4, 1), pinned(5, 9))
    assert rows(ask(recommender, reader(0), k=1)) == [4]
    made = rows(ask(recommender, reader(0), k=4))
    assert made[0] == 4
    assert 5 not in made


def test_a_short_list_ends_with_the_pins_that_find_no_place() -> None:
    recommender = newsroom([entry(row, "football") for row in range(3)])
    decide(recommender, pinned(0, 9), pinned(1, 12))
    assert rows(ask(recommender, k=20)) == [2, 0, 1]


def test_pins_of_what_the_catalogue_lacks_wait_for_it() -> None:
    empty = newsroom([])
    decide(empty, pinned(0, 1), (1, BURY), (2, BOOST, {"factor": 2.0}))
    made = ask(empty, k=5)
    assert (made.cards, made.tier) == ([], Tier.EMPTY)
    one = newsroom([entry(0, None)])
    decide(one, pinned(0, 1))
    assert (rows(ask(one, k=5)), ask(one, k=5).tier) == ([0], Tier.EDITORS)


def test_a_decision_ends_by_the_clock_of_the_answer_and_holds_again_when_that_is_put_back() -> None:
    recommender = two_topics()
    decide(recommender, pinned(4, 1, until=NOW + MINUTE_MS), (1, BURY, {"until": NOW + 2 * MINUTE_MS}))

    def made(now: int) -> tuple[bool, bool]:
        list_of_all = rows(ask(recommender, reader(0), k=8, now=now))
        return list_of_all[0] == 4, 1 in list_of_all

    assert made(NOW) == made(NOW + MINUTE_MS - 1) == (True, False)
    assert made(NOW + MINUTE_MS) == (False, False)
    assert made(NOW + 2 * MINUTE_MS) == made(NOW + 300 * DAY_MS) == (False, True)
    assert made(NOW - 300 * HOUR_MS) == (True, False)


def test_a_bury_takes_every_copy_of_a_text_out_of_all_lists_and_of_nothing_that_asks_for_it() -> None:
    recommender = two_topics()
    recommender.catalogue.put("a2", entry(2, "football"), leader="a1")
    decide(recommender, (1, BURY))
    assert {1, 2}.isdisjoint(rows(ask(recommender, reader(0), k=8)))
    assert {1, 2}.isdisjoint(rows(ask(recommender, k=8)))
    assert {1, 2}.isdisjoint(rows(ask(recommender, reader(0), k=8, cheap=True)))
    assert {1, 2}.isdisjoint(card.row for card in recommender.similar("a0", 8, NOW))
    catalogue = recommender.catalogue
    assert {1, 2}.isdisjoint(catalogue.latest(NOW, 8).tolist())
    eligible = catalogue.eligible(NOW)
    assert eligible.showable[[1, 2]].all()
    assert eligible.quoted[[1, 2]].tolist() == [1, 1]
    assert eligible.standing[[1, 2]].tolist() == [-1, -1]
    assert 1 in catalogue.of_category("football", NOW)
    decide(recommender, (2, BURY))
    assert {1, 2}.isdisjoint(rows(ask(recommender, k=8))), "whichever copy is named"
    assert recommender.similar("a1", 8, NOW)


def test_a_buried_text_is_not_popular_in_lists_however_often_it_is_clicked() -> None:
    recommender = two_topics()
    for _ in range(9):
        recommender.observe(CLICK, 6, NOW - MINUTE_MS)
    assert rows(ask(recommender, k=3))[0] == 6
    decide(recommender, (6, BURY))
    assert 6 not in rows(ask(recommender, k=8))
    recommender.catalogue.decide([])
    assert rows(ask(recommender, k=3))[0] == 6


def test_of_two_copies_that_are_pinned_the_later_stands_and_who_has_read_one_is_shown_none() -> None:
    recommender = two_topics()
    recommender.catalogue.put("a5", entry(5, "markets"), leader="a4")
    decide(recommender, pinned(4, 1), pinned(5, 2))
    made = rows(ask(recommender, reader(0), k=8))
    assert made[1] == 5
    assert 4 not in made
    assert {4, 5}.isdisjoint(rows(ask(recommender, reader(0, 4), k=8)))


def guaranteed(row: int, **more: Any) -> tuple[Any, ...]:
    return row, PIN, more


def test_what_is_guaranteed_stands_where_it_is_ranked_else_in_the_last_places() -> None:
    recommender = two_topics()
    before = rows(ask(recommender, reader(0), k=5))
    assert before == [1, 2, 3, 7, 6]
    decide(recommender, guaranteed(2))
    made = ask(recommender, reader(0), k=5)
    assert rows(made) == before
    assert made.cards[1].reason.kind is not ReasonKind.EDITORS_CHOICE, "it needed nobody"
    decide(recommender, guaranteed(4), guaranteed(5))
    made = ask(recommender, reader(0), k=5)
    assert rows(made) == [1, 2, 3, 5, 4]
    assert [card.reason.kind is ReasonKind.EDITORS_CHOICE for card in made.cards] == [False] * 3 + [True] * 2
    for states, more in [((), {}), ((), {"cheap": True}), ((reader(0),), {"cheap": True}), ((None, reader(6)), {})]:
        assert {4, 5} <= set(rows(ask(recommender, *states, k=3, **more)))
    decide(recommender, pinned(0, 1), guaranteed(4), guaranteed(5))
    assert rows(ask(recommender, k=2)) == [0, 5], "beside a pin there is room for one, the later"


def test_what_is_guaranteed_is_ranked_among_the_candidates_whatever_leads_to_it() -> None:
    crowd = [entry(row, "football") for row in range(300)]
    angles = np.deg2rad(np.linspace(0, 90, 300))
    recommender = newsroom(crowd, [(float(np.cos(angle)), float(np.sin(angle))) for angle in angles], fresh=1)
    recommender.neighbours, recommender.model = 20, Even()
    decide(recommender, guaranteed(299), (299, BOOST, {"factor": 3.0}))
    made = ask(recommender, reader(0), k=10)
    assert rows(made)[0] == 299
    assert made.cards[0].reason.kind is not ReasonKind.EDITORS_CHOICE


def test_a_guarantee_holds_for_who_was_shown_it_often_and_not_for_who_has_read_it() -> None:
    recommender = two_topics()
    decide(recommender, guaranteed(4))
    for states, more in [((reader(0, 4),), {}), ((reader(0, dismissed=(4,)),), {}), ((), {"exclude": ["a4"]})]:
        assert 4 not in rows(ask(recommender, *states, k=8, **more))
    often = reader(0)
    for _ in range(9):
        often.observe(IMPRESSION, 4, NOW)
    assert rows(ask(recommender, often, k=3))[-1] == 4
    recommender.catalogue.put("a4", entry(4, "markets", hidden=True))
    assert 4 not in rows(ask(recommender, reader(0), k=8))


def test_what_is_guaranteed_takes_the_card_of_its_story() -> None:
    for alike in ({"leader": "a2"}, {"story": "a2"}):
        recommender = two_topics()
        recommender.catalogue.put("a4", entry(4, "markets"), **alike)
        assert 4 not in rows(ask(recommender, reader(0), k=3))
        decide(recommender, guaranteed(4))
        assert rows(ask(recommender, reader(0), k=3)) == [1, 4, 3], alike


class Even:
    """A click model that gives every article the same probability."""

    probability = True
    reads_ids = False

    def score(self, candidates: CandidateRows) -> Any:
        return np.full(len(candidates.matrix), 0.2, np.float32)


def test_a_boost_multiplies_the_odds_and_the_answer_says_what_the_model_said() -> None:
    recommender = two_topics()
    recommender.model = Even()
    assert rows(ask(recommender, reader(0), k=8))[0] != 6
    decide(recommender, (6, BOOST, {"factor": 1.5}))
    made = ask(recommender, reader(0), k=8)
    assert rows(made)[0] == 6
    assert made.cards[0].score == pytest.approx(0.2)
    assert made.cards[0].reason.kind is not ReasonKind.EDITORS_CHOICE


def test_what_is_boosted_is_a_candidate_whatever_else_is_near() -> None:
    crowd = [entry(row, "football") for row in range(300)]
    angles = np.deg2rad(np.linspace(0, 90, 300))
    recommender = newsroom(crowd, [(float(np.cos(angle)), float(np.sin(angle))) for angle in angles], fresh=1)
    recommender.neighbours, recommender.model = 20, Even()
    assert 299 not in rows(ask(recommender, reader(0), k=10))
    decide(recommender, (299, BOOST, {"factor": 3.0}))
    assert rows(ask(recommender, reader(0), k=10))[0] == 299


@pytest.mark.parametrize(
    ("kind", "score", "raised"),
    [
        (ScoreKind.CLICK, 0.2, 0.5),  # odds 1 : 4, times 4
        (ScoreKind.NEXT_CLICK, -1.0, -1.0 + np.log(4)),
        (ScoreKind.SIMILARITY, 0.0, 0.6),  # as a probability .5, odds 1 : 1, times 4: .8
    ],
)
def test_odds_by_hand(kind: ScoreKind, score: float, raised: float) -> None:
    none = np.empty(0, np.int32)
    boost = EditorialRows((), np.array([3, 5], np.int32), np.array([4.0, 9.0]), none, np.empty(0, np.int64))
    scores = np.full(3, score, np.float32)
    got = boosted_scores(boost, np.array([1, 3, 4], np.int32), scores, kind)
    assert got.tolist() == pytest.approx([score, raised, score], abs=1e-6)
    assert scores.tolist() == pytest.approx([score] * 3)
    assert boosted_scores(boost, np.array([1], np.int32), scores[:1], kind).tolist() == pytest.approx([score])


def test_a_sure_score_stays_a_number() -> None:
    boost = EditorialRows(
        (), np.array([0, 1], np.int32), np.full(2, 10.0), np.empty(0, np.int32), np.empty(0, np.int64)
    )
    got = boosted_scores(boost, np.array([0, 1], np.int32), np.array([0.0, 1.0], np.float32), ScoreKind.CLICK)
    assert np.isfinite(got).all()
    assert got[0] < 0.001 < 0.999 < got[1]


def test_the_cost_of_a_pin_by_hand_and_null_where_nothing_is_known() -> None:
    recommender = two_topics()
    trends = recommender.trends
    assert pin_cost(trends, 4, 1, NOW) is None
    for number in range(200):  # 200 impressions of place 1 in two hours, of row 0, which a fifth clicks
        time = NOW - 2 * HOUR_MS + number * 36_000
        trends.observe(IMPRESSION, 0, time, position=0)
        if number % 5 == 0:
            trends.observe(CLICK, 0, time, position=0)
    for number in range(400):  # row 5 at the same place, which nobody clicks
        trends.observe(IMPRESSION, 5, NOW - 2 * HOUR_MS + number * 18_000, position=0)
    cost = pin_cost(trends, 5, 1, NOW)
    assert cost is not None
    assert cost.impressions_an_hour == pytest.approx(300, rel=0.02)
    assert cost.usual_rate == pytest.approx(40 / 600, rel=0.02)
    assert cost.own_rate < 0.01
    assert cost.clicks_an_hour == pytest.approx(300 * (cost.usual_rate - cost.own_rate), rel=0.02)
    better = pin_cost(trends, 0, 1, NOW)
    assert better is not None
    assert better.own_rate > better.usual_rate
    assert better.clicks_an_hour == 0, "no gain is promised"
    assert pin_cost(trends, 5, 2, NOW) is None
    unknown = pin_cost(trends, -1, 1, NOW)
    assert unknown is not None
    assert unknown.own_rate == pytest.approx(40 / 600, rel=0.1)
    assert pin_cost(trends, 5, 1, NOW + 200 * DAY_MS) is None, "it has faded"


def test_a_trace_says_what_editors_decided() -> None:
    recommender = two_topics()

    def steps(row: int) -> dict[str, tuple[bool | None, str]]:
        way = trace(
            recommender, f"a{row}", reader(0), None, article=None, k=3, now=NOW, lang=None, home=None, request=ANONYMOUS
        )
        return {step.stage: (step.passed, step.says) for step in way.steps}

    assert "editors" not in steps(4)
    decide(recommender, pinned(4, 1, slot=None), (5, BURY), (6, BOOST, {"factor": 2.0}))
    assert steps(4)["editors"] == (True, "ann has pinned it to place 1 of every list.")
    assert steps(4)["list"] == (True, "In the list of 3, at place 1, because: editors_choice.")
    assert "candidates" not in steps(4)
    assert steps(5)["editors"][0] is False
    assert steps(6)["editors"] == (True, "ann has multiplied its odds by 2.")
    assert "candidates" in steps(6)


def test_a_pin_stands_although_another_article_of_its_event_was_read() -> None:
    recommender = two_topics()
    for row in (0, 4):
        recommender.catalogue.put(f"a{row}", entry(row, "markets"), story="a0")
    assert 4 not in rows(ask(recommender, reader(0), k=8))
    decide(recommender, pinned(4, 1))
    assert rows(ask(recommender, reader(0), k=8))[0] == 4


def test_other_articles_of_a_pinned_event_are_not_in_the_list() -> None:
    recommender = two_topics()
    for row in (1, 4):
        recommender.catalogue.put(f"a{row}", entry(row, "markets"), story="a1")
    assert 1 in rows(ask(recommender, reader(0), k=8))
    decide(recommender, pinned(4, 1))
    made = rows(ask(recommender, reader(0), k=4))
    assert made[0] == 4
    assert 1 not in made

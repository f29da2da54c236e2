"""What is opened together finds its way into lists, and is named as the reason only where that is true."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from recsys.recommend.answer import Recommender
from recsys.recommend.candidates import covisit_candidates, fresh_articles
from recsys.recommend.reasons import Reason, ReasonKind, reason_text
from tests.recommenders import CLICK, HOUR, NOW, ask, entry, newsroom, reader, rows, two_topics

MINUTE = 60_000


def visit(recommender: Recommender, visitor: str, clicked: Sequence[int], ago: int = HOUR) -> None:
    """One visit, a click a minute."""
    for step, row in enumerate(clicked):
        recommender.observe(CLICK, row, NOW - ago + step * MINUTE, visitor=visitor)


def busy() -> Recommender:
    """A site on which others open other articles."""
    recommender = two_topics()
    for number in range(48):
        visit(recommender, f"crowd{number}", [1 + number % 6])
    return recommender


def test_what_is_opened_together_is_found_however_far_its_content() -> None:
    everything = np.ones(8, bool)
    recommender = two_topics()
    assert covisit_candidates(recommender.trends, [0], everything, NOW, 5).rows.tolist() == []
    for number in range(3):
        visit(recommender, f"v{number}", [0, 7])
    visit(recommender, "w", [0, 5])
    visit(recommender, "x", [3, 5])
    found = covisit_candidates(recommender.trends, [3, 0], everything, NOW, 5)
    assert found.rows.tolist() == [7, 5]
    assert found.beside.tolist() == [0, 3]  # 3 and 0 speak for 5 with a visit each, which is all that 3 says
    assert found.visits == pytest.approx([3, 1], rel=0.02)
    assert covisit_candidates(recommender.trends, [3, 0], everything, NOW, 1).rows.tolist() == [7]
    assert covisit_candidates(recommender.trends, [3, 0], everything, NOW, 0).rows.tolist() == []
    everything[7] = False
    assert covisit_candidates(recommender.trends, [3, 0], everything, NOW, 5).rows.tolist() == [5]


def test_company_brings_an_article_that_nothing_else_would_bring() -> None:
    def asked(covisits: int) -> list[int]:
        class Counter:
            probability = True

            def score(self, candidates: Any) -> Any:
                sizes.append(len(candidates))
                return np.zeros(len(candidates), np.float32)

        sizes: list[int] = []
        recommender = two_topics(trending=0, fresh=0, covisits=covisits, model=Counter())
        recommender.neighbours = 1
        for number in range(3):
            visit(recommender, f"v{number}", [0, 7])
        ask(recommender, reader(0), k=1)
        return sizes

    assert asked(0) == [1]
    assert asked(60) == [2]


def test_readers_of_x_also_opened_this() -> None:
    recommender = busy()
    for number in range(4):
        visit(recommender, f"v{number}", [0, 7])
    said = {card.row: card.reason for card in ask(recommender, reader(0), k=7).cards}
    assert said[7] == Reason(ReasonKind.ALSO_OPENED, 0)
    assert said[1].kind is ReasonKind.BECAUSE_YOU_READ  # what the reader can see for themselves goes first


def test_a_visit_or_two_are_chance() -> None:
    recommender = busy()
    for number in range(2):
        visit(recommender, f"v{number}", [0, 7])
    kinds = {card.reason.kind for card in ask(recommender, reader(0), k=7).cards}
    assert ReasonKind.ALSO_OPENED not in kinds


def test_what_everyone_opens_is_not_said_to_be_company() -> None:
    recommender = busy()
    for number in range(4):
        visit(recommender, f"v{number}", [0, 7])
    for number in range(60):
        visit(recommender, f"w{number}", [7])
    assert covisit_candidates(recommender.trends, [0], np.ones(8, bool), NOW, 5).rows.tolist() == [7]
    said = {card.row: card.reason.kind for card in ask(recommender, reader(0), k=7).cards}
    assert said[7] is ReasonKind.TRENDING


def test_old_company_has_faded() -> None:
    recommender = busy()
    for number in range(4):
        visit(recommender, f"v{number}", [0, 7], ago=500 * HOUR)
    said = {card.row: card.reason.kind for card in ask(recommender, reader(0), k=7).cards}
    assert said[7] is not ReasonKind.ALSO_OPENED


def test_company_does_not_quote_an_article_that_was_taken_down() -> None:
    recommender = busy()
    for number in range(4):
        visit(recommender, f"v{number}", [0, 7])
    recommender.catalogue.put("a0", entry(0, "football", hidden=True))
    said = {card.row: card.reason.kind for card in ask(recommender, reader(0), k=7).cards}
    assert said[7] is not ReasonKind.ALSO_OPENED


def test_company_is_said_in_both_languages() -> None:
    reason = Reason(ReasonKind.ALSO_OPENED, 3)
    assert reason_text(reason, "en", "Rates fall") == "Readers of “Rates fall” also opened this"
    assert reason_text(reason, "zh", "降息") == "读过《降息》的人也看了"


def test_an_article_is_fresh_for_as_long_as_its_category_is_read() -> None:
    vectors: list[tuple[float, ...]] = [(1.0, 0.0) if row < 4 else (0.0, 1.0) for row in range(8)]
    recommender = newsroom(
        [entry(row, "football" if row < 4 else "markets") for row in range(8)],
        vectors,
        read_cosine=1.0,
        liked_share=1.0,
        trending=0,
    )
    recommender.tables.category[:] = [0] * 4 + [1] * 4
    for row, hours in ((0, 30), (4, 30), (2, 10), (6, 10)):
        category = "football" if row < 4 else "markets"
        recommender.catalogue.put(f"a{row}", entry(row, category, published_at=NOW - hours * HOUR))
    for number in range(400):  # football is opened within two hours, markets for a day
        recommender.observe(CLICK, 0, NOW - 30 * HOUR + (number % 2 + 1) * HOUR // 2)
        recommender.observe(CLICK, 4, NOW - 30 * HOUR + (number % 24 + 1) * HOUR)
    shelf = recommender.trends.shelf()
    assert shelf[0] < 6 < 20 < shelf[1]
    fresh = fresh_articles(
        recommender.catalogue.published, recommender.shared, np.ones(8, bool), recommender.config.fresh_hours, NOW
    )
    assert np.flatnonzero(fresh).tolist() == [6]
    said = {card.row: card.reason.kind for card in ask(recommender, reader(1, 5), k=8).cards}
    assert said[6] is ReasonKind.FRESH
    assert said[2] is not ReasonKind.FRESH


def test_the_same_state_gives_the_same_company() -> None:
    recommender = two_topics()
    for number in range(6):
        visit(recommender, f"v{number}", [number % 4, 4 + number % 3])
    assert rows(ask(recommender, reader(0, 1), k=6)) == rows(ask(recommender, reader(0, 1), k=6))

"""Reasons: what is claimed is true, and what cannot be claimed falls back to less."""

import numpy as np
import pytest

from recsys.catalogue.articles import ArticleAnnotations, CatalogueArticle
from recsys.recommend.reasons import REASON_TEXTS, Reason, ReasonKind, contributions, reason_text
from recsys.store import Article
from tests.recommenders import CLICK, HOUR, NAN, NOW, ask, entry, newsroom, reader, two_topics


def test_an_article_read_is_named_only_when_it_gave_the_most() -> None:
    made = ask(two_topics(), reader(0, 4), k=6)
    said = {card.row: card.reason for card in made.cards}
    assert said[1] == Reason(ReasonKind.BECAUSE_YOU_READ, 0, keywords=("goal", "coach"))
    assert said[5] == Reason(ReasonKind.BECAUSE_YOU_READ, 4, keywords=("bonds", "bank"))


def test_no_article_is_named_when_its_part_is_not_substantial() -> None:
    made = ask(two_topics(read_share=0.9), reader(0, 1, 2), k=1)
    assert made.cards[0].reason == Reason(ReasonKind.BECAUSE_YOU_LIKE, category="football", keywords=("goal", "coach"))
    far = ask(two_topics(read_cosine=0.99), reader(0), k=7)
    kinds = {card.row: card.reason.kind for card in far.cards}
    assert (kinds[1], kinds[4]) == (ReasonKind.BECAUSE_YOU_READ, ReasonKind.SIMILAR)


def test_a_likeness_that_no_reader_could_see_is_not_claimed() -> None:
    recommender = two_topics()
    recommender.catalogue.put("a1", entry(1, "arts"))
    recommender.catalogue.put("a2", entry(2, "arts", keywords=("goal",)))
    kinds = {card.row: card.reason.kind for card in ask(recommender, reader(0), k=2).cards}
    assert kinds == {1: ReasonKind.SIMILAR, 2: ReasonKind.BECAUSE_YOU_READ}


def test_words_far_down_the_list_of_keywords_are_no_likeness() -> None:
    recommender = two_topics()
    many = tuple(f"detail{number}" for number in range(20))
    told = ArticleAnnotations("en", (*many, "goal"), (0.04,) * 21, (*many, "goal"))
    article = Article("a1", "s", "Story 1", category="arts", published_at=NOW - 1000 * HOUR)
    recommender.catalogue.put("a1", CatalogueArticle.of(article, told))
    made = ask(recommender, reader(0), k=1)
    assert (made.cards[0].row, made.cards[0].reason.kind) == (1, ReasonKind.SIMILAR)


def test_a_reason_does_not_quote_an_article_that_was_taken_down() -> None:
    recommender = two_topics()
    recommender.catalogue.put("a0", entry(0, "football", hidden=True))
    made = ask(recommender, reader(0), k=1)
    assert made.cards[0].reason == Reason(ReasonKind.BECAUSE_YOU_LIKE, category="football")


def test_trending_and_fresh_are_claimed_when_they_are_true() -> None:
    recommender = two_topics(read_cosine=1.0)
    for _ in range(3):
        recommender.observe(CLICK, 5, NOW - HOUR)
    recommender.catalogue.put("a6", entry(6, "markets", published_at=NOW - HOUR))
    recommender.observe(CLICK, 7, NOW - 2000 * HOUR)
    kinds = {card.row: card.reason.kind for card in ask(recommender, reader(0), k=7).cards}
    assert (kinds[5], kinds[6]) == (ReasonKind.TRENDING, ReasonKind.FRESH)
    assert (kinds[7], kinds[4]) == (ReasonKind.POPULAR, ReasonKind.SIMILAR)


def test_contributions_add_up_to_the_similarity() -> None:
    vectors = np.array([[1, 0], [0.6, 0.8], NAN], np.float32)
    weights = np.array([0.25, 0.5, 0.25], np.float32)
    candidates = np.array([[0.8, 0.6], [-1, 0]], np.float32)
    share, cosine = contributions(vectors, weights, candidates)
    assert cosine.T.ravel() == pytest.approx([0.8, 0.96, -1.0, -1.0, -0.6, -1.0])
    assert share[:, 0] == pytest.approx([0.2 / 0.68, 0.48 / 0.68, 0.0])
    assert share[:, 1].tolist() == [0, 0, 0]  # nothing spoke for it


def test_what_all_articles_have_in_common_is_no_reason() -> None:
    common = np.array([3.0, 0.0, 0.0])
    apart = np.array([[0, 1, 0], [0, 0.9, 0.1], [0, -1, 0], [0, -0.9, 0.1]])
    vectors = (common + apart) / np.linalg.norm(common + apart, axis=1, keepdims=True)
    recommender = newsroom([entry(row, None) for row in range(4)], [tuple(row) for row in vectors.tolist()])
    assert min(vectors[0] @ vectors[2:].T) > 0.75
    kinds = {card.row: card.reason.kind for card in ask(recommender, reader(0), k=3).cards}
    assert (kinds[1], kinds[2]) == (ReasonKind.BECAUSE_YOU_READ, ReasonKind.SIMILAR)


def test_every_reason_can_be_said_in_both_languages() -> None:
    for language in REASON_TEXTS:
        for kind in ReasonKind:
            assert reason_text(Reason(kind), language, "标题 {x}", "体育")
    assert reason_text(Reason(ReasonKind.BECAUSE_YOU_READ), "zh", "标题") == "因为你读过《标题》"
    assert reason_text(Reason(ReasonKind.BECAUSE_YOU_READ), "fr", "{title}") == "Because you read “{title}”"

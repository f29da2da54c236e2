"""Reasons: a claim is true, and what cannot be claimed falls back to less; co-visits bring cards and reasons."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from recsys.catalogue.articles import ArticleAnnotations, CatalogueArticle, keyword_forms
from recsys.catalogue.eligibility import AllowedRows
from recsys.recommend import reasons
from recsys.recommend.answer import Recommender
from recsys.recommend.candidates import CovisitCandidates, covisit_candidates
from recsys.recommend.reasons import Reason, ReasonKind, liked_enough, shared_keywords, strongest_read
from recsys.recommend.wording import REASON_TEXTS, reason_text
from recsys.store import Article
from recsys.trends import PRIOR_COVISITS
from tests.recommenders import CLICK, HOUR, NAN, NOW, ask, entry, newsroom, reader, rows, two_topics


def test_an_article_read_is_named_only_when_it_gave_the_most_and_once_in_a_list() -> None:
    made = ask(two_topics(), reader(0, 4), k=6)
    named = {card.reason.row: card.reason for card in made.cards if card.reason.kind is ReasonKind.BECAUSE_YOU_READ}
    assert named[0] == Reason(ReasonKind.BECAUSE_YOU_READ, 0, keywords=("goal", "coach"))
    assert named[4] == Reason(ReasonKind.BECAUSE_YOU_READ, 4, keywords=("bonds", "bank"))
    football = [card.reason.kind for card in made.cards if card.row < 4]
    assert football == [ReasonKind.BECAUSE_YOU_READ] + [ReasonKind.RECOMMENDED] * 2


def test_no_article_is_named_when_its_part_is_not_substantial(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(reasons, "_READ_SHARE", 0.9)
        made = ask(two_topics(), reader(0, 1, 2), k=1)
    assert made.cards[0].reason == Reason(ReasonKind.BECAUSE_YOU_LIKE, category="football", keywords=("goal", "coach"))
    monkeypatch.setattr(reasons, "_READ_COSINE", 0.99)
    far = ask(two_topics(), reader(0), k=7)
    kinds = {card.row: card.reason.kind for card in far.cards}
    assert (kinds[1], kinds[4]) == (ReasonKind.BECAUSE_YOU_READ, ReasonKind.RECOMMENDED)


def test_a_likeness_that_no_reader_could_see_is_not_claimed() -> None:
    for category in ("arts", "football"):  # of one category is not enough: half of a newspaper is
        recommender = two_topics()
        recommender.catalogue.put("a1", entry(1, category, keywords=("mad cow", "cattle")))
        recommender.catalogue.put("a2", entry(2, "football", keywords=("goal",)))
        said = {card.row: card.reason.kind for card in ask(recommender, reader(0), k=2).cards}
        assert said == {1: ReasonKind.RECOMMENDED, 2: ReasonKind.BECAUSE_YOU_READ}


@pytest.mark.parametrize(
    ("category", "keywords", "claimed"),
    [
        ("football", ("goal",), True),
        ("arts", ("goal",), False),
        (None, ("goal",), False),
        ("arts", ("goal", "coach"), True),
        ("arts", ("goal", "goals"), False),  # one tag, written twice
    ],
)
def test_articles_of_two_categories_have_to_show_two_tags(
    category: str | None, keywords: tuple[str, ...], claimed: bool
) -> None:
    recommender = two_topics()
    recommender.catalogue.put("a1", entry(1, category, keywords=keywords))
    said = {card.row: card.reason for card in ask(recommender, reader(0), k=2).cards}
    assert (said[1].kind is ReasonKind.BECAUSE_YOU_READ) == claimed
    assert said[2].kind is (ReasonKind.RECOMMENDED if claimed else ReasonKind.BECAUSE_YOU_READ), (
        "it is there to be named"
    )


def test_where_nobody_knows_a_category_one_tag_is_enough() -> None:
    recommender = two_topics()
    for row in (0, 1):
        recommender.catalogue.put(f"a{row}", entry(row, None, keywords=("goal",)))
    assert ask(recommender, reader(0), k=1).cards[0].reason.kind is ReasonKind.BECAUSE_YOU_READ


def test_who_has_opened_one_article_of_a_category_has_not_said_that_they_like_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reasons, "_READ_SHARE", 2.0)
    for model in (False, True):  # with reasons of vectors, and with plain ones
        recommender = two_topics() if model else newsroom([entry(row, "football") for row in range(8)])
        for clicked, kind in (
            ((0,), ReasonKind.RECOMMENDED),
            ((0, 0), ReasonKind.RECOMMENDED),
            ((0, 1), ReasonKind.BECAUSE_YOU_LIKE),
            ((4, 0, 1), ReasonKind.BECAUSE_YOU_LIKE),
        ):
            said = {card.row: card.reason for card in ask(recommender, reader(*clicked), k=7).cards}
            assert said[3].kind is kind, clicked
            assert said[3].category == "football"


def test_a_category_of_less_than_a_quarter_of_the_last_clicks_is_not_liked() -> None:
    categories, clicks = np.array([0, 0, 1, 1, -1], np.int16), np.array([0, 1, 2, 2, 4, 4], np.int32)
    assert liked_enough({0: 0.25, 1: 0.3}, categories, clicks) == {0}, "of the second one article was opened, twice"
    assert liked_enough({0: 0.24, 1: 0.3}, categories, clicks) == frozenset()


def test_a_reason_says_the_keywords_that_the_articles_have_now() -> None:
    recommender = two_topics()
    assert ask(recommender, reader(0), k=1).cards[0].reason.keywords == ("goal", "coach")
    for row in (0, 1):
        recommender.catalogue.put(f"a{row}", entry(row, "football", keywords=("red card", "wall")))
    assert ask(recommender, reader(0), k=1).cards[0].reason == Reason(
        ReasonKind.BECAUSE_YOU_READ, 0, None, ("red card", "wall")
    )


@pytest.mark.parametrize("word", ['a "quoted" word', "back\\slash", "中文", "[[", '","', "0"])
def test_a_keyword_that_two_articles_read_share_is_said_whatever_it_is(
    word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reasons, "_READ_SHARE", 1.0)
    recommender = two_topics()
    for row in (0, 1, 2):
        recommender.catalogue.put(f"a{row}", entry(row, "football", keywords=(word, f"own {row}")))
    made = ask(recommender, reader(0, 1), k=1).cards[0]
    assert (made.row, made.reason.kind, made.reason.keywords) == (2, ReasonKind.BECAUSE_YOU_LIKE, (word,))


def test_a_word_of_a_keyword_is_no_tag_that_both_show() -> None:
    recommender = two_topics()
    recommender.catalogue.put("a0", entry(0, "games", keywords=("interest rate",)))
    recommender.catalogue.put("a1", entry(1, "games", keywords=("heart rate", "rate")))
    recommender.catalogue.put("a2", entry(2, "games", keywords=("Interest-Rates",)))
    said = {card.row: card.reason.kind for card in ask(recommender, reader(0), k=2).cards}
    assert said == {1: ReasonKind.RECOMMENDED, 2: ReasonKind.BECAUSE_YOU_READ}


def test_words_far_down_the_list_of_keywords_are_no_likeness() -> None:
    recommender = two_topics()
    many = tuple(f"detail{number}" for number in range(20))
    told = ArticleAnnotations("en", (*many, "goal"), (0.04,) * 21, (*many, "goal"))
    article = Article("a1", "s", "Story 1", category="arts", published_at=NOW - 1000 * HOUR)
    recommender.catalogue.put("a1", CatalogueArticle.of(article, told))
    made = ask(recommender, reader(0), k=1)
    assert (made.cards[0].row, made.cards[0].reason.kind) == (1, ReasonKind.RECOMMENDED)


def test_a_reason_does_not_quote_an_article_that_was_taken_down() -> None:
    recommender = two_topics()
    recommender.catalogue.put("a0", entry(0, "football", hidden=True))
    made = ask(recommender, reader(0), k=1)
    assert made.cards[0].reason == Reason(ReasonKind.RECOMMENDED, category="football")


def test_trending_fresh_and_popular_are_claimed_when_they_are_true(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reasons, "_READ_COSINE", 1.0)
    recommender = two_topics()
    for _ in range(3):
        recommender.observe(CLICK, 5, NOW - HOUR)
    recommender.catalogue.put("a6", entry(6, "markets", published_at=NOW - HOUR))
    for _ in range(3):
        recommender.observe(CLICK, 7, NOW - 2000 * HOUR)
    for _ in range(2):
        recommender.observe(CLICK, 4, NOW - 2000 * HOUR)
    cards = ask(recommender, reader(0), k=7).cards
    kinds = {card.row: card.reason.kind for card in cards}
    assert (kinds[5], kinds[6]) == (ReasonKind.TRENDING, ReasonKind.FRESH)
    fresh = next(card.reason for card in cards if card.row == 6)
    assert reason_text(fresh, "en", category="Markets") == "New in Markets"
    assert reason_text(fresh._replace(category=None), "zh") == "最新文章"
    rest = {card.row: card.reason for card in cards if card.reason.kind is ReasonKind.RECOMMENDED}
    assert rest[4].category == "markets", "not four cards that all say the same"
    assert reason_text(rest[4], "zh", category="体育") == "来自体育"
    assert reason_text(rest[4]._replace(category=None), "en") == "Recommended"
    assert fresh.category == "markets"
    assert (kinds[7], kinds[4]) == (ReasonKind.POPULAR, ReasonKind.RECOMMENDED), "two clicks make nobody popular"


def test_trending_is_what_was_clicked_within_the_last_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reasons, "_READ_COSINE", 1.0)
    recommender = two_topics()
    for row, clicks, hours in ((4, 3, 3.9), (5, 3, 4.1), (6, 6, 7.9), (7, 30, 20.0)):
        for _ in range(clicks):
            recommender.observe(CLICK, row, NOW - int(hours * HOUR))
    kinds = {card.row: card.reason.kind for card in ask(recommender, reader(0), k=7).cards}
    trending, popular = ReasonKind.TRENDING, ReasonKind.POPULAR
    assert [kinds[row] for row in (4, 5, 6, 7)] == [trending, popular, trending, popular]


def test_the_article_read_that_gave_the_largest_part_is_found() -> None:
    vectors = np.array([[1, 0], [0.6, 0.8], NAN, [0.8, 0.6], [-1, 0]], np.float32)
    nothing, language = np.zeros((1, 2), np.float32), np.zeros(3, np.int64)
    shown = np.array([3, 4, 2], np.int32)
    strongest = strongest_read(vectors, nothing, language, np.array([0, 2, 1], np.int32), 1.0, shown)
    assert strongest.rows.tolist()[:1] == [1]
    assert strongest.cosine[0] == pytest.approx(0.96)
    assert strongest.share == pytest.approx([0.96 / (0.96 + 0.8 / 2), 0, 0]), "nothing spoke for the other two"


def centred(vectors: Any, mean: Any) -> Any:
    apart = vectors - mean
    return apart / np.maximum(np.linalg.norm(apart, axis=1, keepdims=True), 1e-6)


def test_the_strongest_is_that_of_plain_sums_for_any_reader() -> None:
    rng = np.random.default_rng(8)
    vectors = rng.normal(1, 1, (60, 7)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[::9] = np.nan
    means = rng.normal(0, 0.2, (3, 7)).astype(np.float32)
    for n in (0, 1, 2, 30):
        clicks, shown = rng.integers(60, size=n, dtype=np.int32), rng.permutation(60).astype(np.int32)[:20]
        language = rng.integers(3, size=20)
        strongest = strongest_read(vectors, means, language, clicks, 5.0, shown)
        known = [row for row in clicks.tolist() if row % 9]
        for place, row in enumerate(shown.tolist()):
            if not known or not row % 9:
                assert (strongest.share[place], strongest.cosine[place]) == (0, -1)
                continue
            mean = means[language[place]]
            read = sorted(set(known))
            cosine = centred(vectors[read], mean) @ centred(vectors[[row]], mean)[0]
            part = [sum(0.5 ** (age / 5) for age, other in enumerate(known[::-1]) if other == one) for one in read]
            given = np.maximum(cosine, 0) * part
            best = int(given.argmax())
            if given[best] > 0:
                assert strongest.rows[place] == read[best]
                assert strongest.share[place] == pytest.approx(given[best] / given.sum(), rel=1e-4)
                assert strongest.cosine[place] == pytest.approx(cosine[best], abs=1e-5)
            else:
                assert strongest.share[place] == 0


WORDS = ("rate", "interest rate", "bank", "central bank", "cup final", "final", "利率", "央行", "利率 决议")


def test_shared_keywords_are_those_of_which_either_article_has_the_whole() -> None:
    rng = np.random.default_rng(3)
    for _ in range(200):
        one, other = (
            entry(0, None, keywords=tuple(rng.choice(WORDS, rng.integers(4), replace=False).tolist())) for _ in range(2)
        )
        both = one.wholes | other.wholes
        expected = [piece for piece in one.pieces if piece in other.pieces and piece in both]
        shared = shared_keywords(keyword_forms(one.keywords, one.parts), keyword_forms(other.keywords, other.parts), 2)
        assert bool(shared) == bool(expected)
        assert shared[:1] == tuple(one.pieces[piece] for piece in expected[:1])
        assert len(shared) <= 2


def test_what_all_articles_have_in_common_is_no_reason() -> None:
    common = np.array([3.0, 0.0, 0.0])
    apart = np.array([[0, 1, 0], [0, 0.9, 0.1], [0, -1, 0], [0, -0.9, 0.1]])
    vectors = (common + apart) / np.linalg.norm(common + apart, axis=1, keepdims=True)
    alike = [entry(row, None, keywords=("vote",)) for row in range(4)]
    recommender = newsroom(alike, [tuple(row) for row in vectors.tolist()])
    assert min(vectors[0] @ vectors[2:].T) > 0.75
    kinds = {card.row: card.reason.kind for card in ask(recommender, reader(0), k=3).cards}
    assert kinds == {1: ReasonKind.BECAUSE_YOU_READ, 2: ReasonKind.RECOMMENDED, 3: ReasonKind.RECOMMENDED}


def test_every_reason_can_be_said_in_both_languages() -> None:
    for language in REASON_TEXTS:
        for kind in ReasonKind:
            assert reason_text(Reason(kind), language, "标题 {x}", "体育")
    assert reason_text(Reason(ReasonKind.BECAUSE_YOU_READ), "zh", "标题") == "因为你读过《标题》"
    assert reason_text(Reason(ReasonKind.BECAUSE_YOU_READ), "fr", "{title}") == "Because you read “{title}”"


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
    everything = AllowedRows.of(np.ones(8, bool))
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
    without = everything.without(np.array([7]))
    assert covisit_candidates(recommender.trends, [3, 0], without, NOW, 5).rows.tolist() == [5]


def plain_covisits(trends: Any, clicks: list[int], allowed: Any, n: int) -> list[tuple[int, int, float, float]]:
    """Candidates as dictionaries give them: row, the click that speaks most for it, visits, lift."""
    last = list(dict.fromkeys(reversed(clicks)))[:5]
    parts: dict[int, list[tuple[float, int, float, float]]] = {}
    for age, clicked in enumerate(last):
        others, visits = trends.covisits(clicked, NOW, trends.config.max_neighbours)
        share = visits / (visits.sum() + PRIOR_COVISITS)
        for row, strength, part in zip(others.tolist(), visits.tolist(), share.tolist(), strict=True):
            parts.setdefault(row, []).append((part * 0.7**age, clicked, strength, part))
    sums = {row: sum(part[0] for part in some) for row, some in parts.items() if allowed[row]}
    made = []
    for row in sorted(sums, key=lambda row: (-sums[row], row))[:n]:
        _, beside, visits, share = max(parts[row], key=lambda part: part[0])
        clicked = trends.clicks(np.array([row], np.int32), NOW)[0, 3]
        made.append((row, beside, visits, share / ((clicked + 1) / (trends.all_clicks(NOW)[3] + 1))))
    return made


def test_covisit_candidates_are_those_of_plain_dictionaries() -> None:
    rng = np.random.default_rng(12)
    recommender = newsroom([entry(row, None) for row in range(40)], [(1.0, 0.0)] * 40)
    for number in range(300):
        visit(recommender, f"v{number}", rng.integers(40, size=4).tolist(), ago=int(rng.integers(1, 90)) * HOUR)
    for n in (0, 1, 7, 60):
        clicks, mask = rng.integers(40, size=9).tolist(), rng.random(40) < 0.7
        found = covisit_candidates(recommender.trends, clicks, AllowedRows.of(mask), NOW, n)
        plain = plain_covisits(recommender.trends, clicks, mask, n)
        assert found.rows.tolist() == [one[0] for one in plain]
        assert found.beside.tolist() == [one[1] for one in plain]
        assert found.visits == pytest.approx([one[2] for one in plain], rel=1e-5)
        assert found.lift == pytest.approx([one[3] for one in plain], rel=1e-5)


def test_of_equal_covisits_the_first_row_goes_first() -> None:
    recommender = newsroom([entry(row, None) for row in range(40)], [(1.0, 0.0)] * 40)
    for number, row in enumerate((30, 7, 19, 2)):
        visit(recommender, f"v{number}", [0, row], ago=HOUR)
    everything = AllowedRows.of(np.ones(40, bool))
    for n in (1, 3, 9):
        assert covisit_candidates(recommender.trends, [0], everything, NOW, n).rows.tolist() == [2, 7, 19, 30][:n]


def test_company_brings_an_article_that_nothing_else_would_bring() -> None:
    def asked(covisits: int) -> list[int]:
        class Counter:
            probability = True
            reads_ids = False

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
    assert covisit_candidates(recommender.trends, [0], AllowedRows.of(np.ones(8, bool)), NOW, 5).rows.tolist() == [7]
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


def test_an_article_is_fresh_for_as_long_as_its_category_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reasons, "_READ_COSINE", 1.0)
    monkeypatch.setattr(reasons, "_LIKED_SHARE", 1.0)
    vectors: list[tuple[float, ...]] = [(1.0, 0.0) if row < 4 else (0.0, 1.0) for row in range(8)]
    recommender = newsroom(
        [entry(row, "football" if row < 4 else "markets") for row in range(8)],
        vectors,
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
    assert recommender.shared.fresh(recommender.catalogue.eligible(NOW), NOW).tolist() == [6]
    said = {card.row: card.reason.kind for card in ask(recommender, reader(1, 5), k=8).cards}
    assert said[6] is ReasonKind.FRESH
    assert said[2] is not ReasonKind.FRESH


@pytest.mark.parametrize(("hours", "oldest"), [(12, 12), (100, 48)])  # what nobody clicked yet is news for two days
def test_an_article_is_fresh_up_to_the_age_of_the_settings_and_to_its_shelf_life(hours: int, oldest: int) -> None:
    recommender = two_topics(fresh_hours=hours)
    for row in range(2):
        recommender.catalogue.put(f"a{row}", entry(row, "football", published_at=NOW - oldest * HOUR - row))
    assert recommender.shared.is_fresh(np.arange(2, dtype=np.int32), NOW).tolist() == [True, False]


def test_three_visits_and_twice_everyone_s_share_are_enough_to_speak_of() -> None:
    rows, beside = np.arange(4, 7, dtype=np.int32), np.arange(3, dtype=np.int32)
    visits, lift = np.array([3, 2.9, 3], np.float32), np.array([2, 2, 1.9], np.float32)
    assert CovisitCandidates(rows, beside, visits, lift).telling() == {4: 0}


def test_the_same_state_gives_the_same_company() -> None:
    recommender = two_topics()
    for number in range(6):
        visit(recommender, f"v{number}", [number % 4, 4 + number % 3])
    assert rows(ask(recommender, reader(0, 1), k=6)) == rows(ask(recommender, reader(0, 1), k=6))

"""The recommender over a hand-made catalogue: four football and four markets articles on two axes."""

from typing import Any

import numpy as np
import pytest

from recsys.catalogue.articles import ArticleAnnotations, CatalogueArticle
from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.eligibility import AllowedRows
from recsys.errors import UnknownArticle
from recsys.features import COLUMN
from recsys.recommend import listing
from recsys.recommend.answer import Recommendation
from recsys.recommend.candidates import first_allowed
from recsys.recommend.context import Tier
from recsys.recommend.reasons import Reason, ReasonKind
from recsys.recommend.rerank import liked_first
from recsys.store import Article
from recsys.units import MINUTE_MS as MINUTE
from tests.recommenders import CLICK, HOUR, NAN, NOW, ask, entry, newsroom, reader, rows, two_topics


def test_the_nearest_unread_articles_come_first() -> None:
    made = ask(two_topics(), reader(0), k=3)
    assert (made.tier, made.release, rows(made)) == (Tier.PERSONAL, "r1", [1, 2, 3])


def test_what_was_seen_dismissed_hidden_expired_or_not_yet_published_is_left_out() -> None:
    recommender = two_topics()
    put = recommender.catalogue.put
    put("a2", entry(2, "football", hidden=True))
    put("a3", entry(3, "football", expires_at=NOW))
    put("a4", entry(4, "markets", published_at=NOW + 1))
    made = ask(recommender, reader(0, dismissed=(1,)), k=10)
    assert sorted(rows(made)) == [5, 6, 7]


def test_exclusion_happens_inside_the_search() -> None:
    recommender = two_topics(trending=0, fresh=0)
    recommender.neighbours = 1
    made = ask(recommender, reader(0, 1, 2), k=1)
    assert rows(made) == [3]
    assert made.cards[0].score == pytest.approx(np.cos(np.deg2rad(10)), abs=0.02)


def test_a_session_speaks_for_a_reader_without_history() -> None:
    made = ask(two_topics(), reader(), reader(4), k=2)
    assert (made.tier, rows(made)) == (Tier.SESSION, [5, 6])


def test_the_article_that_is_open_speaks_for_a_stranger_and_is_not_in_the_list() -> None:
    made = ask(two_topics(), None, None, article="a7", k=8)
    assert made.tier is Tier.SESSION
    assert rows(made)[:2] == [6, 5]
    assert 7 not in rows(made)
    assert len(rows(made)) == 7


def test_an_unknown_open_article_says_nothing() -> None:
    made = ask(two_topics(), None, None, article="nobody-knows", k=8)
    assert (made.tier, len(made.cards)) == (Tier.FRESH, 8)


def test_a_category_fills_a_list_only_while_there_are_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "MAX_CATEGORY_SHARE", 0.1)
    recommender = two_topics(max_per_category=1)
    assert rows(ask(recommender, reader(0), k=2)) == [1, 7]
    full = ask(recommender, reader(0), k=7)
    assert sorted(rows(full)) == [1, 2, 3, 4, 5, 6, 7]
    assert rows(full)[:2] == [1, 7]


def test_other_categories_are_found_however_many_articles_one_has() -> None:
    crowd = [entry(row, "football") for row in range(200)] + [
        entry(500, "markets"),
        entry(501, "arts"),
        entry(502, "arts"),
    ]
    made = ask(newsroom(crowd), k=6)
    assert rows(made) == [0, 1, 2, 200, 201, 202]
    near = ask(newsroom(crowd, [(1.0, 0.0)] * 203, fresh=0), reader(0), k=6)
    assert rows(near) == [1, 2, 3, 4, 200, 201], "two thirds of the list for the one category of one click"
    assert len(ask(newsroom(crowd), k=10).cards) == 10


def test_articles_without_a_category_are_not_limited() -> None:
    recommender = newsroom([entry(row, None) for row in range(6)], [(1.0, 0.0)] * 6, max_per_category=1)
    assert len(ask(recommender, reader(0), k=5).cards) == 5


def test_a_list_is_full_although_the_search_found_few() -> None:
    recommender = two_topics(trending=0, fresh=0)
    recommender.neighbours = 2
    assert sorted(rows(ask(recommender, reader(0), k=7))) == [1, 2, 3, 4, 5, 6, 7]


def test_the_language_asked_for_comes_first_and_the_rest_fills_the_list() -> None:
    recommender = two_topics()
    plain = rows(ask(recommender, reader(0), k=4))
    recommender.catalogue.put("a6", entry(6, "markets", language="zh"))
    assert rows(ask(recommender, reader(0), k=5, lang="zh")) == [6, *(row for row in plain if row != 6)][:5]
    assert len(rows(ask(recommender, reader(0), k=5, lang="xx"))) == 5
    recommender.catalogue.put("a6", entry(6, "markets", language="zh", hidden=True))
    assert 6 not in rows(ask(recommender, reader(0), k=5, lang="zh"))
    assert len(ask(recommender, reader(0), k=5, lang="zh").cards) == 5


def test_a_reader_of_the_one_story_in_a_language_gets_a_full_list_of_the_others() -> None:
    recommender = two_topics()
    recommender.catalogue.put("a6", entry(6, "markets", language="da"))
    assert len(ask(recommender, reader(6), k=5).cards) == 5
    assert recommender.similar("a6", 5, NOW) == [], "nothing is like it that its readers could read"


def test_a_reader_who_clicked_nothing_gets_the_sites_own_language() -> None:
    recommender = two_topics()
    for row in (6, 7):
        recommender.catalogue.put(f"a{row}", entry(row, "markets", language="zh"))
    assert set(rows(ask(recommender, k=2, home="zh"))) == {6, 7}
    assert 1 in rows(ask(recommender, reader(0), k=5, home="zh"))
    assert len(ask(recommender, k=8, home=None).cards) == 8


def test_a_reader_of_one_language_gets_that_language() -> None:
    recommender = two_topics()
    for row in (4, 5):
        recommender.catalogue.put(f"a{row}", entry(row, "markets", language="zh"))
    assert rows(ask(recommender, reader(4), k=5))[0] == 5
    assert 5 not in rows(ask(recommender, reader(0), k=5))
    assert 5 in rows(ask(recommender, reader(4, 0), k=6))


def test_without_a_release_the_popular_come_first_and_then_the_newest() -> None:
    recommender = newsroom([entry(row, None) for row in range(5)])
    for row, clicks in ((3, 2), (1, 5)):
        for _ in range(clicks):
            recommender.observe(CLICK, row, NOW - HOUR)
    made = ask(recommender, reader(), k=4)
    assert (made.tier, made.release, rows(made)) == (Tier.POPULAR, None, [1, 3, 0, 2])
    assert [card.reason.kind for card in made.cards] == [ReasonKind.TRENDING] + [ReasonKind.RECOMMENDED] * 3


def test_a_click_of_this_moment_changes_the_order_of_the_popular_ones() -> None:
    recommender = newsroom([entry(row, None) for row in range(700)])  # more than are kept in order
    for row in range(600):
        for _ in range(2):
            recommender.observe(CLICK, row, NOW)
    assert 650 not in rows(ask(recommender, reader(), k=50))
    for clicks, expected in ((1, False), (3, True)):
        recommender.observe(CLICK, 650, NOW)
        for _ in range(clicks - 1):
            recommender.observe(CLICK, 650, NOW)
        assert (rows(ask(recommender, reader(), k=1)) == [650]) is expected


def test_more_clicks_between_two_lists_than_are_kept_are_all_known_and_take_no_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("recsys.recommend.context._CLICKED", 4)
    recommender = newsroom([entry(row, None) for row in range(20)])
    recommender.observe(CLICK, 1, NOW)
    assert rows(ask(recommender, k=1)) == [1]
    for row in (7, 7, 7, 10, 11, 12, 13, 14):
        recommender.observe(CLICK, row, NOW)
    assert len(recommender.shared._popular._clicked) == 4
    assert rows(ask(recommender, k=1)) == [7]


def test_without_a_click_the_newest_come_first() -> None:
    made = ask(newsroom([entry(row, None) for row in range(5)]), k=3)
    assert (made.tier, rows(made)) == (Tier.FRESH, [0, 1, 2])


def test_clicks_without_a_vector_still_tell_the_category() -> None:
    recommender = newsroom([entry(row, "football" if row % 2 else "markets") for row in range(8)])
    recommender.observe(CLICK, 2, NOW - HOUR)
    made = ask(recommender, reader(1), k=3)
    assert (made.tier, rows(made)) == (Tier.CATEGORY_POPULAR, [3, 5, 7])
    assert made.cards[0].reason == Reason(ReasonKind.RECOMMENDED, category="football")
    made = ask(recommender, reader(1, 3), k=2)
    assert made.cards[0].reason == Reason(ReasonKind.BECAUSE_YOU_LIKE, category="football")


def test_an_empty_catalogue_is_said_to_be_empty() -> None:
    for recommender in (newsroom([]), newsroom([entry(0, None, hidden=True)])):
        assert ask(recommender, reader(), k=3) == Recommendation(Tier.EMPTY, None, [])


def test_a_reader_who_has_read_everything_gets_an_honest_nothing() -> None:
    made = ask(two_topics(), reader(*range(8)))
    assert (made.tier, made.cards) == (Tier.EMPTY, [])


def test_the_same_state_gives_the_same_list() -> None:
    recommender = two_topics()
    recommender.observe(CLICK, 5, NOW - HOUR)
    assert ask(recommender, reader(0, 4), k=6) == ask(recommender, reader(0, 4), k=6)


def test_the_click_model_orders_the_candidates() -> None:
    class Last:
        probability = True
        reads_ids = False

        def score(self, candidates: Any) -> Any:
            return np.arange(len(candidates), dtype=np.float32)

    recommender = two_topics()
    recommender.model = Last()
    assert rows(ask(recommender, reader(0), k=3)) == [7, 6, 5]


def test_similar_articles_are_in_the_same_language_and_never_the_article_itself() -> None:
    recommender = two_topics()
    recommender.catalogue.put("a1", entry(1, "football", language="zh"))
    cards = recommender.similar("a0", 8, NOW)
    assert [card.row for card in cards] == [2, 3], "fewer cards rather than another language or another subject"
    assert cards[0].reason == Reason(ReasonKind.SIMILAR, 0, "football", ("goal", "coach"))


def test_an_article_without_a_vector_is_like_the_newest_of_its_category() -> None:
    recommender = newsroom([entry(row, "football" if row % 2 else "markets") for row in range(6)], [NAN] * 6)
    cards = recommender.similar("a1", 5, NOW)
    assert [card.row for card in cards] == [3, 5]
    assert [card.reason for card in cards] == [Reason(ReasonKind.SIMILAR, 1, "football", ("goal", "coach"))] * 2


@pytest.mark.parametrize(
    ("category", "keywords", "alike"),
    [
        ("football", ("goal",), True),
        ("arts", ("goal",), False),
        (None, ("goal",), False),
        ("arts", ("coach", "goal"), True),
        ("arts", ("goal", "goals"), False),  # one tag, written twice
    ],
)
def test_what_is_of_another_category_is_similar_where_two_tags_are_shared(
    category: str | None, keywords: tuple[str, ...], alike: bool
) -> None:
    recommender = two_topics()
    recommender.catalogue.put("a1", entry(1, category, keywords=keywords))
    assert (1 in [card.row for card in recommender.similar("a0", 8, NOW)]) == alike


def test_where_nobody_knows_a_category_one_shared_tag_is_a_likeness() -> None:
    recommender = two_topics()
    for row in (0, 1):
        recommender.catalogue.put(f"a{row}", entry(row, None, keywords=("goal",)))
    assert [card.row for card in recommender.similar("a0", 8, NOW)] == [1]


def test_what_shares_no_tag_is_similar_only_where_it_is_much_nearer_than_others_are() -> None:
    rng = np.random.default_rng(6)
    vectors = rng.standard_normal((400, 16))
    vectors[1] = vectors[0] + 0.1 * rng.standard_normal(16)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    recommender = newsroom([entry(row, None) for row in range(400)], [tuple(row) for row in unit.tolist()])
    cards = recommender.similar("a0", 5, NOW)
    assert cards[0].row == 1
    assert len(cards) < 5
    assert cards[0].reason == Reason(ReasonKind.SIMILAR, 0)


def test_similar_to_an_unknown_article_is_refused() -> None:
    with pytest.raises(UnknownArticle, match="nobody-knows"):
        two_topics().similar("nobody-knows", 3, NOW)


def test_the_newest_agree_with_a_plain_sort() -> None:
    rng = np.random.default_rng(5)
    catalogue = Catalogue([f"a{row}" for row in range(300)])
    for row in range(300):
        shown = NOW - int(rng.integers(40)) * HOUR
        catalogue.put(f"a{row}", entry(row, ["x", "y", None][row % 3], published_at=shown, hidden=row % 7 == 0))
    allowed = np.flatnonzero(catalogue.eligible(NOW).showable)
    plain = sorted(allowed.tolist(), key=lambda row: (-catalogue.published[row], row))
    assert catalogue.newest(allowed, 120).tolist() == plain[:120]
    assert catalogue.newest(allowed, 0).tolist() == []
    assert catalogue.eligible(NOW).newest.tolist() == plain
    liked = catalogue.category_codes(["y"])
    first = liked_first(catalogue.eligible(NOW).newest, catalogue.columns.category, liked)
    assert first.tolist() == sorted(plain, key=lambda row: row % 3 != 1)


def test_the_first_allowed_are_those_of_a_plain_walk() -> None:
    rng = np.random.default_rng(2)
    categories = rng.integers(-1, 4, 50).astype(np.int16)
    for n in (0, 1, 5, 60):
        for liked in ([], [2], [0, 3]):
            ranked, mask = rng.permutation(50).astype(np.int32)[:40], rng.random(50) < 0.6
            plain = [row for row in ranked.tolist() if mask[row]]
            plain.sort(key=lambda row: categories[row] not in liked)
            found = first_allowed(ranked, AllowedRows.of(mask).bits, categories, np.array(liked, np.int64), n)
            assert found.tolist() == plain[:n]


def test_a_full_catalogue_says_so() -> None:
    catalogue = Catalogue(["a"], capacity=1)
    with pytest.raises(IndexError, match="full"):
        catalogue.put("b", entry(1, None))


def test_an_entry_keeps_the_given_category_and_drops_the_body() -> None:
    article = Article("a", "s", "Title", body="x" * 1000, category="given")
    made = CatalogueArticle.of(article, ArticleAnnotations("en", ("k",), (0.5,), ("k",), "told", (("told", 0.7),)))
    assert (made.category, made.given, made.bar, len(made.summary)) == ("given", True, (("given", 1.0),), 201)


class Favourite:
    """A click model that likes one row of the catalogue's two topics more than all others: by its clicks ever."""

    probability = True
    reads_ids = False

    def score(self, candidates: Any) -> Any:
        return np.expm1(candidates.matrix[:, COLUMN["clicks_total"]]).astype(np.float32) / 100


def test_the_click_model_ranks_for_a_stranger_too() -> None:
    recommender = two_topics(model=Favourite())
    for ago, row in ((900, 6), (901, 6), (902, 6), (1, 2)):  # long ago, but more
        recommender.observe(CLICK, row, NOW - ago * HOUR)
    made = ask(recommender, k=2)
    assert (made.tier, rows(made)) == (Tier.POPULAR, [6, 2])
    assert ask(recommender, k=2, cheap=True).cards[0].row == 2, "no time for the model: the popular come first"
    shown = ask(recommender, reader(dismissed=(6,)), k=2)
    assert 6 not in rows(shown)


def test_what_breaks_leads_every_strangers_list_within_a_minute() -> None:
    for model in (None, Favourite()):
        recommender = two_topics(model=model)
        for number in range(400):  # what everybody reads all week
            recommender.observe(CLICK, number % 3, NOW - number * HOUR // 4, visitor=f"v{number}")
        recommender.catalogue.put("a7", entry(7, "markets", published_at=NOW - MINUTE))
        assert ask(recommender, k=8).cards[0].row != 7
        for number in range(20):
            recommender.observe(CLICK, 7, NOW - MINUTE + number * 3_000, visitor=f"w{number}")
        made = ask(recommender, k=8)
        assert (made.cards[0].row, made.cards[0].reason.kind) == (7, ReasonKind.TRENDING)
        assert len({*rows(made)}) == 8
        assert 7 not in rows(ask(recommender, reader(dismissed=(7,)), k=8))
        later = NOW + 6 * HOUR
        assert recommender.shared.breaking(recommender.catalogue.eligible(later), later).tolist() == []


def test_what_everybody_reads_all_day_does_not_break() -> None:
    recommender = two_topics(model=Favourite())
    for number in range(960):  # ten in a quarter of an hour, for a day
        recommender.observe(CLICK, 5, NOW - number * HOUR // 40, visitor=f"v{number}")
    assert recommender.shared.breaking(recommender.catalogue.eligible(NOW), NOW).tolist() == []

"""One card per story; who has read one article has read them all, and what came later is an update, once."""

import dataclasses

import numpy as np

from recsys.events import UNDATED
from recsys.readers import CLICK, ReaderState
from recsys.readers.config import MAX_IMPRESSIONS
from recsys.recommend.answer import Recommender
from recsys.recommend.fatigue import TIRED_AFTER, tired_rows
from recsys.recommend.reasons import Reason, ReasonKind
from recsys.recommend.story_updates import read_stories
from recsys.recommend.wording import reason_text
from tests.recommenders import HOUR, NOW, READERS, ask, entry, reader, rows, two_topics

IMPRESSION = 0


def newsroom(**config: int) -> Recommender:
    """Two topics, where rows 1, 2 and 3 are of one event that row 1 began, an hour apart."""
    recommender = two_topics(**config)
    for row, ago in ((1, 30), (2, 20), (3, 10)):
        recommender.catalogue.put(f"a{row}", entry(row, "football", published_at=NOW - ago * HOUR), None, "a1")
    return recommender


def who_read(row: int, ago: int) -> ReaderState:
    state = ReaderState.empty(READERS)
    state.observe(CLICK, row, NOW - ago * HOUR)
    return state


def test_a_list_holds_one_article_of_a_story_and_is_rather_short_than_twice_the_same() -> None:
    recommender = newsroom()
    for state in (None, reader(0), reader(4)):
        listed = rows(ask(recommender, state, k=8))
        assert len({1, 2, 3} & {*listed}) == 1
        unread = {0, 4, 5, 6, 7} - {*(state.clicks.tolist() if state is not None else ())}
        assert unread <= {*listed}
    assert len([row for row in rows(ask(recommender, reader(0), k=8, cheap=True)) if row in (1, 2, 3)]) == 1


def test_of_two_languages_a_story_has_one_card_in_the_whole_list() -> None:
    recommender = newsroom()
    recommender.catalogue.put("a3", entry(3, "football", language="da", published_at=NOW - HOUR), None, "a1")
    assert len({1, 2, 3} & {*rows(ask(recommender, reader(0), k=8))}) == 1


def test_who_has_read_the_last_of_a_story_is_shown_no_other() -> None:
    recommender = newsroom()
    assert not {1, 2, 3} & {*rows(ask(recommender, who_read(3, 5), k=8))}
    assert not {1, 2, 3} & {*rows(ask(recommender, who_read(1, 5), k=8))}, "all of them were there when it was read"


def test_what_came_after_it_was_read_is_an_update_until_it_was_shown() -> None:
    recommender = newsroom()
    state = who_read(1, 25)  # before 2 and 3 came
    made = ask(recommender, state, k=8)
    (followed,) = [card for card in made.cards if card.row in (2, 3)]
    assert followed.reason == Reason(ReasonKind.UPDATE, 1)
    assert reason_text(followed.reason, "en", "Fire") == "An update on “Fire”"
    state.observe(IMPRESSION, followed.row, NOW - HOUR)
    assert not {1, 2, 3} & {*rows(ask(recommender, state, k=8))}, "once"
    cheap = ask(recommender, who_read(1, 25), k=8, cheap=True)
    assert [card.reason.kind for card in cheap.cards if card.row in (2, 3)] == [ReasonKind.UPDATE]


def test_an_article_that_was_taken_down_is_not_quoted_by_its_update() -> None:
    recommender = newsroom()
    recommender.catalogue.put("a1", entry(1, "football", hidden=True))
    made = ask(recommender, who_read(1, 25), k=8)
    (followed,) = [card for card in made.cards if card.row in (2, 3)]
    assert followed.reason.kind is not ReasonKind.UPDATE


def test_of_tags_that_are_written_in_two_ways_no_update_is_claimed() -> None:
    recommender = newsroom()
    written = {1: "Linnet Ferry Company", 2: "ferry company", 3: "ferry company"}
    for row, word in written.items():
        shown = dataclasses.replace(entry(row, "football"), keywords=(word,), parts=("ferry company",), weights=(1.0,))
        recommender.catalogue.put(
            f"a{row}", dataclasses.replace(shown, published_at=NOW - (4 - row) * 10 * HOUR), None, "a1"
        )
    (followed,) = [card for card in ask(recommender, who_read(1, 25), k=8).cards if card.row in (2, 3)]
    assert followed.reason.kind is not ReasonKind.UPDATE
    (followed,) = [card for card in ask(recommender, who_read(2, 15), k=8).cards if card.row == 3]
    assert followed.reason == Reason(ReasonKind.UPDATE, 2)


def test_an_undated_click_has_read_everything_that_there_is() -> None:
    recommender = newsroom()
    state = ReaderState.empty(READERS)
    state.observe(CLICK, 1, UNDATED)
    over, updates = read_stories([state], recommender.catalogue.columns, np.empty((0, 0), np.int64), NOW)
    assert (sorted(over.tolist()), updates) == ([1, 2, 3], {})


def test_a_story_that_is_split_or_joined_is_listed_as_it_is_now() -> None:
    recommender = newsroom()
    recommender.catalogue.put("a3", entry(3, "football"), None, "a3")
    assert len({1, 2, 3} & {*rows(ask(recommender, reader(0), k=8))}) == 2
    recommender.catalogue.put("a3", entry(3, "football"), None, "a1")
    assert len({1, 2, 3} & {*rows(ask(recommender, reader(0), k=8))}) == 1
    recommender.catalogue.put("a3", entry(3, "football"))  # another change leaves it where it is
    assert len({1, 2, 3} & {*rows(ask(recommender, reader(0), k=8))}) == 1


def test_similar_articles_are_of_as_many_stories() -> None:
    cards = newsroom().similar("a0", 8, NOW)
    assert len([card for card in cards if card.row in (1, 2, 3)]) == 1


def test_what_shares_no_tag_with_what_was_read_is_neither_over_nor_an_update() -> None:
    recommender = newsroom()
    tags = np.zeros((8, 2), np.int64)
    tags[1], tags[2], tags[3] = (5, 6), (6, 0), (7, 0)
    over, updates = read_stories([who_read(1, 25)], recommender.catalogue.columns, tags, NOW)
    assert (over.tolist(), updates) == ([1], {2: 1})
    over, updates = read_stories([who_read(2, 1)], recommender.catalogue.columns, tags, NOW)
    assert (sorted(over.tolist()), updates) == ([1, 2], {})


def test_what_was_shown_often_and_not_opened_makes_room_until_others_were_shown() -> None:
    recommender = two_topics()
    state = reader(0)
    for number in range(TIRED_AFTER):
        assert 1 in rows(ask(recommender, state, k=3))
        state.observe(IMPRESSION, 1, NOW - HOUR + number)
    assert 1 not in rows(ask(recommender, state, k=3))
    assert 1 not in rows(ask(recommender, state, k=8)), "fewer cards rather than what nobody wants"
    for number in range(MAX_IMPRESSIONS):
        state.observe(IMPRESSION, 6, NOW - HOUR + 10 + number)
    assert 1 in rows(ask(recommender, state, k=3))
    opened = reader(0)
    for number in range(TIRED_AFTER):
        opened.observe(IMPRESSION, 1, NOW - HOUR + number)
    opened.observe(CLICK, 1, NOW)
    assert tired_rows([opened]).tolist() == []
    assert tired_rows([]).tolist() == []

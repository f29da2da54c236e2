"""Stories of events: one rule for night and service, editors' word, and input of every odd kind. All texts are ours."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from recsys.stories.decisions import EditorDecisions, PairDecision
from recsys.stories.evidence import MAX_COUNTED, best_stories
from recsys.stories.graph import parts_of
from recsys.stories.names import NameRates
from recsys.stories.night import StoryArticle, find_stories
from recsys.stories.records import Story
from recsys.stories.story_files import load_story_index, load_story_of, save_stories
from recsys.stories.story_index import StoryIndex
from recsys.stories.terms import terms
from recsys.units import DAY_MS, HOUR_MS

NOON = 1_800_000_000_000
FERRY = [
    "Ferry Aurora runs aground off Helmsund",
    "Passengers leave stranded ferry Aurora in Helmsund",
    "Captain of ferry Aurora questioned in Helmsund",
    "Helmsund: the ferry Aurora floats again",
]
STRIKE = [
    "Tram drivers in Ostwall begin strike",
    "Ostwall tram strike enters second day",
    "Tram strike in Ostwall: drivers reject offer",
    "Ostwall trams run again as strike ends",
]
MIXED = [title for both in zip(FERRY, STRIKE, strict=True) for title in both]


def placed(titles: Sequence[str], index: StoryIndex | None = None, first: int = 0) -> list[str]:
    index = index or StoryIndex()
    return [index.place(f"a{n}", title, time=NOON + n * HOUR_MS).story for n, title in enumerate(titles, first)]


def test_two_events_that_are_written_about_in_turn_are_two_stories_named_by_their_first_articles() -> None:
    assert placed(MIXED) == ["a0", "a1"] * 4


def test_an_assignment_says_whether_it_began_a_story_and_of_what_it_is_a_copy() -> None:
    index = StoryIndex()
    first = index.place("a", FERRY[0], time=NOON)
    assert (first.story, first.score, first.is_new, first.copy_of) == ("a", 0.0, True, None)
    second = index.place("b", "Shipping news in brief", time=NOON, copy_of="a")
    assert (second.story, second.is_new, second.copy_of) == ("a", False, "a")
    third = index.place("c", FERRY[1], time=NOON)
    assert third.story == "a"
    assert third.score > 0


def test_what_comes_later_changes_no_assignment() -> None:
    whole = placed(MIXED)
    assert all(placed(MIXED[:n]) == whole[:n] for n in range(len(MIXED)))


def test_forms_of_a_word_are_one_term_and_scripts_without_blanks_give_pairs_of_characters() -> None:
    assert terms("Ferries run, ferry RUNS: the running of Nora's ferry!") == ["ferry", "nora", "run"]
    assert terms("渡轮搁浅") == ["搁浅", "渡轮", "轮搁"]
    assert terms("") == terms("!!! … 的") == []
    assert terms("Live", "A ferry has run aground off Helmsund.") != terms("Live")


def test_an_article_without_words_stands_alone_and_equal_titles_stand_together() -> None:
    assert placed(["", "", "  ", "!!!"]) == ["a0", "a1", "a2", "a3"]
    assert set(placed(["Weather for Helmsund today"] * 40)) == {"a0"}


def test_languages_do_not_disturb_each_other() -> None:
    chinese = ["赫尔姆渡轮极光号搁浅", "搁浅渡轮极光号乘客获救", "极光号渡轮船长接受调查"]
    german = ["Fähre Aurora läuft vor Helmsund auf Grund", "Helmsund: Fähre Aurora wieder flott"]
    stories = placed([chinese[0], STRIKE[0], german[0], chinese[1], STRIKE[1], german[1], chinese[2], STRIKE[2]])
    assert stories == ["a0", "a1", "a2", "a0", "a1", "a2", "a0", "a1"]


def test_a_story_of_five_thousand_articles_keeps_its_counts_bounded() -> None:
    index = StoryIndex()
    for n in range(5_000):
        index.place(f"a{n}", f"Ferry Aurora in Helmsund: update number {n} of {n % 7} by reporter{n}", time=NOON)
    (story,) = index.stories.values()
    assert story.size <= MAX_COUNTED
    assert len(story.words) <= MAX_COUNTED * 5  # each counted headline brings three terms that no other one has
    assert len(index.articles_of("a0")) == 5_000
    counts = dict(index.counts(next(iter(index.stories))))
    assert all(0 < count <= MAX_COUNTED for count in counts.values())
    assert counts["aurora"] > 0.4 * story.size


def test_a_story_ends_with_the_days_and_its_name_comes_back_as_a_new_one() -> None:
    index = StoryIndex()
    placed(FERRY, index)
    later = index.place("b", FERRY[0], time=NOON + 30 * DAY_MS)
    assert later.story == "b"
    for n in range(8):  # until the middle of the last times is a month later
        index.place(f"c{n}", f"Market day number{n} somewhere{n}", time=NOON + 30 * DAY_MS)
    assert index.articles_of("a0") == []
    assert index.story_of("a1") is None


@pytest.mark.parametrize("wrong", [0, NOON - 900 * DAY_MS, NOON + 900 * DAY_MS, -5])
def test_a_clock_that_jumps_ends_no_story_and_moves_no_other_article(wrong: int) -> None:
    index = StoryIndex()
    before = placed(MIXED[:4], index)
    jumped = index.place("jump", "Ferry Aurora in Helmsund", time=wrong)
    assert jumped.is_new  # nobody writes about an event years away from it
    assert before + placed(MIXED[4:], index, 4) == ["a0", "a1"] * 4


def test_a_headline_without_a_time_joins_nothing_by_itself() -> None:
    index = StoryIndex()
    assert [index.place(f"a{n}", title).story for n, title in enumerate(MIXED)] == [f"a{n}" for n in range(8)]
    assert index.place("dated", FERRY[0], time=NOON).is_new, "nor does one with a time join one without"
    dated = StoryIndex()
    placed(FERRY[:2], dated)
    assert dated.place("undated", FERRY[2]).is_new


def test_an_article_whose_text_changes_moves_to_where_it_belongs_and_leaves_its_story_its_name() -> None:
    index = StoryIndex()
    placed(MIXED[:6], index)
    assert index.place("a2", STRIKE[3], time=NOON).story == "a1"
    assert index.articles_of("a0") == ["a0", "a4"]
    assert index.place("a0", FERRY[0], time=NOON).story == "a0", (
        "the story keeps its name though its first article be gone"
    )
    assert index.articles_of("a0") == ["a4", "a0"]
    assert index.place("a0", "Cheese fair opens in Lindau", time=NOON).story == "a0"
    assert index.articles_of("a4") == ["a4"], "what is left has the name of another of its articles"
    assert index.place("b", FERRY[3], time=NOON).story == "a4"


def test_a_removed_article_is_forgotten_with_its_terms() -> None:
    index = StoryIndex()
    placed(MIXED, index)
    for n in range(8):
        index.remove(f"a{n}")
        index.remove(f"a{n}")
    assert not index.stories
    assert not index.placed
    assert index.place("b", FERRY[1], time=NOON) == ("b", 0.0, True, None)


def test_two_stories_joined_and_split_again_are_what_they_were() -> None:
    index = StoryIndex()
    placed(MIXED, index)
    counts = [dict(index.counts(row)) for row in sorted(index.stories)]
    index.merge("a0", "a1")
    assert sorted(index.articles_of("a0")) == [f"a{n}" for n in range(8)]
    assert index.articles_of("a1") == []
    assert index.split([f"a{n}" for n in range(1, 8, 2)]) == "a1"
    assert [dict(index.counts(row)) for row in sorted(index.stories)] == counts
    assert index.place("b", STRIKE[0], time=NOON + 9 * HOUR_MS).story == "a1"
    assert index.split(["nobody"]) is None


def test_a_part_that_holds_the_first_article_of_its_story_is_named_after_another() -> None:
    index = StoryIndex()
    for n in range(4):
        index.place(f"a{n}", "Ferry runs aground off Helmsund", time=NOON + n)
    assert index.split(["a0", "a2"]) == "a2"
    assert [index.story_of(f"a{n}") for n in range(4)] == ["a2", "a0", "a2", "a0"]


def test_names_are_learned_from_headlines_in_sentence_case() -> None:
    names = NameRates()
    names.learn("Ferry Runs Aground Off Helmsund")  # title case tells nothing
    assert not names.seen
    unknown = names.weight("helmsund")
    names.learn("Stranded ferry leaves Helmsund's harbour")
    assert names.weight("helmsund") > unknown > names.weight("harbour")
    assert "strand" not in names.seen  # the first word has a capital anyway


def test_a_common_word_alone_joins_nothing_in_a_young_index() -> None:
    index = StoryIndex()
    index.place("a", "Bakery Moorhof files for bankruptcy", time=NOON)
    common = index.place("b", "Police report on river", time=NOON)
    index.place("c", "Police stop tram in Ostwall", time=NOON)
    assert common.is_new
    assert index.story_of("c") == "c"


def test_editors_decisions_hold_against_every_score() -> None:
    decisions = EditorDecisions([PairDecision("a0", "a1", True), PairDecision("a0", "a2", False)])
    stories = placed(MIXED[:3], StoryIndex(decisions=decisions))
    assert stories == ["a0", "a0", "a2"]
    index = StoryIndex(decisions=decisions)
    index.place("a0", FERRY[0], time=NOON)
    assert index.place("a2", FERRY[0], time=NOON, copy_of="a0").story == "a2"


def test_the_later_of_two_decisions_holds() -> None:
    decisions = EditorDecisions(
        [PairDecision("a", "b", True), PairDecision("b", "c", True), PairDecision("a", "c", False)]
    )
    assert decisions.together_with("b") == {"b", "c"}
    assert decisions.apart_from("a") == {"b", "c"}
    assert EditorDecisions([PairDecision("a", "b", False), PairDecision("b", "a", True)]).apart_from("a") == set()


def articles_of(titles: Sequence[str]) -> list[StoryArticle]:
    return [StoryArticle(f"a{n}", title, "", NOON + n * HOUR_MS, None) for n, title in enumerate(titles)]


def test_night_and_service_agree_and_the_night_goes_on_from_disk(tmp_path: Path) -> None:
    night = find_stories(reversed(articles_of(MIXED[:5])), NOON + DAY_MS)
    assert list(night.story_of.values()) == placed(MIXED[:5])
    save_stories(night.story_of, night.going_on, tmp_path)
    assert load_story_of(tmp_path) == night.story_of
    index = load_story_index(tmp_path)
    assert placed(MIXED[5:], index, 5) == placed(MIXED)[5:]
    assert index.articles_of("a1") == ["a1", "a3", "a5", "a7"]
    assert index.names.seen["ferry"] > 0
    assert (index.came, list(index.times)) == (8, [NOON + n * HOUR_MS for n in range(8)])


def test_the_night_keeps_ids_and_takes_a_time_to_come_for_now() -> None:
    earlier = find_stories(articles_of(MIXED[:6]), NOON + DAY_MS).story_of
    later = find_stories(articles_of(MIXED), NOON + DAY_MS).story_of
    assert {article: later[article] for article in earlier} == earlier
    future = StoryArticle("z", FERRY[0], "", NOON + 900 * DAY_MS, None)
    assert find_stories([*articles_of(MIXED), future], NOON + DAY_MS).story_of["z"] == "a0"


def bridged() -> dict[str, list[str]]:
    """Two groups of five headlines, and one that speaks of both."""
    one = {f"a{n}": ["ferry", "aurora", f"x{n}"] for n in range(5)}
    other = {f"b{n}": ["tram", "strike", f"y{n}"] for n in range(5)}
    return one | other | {"both": ["x0", "y0", "z"]}


def test_parts_that_one_link_holds_are_parted() -> None:
    words_of = bridged()
    rarity = {word: 1.0 for words in words_of.values() for word in words}
    stay, moved = parts_of(words_of, rarity)
    assert {tuple(stay), tuple(moved)} == {(*(f"a{n}" for n in range(5)), "both"), tuple(f"b{n}" for n in range(5))}
    words_of["second"] = ["aurora", "tram", "w"]  # of two headlines that speak of both none is the only link
    assert parts_of(words_of, rarity | {"w": 1.0}) == [list(words_of)]
    assert parts_of({key: words for key, words in words_of.items() if key[0] == "a"}, rarity) == [
        [f"a{n}" for n in range(5)]
    ]


def test_the_night_parts_no_articles_that_an_editor_holds_together() -> None:
    titles = [*[f"Ferry Aurora in Helmsund, report{n}" for n in range(6)]]
    decisions = EditorDecisions(
        [PairDecision("a0", "a6", True), *(PairDecision("a6", f"a{n}", True) for n in range(7, 12))]
    )
    strikes = [f"Ostwall tram strike, notice{n}" for n in range(6)]
    night = find_stories(articles_of(titles + strikes), NOON + DAY_MS, decisions)
    assert set(night.story_of.values()) == {"a0"}
    assert night.parted == 0
    only = EditorDecisions([PairDecision("a0", "a6", True)])
    assert find_stories(articles_of(titles + strikes), NOON + DAY_MS, only).parted == 0


def test_the_index_is_told_of_decisions_and_names_no_story_by_a_number() -> None:
    index = StoryIndex(decisions=EditorDecisions())
    placed(MIXED, index)
    index.decide(PairDecision("a1", "a0", True))
    assert index.articles_of("a1") == []
    assert len(index.articles_of("a0")) == 8
    index.decide(PairDecision("a0", "a2", False))
    assert (index.articles_of("a0"), len(index.articles_of("a2"))) == (["a0"], 7)
    for pair in (("nobody", "a1"), ("a1", "nobody"), ("a1", "a1")):
        index.decide(PairDecision(*pair, False))
        index.decide(PairDecision(*pair, True))
    assert {story.id for story in index.stories.values()} == {"a0", "a2"}
    assert (index.neighbour("a0"), index.neighbour("a2"), index.neighbour("nobody")) == (None, "a4", None)
    assert index.place("b", STRIKE[0], time=NOON).story == "a2"


def test_two_articles_that_each_began_the_other_s_story_may_both_leave_it() -> None:
    index = StoryIndex()
    placed(["Ferry aground off Helmsund", "Tram strike in Ostwall", "Cheese fair in Lindau"], index)
    index.merge("a0", "a1")
    assert index.split(["a0"]) == "a0"
    assert index.story_of("a1") == "a1"
    index.merge("a1", "a2")
    index.merge("a0", "a1")
    assert index.split(["a0", "a1"]) == "a1"
    assert index.story_of("a2") == "a0"
    assert index.split(["a0"]) == "a0"
    assert {index.story_of(f"a{n}") for n in range(3)} == {"a0", "a1", "a2"}


def test_the_night_holds_together_what_time_would_part_and_apart_what_is_copied() -> None:
    night = [StoryArticle(f"a{n}", FERRY[n % 4], "", NOON + 30 * n * DAY_MS, None) for n in range(3)]
    others = [StoryArticle(f"b{n}", f"Market day{n}", "", NOON + n * DAY_MS, None) for n in range(70)]
    assert len({find_stories([*night, *others], NOON + 99 * DAY_MS).story_of[f"a{n}"] for n in range(3)}) == 3
    decisions = EditorDecisions([PairDecision("a1", "a0", True), PairDecision("a2", "a0", True)])
    story_of = find_stories([*night, *others], NOON + 99 * DAY_MS, decisions).story_of
    assert [story_of[f"a{n}"] for n in range(3)] == ["a0"] * 3
    copies = [StoryArticle("a", FERRY[0], "", NOON, None), StoryArticle("b", FERRY[0], "", NOON, "a")]
    parted = find_stories(copies, NOON + DAY_MS, EditorDecisions([PairDecision("a", "b", False)])).story_of
    assert parted == {"a": "a", "b": "b"}


def test_the_best_stories_are_those_of_a_search_that_leaves_nothing_out() -> None:
    rng = np.random.default_rng(3)
    index = StoryIndex()
    vocabulary = [f"word{place}" for place in range(200)]
    for number in range(400):
        title = " ".join(rng.choice(vocabulary[: 200 - number % 150], 9, replace=False))
        index.place(f"a{number}", title, time=number * HOUR_MS // 4)
        if number % 20 == 19:
            index.remove(f"a{number - 10}")
    sizes = {story.size for story in index.stories.values()}
    assert 1 in sizes
    assert max(sizes) > 2
    for number in range(50):
        words = dict.fromkeys(rng.choice(vocabulary, 8, replace=False).tolist(), 0.9)
        everything = _scored(words, 100 * HOUR_MS, index)
        for least in (0.0, 0.001, 0.01, 0.1, max(everything.values())):
            best = best_stories(
                words, 100 * HOUR_MS, index._postings, index.stories, len(index.placed), 1000, least=least
            )
            enough = {row: score for row, score in everything.items() if score >= least * (1 + 1e-12)}
            assert [one.row for one in best[: len(enough)]] == sorted(enough, key=lambda row: (-enough[row], row)), (
                number
            )
            assert [one.score for one in best[: len(enough)]] == pytest.approx(sorted(enough.values(), reverse=True))


def _scored(words: dict[str, float], time: int, index: StoryIndex) -> dict[int, float]:
    """Score of every story, by the rule of ``recsys/stories/evidence.py`` written out."""
    counts = {row: dict(index.counts(row)) for row in index.stories}
    stories = len(counts)
    share_of = {word: (sum(word in of for of in counts.values()) + 0.2) / (stories + 30) for word in words}
    surprise = sum(-weight * math.log(share_of[word]) for word, weight in words.items())
    scores = {}
    for row, story in index.stories.items():
        beyond = 0.3 * (math.log(story.size) - math.log(len(index.placed) + 50))
        for word in words.keys() & counts[row].keys():
            share = (counts[row][word] + 0.5 * share_of[word]) / (story.size + 0.5)
            beyond += max(0.0, words[word] * math.log(share / share_of[word]))
        away = max(0, story.first - time, time - story.last) / (3 * DAY_MS)
        if beyond > 0:
            scores[row] = beyond**2 / len(words) ** 0.8 / surprise * math.exp(-(away**2) / 2)
    return scores


def test_a_story_that_counts_one_headline_of_several_articles_is_restored_and_left_article_by_article() -> None:
    index, words = StoryIndex(), terms(FERRY[0])
    for number in range(60):
        index.place(f"b{number}", f"Hall{number} day{number} row{number}", time=NOON)
    story = Story("a0", 1, NOON, NOON, NOON)  # what is left after a large story was halved and articles were removed
    index.restore(story, dict.fromkeys(words, 1), [(f"a{number}", words, NOON, ()) for number in range(3)])
    for number in range(3):
        index.remove(f"a{number}")
    assert index.articles_of("a0") == []
    assert index.place("c", FERRY[0], time=NOON).story == "c"


def test_a_story_of_one_headline_again_is_found_like_any_other() -> None:
    index = StoryIndex()
    for number in range(60):
        index.place(f"b{number}", f"Hall{number} day{number} row{number}", time=NOON)
    index.place("a0", FERRY[0], time=NOON)
    index.place("a1", FERRY[0], time=NOON)
    assert index.story_of("a1") == "a0"
    index.remove("a0")
    assert index.place("a2", FERRY[0], time=NOON).story == "a0"
    index.merge("a0", "b3")
    index.remove("a1")
    index.remove("a2")
    assert index.articles_of("a0") == ["b3"]
    assert index.place("c", "Hall3 day3 row3", time=NOON).story == "a0"

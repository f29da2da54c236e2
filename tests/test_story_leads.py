"""Bodies of a story: a name that two headlines share joins nothing that their texts tell apart. All texts are ours."""

import math
from array import array
from pathlib import Path

import numpy as np
import pytest

from recsys.stories.decisions import EditorDecisions, PairDecision
from recsys.stories.leads import AGREE, COMPARED, KEY, LEAST_LEAD_TERMS, Lead, LeadRarity, lead_of
from recsys.stories.night import StoryArticle, find_stories
from recsys.stories.story_files import load_story_index, save_stories
from recsys.stories.story_index import StoryIndex
from recsys.units import HOUR_MS

NOON = 1_800_000_000_000
FERRY = "Ferry Aurora runs aground off Helmsund"
AGROUND = (
    "The Aurora struck a sandbank at dawn with ninety passengers aboard. Tugs from the harbour pulled at the hull until"
    " the tide fell, and the coastguard took the passengers off in lifeboats. Divers look for damage below water."
)
LIFEBOATS = "Passengers leave Aurora in lifeboats"
TAKEN_OFF = (
    "Ninety passengers of the stranded ferry came ashore in lifeboats of the coastguard. Tugs wait for the tide to pull"
    " the hull off the sandbank, which divers examine for damage."
)
GALLERY = "Aurora draws crowds to the gallery"
PAINTING = (
    "A painting of northern lights that hung for a century in a bank's cellar is on show in the city gallery. Curators"
    " cleaned the canvas through the winter; visitors queue along the pavement and the catalogue is sold out."
)
LOAN = "Aurora goes on loan to three cities"
LENT = (
    "The painting of northern lights leaves the gallery in autumn. Curators lend the canvas to three cities, where the"
    " catalogue will be printed again, before it hangs for good beside the bank's other pictures."
)


def places(articles: list[tuple[str, str]], index: StoryIndex | None = None) -> list[str]:
    index = index or StoryIndex()
    return [index.place(f"a{n}", *article, NOON + n * HOUR_MS).story for n, article in enumerate(articles)]


def test_a_name_that_two_headlines_share_joins_nothing_that_their_bodies_tell_apart() -> None:
    assert places([(FERRY, ""), (GALLERY, "")]) == ["a0", "a0"], "headlines alone are believed"
    assert places([(FERRY, AGROUND), (GALLERY, PAINTING)]) == ["a0", "a1"]
    assert places([(FERRY, AGROUND), (LIFEBOATS, TAKEN_OFF)]) == ["a0", "a0"]


def test_an_article_joins_the_next_best_story_where_the_best_one_speaks_of_something_else() -> None:
    articles = [(FERRY, AGROUND), (GALLERY, PAINTING), (LIFEBOATS, TAKEN_OFF), (LOAN, LENT)]
    assert places(articles) == ["a0", "a1", "a0", "a1"]


def test_an_article_without_a_body_or_with_a_line_of_it_is_taken_by_its_headline() -> None:
    line = "More follows."
    assert lead_of(line) == lead_of("") == ()
    assert places([(FERRY, AGROUND), (GALLERY, line)]) == ["a0", "a0"]
    assert places([(FERRY, ""), (GALLERY, PAINTING)]) == ["a0", "a0"]
    words = " ".join(f"word{chr(97 + n)}" for n in range(LEAST_LEAD_TERMS))
    assert len(lead_of(words)) == LEAST_LEAD_TERMS
    assert lead_of(words.rsplit(" ", 1)[0]) == ()


@pytest.mark.parametrize(
    "times", [(None, None), (NOON, None), (None, NOON)], ids=["neither", "the second", "the first"]
)
def test_without_a_time_bodies_have_to_speak_for_a_story(times: tuple[int | None, int | None]) -> None:
    def second_joins(one: str, other: str) -> bool:
        index = StoryIndex()
        index.place("a0", FERRY, one, times[0])
        return not index.place("a1", LIFEBOATS, other, times[1]).is_new

    assert second_joins(AGROUND, TAKEN_OFF)
    assert not second_joins(AGROUND, PAINTING)
    assert not second_joins(AGROUND, "")
    assert not second_joins("", TAKEN_OFF)
    assert not second_joins("", "")


def test_copies_and_editors_join_an_article_without_a_time_or_a_body() -> None:
    index = StoryIndex(decisions=EditorDecisions([PairDecision("c", "a", True)]))
    index.place("a", FERRY)
    assert index.place("b", FERRY, copy_of="a").story == "a"
    assert index.place("c", GALLERY).story == "a"


@pytest.mark.parametrize(
    "body",
    ["<div class='x'>" * 400 + AGROUND, "\x00" * 500, "\ud800 \udfff " * 300, "!" * 1_000_000, "9 " * 400],
    ids=["markup alone in its opening", "controls", "lone surrogates", "a million signs", "one number"],
)
def test_a_body_that_says_nothing_is_no_reason_against_a_story(body: str) -> None:
    assert lead_of(body) == ()
    assert places([(FERRY, AGROUND), (LIFEBOATS, body)]) == ["a0", "a0"]


def test_bodies_in_chinese_are_compared_as_well() -> None:
    aground = "极光号渡轮清晨在赫尔姆海峡搁浅，船上九十名乘客由海岸警卫队用救生艇接走，拖船等待涨潮后再拖离沙洲。"
    painting = "一幅描绘北方夜空的油画在银行地窖里挂了一百年，如今在市立美术馆展出，修复师用整个冬天清洗画布。"
    taken_off = "搁浅渡轮上的九十名乘客乘救生艇上岸，海岸警卫队说，拖船要等涨潮才能把船拖离沙洲，潜水员正在检查船体。"
    assert places([("极光号渡轮搁浅", aground), ("极光号油画展出", painting)]) == ["a0", "a1"]
    assert places([("极光号渡轮搁浅", aground), ("极光号乘客上岸", taken_off)]) == ["a0", "a0"]


def test_copies_and_editors_join_whatever_the_bodies_say() -> None:
    index = StoryIndex(decisions=EditorDecisions([PairDecision("c", "a", True)]))
    index.place("a", FERRY, AGROUND, NOON)
    assert index.place("b", GALLERY, PAINTING, NOON, copy_of="a").story == "a"
    assert index.place("c", GALLERY, PAINTING, NOON).story == "a"


def test_the_latest_articles_of_a_story_are_compared_and_not_thousands() -> None:
    rarity, ferry, other = LeadRarity(), lead_of(AGROUND), lead_of(PAINTING)
    for lead in (ferry, other):
        rarity.add(lead)
    assert rarity.agree(rarity.weighed(ferry), [other] * (COMPARED - 1) + [ferry])
    assert not rarity.agree(rarity.weighed(ferry), [other] * COMPARED + [ferry])
    assert rarity.agree(rarity.weighed(ferry), [(), ()])


def test_a_lead_that_is_taken_back_leaves_no_count() -> None:
    index = StoryIndex()
    places([(FERRY, AGROUND), (GALLERY, PAINTING)], index)
    untouched = LeadRarity()
    untouched.add(lead_of(AGROUND))
    index.remove("a1")
    assert vars(index.leads) == vars(untouched)
    index.place("a0", FERRY, "", NOON)
    assert vars(index.leads) == vars(LeadRarity())


@pytest.mark.parametrize("older", [False, True])
def test_the_night_and_the_service_agree_and_a_release_without_leads_is_read(tmp_path: Path, older: bool) -> None:
    rows = [StoryArticle("a0", FERRY, AGROUND, NOON, None), StoryArticle("a1", GALLERY, PAINTING, NOON + 1, None)]
    night = find_stories(rows, NOON + HOUR_MS)
    assert night.story_of == {"a0": "a0", "a1": "a1"}
    save_stories(night.story_of, night.going_on, tmp_path)
    if older:
        (tmp_path / "story_leads.parquet").unlink()
    index = load_story_index(tmp_path)
    assert (vars(index.leads) == vars(night.going_on.leads)) is not older
    assert index.place("a2", LOAN, LENT, NOON + HOUR_MS).story == "a1"
    assert index.place("a3", LIFEBOATS, TAKEN_OFF, NOON + HOUR_MS).story == "a0"


def test_bodies_agree_by_the_cosine_of_what_is_rare_in_them_wherever_it_lies() -> None:
    rng, rarity = np.random.default_rng(5), LeadRarity()
    sizes = rng.integers(12, 65, 200).tolist()
    leads = [array(KEY, rng.choice(int(rng.choice([100, 1000])), size, replace=False).tolist()) for size in sizes]
    for lead in leads:
        rarity.add(lead)

    def plain(one: Lead, other: Lead) -> float:
        weights = {key: rarity._weight(key) for key in {*one, *other}}
        shared, *lengths = (sum(weights[key] for key in keys) for keys in ({*one} & {*other}, one, other))
        return float(shared / math.sqrt(lengths[0] * lengths[1]))

    pairs = rng.integers(len(leads), size=(2000, 2)).tolist()
    cosines = [plain(leads[one], leads[other]) for one, other in pairs]
    assert min(cosines) < AGREE / 2 < AGREE < sorted(cosines)[1900]
    agreed = [rarity.agree(rarity.weighed(leads[one]), [leads[other]]) for one, other in pairs]
    assert agreed == [cosine >= AGREE for cosine in cosines]

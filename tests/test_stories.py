"""Near copies: one text in several papers is one; two texts of one template are two. All texts are written for this."""

from collections.abc import Iterable

import numpy as np
import pytest

from recsys.stories.alignment import SharedRun, shared_runs
from recsys.stories.copies import ComparedText, is_copy
from recsys.stories.leaders import Leaders, find_leaders
from recsys.stories.signatures import HASHES, MAX_COMPARED_ROWS, SignatureTable, signature
from recsys.stories.text import Text, units

FERRY = (
    "The night ferry to Skarholm ran aground on a sandbank shortly after leaving port on Sunday evening. All of its 84"
    " passengers were taken off by lifeboat and nobody was hurt, the coastguard said. Divers will look at the hull in"
    " the morning before tugs try to pull the ship free at high tide. The operator has cancelled its crossings until"
    " Tuesday and asks travellers to use the southern route instead."
)
ZH_FERRY = (
    "周日晚间，一艘开往石岛的夜班渡轮离港后不久在沙洲搁浅。海事部门表示，船上八十四名乘客已全部由救生艇接走，无人受伤。"
    "潜水员将于次日清晨检查船体，随后拖轮将在涨潮时尝试把船拖离。运营公司已取消近期所有班次，并建议旅客改走南线。"
)
LEAD = "Travellers across the region face days of disruption and longer journeys after an accident at sea. "
FOOTER = (
    " Read all about the islands in the Evening Lantern, the paper for the whole coast. Call our newsroom any time."
)


def text(title: str, body: str, source: str | None = None) -> ComparedText:
    return ComparedText(Text(title, body, source))


ORIGINAL = text("Night ferry runs aground off Skarholm", FERRY)
ZH_ORIGINAL = text("夜班渡轮在石岛附近搁浅", ZH_FERRY)


@pytest.mark.parametrize(
    "copy",
    [
        text("Night ferry runs aground off Skarholm", FERRY),
        text("Passengers rescued as ship hits sandbank", FERRY),
        text("Night ferry runs aground off Skarholm - update", FERRY + " More follows."),
        text("Ferry stuck", "SKARHOLM (Coast Wire) - " + FERRY),
        text("Ferry stuck on sandbank", LEAD + FERRY),
        text("Ferry stuck on sandbank", FERRY + FOOTER),
        text("Ferry stuck on sandbank", LEAD + FERRY + FOOTER),
        text("Ferry stuck on sandbank", FERRY[:230]),
        text("Ferry stuck on sandbank", "<p>" + FERRY.replace(". ", ".</p>\r\n<p>") + "</p>"),
        text("Ferry stuck on sandbank", FERRY.replace("nobody was hurt", "no one was injured")),
        text("FERRY STUCK ON SANDBANK", FERRY.upper()),
        text("Live | Ferry stuck on sandbank", FERRY),
    ],
)
def test_a_wire_story_is_one_whatever_a_paper_puts_around_it(copy: ComparedText) -> None:
    assert is_copy(ORIGINAL, copy)
    assert is_copy(copy, ORIGINAL)


@pytest.mark.parametrize(
    "copy",
    [
        text("渡轮搁浅，乘客全部获救", ZH_FERRY),
        text("渡轮搁浅", "本报讯（记者 林一帆）" + ZH_FERRY),
        text("渡轮搁浅", ZH_FERRY + "更多海岛新闻，请关注晚灯报客户端，每天为您带来第一手消息。"),
        text("渡轮搁浅", ZH_FERRY[:70]),
        text("快讯｜夜班渡轮搁浅，乘客全部获救", ZH_FERRY),
        text("渡輪擱淺", ZH_FERRY.replace("渡轮", "渡輪").replace("检查", "檢查").replace("运营", "運營")),
    ],
)
def test_a_chinese_wire_story_is_one_in_either_way_of_writing(copy: ComparedText) -> None:
    assert is_copy(ZH_ORIGINAL, copy)
    assert is_copy(copy, ZH_ORIGINAL)


def weather(town: str, high: int, low: int) -> ComparedText:
    return text(
        f"Weather for {town}",
        f"It will be a dry and mostly sunny day in {town} with light winds from the west in the afternoon. Temperatures"
        f" reach {high} degrees by midday and fall to {low} degrees during the night. No warnings are in force for the"
        " coast, and the outlook for the rest of the week remains settled.",
    )


def earnings(company: str, chief: str, profit: str, rise: int) -> ComparedText:
    return text(
        f"{company} profit rises {rise} percent",
        f"{company} said on Thursday that its profit for the third quarter rose {rise} percent to {profit} million"
        f" crowns, helped by higher prices and lower costs. {chief}, the chief executive, told analysts on a conference"
        " call that the outlook for the full year had not changed and that demand remained strong in all its markets.",
    )


def match(home: str, away: str, scorer: str, score: str, minute: int) -> ComparedText:
    return text(
        f"{home} {score} {away}",
        f"{home} moved up the table with a {score} win over {away} on Saturday. {scorer} scored the only goal that"
        f" mattered in the {minute}th minute after a mistake in the defence, and the visitors hardly had a chance from"
        " then on. The coach praised his players for their patience and said that they had deserved the three points.",
    )


def zh_weather(town: str, high: int, low: int) -> ComparedText:
    return text(
        f"{town}明日天气预报",
        f"{town}市气象台今天发布天气预报：预计明天白天多云间晴，最高气温{high}度；夜间晴到少云，最低气温{low}度，偏西风二到三级。"
        "近期昼夜温差较大，请市民朋友注意适时增减衣物，外出时做好防晒和补水。",
    )


def zh_earnings(company: str, chief: str, profit: str) -> ComparedText:
    return text(
        f"{company}发布三季报",
        f"{company}周四晚间发布三季度报告称，公司前三季度实现净利润{profit}亿元，同比有所增长，主要得益于产品价格上涨以及成本下降。"
        f"公司董事长{chief}在电话会议上表示，全年业绩指引保持不变，各主要市场的需求依然强劲。",
    )


def lottery(number: int, drawn: str) -> ComparedText:
    return text(
        f"Lottery results for draw {number}",
        f"The winning numbers of draw {number} are {drawn}. Tickets can be paid out at every point of sale within"
        " ninety days; larger prizes are paid by bank transfer after the ticket has been checked at head office. The"
        " lottery reminds all players to play with moderation and to keep their tickets in a safe and dry place.",
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (weather("Oddvik", 19, 8), weather("Lysmouth", 23, 11)),
        (weather("Oddvik", 19, 8), weather("Lysmouth", 19, 8)),
        (weather("Oddvik", 19, 8), weather("Oddvik", 21, 9)),
        (earnings("Norholt", "Ada Brun", "310", 4), earnings("Fjellwerk", "Jon Dahl", "95", 12)),
        (match("Oddvik", "Marsten", "Lund", "1-0", 71), match("Penrow", "Calder", "Hale", "2-1", 12)),
        (lottery(118, "4, 9, 17, 23, 31 and 40"), lottery(119, "2, 8, 11, 26, 35 and 41")),
        (zh_weather("临江", 19, 8), zh_weather("青浦", 23, 11)),
        (zh_weather("临江", 19, 8), zh_weather("临江", 21, 8)),
        (zh_earnings("华辰股份", "陆远", "3.1"), zh_earnings("海岳科技", "沈青", "12.4")),
        (zh_earnings("华辰股份", "陆远", "三"), zh_earnings("海岳科技", "沈青", "九")),
        (text("Ferry stuck", ""), text("Ferry stuck", "")),
        (text("", ""), text("", "")),
        (text("Council votes on the new harbour bridge", ""), text("Council votes on the old harbour bridge", "")),
        (ORIGINAL, ZH_ORIGINAL),
        (ORIGINAL, text("Night ferry runs aground off Skarholm", "")),
        (ORIGINAL, text("Night ferry runs aground off Skarholm", FERRY.split(". ")[0])),
    ],
)
def test_texts_of_one_template_and_hardly_any_texts_are_no_copies(one: ComparedText, other: ComparedText) -> None:
    assert not is_copy(one, other)
    assert not is_copy(other, one)


def test_a_note_that_only_subscribers_may_read_on_makes_no_copies() -> None:
    note = "This article is for subscribers of our paper alone. Please log in or take out a subscription to read it and"
    note += " to support independent journalism in your town; you can cancel at any time and for any reason you like."
    assert not is_copy(text("Volcano wakes up", note), text("Mayor opens new library", note))
    assert is_copy(text("Mayor opens new library", note), text("Mayor opens new library", note))


def test_a_follow_up_that_repeats_the_background_is_another_text() -> None:
    background = FERRY.split(". ", 1)[1]
    told = "Tugs pulled the stranded ship free on Monday morning, sooner than anyone had hoped, and crowds cheered."
    told += " The captain is to be heard this week by a judge who wants to know why the radar was switched off. "
    assert not is_copy(ORIGINAL, text("Stranded ferry freed", told + told.replace("Monday", "early") + background))


def test_a_digest_of_the_day_is_no_copy_of_its_pieces() -> None:
    pieces = [earnings("Norholt", "Ada Brun", "310", 4), match("Oddvik", "Marsten", "Lund", "1-0", 71), ORIGINAL]
    digest = text("The day in brief", " ".join([*(one.text.body for one in pieces), lottery(7, "1 and 2").text.body]))
    assert [is_copy(one, digest) for one in pieces[1:]] == [False, False]


def test_a_paper_may_name_itself_inside_a_copy() -> None:
    told = FERRY.replace("the coastguard said", "the coastguard told the {}")
    one, other = (text("Ferry", told.format(name), name) for name in ("Evening Lantern", "Valley Herald"))
    assert is_copy(one, other)
    assert not is_copy(*(text("Ferry", told.format(name)) for name in ("Evening Lantern", "Valley Herald")))


def test_a_papers_name_behind_a_headline_is_no_other_value_of_a_series() -> None:
    title = "Night ferry runs aground off Skarholm"
    behind = ["", " - update", " | Coast Gazette", "｜Lantern", " - Valley Herald", " — Evening Lantern"]
    titles = [text(title + rest, FERRY) for rest in behind]
    assert all(is_copy(one, other) for one in titles for other in titles)
    assert not is_copy(text("Weather - Oddvik", FERRY), text("Weather - Lysmouth", FERRY))


def test_words_are_cut_at_blanks_and_characters_where_there_are_none() -> None:
    assert units("The U-boat's 1,000 men, 高铁 開通").words == [
        "the",
        "u",
        "boat's",
        "1,000",
        "men",
        "高",
        "铁",
        "开",
        "通",
    ]
    assert units("1,000").keys.tolist() == units("1000").keys.tolist()
    assert [units(one).spaced for one in ("ein Wort", "一个字", "ひとつの言葉", "คำหนึ่ง", "한 단어")] == [
        True,
        False,
        False,
        False,
        True,
    ]


def test_shared_runs_are_found_in_order_and_chance_is_left_out() -> None:
    one, other = (units(words).keys for words in ("a b c x d e f g", "q a b c y y d e f z g"))
    assert shared_runs(one, other, 3) == [SharedRun(0, 1, 3), SharedRun(4, 6, 3)]
    assert shared_runs(one, other, 1)[-1] == SharedRun(7, 10, 1)
    assert shared_runs(one, units("").keys, 1) == []


def test_equal_values_estimate_the_resemblance_of_the_shingles() -> None:
    rng = np.random.default_rng(1)
    for share in (0.2, 0.5, 0.8):
        words = rng.integers(0, 1 << 32, (3, 4_000)).astype(np.uint32)
        cut = int(4_000 * 2 * share / (1 + share))  # of both texts, so that the Jaccard resemblance is the share
        one, other = (np.concatenate([words[0][:cut], words[n][cut:]]) for n in (1, 2))
        estimates = [
            (signature(one ^ np.uint32(n), True) == signature(other ^ np.uint32(n), True)).mean() for n in range(30)
        ]
        assert np.mean(estimates) == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / HASHES / 30))


def test_the_table_finds_what_shares_three_values_most_first() -> None:
    table = SignatureTable(capacity=1)
    base = np.arange(HASHES, dtype=np.uint16)
    for shared in (2, 3, HASHES, 10):
        values = base + np.uint16(1000 * (shared + 1))
        values[:shared] = base[:shared]
        table.add(values)
    assert table.like(base, 9) == [2, 3, 1]
    assert table.like(base, 1) == [2]
    assert table.like(base, 9) == [2, 3, 1]  # a search leaves nothing behind


@pytest.mark.parametrize("signatures", [0, 1, 400])
def test_a_table_laid_out_at_once_is_the_one_that_grew(signatures: int) -> None:
    rng = np.random.default_rng(3)
    values = rng.integers(0, 4, (signatures, HASHES)).astype(np.uint16)
    grown, laid = SignatureTable(), SignatureTable.of(values)
    for row in range(signatures):
        grown.add(values[row])
    later = rng.integers(0, 4, (9, HASHES)).astype(np.uint16)
    for table in (grown, laid):
        for one in later:
            table.add(one)
    assert grown.size == laid.size == signatures + 9
    assert np.array_equal(grown._last, laid._last)
    assert np.array_equal(grown._before[: grown.size], laid._before[: laid.size])
    for one in (*later, *values[:20]):
        assert grown.like(one, 50) == laid.like(one, 50)


def test_thousands_of_texts_alike_cost_no_more_than_some() -> None:
    table = SignatureTable()
    same = np.zeros(HASHES, np.uint16)
    for _ in range(MAX_COMPARED_ROWS + 50):
        table.add(same)
    assert len(table.like(same, 10_000)) == MAX_COMPARED_ROWS


def joined(articles: Iterable[tuple[str, ComparedText]]) -> dict[str, str]:
    leaders, texts = Leaders(), dict[str, Text]()
    found = {}
    for name, reading in articles:
        texts[name] = reading.text
        found[name] = leaders.join(name, reading, texts.get)
    return found


ALL = {
    "a": ORIGINAL,
    "b": text("Ferry stuck", FERRY + FOOTER),
    "c": weather("Oddvik", 19, 8),
    "d": weather("Lysmouth", 20, 8),
    "e": ZH_ORIGINAL,
    "f": text("渡轮搁浅", ZH_FERRY),
    "g": text("Short", ""),
}


def test_each_copy_joins_the_first_of_its_text() -> None:
    assert joined(ALL.items()) == {"a": "a", "b": "a", "c": "c", "d": "d", "e": "e", "f": "e", "g": "g"}


def test_no_chain_of_small_differences_leads_from_one_text_to_another() -> None:
    sentences = [f"Sentence {n} says that the {word} of the town was painted again." for n, word in enumerate(WORDS)]
    moving = [(str(n), text("Painted", " ".join(sentences[n : n + 12]))) for n in range(len(sentences) - 12)]
    found = joined(moving)
    assert found["1"] == "0"
    assert found[moving[-1][0]] != "0"
    assert all(found[leader] == leader for leader in found.values())


WORDS = "gate roof door wall hall pier mill barn shed inn yard well arch dome lane quay spire tower fence bench".split()  # noqa: SIM905


def test_the_night_finds_what_the_service_would_in_the_order_of_time() -> None:
    times = {"a": 30, "b": 10, "c": None, "d": 5, "e": 1, "f": 2, "g": 3}
    found = find_leaders(lambda what: ((name, ALL[name].text, times[name]) for name in reversed(ALL)))
    assert list(found.leader_of) == ["c", "e", "f", "g", "d", "b", "a"]
    assert found.leader_of == joined((name, ALL[name]) for name in found.leader_of)
    assert found.leader_of["a"] == "b"
    assert sorted(found.signatures) == ["b", "c", "d", "e"]


def test_an_article_that_is_seen_again_keeps_its_place() -> None:
    leaders, texts = Leaders(), {name: reading.text for name, reading in ALL.items()}
    for _ in range(2):
        assert [leaders.join(name, ALL[name], texts.get) for name in "abcg"] == ["a", "a", "c", "g"]
    assert leaders.ids == ["a", "c"]


def test_a_first_copy_that_is_gone_leaves_its_place_to_the_next() -> None:
    leaders = Leaders()
    leaders.join("a", ORIGINAL, lambda name: None)
    assert leaders.join("b", ALL["b"], lambda name: None) == "b"

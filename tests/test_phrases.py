"""Sentences that are stored in English and read in Chinese: each of them, nested, joined, and what nobody knows."""

import re
from string import Formatter

import pytest

from recsys.experiments.texts import EXPOSURE
from recsys.gate.texts import GATE, TRIAL
from recsys.languages.phrases import JOINED, Phrases, _Template
from recsys.releases.texts import MOVES

BOOKS = {"gate": GATE, "trial": TRIAL, "moves": MOVES, "exposure": EXPOSURE}
BOTH = Phrases.of(BOOKS.values())
LETTERS = re.compile(r"[A-Za-z]{3,}")


def values(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name is not None}


@pytest.mark.parametrize("book", BOOKS.values(), ids=BOOKS)
def test_every_sentence_is_said_in_both_languages_of_the_same_values_and_read_back(book: Phrases) -> None:
    names = next((english for _, english in book.texts.values() if "{" not in english), "")
    for key, (chinese, english) in book.texts.items():
        assert values(chinese) == values(english), key
        assert not LETTERS.search(re.sub(r"\{\w+\}|AUC|NaN|CPU", "", chinese)), key
        given = {name: names if name == "name" else 3 for name in values(english)}
        said = book(key, **given)
        read = book.in_chinese(said)
        assert book.knows(said), key
        assert set(LETTERS.findall(read)) <= {"AUC", "NaN", "CPU"}, f"{key}: {said!r} is read as {read!r}"


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        (
            "refused by the gate: articles: 3, wanted at least 12; counts: through event 3, wanted through 4",
            "未通过门禁：文章数：3，应为至少 12；计数：数到事件 3，应为数到 4",
        ),
        (
            "passed 9 checks of the gate; not made: held out, beside the live release: there is no live release",
            "通过了门禁的 9 项检查；没有做的：留出的列表，与线上版本比：没有线上版本",
        ),
        (
            "AUC 0.5000 and 0.6000; 3 lists of 4 readers; the live release has learned from more",
            "AUC 为 0.5000 与 0.6000；4 位读者的 3 个列表；线上版本学得更多",
        ),
        (
            "canary: clicks per card: 0.1000 for 0.2000; too few readers yet; no service of this data folder on h has"
            " asked for a list yet",
            "金丝雀：每张卡片的点击：0.1000，线上 0.2000；读者还太少；h 上这个数据文件夹的服务还没有向它要过列表",
        ),
        ("taken back for 2026-a: all football", "为 2026-a 让位：all football"),
        ("taken back for 2026-a: rolled back", "为 2026-a 让位：回退"),
        ("the front was all football", "the front was all football"),
        ("person ann: hello", "person ann: hello"),
        ("", ""),
    ],
)
def test_what_is_stored_is_read_and_what_a_person_typed_stays(stored: str, read: str) -> None:
    assert BOTH.in_chinese(stored) == read


@pytest.mark.parametrize("failed", [1, 5, 40])
def test_a_sentence_around_a_verdict_of_any_length_is_read_to_its_end(failed: int) -> None:
    check = GATE("failed_check", name=GATE("articles"), found="3", wanted=GATE("at_least", n=12))
    verdict = GATE("refused", checks=JOINED.join([check] * failed))
    zh = "；".join(["文章数：3，应为至少 12"] * failed)
    assert BOTH.in_chinese(GATE("lets_pass", said=verdict)) == GATE.texts["lets_pass"][0].format(
        said=f"未通过门禁：{zh}"
    )


@pytest.mark.parametrize("one", ["5% of the first ten articles are the live list's", "a; too few readers yet"])
def test_a_text_that_can_be_divided_in_a_thousand_ways_is_given_up_soon(
    one: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried, values = list[str](), _Template.values

    def counted(template: _Template, sentence: str) -> dict[str, str] | None:
        tried.append(sentence)
        return values(template, sentence)

    monkeypatch.setattr(_Template, "values", counted)
    typed = JOINED.join([*[one] * 40, "zzz"])
    assert not BOTH.knows(typed)
    assert len(tried) < 40 * len(BOTH.texts) * 8
    assert BOTH.in_chinese(typed) == typed
    tried.clear()
    longer = JOINED.join([TRIAL("no_visit")] * 1_000)
    assert BOTH.in_chinese(longer) == longer
    assert not tried, "it is not even looked at"

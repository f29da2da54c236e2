import time
from pathlib import Path

import jieba
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.tokens import LINE_TOKENS, TokensConfig, clean, detect, tokenize, write_tokens
from recsys.workspace import read_table

CONFIG = TokensConfig()
CHINESE = "国际足联主席在北京表示，中国队的比赛门票价格上涨12.5%，球迷可以通过网站购买。"


def words(text: str, language: str | None = None) -> list[str]:
    return tokenize(text, "", language, CONFIG).title


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Bank's rates rose", ["the", "bank", "rates", "rose"]),
        ("don’t co-operate, 20-year-old", ["don't", "co-operate", "20-year-old"]),
        ("up 12.5% to 1,000 or $1.13bn (£600m)", ["up", "12.5%", "to", "1,000", "or", "1.13bn", "600m"]),
        ("U.S. and e.g. J.K. Rowling", ["u.s", "and", "e.g", "j.k", "rowling"]),
        ("<p class='x'>AT&amp;T <b>won</b></p><script>var x = 1</script>", ["at", "t", "won"]),
        ("if a < b and c > d", ["if", "a", "b", "and", "c", "d"]),
        ("Ｆｕｌｌ　ｗｉｄｔｈ ﬁn\x00ger\u200b", ["full", "width", "fin", "ger"]),
        ("snake_case -- 'quoted'", ["snake", "case", "quoted"]),
    ],
)
def test_english_is_cut_as_a_reader_would(text: str, expected: list[str]) -> None:
    assert words(text, "en") == expected


def test_chinese_is_cut_as_jieba_cuts_it() -> None:
    expected = [word for word in jieba.lcut(CHINESE) if word not in "，。"]
    assert words(CHINESE) == expected


def test_chinese_words_have_a_part_of_speech_each_and_english_ones_none() -> None:
    text = tokenize("北京的天气", "很好", None, CONFIG)
    assert dict(zip(text.title + text.body, text.tags, strict=True))["北京"] == "ns"
    assert tokenize("The weather", "is fine", None, CONFIG).tags == []


def test_traditional_text_passes_as_it_is() -> None:
    assert "經濟" in words("中國的經濟")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (CHINESE, "zh"),
        ("苹果iOS9.3.2推送iPadPro", "zh"),
        ("Xi Jinping (习近平) visits the capital of France", "en"),
        ("Привет мир", "other"),
        ("مرحبا", "other"),
        ("12 😀", "other"),
        ("", "other"),
    ],
)
def test_the_language_is_told_by_the_script(text: str, language: str) -> None:
    assert detect(text) == language


@pytest.mark.parametrize(
    ("given_language", "language"),
    [("zh-CN", "zh"), ("EN_gb", "en"), ("fr", "other"), ("", "en"), (None, "en"), ("und", "en"), ("english!", "en")],
)
def test_a_given_language_wins_when_it_is_one(given_language: str | None, language: str) -> None:
    assert tokenize("a plain text", "", given_language, CONFIG).language == language


@pytest.mark.parametrize(
    "text",
    [
        "a" * 10_000_000,
        "哈" * 10_000_000,
        "<a" * 500_000,
        "<script" * 500_000,
        "a-" * 500_000,
        "a." * 500_000,
        "&" * 500_000,
    ],
    ids=["one word", "one character", "tags", "scripts", "hyphens", "dots", "ampersands"],
)
def test_a_hostile_text_takes_little_time(text: str) -> None:
    began = time.perf_counter()
    tokenize(text, text, None, CONFIG)
    assert time.perf_counter() - began < 3


def test_only_the_first_characters_of_a_long_body_are_read_and_overlong_words_are_none() -> None:
    text = tokenize("", "x" * 41 + " word" * 2000, None, TokensConfig(max_body_chars=5041))
    assert text.body == ["word"] * 1000


@given(st.text(st.characters(exclude_categories=())), st.text(st.characters(exclude_categories=())))
def test_any_text_gives_plain_words(title: str, body: str) -> None:
    text = tokenize(title, body, None, CONFIG)
    for word in text.title + text.body:
        assert word.split() == [word]
        assert word == word.lower()
        word.encode()
    assert len(text.tags) in (0, len(text.title) + len(text.body))


def test_cleaning_twice_changes_nothing_more() -> None:
    once = clean("<b>Ｔwo</b>\x00 ﬁne words")
    assert clean(once) == once


def test_a_stream_becomes_a_table_and_a_corpus_in_the_same_order(tmp_path: Path) -> None:
    rows = {
        "id": ["a", "b", "c"],
        "title": ["One two", "北京天气", None],
        "body": ["three", None, None],
        "language": [None, "zh", None],
    }
    counts = write_tokens(pa.table(rows).to_batches(2), tmp_path, CONFIG)
    table = read_table(tmp_path / "articles.parquet").to_pylist()
    assert [row["title"] for row in table] == [["one", "two"], ["北京", "天气"], []]
    assert (tmp_path / "corpus.txt").read_text() == "one two three\n北京 天气\n"
    assert counts == {"articles": 3, "tokens": 5, "without_tokens": 1, "zh": 1, "en": 1, "other": 1}


def test_no_line_of_the_corpus_is_longer_than_gensim_reads(tmp_path: Path) -> None:
    table = pa.table({"id": ["a"], "title": [""], "body": ["word " * (LINE_TOKENS + 1)], "language": ["en"]})
    write_tokens(table.to_batches(), tmp_path, CONFIG)
    assert [len(line.split()) for line in (tmp_path / "corpus.txt").read_text().splitlines()] == [LINE_TOKENS, 1]

import time
from functools import partial
from pathlib import Path

import jieba
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.config import plain as plain_values
from recsys.errors import ConfigError
from recsys.languages import SiteLanguages
from recsys.parallel import in_processes
from recsys.settings import load_settings
from recsys.tokens import LINE_TOKENS, NO_LEXICON, Lexicon, Tokenizer, Tokens, load_tokenizer, segmenter, write_tokens
from recsys.tokens.batches import bounded_batches
from recsys.tokens.classes import NO_CLASSES
from recsys.tokens.clean import clean, normalise, repeated_lines
from recsys.tokens.config import TokensConfig
from recsys.tokens.segmenter import Segmenter
from recsys.workspace import read_json, read_table
from tests.test_parallel import catalogue

CONFIG = TokensConfig()
CHINESE = "国际足联主席在北京表示，中国队的比赛门票价格上涨12.5%，球迷可以通过网站购买。"


def tokenize(title: str, body: str = "", language: str | None = None, config: TokensConfig = CONFIG) -> Tokens:
    return Tokenizer(config, NO_LEXICON, NO_CLASSES).tokenize(title, body, language)


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


def test_words_have_a_part_of_speech_each_but_for_languages_without_one() -> None:
    text = tokenize("北京的天气", "很好", None, CONFIG)
    assert dict(zip(text.title + text.body, text.tags, strict=True))["北京"] == "ns"
    english = tokenize("The weather", "is fine")
    assert dict(zip(english.title + english.body, english.tags, strict=True))["the"] == "u"
    assert tokenize("Привет мир", "").tags == ["", ""]


def test_traditional_text_becomes_simplified_unless_config_says_no() -> None:
    assert words("中國的經濟") == ["中国", "的", "经济"]
    assert "經濟" in "".join(tokenize("中國的經濟", config=TokensConfig(simplify=False)).title)


@pytest.mark.parametrize(
    ("given_language", "language"),
    [("zh-CN", "zh"), ("EN_gb", "en"), ("fr", "fr"), ("", "en"), (None, "en"), ("und", "en"), ("english!", "en")],
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
    began = time.process_time()
    tokenize("", text, None, CONFIG)
    assert time.process_time() - began < 30  # a look back for every character would take hours


def test_only_the_first_characters_of_a_long_body_are_read_and_overlong_words_are_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(segmenter, "MAX_BODY_CHARS", 5041)
    text = tokenize("", "x" * 41 + " word" * 2000, None, CONFIG)
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
    once = normalise(clean("<b>Ｔwo</b>\x00 ﬁne words").text)
    assert normalise(clean(once).text) == once


def test_a_stream_becomes_a_table_and_a_corpus_in_the_same_order(tmp_path: Path) -> None:
    rows = {
        "id": ["a", "b", "c"],
        "title": ["One two", "北京天气", None],
        "body": ["three", None, None],
        "language": ["eng", "en", None],
    }
    counts = write_tokens(pa.table(rows).to_batches(2), tmp_path, CONFIG)
    table = read_table(tmp_path / "articles.parquet").to_pylist()
    assert [row["title"] for row in table] == [["one", "two"], ["北京", "天气"], []]
    assert (tmp_path / "corpus.txt").read_text() == "one two three\n北京 天气\n"
    facts = {
        "articles": 3,
        "tokens": 5,
        "without_tokens": 1,
        "zh": 1,
        "en": 1,
        "und": 1,
        "odd_empty": 1,
        "odd_wrong_language": 1,
    }
    assert {name: count for name, count in counts.items() if count} == facts
    assert read_json(tmp_path / "tokens.json") == counts


def test_no_line_of_the_corpus_is_longer_than_gensim_reads(tmp_path: Path) -> None:
    table = pa.table({"id": ["a"], "title": [""], "body": ["word " * (LINE_TOKENS + 1)], "language": ["en"]})
    write_tokens(table.to_batches(), tmp_path, CONFIG)
    assert [len(line.split()) for line in (tmp_path / "corpus.txt").read_text().splitlines()] == [LINE_TOKENS, 1]


def test_phrases_end_at_punctuation_lines_and_the_title() -> None:
    text = tokenize("Rates rise", "The bank said: rates (again) rise\nThe end, of U.S. history")
    words = text.title + text.body
    ends = [" ".join(words[a:b]) for a, b in zip([0, *text.breaks], [*text.breaks, len(words)], strict=True)]
    assert ends == ["rates rise", "the bank said", "rates", "again", "rise", "the end", "of u.s history"]


def test_a_phrase_goes_on_where_a_text_was_wrapped_at_a_fixed_width() -> None:
    wrapped = (
        "Separate accounts\nNew entrants are shaking up the old world of the\n\tseparate account industry\n\nThe end"
    )
    text = tokenize("", wrapped)
    assert [text.body[place] for place in text.breaks] == ["new", "the"]
    assert len(tokenize("", "One line\n" + "a paragraph is long " * 10 + "\nlast line").breaks) == 2


@pytest.mark.parametrize(
    ("text", "breaks"), [("北京 上海 的天气，很好人民都知道今天是个好日子", 3), ("经济 发展 很 快", 0)]
)
def test_a_space_between_chinese_words_is_punctuation_unless_the_text_was_cut_already(text: str, breaks: int) -> None:
    assert len(tokenize(text).breaks) == breaks


@given(st.lists(st.sampled_from(["new york", "stock", ",", "\n", "人工智能", "。", "is", "<p>"]), max_size=30))
def test_breaks_ascend_inside_the_text(parts: list[str]) -> None:
    text = tokenize(" ".join(parts[:5]), " ".join(parts[5:]))
    assert text.breaks == sorted(set(text.breaks))
    assert all(0 < place < len(text.title + text.body) for place in text.breaks)
    if text.title and text.body:
        assert len(text.title) in text.breaks


@pytest.mark.parametrize(
    ("text", "odd"),
    [
        ("", ["empty"]),
        (" \n\t", ["empty"]),
        ("<p></p>", ["markup_only", "no_words"]),
        ("😀 🎉 !!", ["no_words"]),
        ("\x00\x01\x02\x03PK\x04", ["unreadable", "no_words"]),
        ("\ufffd\ufffd\ufffd word", ["unreadable", "no_words"]),
        ("a plain text with one \ufffd in it", ["mojibake"]),
        ("中国经济".encode().decode("latin-1"), ["mojibake"]),
        ("word " * 30_000, ["cut"]),
        ("A text.\nShare this article\nRead more", ["boilerplate_line"] * 2),
        ("正文在这里。\n责任编辑：张三", ["boilerplate_line"]),
        ("A text.\n.nav{color:red;margin:0}", ["boilerplate_line"]),
    ],
)
def test_what_is_odd_about_a_text_is_named(text: str, odd: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segmenter, "MAX_BODY_CHARS", 100_000)
    assert Segmenter(TokensConfig()).segment_article("", text, None).odd == odd


@pytest.mark.parametrize(
    ("line", "left_out"),
    [
        ("Share this story on Facebook", True),
        ("Copyright 2020 The Paper", True),
        ("Sign up for our daily newsletter", True),
        ("Read more: Rates rise again", True),
        ("来源：新华社", True),
        ("点击查看更多", True),
        ("未经授权不得转载", True),
        ("Copyright law is to change, ministers say", False),
        ("Save this planet, young people tell leaders", False),
        ("Register to vote before Friday", False),
        ("Read more books, says minister", False),
        ("记者：您怎么看这次比赛？", False),
        ("未经许可在公园放风筝的人被罚款", False),
        ("关注经济下行的风险", False),
    ],
)
def test_boilerplate_is_told_from_a_story(line: str, left_out: bool) -> None:
    assert (clean(f"A story.\n{line}", ()).text == "A story.") == left_out


def test_utf_8_that_was_read_as_latin_1_is_repaired() -> None:
    assert tokenize("中国经济".encode().decode("latin-1")).title == ["中国", "经济"]
    assert words("to $1.13bn (Â£600m)") == ["to", "1.13bn", "600m"]


def test_a_title_is_never_boilerplate() -> None:
    assert tokenize("Share this", "", "en").title == ["share", "this"]


def test_lines_that_many_articles_repeat_are_learned_and_left_out() -> None:
    bodies = [f"Story number {n}.\nBy Our Own Staff\nOnly here {n}" for n in range(5)] + ["Twice\nTwice", None]
    lines = repeated_lines(pa.table({"body": bodies}).to_batches(2))
    assert lines == ["By Our Own Staff"]
    text = Tokenizer(CONFIG, Lexicon(boilerplate=lines), NO_CLASSES).tokenize("By Our Own Staff", bodies[0] or "")
    assert " ".join(text.title + text.body) == "by our own staff story number 0 only here 0"


SPANISH = (
    "El presidente del gobierno anunció ayer en Madrid que la economía del país crecerá un dos por ciento durante el "
    "próximo año, gracias a las exportaciones y al turismo, que siguen en aumento en todas las regiones del sur."
)
GERMAN = (
    "Der Bundestag hat am Freitag in Berlin ein neues Gesetz beschlossen, das die Kosten für Strom senken soll; "
    "die Opposition war dagegen, weil sie in dem Plan keinen Vorteil für die Haushalte mit wenig Einkommen sah."
)
ENGLISH = (
    "Quarterly profits at the media giant jumped to more than a billion dollars for the three months to December; the "
    "firm, which is now one of the biggest investors in search, benefited from sales of its high-speed connections."
)


@pytest.mark.parametrize(
    ("text", "language"),
    [(SPANISH, "es"), (GERMAN, "de"), (ENGLISH, "en"), ("東京の天気はとても良いです", "ja")],
)
def test_every_language_is_told_apart(text: str, language: str) -> None:
    assert tokenize("", text).language == language


def test_a_site_in_another_language_gets_words_and_breaks() -> None:
    text = tokenize("Economía", SPANISH)
    assert text.body[:3] == ["el", "presidente", "del"]
    assert text.tags == [""] * (1 + len(text.body))
    assert text.breaks
    assert words("हिन्दी में समाचार", "hi") == ["हिन्दी", "में", "समाचार"]


def test_the_users_words_are_words() -> None:
    config = TokensConfig(user_words=("云计算平台 10 nz", "machine learning", "big_data 5 nz", "grippe 3 v"))
    chinese = tokenize("云计算平台很大", "", "zh", config)
    assert (chinese.title[0], chinese.tags[0]) == ("云计算平台", "nz")
    english = tokenize("Machine learning and big data", "machine, learning grippe", "en", config)
    assert english.title == ["machine_learning", "and", "big_data"]
    assert english.body == ["machine", "learning", "grippe"]
    assert (english.tags[2], english.tags[5]) == ("nz", "v")


def test_the_dictionary_file_is_taken_into_the_settings(tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text("# ours\n云计算平台 10 nz\n\nmachine learning\n", encoding="utf-8")
    config = TokensConfig(user_dictionary=str(file))
    assert config.user_words == ("云计算平台 10 nz", "machine learning")
    file.unlink()
    assert TokensConfig.model_validate(plain_values(config)) == config  # as a release does


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"fine 3 n\n!! 3\n", "line 2"),
        (b"fine\n" + b"x" * 200, "line 2"),
        (b"\xff\xfe\x00", "UTF-8"),
        (None, "readable"),
    ],
)
def test_a_wrong_dictionary_is_answered_with_its_line(tmp_path: Path, content: bytes | None, message: str) -> None:
    file = tmp_path / "words.txt"
    if content is not None:
        file.write_bytes(content)
    (tmp_path / "config.yaml").write_text(f"tokens:\n  user_dictionary: {file}\n")
    with pytest.raises(ConfigError, match=message):
        load_settings(tmp_path / "config.yaml")


def test_any_number_of_processes_writes_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recsys.parallel.processes.SMALL_BYTES", 0)
    written = []
    for processes in (1, 2):
        folder = tmp_path / str(processes)
        folder.mkdir()
        map_batches = partial(in_processes, processes=processes)
        write_tokens(catalogue(60).to_batches(20), folder, TokensConfig(), map_batches=map_batches)
        written.append({file.name: file.read_bytes() for file in folder.iterdir()})
    assert "lexicon.parquet" in written[0]
    assert written[0] == written[1]


def test_batches_are_bounded_by_rows_and_by_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recsys.tokens.batches.BATCH_BYTES", 10)
    monkeypatch.setattr("recsys.tokens.batches.BATCH_ARTICLES", 2)
    bodies = ["a", "b", "c", "x" * 50, "d"]
    table = pa.table({"id": bodies, "title": bodies, "body": bodies, "language": bodies})
    assert [batch.num_rows for batch in bounded_batches(table.to_batches())] == [2, 1, 1, 1]


JAPANESE = "東京電力は福島第一原発のトラブルを発表した。ユーザーが見た國際ニュース"


def test_japanese_is_cut_where_its_script_changes_and_stays_as_it_is_written() -> None:
    found = words(JAPANESE, "ja")
    assert found[:6] == ["東京電力", "は", "福島第一原発", "の", "トラブル", "を"]
    assert {"ユーザー", "國際", "ニュース"} <= set(found), "no simplified characters"
    assert max(map(len, found)) <= 6


def test_a_script_without_spaces_has_only_the_words_of_other_scripts() -> None:
    assert words("แอปเปิลเปิดตัว iPhone 17 ที่กรุงเทพ", "th") == ["iphone", "17"]
    assert words("ພາສາລາວ", "lo") == []


@pytest.mark.parametrize(
    ("word", "stem"),
    [
        ("감독은", "감독"),
        ("정부는", "정부"),
        ("서울에서", "서울"),
        ("버스로", "버스"),
        ("지하철로", "지하철"),
        ("전문가", "전문가"),
        ("민주주의", "민주주의"),
        ("국가", "국가"),
        ("ai는", "ai는"),
    ],
)
def test_a_korean_word_loses_the_particle_at_its_end(word: str, stem: str) -> None:
    assert words(word, "ko") == [stem]


def test_what_a_site_is_written_in_is_kept_for_articles_that_come_later(tmp_path: Path) -> None:
    unclear = "Strømprisen stiger kraftig"
    for home, shares in (("da", {}), ("zh", {"da": 0.9})):
        folder = tmp_path / home
        folder.mkdir()
        table = pa.table({"id": ["a"], "title": [unclear], "body": [""], "language": pa.nulls(1, pa.string())})
        assert write_tokens(table.to_batches(), folder, CONFIG, (), SiteLanguages(home, shares))["da"] == 1
        assert load_tokenizer(folder, CONFIG).tokenize(unclear, "").language == "da"

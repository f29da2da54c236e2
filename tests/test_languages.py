"""Languages: codes of any standard, detection with a prior, declared languages that the script contradicts."""

import pytest

from recsys.languages import detect, language_code, resolve_language

DANISH_BODY = "Politiet oplyser at ingen kom til skade, men at vejen først kan åbnes igen i morgen tidlig."
LONG_CHINESE = "议员们在深夜投票保留老泳池，市长表示将在明年春天之前完成全部修缮工程并重新向公众开放。"
ENGLISH_BODY = "Police say that nobody was hurt, but that the road can only be opened again tomorrow morning."


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("en", "en"),
        ("eng", "en"),
        ("EN_gb", "en"),
        (" en-GB ", "en"),
        ("en_US.UTF-8", "en"),
        ("de_AT@euro", "de"),
        ("zh", "zh"),
        ("zho", "zh"),
        ("chi", "zh"),
        ("cmn", "zh"),
        ("yue", "zh"),
        ("zh-Hant-TW", "zh"),
        ("zh-cmn-Hans-CN", "zh"),
        ("ger", "de"),
        ("deu", "de"),
        ("fre", "fr"),
        ("nob", "no"),
        ("nno", "no"),
        ("nb-NO", "no"),
        ("iw", "he"),
        ("arb", "ar"),
        ("sr-Latn", "sr"),
        ("fil", "fil"),
        ("gsw", "gsw"),
        ("und", None),
        ("mul", None),
        ("zxx", None),
        ("", None),
        (None, None),
        ("C", None),
        ("english!", None),
        ("qqz9", None),
        ("中文", None),
    ],
)
def test_a_code_of_any_standard_is_one_code(text: str | None, code: str | None) -> None:
    assert language_code(text) == code


@pytest.mark.parametrize(
    ("title", "language"),
    [
        ("渡轮时刻表下周一起调整", "zh"),
        ("Galaxy S25 新品发布 Samsung Unpacked", "zh"),
        ("Ferry Timetable To Change Next Monday", "en"),
        ("Zhou Enlai (周恩来) was the first premier", "en"),
        ("Færgen sejler ikke på grund af storm", "da"),
        ("Fergen er innstilt på grunn av uvær i nord", "no"),
        ("Färjan ställs in på grund av stormen", "sv"),
        ("Fähre fällt wegen Sturms aus", "de"),
        ("Le ferry annulé à cause de la tempête", "fr"),
        ("El ferry no sale por el temporal", "es"),
        ("フェリーが台風で欠航", "ja"),
        ("태풍으로 여객선 결항", "ko"),
        ("BTS 신곡 Dynamite 공개", "ko"),
        ("Паром не вышел из-за шторма", "ru"),
        ("เรือข้ามฟากหยุดเพราะพายุ", "th"),
        ("إلغاء العبارة بسبب العاصفة", "ar"),
        ("Phà ngừng chạy vì bão", "vi"),
        ("12 😀", "und"),
        ("", "und"),
    ],
)
def test_a_headline_alone_tells_its_language(title: str, language: str) -> None:
    assert detect(title) == language


def test_what_a_headline_does_not_say_the_site_does() -> None:
    unclear = "Strømprisen stiger kraftig"  # Danish and Norwegian in almost the same letters
    assert (detect(unclear, prior="da"), detect(unclear, prior="no")) == ("da", "no")
    assert (detect("2024"), detect("2024", prior="zh")) == ("und", "zh")
    assert (detect("外相訪米", prior="ja"), detect("外相訪米", prior="zh")) == ("ja", "zh")


def test_the_prior_gives_way_to_a_text_that_says_enough() -> None:
    assert detect("Road closed after crash", ENGLISH_BODY, prior="da") == "en"
    assert detect("Vejen er spærret efter ulykke", DANISH_BODY, prior="zh") == "da"
    assert detect("Wichtige Brücke bleibt gesperrt", "", prior="zh") == "de"


@pytest.mark.parametrize(
    ("declared", "title", "body", "settled_as"),
    [
        ("en", "市议会投票保留老泳池", "议员们在深夜投票。", ("zh", True)),
        ("eng", "Паром отменён", "Из-за шторма рейсов не будет.", ("ru", True)),
        ("zh-CN", "Road closed after crash", ENGLISH_BODY, ("en", True)),
        ("zh", "フェリーが台風で欠航した", "昨夜のことである。", ("ja", True)),
        (
            "ja",
            "市议会投票",
            LONG_CHINESE,
            ("zh", True),
        ),
        ("zh", "iPhone 17 Pro Max", "", ("zh", False)),
        ("en", "Is 微博 dying?", "", ("en", False)),
        ("ja", "外相訪米", "", ("ja", False)),
        ("da", "Road closed after crash", ENGLISH_BODY, ("da", False)),
        ("sr", "Most je zatvoren zbog oluje", "", ("sr", False)),
        (None, "Færgen sejler ikke på grund af storm", "", ("da", False)),
        ("und", "市议会投票", "", ("zh", False)),
        ("en", "2024", "", ("en", False)),
    ],
)
def test_a_declared_language_holds_unless_the_script_contradicts_it(
    declared: str | None, title: str, body: str, settled_as: tuple[str, bool]
) -> None:
    assert resolve_language(declared, title, body) == settled_as

"""Written form: keywords as their article writes them, and names whole."""

import pytest

from recsys.catalogue.articles import ArticleAnnotations, CatalogueArticle, keyword_forms
from recsys.store import Article
from recsys.tags import fold
from recsys.tags.written_form import written_keywords

BODY = """\
Ferry Line Reopens After Long Storm Winter At Last
The ferry to Harrow Point sailed again on Tuesday, said Mara Lindqvist of the New Teign Harbour Trust. Lindqvist told
the BBC that tickets would cost less. Ferry tickets are sold in Brackwater. Old sailors welcomed the reopening.
"We waited for a winter," said a baker in Brackwater, who paid with her iPhone. New Teign Harbour Trust staff agreed.
"""


@pytest.mark.parametrize(
    ("keyword", "written"),
    [
        ("brackwater", "Brackwater"),
        ("ferry", "ferry"),
        ("ferry tickets", "ferry tickets"),
        ("bbc", "BBC"),
        ("iphone", "iPhone"),
        ("harrow_point", "Harrow Point"),
        ("teign harbour", "New Teign Harbour Trust"),
        ("lindqvist", "Mara Lindqvist"),
        ("mara", "Mara Lindqvist"),
        ("sailors", "sailors"),
        ("winter", "winter"),
        ("absent word", "absent word"),
        ("Already Written", "Already Written"),
        ("天气", "天气"),
        ("", ""),
    ],
)
def test_a_keyword_is_shown_as_its_article_writes_it(keyword: str, written: str) -> None:
    assert written_keywords("Ferry reopens", BODY, [keyword, "ferry"]) == (written, "ferry")


def test_a_capital_for_the_sentences_sake_tells_nothing() -> None:
    body = "Tides were high. Tides are tides? Tides: nobody knew. Brackwater was calm"
    assert written_keywords("", body, ["tides", "brackwater"]) == ("tides", "brackwater")


def test_words_of_a_keyword_tell_where_it_begins_its_sentences_itself() -> None:
    body = "Brackwater ferry sails. The mayor of Brackwater waved."
    assert written_keywords("", body, ["brackwater ferry"]) == ("Brackwater ferry",)


def test_titles_days_and_sentences_are_no_part_of_a_name() -> None:
    body = "It was seen by President Orla Keane on Monday. Yesterday Keane slept. In May Keane left; he is Mr Keane."
    assert written_keywords("", body, ["keane", "orla"]) == ("Keane", "Orla Keane")
    assert written_keywords("", "We saw Senator Mara Keane.", ["keane"]) == ("Mara Keane",)


def test_a_part_of_another_word_is_no_mention() -> None:
    assert written_keywords("", "The POLICEMAN and the POLICE saw ice", ["ice"]) == ("ice",)


@pytest.mark.parametrize(
    "body", ["İstanbul " * 3 + "and İzmir. A fog over İzmir", "ß" * 50, "\ud800 Lone", "\x00", "A" * 40_000]
)
def test_any_text_is_read(body: str) -> None:
    (shown,) = written_keywords("", body, ["izmir"])
    assert fold(shown) == "izmir"


def test_chinese_articles_keep_their_english_names() -> None:
    assert written_keywords("", "新款iPhone发布，苹果公司说NATO也买。", ["iphone", "nato", "苹果"]) == (
        "iPhone",
        "NATO",
        "苹果",
    )


def test_an_article_bears_its_names_whole_once_and_is_found_under_every_form() -> None:
    annotations = ArticleAnnotations(
        "en", ("teign harbour", "harbour trust", "ferry"), (0.9, 0.5, 0.4), ("teign_harbour", "harbour trust", "ferry")
    )
    article = CatalogueArticle.of(Article("s", "a", "Ferry reopens", BODY), annotations)
    assert article.keywords == ("New Teign Harbour Trust", "ferry")
    assert article.weights == (0.9, 0.4)
    assert {"new teign harbour trust", "teign harbour", "ferry"} <= article.found_under
    assert article.wholes == {"new teign harbour trust", "ferry"}


def test_words_of_a_written_keyword_are_written_like_it() -> None:
    forms = keyword_forms(("New South Wales",), ("south_wales",)).pieces
    assert forms == {"new south wale": "New South Wales", "south wale": "South Wales"}


def test_a_keyword_that_is_put_again_with_another_text_keeps_its_form_where_the_text_does_not_tell() -> None:
    article = Article("s", "a", "Something else", "nothing of it")
    shown = CatalogueArticle.of(article, ArticleAnnotations("en", ("Brackwater",), (1.0,), ("brackwater",)))
    assert shown.keywords == ("Brackwater",)

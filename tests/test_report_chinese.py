"""The report in Chinese says all that the English one says, and leaves the site's own words alone."""

import re
from pathlib import Path
from string import Formatter
from typing import Any

import numpy as np
import pytest

from jobs.data import profiled
from jobs.runner import IMPORTS
from recsys.events.people import ODD_REASON_TEXTS
from recsys.features import GROUPS as FEATURE_GROUPS
from recsys.languages.phrases import Phrases
from recsys.quality.history import keep
from recsys.report.charts import vector_map, word_map
from recsys.report.chinese import Chinese
from recsys.report.click_model import Previous, click_model_page
from recsys.report.data import data_page
from recsys.report.files import PAGES, file_name
from recsys.report.model_texts import GROUP_TEXTS
from recsys.report.names import IMPORT_REASONS, NAME_TEXTS
from recsys.report.next_click import METHODS, next_click_page
from recsys.report.overview import GAPS
from recsys.report.page import Bar, Bars, Cell, Change, Counts, Example, Examples, Page, Part, Picture, Table, render
from recsys.report.text import words_page
from recsys.report.texts import HEADING_TEXTS, NOTES, SENTENCES
from recsys.runs.stages import STAGES
from recsys.tokens.lexicon import Lexicon, LexiconEntry
from recsys.workspace import write_json
from tests import test_quality as quality
from tests import test_report as report
from tests import test_report_click_model as click_model
from tests.newsroom import NOW, SITE, TOPICS, Toy, toy_settings
from tests.report_texts import english_left

BOOKS = {
    "headings": HEADING_TEXTS,
    "sentences": SENTENCES,
    "notes": NOTES,
    "groups": GROUP_TEXTS,
    "names": NAME_TEXTS,
    "reasons": IMPORT_REASONS,
}
# What both languages write alike: commands, settings, formats, and how people call a method.
ALIKE = re.compile(
    r"\{\w+\}|`?python -m jobs (import --help|show ID|events)`?|item-kNN|UTF-8"
    r"|--(map|timezone)( article=COLUMN)?|site\.base_url"
)
ALIKE_WORDS = {"NDCG", "NPMI", "SkNN", "JSON", "https", "kind"}
TOY = {"Toy", *STAGES, *TOPICS, *" ".join(TOPICS.values()).split()}
CHANCE = {"auc": 0.5, "mrr": 0.5, "ndcg@5": 0.5, "ndcg@10": 0.5}


def values(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name is not None}


@pytest.mark.parametrize("book", BOOKS.values(), ids=BOOKS)
def test_every_text_is_in_both_languages_with_the_same_values(book: Phrases) -> None:
    for key, (chinese, english) in book.texts.items():
        assert values(chinese) == values(english), key
        left = set(re.findall("[A-Za-z]{4,}", ALIKE.sub("", chinese))) - ALIKE_WORDS
        assert not left, f"{key}: {left} in {chinese!r}"
        said = english.format(**dict.fromkeys(values(english), 3))
        assert book.knows(said), key
        assert not {*re.findall("[A-Za-z]{4,}", ALIKE.sub("", book.in_chinese(said)))} - ALIKE_WORDS, said


def test_every_group_of_features_method_gap_and_oddity_has_a_name() -> None:
    assert [name for name in (*FEATURE_GROUPS, "ids", "context", "history") if not GROUP_TEXTS.knows(name)] == []
    names = (*METHODS.values(), *GAPS, *ODD_REASON_TEXTS.values())
    assert [text for text in names if text != "nothing odd" and not NAME_TEXTS.knows(text)] == []


def test_the_toys_report_is_whole_in_chinese_and_leads_to_chinese_pages(toy: Toy) -> None:
    folder = toy.release().path("report")
    assert english_left(folder, TOY) == {}
    for page in PAGES:
        text = (folder / file_name(page, "zh")).read_text()
        assert '<html lang="zh">' in text
        assert re.findall('href="([^"#]*html)"', text) == [
            file_name(name, "zh")
            for name in ("index", "data", "next_click", "click_model", "words", "keywords", "categories")
        ]
        assert text.count("<svg") == (folder / file_name(page, "en")).read_text().count("<svg")


def told(*pages: Page) -> tuple[str, set[str]]:
    """Pages as Chinese HTML, and what of them is not known in Chinese."""
    chinese = Chinese()
    return "".join(render("Site", chinese.pages(pages), "zh").values()), chinese.unknown


def test_words_of_the_site_stay_where_the_report_has_the_same_words() -> None:
    """A category, a word or an article may be called as a column of the report is."""
    same = "accuracy"
    vectors = np.random.default_rng(1).standard_normal((3, 3)).astype(np.float32)
    drawn = vector_map(vectors, [same, "a&b<c", ""])
    text, unknown = told(
        Page(
            "index",
            "Overview",
            "No text was odd.",
            [
                Part("Topics", "There was no text.", [Table(["topic", "articles"], [[same, 3]])]),
                Part("Articles", blocks=[Bars("Clicked, and not among the articles", [Bar(same, 1.0, "2 clicks")])]),
                Part("Keywords", blocks=[Examples([Example(same, same, same, [(same, 0.5)], "en")])]),
                Part("Maps of the articles", blocks=[Picture("Loss by epoch", drawn, labels=("none",))]),
                Part("Map of the words", blocks=[Picture("Loss by epoch", word_map([same], [(0, 0)]))]),
                Part("Reliability", blocks=[Counts({"tokens": {"da": 3, "articles": 4}})]),
            ],
        )
    )
    assert unknown == set()
    assert "准确率" not in text
    for kept in (f">{same}</td>", f">{same}</th>", f"<b>{same}</b>", f">{same}</text>", ">a&amp;b&lt;c</text>"):
        assert kept in text, kept
    for said in (">话题</th>", ">2 次点击</td>", ">无</text>", "<span>da <b>3</b>", "<span>文章 <b>4</b>"):
        assert said in text, said


def test_pages_of_a_language_lead_to_each_other() -> None:
    pages = [Page(name, "Data", "", ()) for name in ("index", "words")]
    made = render("Site", Chinese().pages(pages), "zh")
    assert [*made] == ["index.zh.html", "words.zh.html"]
    assert all(re.findall('href="([^"]+)"', text) == [*made] for text in made.values())


def test_what_no_template_knows_stays_as_it_is_and_is_named() -> None:
    text, unknown = told(Page("index", "Overview", "Nobody wrote this. No text was odd.", [Part("A new part")]))
    assert unknown == {"Nobody wrote this.", "A new part"}
    assert "Nobody wrote this. 没有异常的文本。" in text


def test_figures_are_for_the_better_or_the_worse_in_chinese() -> None:
    rows: list[list[Cell]] = [["AUC, cold readers", Change(0.1, True)], ["log loss", Change(0.1, False)]]
    text, unknown = told(
        Page("index", "Data", "", [Part("Drift", "", [Table(["figure", "difference"], rows, said=["figure"])])])
    )
    assert unknown == set()
    assert '<td class="better">+0.100 更好</td>' in text
    assert '<td class="worse">+0.100 更差</td>' in text
    assert (">AUC，新读者</td>" in text, ">对数损失</td>" in text) == (True, True)


@pytest.mark.parametrize("judged", [click_model.JUDGED, click_model.NOTHING, None])
@pytest.mark.parametrize("before", [None, Previous("old", None), Previous("old", click_model.JUDGED)])
def test_the_page_of_the_click_model_is_known_whole(
    tmp_path: Path, judged: dict[str, Any] | None, before: Previous | None
) -> None:
    write_json(tmp_path / "training.json", click_model.TRAINING if judged else {"epochs": [], "best_epoch": 0})
    if judged is not None:
        write_json(tmp_path / "judged.json", judged)
    assert told(click_model_page(tmp_path, True, before))[1] == set()


@pytest.mark.parametrize("judged", [report.JUDGED, report.NOTHING])
def test_the_page_of_words_is_known_whole(tmp_path: Path, judged: dict[str, Any]) -> None:
    rows = [LexiconEntry("人工智能", "zh", ("人工", "智能"), 7, 0.8125, 1.5)] if judged["loss"] else []
    Lexicon(rows).save(tmp_path)
    write_json(tmp_path / "evaluation.json", judged)
    text, unknown = told(words_page(tmp_path, tmp_path, 9, 9))
    assert unknown == set()
    assert ('<li lang="en"><b>new york</b> <span class="soft" lang="zh">1,200 次</span>' in text) == bool(
        judged["loss"]
    )
    assert ("new york" in text) == bool(judged["loss"])


@pytest.mark.parametrize("models", [{}, {"ctr": 0.7, "rules": 0.6}, {"ctr": 0.6, "popularity": 0.7}, {"rules": 0.6}])
def test_the_page_of_the_next_click_is_known_whole(models: dict[str, float]) -> None:
    figures: dict[str, dict[str, float]] = {name: dict.fromkeys(CHANCE, value) for name, value in models.items()}
    settings = {"rules": {"half_life_hours": 2.0}, "popularity": {"sample": 500.0}}
    note = "No list that was held out has both a clicked and an unclicked card: there is nothing to judge yet."
    assert told(next_click_page(figures, settings, note))[1] == set()


@pytest.mark.parametrize("judged", [[], ["title: left out, not a time", "no title", "kind VIEW"]])
def test_the_page_of_the_data_is_known_whole(tmp_path: Path, judged: list[str]) -> None:
    events = [*quality.EVENTS, quality.click(90, None)] if judged else []
    context = quality.filled(toy_settings(tmp_path), quality.ARTICLES if judged else [], events)
    if judged:
        counts = {"reasons": {judged[1]: 2}, "repaired": {judged[0]: 1}, "left_out": {judged[2]: 1}}
        notes = ["Times without a zone were read as UTC (--timezone says another).", "3 rows are of articles that an"]
        notes[1] += " operator deleted: left out. `python -m jobs show ID` lifts it."
        keep(tmp_path / IMPORTS, quality.summary(notes=notes, **counts), "/a/b.csv", SITE, NOW)
    text, unknown = told(data_page(profiled(context)))
    assert unknown == set()
    if judged:
        for said in ("标题：略去，不是时间", "没有标题", "种类 VIEW", "略过 3 行", "b.csv"):
            assert said in text, said

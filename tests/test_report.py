"""The pages show what they were given, escape what is hostile, say why a part is empty, and stand alone."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recsys.report.categories import categories_page
from recsys.report.charts import bars, curves, principal_plane, reliability, vector_map, word_map
from recsys.report.next_click import next_click_page
from recsys.report.page import Counts, Example, Examples, HeatMap, Page, Part, Picture, Table, number, render
from recsys.report.text import words_page
from recsys.runs.stages import STAGES
from recsys.tokens.lexicon import Lexicon, LexiconEntry
from recsys.workspace import write_json
from tests.newsroom import Toy, fill_almost_nothing, toy_settings, train
from tests.report_texts import english_left

FIGURES = {"random": {"auc": 0.5, "mrr": 0.2}, "ctr": {"auc": 0.625, "mrr": 0.31}}
NAMES = (
    "index.html",
    "data.html",
    "next_click.html",
    "click_model.html",
    "words.html",
    "keywords.html",
    "categories.html",
)
HOSTILE = "<script>x</script>"


def page(*parts: Part) -> str:
    pages = [Page("index", "Overview", "Lead", parts), Page("words", "Words", "Lead", ())]
    return render("The <b>Vector</b>", pages)["index.html"]


def test_tables_mark_the_best_of_the_columns_in_which_more_is_better() -> None:
    table = Table(["model", "auc", "loss"], [["one", 0.5, 0.9], ["two", 0.625, 0.1]], best=["auc"])
    text = page(Part("Models", "A note.", [table]))
    assert '<td class="best">0.625</td>' in text
    assert '<td class="">0.900</td>' in text
    assert "A note." in text


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.12345, "0.123"),
        (1234567, "1,234,567"),
        (1234.5, "1,234"),
        (None, "–"),
        (float("nan"), "–"),
        ("a", "a"),
        (0, "0"),
    ],
)
def test_numbers_are_written_to_be_read(value: Any, written: str) -> None:
    assert number(value) == written


def test_every_text_is_escaped() -> None:
    text = page(
        Part(HOSTILE, HOSTILE, [Examples([Example(HOSTILE, HOSTILE, HOSTILE, [(HOSTILE, 0.5)], "zh")])]),
        Part("Tables", blocks=[Table([HOSTILE], [[HOSTILE]], caption=HOSTILE), Counts({HOSTILE: {HOSTILE: 1}})]),
        Part("Heat", blocks=[HeatMap([HOSTILE, "b"], [[1, 2], [0, 0]], HOSTILE)]),
        Part("Pictures", blocks=[Picture(HOSTILE, word_map([HOSTILE, "$x$"], [(0, 0), (1, 1)]), True)]),
    )
    assert "<script>" not in text
    assert "The &lt;b&gt;Vector&lt;/b&gt;" in text
    assert "$x$" in text


def test_a_heat_map_is_as_dark_as_the_share_of_its_row() -> None:
    text = page(Part("Heat", blocks=[HeatMap(["a", "b"], [[3, 1], [0, 0]], "")]))
    assert re.findall(r"--v:([\d.]+)", text) == ["0.750", "0.250", "0.000", "0.000"]


def test_pages_lead_to_each_other_and_fetch_nothing_from_elsewhere() -> None:
    text = page(Part("Models", blocks=[Picture("Models", bars(FIGURES, ["auc", "mrr"], "ctr"), True)]))
    assert '<a href="index.html" aria-current="page">Overview</a>' in text
    assert '<a href="words.html">Words</a>' in text
    bare = re.sub(r'xmlns(:\w+)?="[^"]*"', "", text)
    assert not re.search(r"(src|href)=[\"']?(https?:)?//", bare)
    assert "url(http" not in text


def test_the_same_numbers_draw_the_same_bytes_and_text_stays_text() -> None:
    first, second = (curves({"fit": [3, 2, 1]}, "epoch", "loss", 2) for _ in range(2))
    assert first == second
    assert ">epoch</text>" in first


def test_a_map_names_its_categories_in_any_script() -> None:
    vectors = np.random.default_rng(1).standard_normal((6, 4)).astype(np.float32)
    picture = vector_map(vectors, ["体育", "体育", "sports", "", "a$b$c", "体育"])
    assert "体育" in picture
    assert ">none</text>" in picture
    assert ">a$b$c</text>" in picture, "dollar signs are no formula"


def test_a_map_without_any_category_is_drawn_in_grey() -> None:
    picture = vector_map(np.random.default_rng(1).standard_normal((4, 3)).astype(np.float32), [""] * 4)
    assert ">none</text>" in picture
    assert ">others</text>" not in picture


def test_a_map_of_many_categories_names_the_frequent_ones_and_the_rest_together() -> None:
    labels = [*(f"rare-{number}" for number in range(40)), *["football"] * 5]
    picture = vector_map(np.random.default_rng(1).standard_normal((45, 3)).astype(np.float32), labels)
    assert ">football</text>" in picture
    assert ">others</text>" in picture
    assert picture.count(">rare-") == 19


def test_the_plane_keeps_distances_of_points_that_lie_in_one() -> None:
    flat = np.array([[0, 0], [3, 0], [0, 4], [1, 1]], dtype=np.float32)
    turned = flat @ np.linalg.qr(np.random.default_rng(1).standard_normal((5, 5)))[0][:2].astype(np.float32)
    drawn = principal_plane(turned)
    before, after = (np.linalg.norm(points[:, None] - points, axis=2) for points in (flat, drawn))
    assert np.allclose(before, after, atol=1e-5)


def test_a_single_direction_or_point_can_still_be_drawn() -> None:
    assert principal_plane(np.ones((1, 3), dtype=np.float32)).shape == (1, 2)
    assert principal_plane(np.array([[1.0], [2.0]], dtype=np.float32)).shape == (2, 2)
    assert ">alone</text>" in word_map(["alone"], [(3.0, 3.0)])


def test_of_two_words_that_would_hide_each_other_the_first_is_written() -> None:
    picture = word_map(["first", "second", "人工智能"], [(0, 0), (0.01, 0), (1, 1)])
    assert (">first</text>" in picture, ">second</text>" in picture, ">人工智能</text>" in picture) == (
        True,
        False,
        True,
    )


def test_reliability_is_drawn_for_the_models_that_have_bins() -> None:
    picture = reliability({"nearest": [(0.5, 0.6), (0.9, 0.8)], "empty": []}, "nearest")
    assert ">nearest</text>" in picture
    assert ">empty</text>" not in picture


def of_models(**auc: float) -> dict[str, dict[str, float]]:
    return {model: dict.fromkeys(("auc", "mrr", "ndcg@5", "ndcg@10"), value) for model, value in auc.items()}


def test_the_next_click_page_says_who_is_ahead_and_how_long_each_remembers() -> None:
    figures = of_models(random=0.5, popular=0.9, ctr=0.75, item_knn=0.7, v_sknn=0.6, rules=0.6)
    settings: dict[str, dict[str, float]] = {
        "item_knn": {"half_life_hours": 4.0},
        "v_sknn": {"sample": 500},
    }
    text = render("Vector", [next_click_page(figures, settings, "Judged on 9 lists.")])["next_click.html"]
    assert "Judged on 9 lists. The click model is 0.050 AUC ahead of the best of the others, item_knn." in text
    for memory in ("half after 4 h", "the last 500 visits of each article"):
        assert f">{memory}</td>" in text
    assert '<td class="best">0.750</td>' in text
    assert "popular</td>" not in text, "a column of the matrix is no baseline"


def test_the_next_click_page_hides_no_defeat_and_no_gap() -> None:
    behind = render("Vector", [next_click_page(of_models(ctr=0.7, rules=0.75), {"rules": {}}, "")])["next_click.html"]
    assert "The click model is not ahead: rules is 0.050 AUC better." in behind
    alone = render("Vector", [next_click_page(of_models(random=0.5, rules=0.75), {}, "No model.")])["next_click.html"]
    assert "<p>No model.</p>" in alone
    empty = render("Vector", [next_click_page({}, {}, "Nothing to judge.")])["next_click.html"]
    assert "<p>Nothing to judge.</p>" in empty
    assert "<table>" not in empty


JUDGED: dict[str, Any] = {
    "similarity": [{"name": "WordSim-353", "language": "en", "pairs": 353, "covered": 120, "spearman": 0.4125}],
    "analogies": [{"name": "capitals", "language": "en", "questions": 9, "covered": 4, "accuracy": 0.25}],
    "neighbours": [{"word": "new_york", "language": "en", "count": 1200, "nearest": [["小说", 0.75]]}],
    "out_of_vocabulary": {"en": 0.0625},
    "loss": [2.0, 1.5],
    "drift": {"parent": "abc", "shared_words": 1000, "mean_cosine": 0.9, "moved_most": [["moved_far", 0.1]]},
    "map": [{"word": f"word{n}", "language": "en", "x": n, "y": n % 3} for n in range(20)],
    "pretrained": {
        "file": "vectors.vec",
        "words": 5,
        "used": 4,
        "duplicates": 1,
        "refused": 3,
        "reasons": {"repeated": 1, "cut off": 3},
    },
}
NOTHING: dict[str, Any] = {
    "similarity": [],
    "analogies": [],
    "neighbours": [],
    "out_of_vocabulary": {},
    "loss": [],
    "drift": None,
    "map": [],
    "pretrained": None,
}


def words_html(folder: Path, judged: dict[str, Any], lexicon: Lexicon, **shown: int) -> str:
    write_json(folder / "evaluation.json", judged)
    lexicon.save(folder)
    made = words_page(folder, folder, shown.get("map_words", 300), shown.get("new_words", 40))
    return render("Site", [made])["words.html"]


def test_the_page_of_words_shows_every_judgement(tmp_path: Path) -> None:
    rows = [LexiconEntry(f"pair_{n}", "en", ("pair", str(n)), 50 - n, 0.5, 2.0) for n in range(9)]
    lexicon = Lexicon([*rows, LexiconEntry("人工智能", "zh", ("人工", "智能"), 7, 0.8125, 1.5)])
    text = words_html(tmp_path, JUDGED, lexicon, map_words=10, new_words=3)
    for shown in ("0.412", "0.250", "new york", "1,200 times", "小说", "0.062", "moved far", "0.900", "vectors.vec"):
        assert shown in text, shown
    assert (">word9</text>" in text, ">word10</text>" in text) == (True, False)
    assert ("pair 2" in text, "pair 3" in text, "9 in all (en)" in text) == (True, False, True)
    assert ("人工智能" in text, "0.812" in text) == (True, True)


def test_an_empty_page_of_words_says_why(tmp_path: Path) -> None:
    text = words_html(tmp_path, NOTHING, Lexicon())
    for reason in (
        "Nothing was trained",
        "No list of judged word pairs",
        "No list of analogies",
        "no noun",
        "There was no text",
        "no earlier word space",
        "too few words for a map",
        "No two neighbours",
    ):
        assert reason in text, reason
    assert "<table>" not in text


def test_the_page_of_categories_shows_how_good_the_models_are_and_where_they_fail(toy: Toy, tmp_path: Path) -> None:
    models = {
        name: {"accuracy": accuracy, "macro_f1": accuracy / 2, "uncertain": 0.05, "calibration_error": 0.0123}
        for name, accuracy in {"nearest": 0.8, "bag": 0.9}.items()
    }
    mistake = {"id": "m", "title": "", "text": HOSTILE, "truth": "sport", "found": "财经", "confidence": 0.987}
    judged = {
        "note": "Judged by folds.",
        "languages": {
            "en": {
                "articles": 1200,
                "folds": 5,
                "best": "bag",
                "models": models,
                "confusion": {"labels": ["sport", "财经"], "counts": [[9, 1], [0, 5]]},
                "reliability": {"bag": [{"low": 0, "high": 1, "confidence": 0.5, "accuracy": 0.6, "articles": 4}]},
                "mistakes": [mistake],
            }
        },
    }
    (tmp_path / "articles.parquet").write_bytes((toy.release().path("categories") / "articles.parquet").read_bytes())
    (tmp_path / "mood").mkdir()
    write_json(tmp_path / "mood" / "evaluation.json", judged)
    write_json(tmp_path / "tasks.json", {"tasks": [{"task": "mood"}]})
    write_json(tmp_path / "evaluation.json", judged)
    text = render("Site", [categories_page(tmp_path, tmp_path)])["categories.html"]
    for shown in (
        "Judged by folds.",
        "1,200 texts",
        '<td class="best">0.900</td>',
        "--v:0.900",
        "sport → 财经, 99% sure",
    ):
        assert shown in text, shown
    assert "<script>" not in text
    assert ("Models (en)" in text, "Models (mood, en)" in text) == (True, True)
    write_json(tmp_path / "tasks.json", {"tasks": []})
    write_json(tmp_path / "evaluation.json", {"note": "No article came with a category.", "languages": {}})
    text = render("Site", [categories_page(tmp_path, tmp_path)])["categories.html"]
    assert "No article came with a category." in text
    assert "<table" not in text


def test_the_toys_report_is_whole_and_the_same_for_the_same_seed(toy: Toy, tmp_path: Path) -> None:
    folder = toy.release().path("report")
    texts = {name: (folder / name).read_text() for name in NAMES}
    assert "ctr" in texts["index.html"]
    assert "football-" in texts["keywords.html"] or "striker" in texts["keywords.html"]
    assert "football" in texts["categories.html"]
    for text in texts.values():
        assert all(f'href="{name}"' in text for name in NAMES)
        assert len(text) < 300_000
    assert "seconds" not in texts["index.html"]


def test_a_site_without_anything_gets_pages_that_say_why_they_are_empty(tmp_path: Path) -> None:
    settings = toy_settings(tmp_path)
    fill_almost_nothing(settings)
    name = train(settings, drawn=True)
    folder = tmp_path / "releases" / name / "report"
    texts = {page: (folder / page).read_text() for page in NAMES}
    assert [page for page, text in texts.items() if "<svg" in text] == ["data.html"]  # the one event
    assert "Too few articles have a vector." in texts["index.html"]
    assert "There was no click to learn one from" in texts["click_model.html"]
    assert "There was no text." in texts["words.html"]
    assert "There was no article." in texts["keywords.html"]
    assert english_left(folder, {*STAGES, "somewhere-else"}) == {}
    for text in texts.values():
        for empty in re.findall(r"<h2>([^<]*)</h2>\n(?=<h2>|</html>)", text):
            pytest.fail(f"{empty!r} is empty and does not say why")

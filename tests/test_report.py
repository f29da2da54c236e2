"""The page shows what it was given, escapes what is hostile, and needs nothing beside it."""

import re

import numpy as np

from recsys.report.page import KeywordExample, Picture, ReportPage, render
from recsys.report.plots import bars, curves, principal_plane, vector_map

FIGURES = {"random": {"auc": 0.5, "mrr": 0.2}, "ctr": {"auc": 0.625, "mrr": 0.31}}


def page(**changes: object) -> str:
    values: dict[str, object] = {
        "title": "The <b>Vector</b>",
        "counts": {"events": {"articles": 12}},
        "figures": FIGURES,
        "note": "The last fifth.",
        "pictures": [Picture("Models", bars(FIGURES, ["auc", "mrr"], "ctr"), True)],
        "examples": [KeywordExample("<script>x</script>", "zh", None, [("足球", 0.5)])],
    }
    return render(ReportPage(**(values | changes)))  # type: ignore[arg-type]


def test_figures_and_keywords_stand_on_the_page_and_the_best_is_marked() -> None:
    text = page()
    assert '<td class="best">0.6250</td>' in text
    assert "足球" in text
    assert "The last fifth." in text


def test_hostile_titles_are_inert() -> None:
    assert "<script>" not in page()
    assert "The &lt;b&gt;Vector&lt;/b&gt;" in page()


def test_nothing_is_fetched_from_elsewhere() -> None:
    text = page()
    assert not re.search(r"(src|href)=[\"']?(https?:)?//", re.sub(r'xmlns(:\w+)?="[^"]*"', "", text))
    assert "url(http" not in text


def test_a_page_without_anything_to_judge_says_why() -> None:
    text = page(figures={}, pictures=[], note="There were no impressions.", examples=[])
    assert "There were no impressions." in text
    assert "<table>" not in text
    assert "No article has keywords." in text


def test_the_same_numbers_draw_the_same_bytes_and_text_stays_text() -> None:
    first, second = (curves({"fit": [3, 2, 1]}, "epoch", "loss", 2) for _ in range(2))
    assert first == second
    assert ">epoch</text>" in first


def test_a_map_names_its_categories_in_any_script() -> None:
    vectors = np.random.default_rng(1).standard_normal((6, 4)).astype(np.float32)
    picture = vector_map(vectors, ["体育", "体育", "sports", "", "sports", "体育"])
    assert "体育" in picture
    assert "none" in picture


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

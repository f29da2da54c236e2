"""Levers of re-ranking on held-out lists: figures that one can count by hand, and what each costs in clicks."""

import numpy as np
import pytest

from recsys.catalogue.eligibility import source_shares
from recsys.dataset.impressions import FIT, HOLDOUT
from recsys.dataset.training_set import TrainingSet
from recsys.evaluate.list_figures import (
    HeldOutList,
    by_fixed_limit,
    by_mmr,
    by_score,
    by_shares,
    by_source,
    list_figures,
)
from recsys.features import COLUMN, NAMES
from recsys.features.rows import LabelledRows
from recsys.hashing import hashed_all
from recsys.recommend.config import RecommendConfig
from recsys.recommend.rerank import SourceLimits

ONE_EACH = RecommendConfig(max_per_category=1)
ARTICLES = hashed_all("article", list("abcd"))
FOOT, MARKETS = hashed_all("category", ["football", "markets"])
VECTORS = np.array([[1, 0], [1, 0], [1, 0], [0, 1]], np.float32)  # a, b and c say the same
SOURCES = np.array([0, 0, 1, -1], np.int32)  # a and b are of one agency, c of another, d is the site's own


def some_rows(shares: tuple[float, float] = (0.0, 0.0), clicks: int = 0) -> TrainingSet:
    """Three lists of a, b, c of football and d of markets, in which a and b are clicked; the first list is fitted."""
    label = np.tile([1, 1, 0, 0], 3).astype(np.int8)
    matrix = np.zeros((12, len(NAMES)), np.float32)
    matrix[:, COLUMN["category_share"]] = np.tile([shares[0]] * 3 + [shares[1]], 3)
    matrix[:, COLUMN["history"]] = np.log1p(clicks)
    number = np.repeat(np.arange(3), 4).astype(np.int32)
    dense = vars(LabelledRows.dense(matrix, label, number))
    ids = np.column_stack([np.tile(ARTICLES, 3), np.tile([FOOT, FOOT, FOOT, MARKETS], 3)])
    part = np.repeat([FIT, HOLDOUT, HOLDOUT], 4).astype(np.int8)
    return TrainingSet(**dense | {"ids": ids}, time=number.astype(np.int64), part=part)


SCORES = np.tile([0.9, 0.8, 0.7, 0.1], 2).astype(np.float32)  # of the two held-out lists


def test_each_lever_is_judged_by_its_first_cards_and_by_the_clicks_that_they_hold() -> None:
    told = list_figures(some_rows(), SCORES, ARTICLES, VECTORS, SOURCES, ONE_EACH)
    assert told["lists"].tolist() == [2] * 5
    assert told["clicks"].to_dict() == {
        "scores alone": 1.0,  # a and b, both clicked
        "limits by shares": 0.5,  # a and d: nobody knows what this reader reads
        "half of a source": 0.5,  # a and c: one of two is half
        "one fixed limit": 0.5,
        "mmr": 1.0,
    }
    assert told["of_scores"].tolist() == [1.0, 0.5, 0.5, 0.5, 1.0]
    varied = told[["diversity", "topic_entropy", "coverage"]].to_numpy().tolist()
    alike, mixed = [0.0, 0.0, 0.5], [1.0, 1.0, 0.5]
    assert varied == [alike, mixed, alike, mixed, alike]
    assert told["miscalibration"].isna().all(), "a reader without clicks wants nothing that is known"


def test_who_reads_one_category_alone_gets_it_and_a_fixed_limit_does_not_fit_them() -> None:
    wide = RecommendConfig(max_per_category=2)
    told = list_figures(some_rows((1.0, 0.0), clicks=9), SCORES, ARTICLES, VECTORS, SOURCES, wide)
    assert told["clicks"].tolist() == [1.0, 1.0, 0.5, 1.0, 1.0]
    assert told["miscalibration"].tolist() == pytest.approx([0.0] * 5, abs=1e-9)
    fixed = list_figures(some_rows((1.0, 0.0), clicks=9), SCORES, ARTICLES, VECTORS, SOURCES, ONE_EACH)
    assert fixed.loc["one fixed limit", "miscalibration"] == pytest.approx(np.log(1 / 0.505))


def candidates(shares: dict[int, float], clicks: int) -> HeldOutList:
    """Ten articles of football, the best first, and one of markets."""
    scores = np.linspace(1.0, 0.0, 11, dtype=np.float32)
    category = np.array([0] * 10 + [1], np.int16)
    vectors = np.array([[1, 0]] * 10 + [[0, 1]], np.float32)
    return HeldOutList(scores, category, vectors, shares, clicks)


def test_the_limits_are_those_of_the_service() -> None:
    config = RecommendConfig()
    assert by_score(candidates({}, 0), 5, config).tolist() == [0, 1, 2, 3, 4]
    assert by_fixed_limit(candidates({0: 1.0}, 9), 5, config).tolist() == [0, 1, 2, 10, 3]
    assert by_shares(candidates({}, 0), 5, config).tolist() == [0, 1, 2, 10, 3]
    assert by_shares(candidates({0: 1.0}, 9), 5, config).tolist() == [0, 1, 2, 3, 10]


def test_a_source_has_half_of_a_list_or_its_share_of_the_articles() -> None:
    agency, others = np.zeros(11, np.int32), np.array([0] * 8 + [1, 2, 3], np.int32)
    for sources, most in ((agency, 5), (others, 4)):  # eight of eleven articles are four of five places
        shown = candidates({}, 0)._replace(
            by_source=SourceLimits(sources, source_shares(sources, np.zeros(11, np.int16)))
        )
        places = by_source(shown, 5, RecommendConfig())
        assert (sources[places] == 0).sum() == most


def test_maximal_marginal_relevance_takes_what_is_far_from_the_cards_above() -> None:
    scores = np.array([1.0, 0.9, 0.8, 0.0], np.float32)
    near = HeldOutList(scores, np.zeros(4, np.int16), np.array([[1, 0], [1, 0], [0, 1], [0, 0]], np.float32), {}, 0)
    assert by_mmr(near, 3, RecommendConfig()).tolist() == [0, 2, 1]  # .72 - .2 is less than .64


def test_without_a_model_or_without_held_out_lists_nothing_is_told() -> None:
    rows = some_rows()
    assert list_figures(rows, SCORES[:0], ARTICLES, VECTORS, SOURCES, ONE_EACH).empty
    rows.part[:] = FIT
    assert list_figures(rows, SCORES[:0], ARTICLES, VECTORS, SOURCES, ONE_EACH).empty

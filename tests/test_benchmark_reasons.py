"""The machine check of the reasons notices every kind of false claim, and passes true ones."""

from typing import Any

import pytest

from benchmarks import reasons
from benchmarks.reasons import Judge, Store
from recsys.settings import Settings
from recsys.units import HOUR_MS

NOW = 1_790_000_000_000
TAGS = {"x": {"goal", "coach"}, "y": {"bank"}, "near": {"goal", "coach"}, "far": {"goal"}, "afar": {"goal", "coach"}}


@pytest.fixture
def judge(monkeypatch: pytest.MonkeyPatch) -> Judge:
    monkeypatch.setattr(
        reasons, "CATEGORY", {"x": "football", "y": "markets", "near": "football", "far": "arts", "afar": "arts"}
    )
    crowd = {f"v{n}" for n in range(3)}
    clicks = {"ann": ["y", "y", "y", "x"]}
    times = {"x": [NOW - HOUR_MS] * 9, "y": [NOW - HOUR_MS], "near": [NOW - 900 * HOUR_MS] * 4}
    visitors = {"x": {*crowd, "ann"}, "near": crowd, "y": {"ann"}}
    store = Store(clicks, visitors, times, {"x": NOW - HOUR_MS, "y": NOW - 90 * HOUR_MS, "near": NOW - 900 * HOUR_MS})
    return Judge(store, Settings(), NOW)


def item(article: str, kind: str, other: str | None = None, category: str | None = "football") -> dict[str, Any]:
    said = {"kind": kind, "article": other, "text": f"because of {category}"}
    return {"id": article, "reason": said, "category": category, "category_name": str(category)}


@pytest.mark.parametrize(
    ("claimed", "false"),
    [
        (item("near", "because_you_read", "x"), ""),
        (item("near", "because_you_read", "y"), "shares no tag"),
        (item("x", "because_you_read", "near"), "never read"),
        (item("near", "also_opened", "x"), ""),
        (item("near", "also_opened", "y"), "0 visitors"),
        (item("near", "because_you_like", None, "markets"), "1 article of markets"),
        (item("far", "because_you_read", "x"), "shares 1 tag"),
        (item("afar", "because_you_read", "x"), ""),
        (item("near", "because_you_like", None, "arts"), "0.00 of the last clicks"),
        (item("near", "because_you_like", None, None), "is in None"),
        (item("x", "trending"), ""),
        (item("near", "trending"), "has 4 clicks"),
        (item("x", "popular"), ""),
        (item("y", "popular"), "has 1 clicks"),
        (item("x", "fresh"), ""),
        (item("y", "fresh"), "90 hours old"),
        (item("y", "recommended"), ""),
    ],
)
def test_a_claim_is_false_exactly_when_the_store_says_otherwise(
    judge: Judge, claimed: dict[str, Any], false: str
) -> None:
    said = [*judge.false("ann", [claimed], TAGS)]
    assert bool(said) == bool(false)
    assert all(false in line for line in said)


def test_an_article_read_is_named_once(judge: Judge) -> None:
    twice = [item("near", "because_you_read", "x"), item("near", "because_you_read", "x")]
    assert [*judge.false("ann", twice, TAGS)] == ["because_you_read: x is named twice"]


def test_nothing_was_read_by_a_stranger(judge: Judge) -> None:
    assert [*judge.false(None, [item("near", "because_you_read", "x")], TAGS)]


def test_a_category_is_liked_from_two_articles_on(judge: Judge) -> None:
    judge._store.clicks["ann"][0] = "z"
    reasons.CATEGORY["z"] = "markets"
    assert [*judge.false("ann", [item("near", "because_you_like", None, "markets")], TAGS)] == []


def test_trending_was_clicked_within_hours(judge: Judge) -> None:
    for hours, false in ((3.9, 0), (4.1, 1)):
        judge._store.times["y"][:] = [NOW - int(hours * HOUR_MS)] * 3
        assert len([*judge.false("ann", [item("y", "trending")], TAGS)]) == false


def test_the_article_on_the_page_is_one_that_was_read(judge: Judge) -> None:
    assert [*judge.false(None, [item("near", "because_you_read", "x")], TAGS, "x")] == []
    assert [*judge.false("ann", [item("x", "because_you_read", "near")], TAGS, "near")], "they have read other things"


@pytest.mark.parametrize(
    ("article", "words", "said", "false"),
    [
        ("near", ["Goal"], "Also about Goal", ""),
        ("near", ["bank"], "Also about bank", "lacks bank"),
        ("near", [], "Also in football", ""),
        ("far", [], "Also in football", "two categories"),
        ("far", [], "Similar to this story", ""),
    ],
)
def test_similar_articles_share_what_is_said(
    judge: Judge, article: str, words: list[str], said: str, false: str
) -> None:
    card = item(article, "similar", "x") | {"reason": {"keywords": words, "text": said}}
    told = [*judge.unlike("x", [card], TAGS)]
    assert bool(told) == bool(false)
    assert all(false in line for line in told)

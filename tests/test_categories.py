import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from benchmarks import categories as benchmark
from recsys.categories import (
    Assigned,
    Categories,
    CategoriesConfig,
    assign_all,
    fit,
    load_categories,
    save_assigned,
    save_categories,
)
from recsys.settings import Settings
from recsys.words import Matrix, WordsConfig, unit_rows
from recsys.workspace import read_table


def two_camps(n: int, seed: int = 0) -> tuple[Matrix, list[str]]:
    """Unit vectors around two directions of five, one long direction of noise across them."""
    rng = np.random.default_rng(seed)
    camp = np.arange(n) % 2
    x = rng.normal(scale=0.1, size=(n, 5))
    x[:, 0] += 1 - 2 * camp
    x[:, 1] += rng.normal(scale=2, size=n)
    return unit_rows(x.astype(np.float32)), ["sport" if c else "money" for c in camp]


def learned(vectors: Matrix, given: Sequence[str | None], language: str = "en", **keys: float) -> Categories:
    return fit(vectors, given, [language] * len(vectors), "space", CategoriesConfig.model_validate(keys))


def test_held_out_articles_go_to_the_nearest_mean() -> None:
    vectors, truth = two_camps(80)
    given = [name if i < 40 else None for i, name in enumerate(truth)]
    assigned = assign_all(learned(vectors, given), vectors, given, ["en"] * 80)
    right = [row.category == name for row, name in zip(assigned, truth, strict=True)]
    assert np.mean(right[40:]) > 0.9
    assert all(0.5 <= row.confidence <= 1 for row in assigned)


def test_cosines_are_those_of_the_inverse_covariance() -> None:
    """The oracle: (x - c)' S^-1 (m - c), scaled, with S and its inverse in float64 and no frame at all."""
    vectors, truth = two_camps(60)
    names = np.array(truth)
    x = vectors.astype(np.float64)
    means = np.array([x[names == name].mean(axis=0) for name in ("money", "sport")])
    inside = x - means[(names == "sport").astype(int)]
    share = max(0.1, 5 / 65)
    S = inside.T @ inside / 60
    S = (1 - share) * S + share * np.trace(S) / 5 * np.eye(5)
    centre, P = means.mean(axis=0), np.linalg.inv(S)
    a, b = x - centre, means - centre
    cosines = (a @ P @ b.T) / np.sqrt(np.outer(np.sum(a @ P * a, axis=1), np.sum(b @ P * b, axis=1)))
    shares = np.exp(cosines / 0.5)
    shares /= shares.sum(axis=1, keepdims=True)
    found = learned(vectors, list(truth), temperature=0.5).assign(vectors, "en")
    assert [row.category for row in found] == [("money", "sport")[i] for i in shares.argmax(axis=1)]
    assert [row.confidence for row in found] == pytest.approx(shares.max(axis=1), abs=1e-4)


def test_an_article_keeps_the_category_that_it_came_with() -> None:
    vectors, truth = two_camps(20)
    wrong: list[str | None] = ["sport" if truth[0] == "money" else "money", *truth[1:]]
    assert assign_all(learned(vectors, wrong), vectors, wrong, ["en"] * 20)[0] == Assigned(wrong[0], 1.0)


def test_languages_have_their_own_means() -> None:
    """The Chinese vectors are the English ones turned round: a common mean would be nothing."""
    vectors, truth = two_camps(40)
    both, given = (
        np.concatenate([vectors, -vectors]),
        truth + [{"sport": "体育", "money": "财经"}[name] for name in truth],
    )
    model = fit(both, given, ["en"] * 40 + ["zh"] * 40, "space", CategoriesConfig())
    assert [(label.language, label.category) for label in model.labels] == [
        ("en", "money"), ("en", "sport"), ("zh", "体育"), ("zh", "财经"),
    ]  # fmt: skip
    pairs = zip(model.assign(vectors, "en"), model.assign(-vectors, "zh"), strict=True)
    assert {(one.category, other.category) for one, other in pairs} == {("money", "财经"), ("sport", "体育")}
    assert model.assign(vectors[:1], "other")[0].category is None


def test_a_category_with_one_article_gets_no_others_and_keeps_its_own() -> None:
    vectors, truth = two_camps(21)
    given: list[str | None] = [*truth[:19], "rare", None]
    model = learned(vectors, given)
    assert [label.category for label in model.labels] == ["money", "sport"]
    assert assign_all(model, vectors, given, ["en"] * 21)[19].category == "rare"


@pytest.mark.parametrize("name", [None, "sport"])
def test_without_two_categories_nobody_is_given_one(name: str | None) -> None:
    vectors, _ = two_camps(6)
    given = [name, name, name, None, None, None]
    model = learned(vectors, given)
    assert model.labels == []
    assert [row.category for row in assign_all(model, vectors, given, ["en"] * 6)] == given


def test_an_article_without_a_vector_has_no_category_and_teaches_nothing() -> None:
    vectors, truth = two_camps(20)
    vectors[[0, 1]] = np.nan
    given = [truth[0], None, *truth[2:]]
    assigned = assign_all(learned(vectors, given), vectors, given, ["en"] * 20)
    assert assigned[0].category == truth[0]
    assert assigned[1].category is None
    assert np.isnan(assigned[1].confidence)


def test_articles_all_alike_are_no_error() -> None:
    vectors = np.repeat(np.eye(2, dtype=np.float32), 3, axis=0)
    found = learned(vectors, ["a"] * 3 + ["b"] * 3).assign(vectors, "en")
    assert [row.category for row in found] == ["a"] * 3 + ["b"] * 3


def test_means_and_categories_survive_the_disk(tmp_path: Path) -> None:
    vectors, truth = two_camps(20)
    model = learned(vectors, list(truth))
    save_categories(model, tmp_path)
    loaded = load_categories(tmp_path)
    assert loaded.assign(vectors, "en") == model.assign(vectors, "en")
    assert (loaded.labels, loaded.space) == (model.labels, "space")
    save_assigned(["a", "b"], [Assigned("x", 1.0), Assigned(None, float("nan"))], np.array([True, False]), tmp_path)
    rows = read_table(tmp_path / "articles.parquet").to_pylist()
    assert [(row["id"], row["category"], row["given"]) for row in rows] == [("a", "x", True), ("b", None, False)]


def test_the_benchmark_keeps_repeated_texts_in_one_fold() -> None:
    rows = [{"title": "t", "body": f"text {i % 10}"} for i in range(40)]
    folds = benchmark.cross_validation(rows, 5, np.random.default_rng(0))
    assert (folds.reshape(4, 10) == folds[:10]).all()


def test_the_benchmark_ends_with_one_json_object(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    topics = {"sport": "goal match team coach league", "money": "bank profit market shares economy"}
    rng = np.random.default_rng(0)
    rows = [
        {"title": name, "body": " ".join(rng.choice(words.split(), 12)), "category": name}
        for name, words in topics.items()
        for _ in range(20)
    ]
    data = tmp_path / "articles.jsonl"
    data.write_text("\n".join(json.dumps(row) for row in rows))
    monkeypatch.setattr(sys, "argv", ["categories", "--data", str(data), "--folds", "2"])
    benchmark.main()
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert set(result) == {"ours", "baselines", "best", "seconds", "peak_mib", "seed"}
    assert result["ours"]["nearest_mean"]["accuracy"] > 0.9


@pytest.mark.shared_data
def test_nine_in_ten_held_out_bbc_articles_find_their_category(shared_data: Path) -> None:
    """Every fifth article only, and few epochs: the whole set is measured by ``python -m benchmarks.categories``."""
    rows = benchmark.read_articles(shared_data / "bbc" / "articles.jsonl.gz")[::5]
    folds = benchmark.cross_validation(rows, 5, np.random.default_rng(1))
    settings = Settings(words=WordsConfig(epochs=8))
    result = benchmark.measure(benchmark.as_corpus(rows, folds), settings, seed=1)
    assert result["ours"]["nearest_mean"]["accuracy"] >= 0.9

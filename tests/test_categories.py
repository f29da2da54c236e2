import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from benchmarks import categories as benchmark
from recsys.categories import Assigned, CategoriesConfig, Documents
from recsys.categories.documents import Catalogue
from recsys.categories.learning import fit_all
from recsys.categories.sorting import Categories, assign_all, load_categories, save_assigned, save_categories
from recsys.settings import Settings
from recsys.words import Matrix, WordsConfig, WordVectors, unit_rows
from recsys.workspace import read_table, write_table

WORDS = WordVectors(["a"], np.ones(1, dtype=np.int64), np.ones((1, 5), np.float32))


def two_camps(n: int, seed: int = 0) -> tuple[Matrix, list[str]]:
    """Unit vectors around two directions of five, one long direction of noise across them."""
    rng = np.random.default_rng(seed)
    camp = np.arange(n) % 2
    x = rng.normal(scale=0.1, size=(n, 5))
    x[:, 0] += 1 - 2 * camp
    x[:, 1] += rng.normal(scale=2, size=n)
    return unit_rows(x.astype(np.float32)), ["sport" if c else "money" for c in camp]


def without_words(vectors: Matrix) -> Documents:
    return Documents([[] for _ in vectors], [[] for _ in vectors], vectors)


class Site:
    """A catalogue on disk."""

    def __init__(self, folder: Path, vectors: Matrix, languages: Sequence[str] | None = None) -> None:
        self.tokens, self.vectors = folder / "articles.parquet", vectors
        self.languages = list(languages or ["en"] * len(vectors))
        nothing: list[list[str]] = [[] for _ in vectors]
        columns = {"language": self.languages, "title": nothing, "body": nothing}
        kinds = [("language", pa.string()), ("title", pa.list_(pa.string())), ("body", pa.list_(pa.string()))]
        write_table(self.tokens, pa.table(columns, schema=pa.schema(kinds)))

    def catalogue(self, given: Sequence[str | None]) -> Catalogue:
        return Catalogue(self.tokens, Path(), self.vectors, self.languages, list(given))

    def learned(self, given: Sequence[str | None], **keys: float) -> Categories:
        return fit_all(self.catalogue(given), WORDS, CategoriesConfig.model_validate(keys), seed=1)[0]

    def assigned(self, given: Sequence[str | None]) -> list[Assigned]:
        return assign_all(self.learned(given), self.catalogue(given))


def test_held_out_articles_go_to_the_nearest_mean(tmp_path: Path) -> None:
    vectors, truth = two_camps(80)
    assigned = Site(tmp_path, vectors).assigned([name if i < 40 else None for i, name in enumerate(truth)])
    right = [row.category == name for row, name in zip(assigned, truth, strict=True)]
    assert np.mean(right[40:]) > 0.9
    assert all(0.5 <= row.confidence <= 1 for row in assigned)


def test_an_article_keeps_the_category_that_it_came_with(tmp_path: Path) -> None:
    vectors, truth = two_camps(20)
    wrong: list[str | None] = ["sport" if truth[0] == "money" else "money", *truth[1:]]
    assert Site(tmp_path, vectors).assigned(wrong)[0] == Assigned(wrong[0], 1.0, ((str(wrong[0]), 1.0),))


def test_languages_have_their_own_means(tmp_path: Path) -> None:
    """The Chinese vectors are the English ones turned round: a common mean would be nothing."""
    vectors, truth = two_camps(40)
    given = truth + [{"sport": "体育", "money": "财经"}[name] for name in truth]
    model = Site(tmp_path, np.concatenate([vectors, -vectors]), ["en"] * 40 + ["zh"] * 40).learned(given)
    assert [(label.language, label.category) for label in model.labels] == [
        ("en", "money"), ("en", "sport"), ("zh", "体育"), ("zh", "财经"),
    ]  # fmt: skip
    english, chinese = without_words(vectors), without_words(-vectors)
    pairs = zip(model.assign(english, "en"), model.assign(chinese, "zh"), strict=True)
    assert {(one.category, other.category) for one, other in pairs} == {("money", "财经"), ("sport", "体育")}
    assert model.assign(english, "other")[0].category is None


def test_a_category_with_one_article_gets_no_others_and_keeps_its_own(tmp_path: Path) -> None:
    vectors, truth = two_camps(21)
    given: list[str | None] = [*truth[:19], "rare", None]
    site = Site(tmp_path, vectors)
    assert [label.category for label in site.learned(given).labels] == ["money", "sport"]
    assert site.assigned(given)[19].category == "rare"


@pytest.mark.parametrize("name", [None, "sport"])
def test_without_two_categories_nobody_is_given_one(tmp_path: Path, name: str | None) -> None:
    site = Site(tmp_path, two_camps(6)[0])
    given = [name, name, name, None, None, None]
    assert site.learned(given).labels == []
    assert [row.category for row in site.assigned(given)] == given


def test_an_article_without_a_vector_has_no_category_and_teaches_nothing(tmp_path: Path) -> None:
    vectors, truth = two_camps(20)
    vectors[[0, 1]] = np.nan
    assigned = Site(tmp_path, vectors).assigned([truth[0], None, *truth[2:]])
    assert assigned[0].category == truth[0]
    assert assigned[1].category is None
    assert np.isnan(assigned[1].confidence)


def test_texts_that_repeat_teach_once(tmp_path: Path) -> None:
    """Three copies each of two articles are two articles, and no category has two."""
    vectors = np.repeat(np.eye(2, dtype=np.float32), 3, axis=0)
    model, counts, _ = fit_all(Site(tmp_path, vectors).catalogue([*"aaabbb"]), WORDS, CategoriesConfig(), seed=1)
    assert model.labels == []
    assert counts == {"repeated": 4, "contradictory": 0, "in_small_categories": 2}


def test_a_text_with_several_categories_teaches_the_commonest_and_none_on_a_tie(tmp_path: Path) -> None:
    vectors = np.repeat(np.eye(4, dtype=np.float32), [3, 2, 1, 1], axis=0)
    site = Site(tmp_path, vectors)
    model, counts, _ = fit_all(site.catalogue([*"aababab"]), WORDS, CategoriesConfig(min_articles=1), seed=1)
    assert [(label.category, label.articles) for label in model.labels] == [("a", 2), ("b", 1)]
    assert counts == {"repeated": 0, "contradictory": 5, "in_small_categories": 0}


def test_classifiers_and_categories_survive_the_disk(tmp_path: Path) -> None:
    vectors, truth = two_camps(20)
    model = Site(tmp_path, vectors).learned(list(truth))
    save_categories(model, tmp_path)
    loaded = load_categories(tmp_path)
    assert loaded.assign(without_words(vectors), "en") == model.assign(without_words(vectors), "en")
    assert (loaded.labels, loaded.space) == (model.labels, WORDS.space)
    save_assigned(["a", "b"], [Assigned("x", 1.0), Assigned(None, float("nan"))], ["x", None], tmp_path)
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

"""Categories: the training set, classification, topics, and the benchmark of it all."""

import json
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from benchmarks.categories import __main__ as benchmark
from benchmarks.categories.data import as_corpus, cross_validation, encode, read_articles
from benchmarks.categories.models import ours, over_folds
from recsys.categories import Assigned, training
from recsys.categories.classification import CategoryModel, assign_all, load_categories, save_assigned, save_categories
from recsys.categories.config import CategoriesConfig
from recsys.categories.documents import ArticleCorpus
from recsys.categories.training import fit_categories
from recsys.classifiers import EncodedDocuments, fitting
from recsys.classifiers.calibrated import CalibratedClassifier
from recsys.classifiers.topics import Topics
from recsys.settings import Settings
from recsys.words import Matrix, WordVectors, unit_rows
from recsys.words.config import WordsConfig
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


def without_words(vectors: Matrix) -> EncodedDocuments:
    return EncodedDocuments([[] for _ in vectors], [[] for _ in vectors], vectors)


class Site:
    """A catalogue on disk."""

    def __init__(self, folder: Path, vectors: Matrix, languages: Sequence[str] | None = None) -> None:
        self.tokens, self.keywords, self.vectors = folder / "articles.parquet", folder / "keywords.parquet", vectors
        self.languages = list(languages or ["en"] * len(vectors))
        nothing: list[list[str]] = [[] for _ in vectors]
        columns = {"language": self.languages, "title": nothing, "body": nothing}
        kinds = [("language", pa.string()), ("title", pa.list_(pa.string())), ("body", pa.list_(pa.string()))]
        write_table(self.tokens, pa.table(columns, schema=pa.schema(kinds)))
        self.name([[] for _ in vectors])

    def name(self, keywords: list[list[str]]) -> None:
        kinds = [("keywords", pa.list_(pa.string())), ("weights", pa.list_(pa.float32()))]
        columns = {"keywords": keywords, "weights": [[1.0] * len(words) for words in keywords]}
        write_table(self.keywords, pa.table(columns, schema=pa.schema(kinds)))

    def catalogue(self, given: Sequence[str | None]) -> ArticleCorpus:
        return ArticleCorpus(self.tokens, self.keywords, self.vectors, self.languages, list(given))

    def documents(self) -> EncodedDocuments:
        return without_words(self.vectors)

    def learned(self, given: Sequence[str | None], **keys: object) -> CategoryModel:
        return fit_categories(self.catalogue(given), WORDS, CategoriesConfig.model_validate(keys), seed=1)[0]

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
    model, counts, _ = fit_categories(Site(tmp_path, vectors).catalogue([*"aaabbb"]), WORDS, CategoriesConfig(), seed=1)
    assert model.labels == []
    assert counts == {"repeated": 4, "contradictory": 0, "in_small_categories": 2}


def test_a_text_with_several_categories_teaches_the_commonest_and_none_on_a_tie(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "MIN_ARTICLES", 1)
    vectors = np.repeat(np.eye(4, dtype=np.float32), [3, 2, 1, 1], axis=0)
    site = Site(tmp_path, vectors)
    model, counts, _ = fit_categories(site.catalogue([*"aababab"]), WORDS, CategoriesConfig(), seed=1)
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


def test_an_ensemble_and_its_confidences_survive_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, truth = two_camps(80)
    site = Site(tmp_path, vectors)
    monkeypatch.setattr(fitting, "ENSEMBLE", ("nearest-mean",))
    model = site.learned(list(truth), model="ensemble")
    save_categories(model, tmp_path)
    assert load_categories(tmp_path).assign(site.documents(), "en") == model.assign(site.documents(), "en")
    right = [row.category == name for row, name in zip(model.assign(site.documents(), "en"), truth, strict=True)]
    assert np.mean(right) > 0.9


def test_an_uncertain_guess_is_kept_but_not_shown(tmp_path: Path) -> None:
    vectors, truth = two_camps(80)
    site = Site(tmp_path, vectors)
    between = without_words(np.array([[0, 1, 0, 0, 0]], dtype=np.float32))
    shown, kept = (site.learned(list(truth), min_confidence=least).assign(between, "en")[0] for least in (0.4, 1))
    assert shown.category == shown.bar[0][0] == kept.bar[0][0]
    assert (shown.uncertain, kept.uncertain, kept.category) == (False, True, None)
    assert kept.confidence == shown.confidence == pytest.approx(shown.bar[0][1])
    assert sum(share for _, share in shown.bar) <= 1 + 1e-6


@pytest.mark.parametrize(("share", "shown"), [(0.38, (False, False)), (0.45, (False, True)), (0.52, (True, True))])
def test_a_category_is_shown_from_a_half_on_and_a_topic_from_four_fifths_of_that(
    share: float, shown: tuple[bool, bool]
) -> None:
    classifier = Topics(["sport", "money", "weather"], np.eye(3, dtype=np.float32))
    shares = np.array([[share, 0.6 * (1 - share), 0.4 * (1 - share)]], np.float32)
    document = without_words((np.log(shares) / 10).astype(np.float32))  # a cosine of .1 is one unit of log-probability
    for topic in (False, True):
        calibrated = {"en": CalibratedClassifier("topics", classifier, 1.0, topic)}
        model = CategoryModel([], calibrated, "space", CategoriesConfig().min_confidence)
        (assigned,) = model.assign(document, "en")
        assert (assigned.category is not None) is shown[topic]


def test_one_live_article_is_sorted_as_in_the_batch(tmp_path: Path) -> None:
    vectors, truth = two_camps(60)
    site = Site(tmp_path, vectors)
    given = [name if i < 40 else None for i, name in enumerate(truth)]
    model, batch = site.learned(given), site.assigned(given)
    for row in range(40, 60):
        live = model.assign(without_words(vectors[row : row + 1]), "en")[0]
        assert live.category == batch[row].category
        assert live.confidence == pytest.approx(batch[row].confidence, abs=1e-5)


def test_a_site_without_labels_gets_topics_named_by_keywords(tmp_path: Path) -> None:
    """Three groups of thirty; the word that all share names none of them."""
    rng = np.random.default_rng(0)
    group = np.arange(90) % 3
    vectors = unit_rows(np.eye(5, dtype=np.float32)[group] + rng.normal(scale=0.1, size=(90, 5)).astype(np.float32))
    site = Site(tmp_path, vectors)
    site.name([["news", ("goal", "bank", "film")[row]] for row in group])
    assigned = site.assigned([None] * 90)
    assert all(row.topic for row in assigned)
    assert [{row.category for row in assigned[start::3]} for start in range(3)] == [
        {name for name in {row.category for row in assigned} if word in str(name)} for word in ("goal", "bank", "film")
    ]
    assert len({row.category for row in assigned}) == 3
    assert site.learned([None] * 90, topics="off").labels == []
    assert not any(row.topic for row in site.assigned(["x", *[None] * 89]))


def test_the_benchmark_keeps_repeated_texts_in_one_fold() -> None:
    rows = [{"title": "t", "body": f"text {i % 10}"} for i in range(40)]
    folds = cross_validation(rows, 5, np.random.default_rng(0))
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
    monkeypatch.setattr(sys, "argv", ["categories", "--data", str(data), "--folds", "2", "--models", "nearest-mean"])
    benchmark.main()
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert set(result) == {"ours", "baselines", "best", "seconds", "peak_mib", "seed"}
    assert result["ours"]["nearest_mean"]["accuracy"] > 0.9


@pytest.mark.slow
@pytest.mark.shared_data
def test_nine_in_ten_held_out_bbc_articles_find_their_category(shared_data: Path, tmp_path: Path) -> None:
    """Every sixth article only, and few epochs: the whole set is measured by ``python -m benchmarks.categories``."""
    rows = read_articles(shared_data / "bbc" / "articles.jsonl.gz")[::6]
    corpus = as_corpus(rows, cross_validation(rows, 3, np.random.default_rng(1)))
    settings = Settings(words=WordsConfig(epochs=4))
    encoded = encode(corpus, tmp_path, settings, seed=1)
    sorting = partial(ours, corpus, encoded, models=["nearest-mean"], config=settings.categories, seed=1)
    assert over_folds(sorting, corpus)["nearest_mean"]["accuracy"] >= 0.9

"""One contract for every classifier, on toy topics whose answer is known; and what each of them promises beside it."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from recsys.categories.config import CategoriesConfig
from recsys.classifiers import Classifier, EncodedDocuments, LabelRows
from recsys.classifiers.calibrated import LOADS
from recsys.classifiers.calibration import HeldOutScores, best_temperature, probabilities, stratified_folds
from recsys.classifiers.ensemble import Ensemble, best_powers, log_probabilities
from recsys.classifiers.evaluation import add_texts, confusion, evaluate, figures, reliability
from recsys.classifiers.fitting import FITS, FittedClassifier, LabelledDocuments, fit_classifier
from recsys.classifiers.linear import SparseMatrix
from recsys.classifiers.linear_ngram_model import NgramSpec, block_of
from recsys.classifiers.nearest_mean_training import whitened_means
from recsys.classifiers.network_training import RowAdaGrad, train
from recsys.classifiers.networks import RaggedBatch, TextCnn
from recsys.classifiers.ngrams import Bags, NgramVocabulary, character_bags, hashes_of, is_spaceless, joined, word_bags
from recsys.errors import DegenerateInput
from recsys.words import Matrix, WordVectors
from recsys.workspace import write_json, write_table

ROOT = Path(__file__).resolve().parents[1]
MODELS = ("nearest-mean", "linear", "bag", "text-cnn", "bilstm", "gru")
TOPICS = {
    "en": {"football": "goal striker keeper penalty coach league", "markets": "shares bonds interest profit bank loan"},
    "zh": {"体育": "进球 前锋 守门员 点球 教练 联赛", "财经": "股票 债券 利息 利润 银行 贷款"},
}
QUICK = CategoriesConfig(epochs=6)


@pytest.fixture(scope="module", autouse=True)
def small_steps() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("recsys.classifiers.network_training.BATCH_SIZE", 8)
        yield


def toy(language: str, n: int, seed: int) -> tuple[EncodedDocuments, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Articles of six words of their topic and two that both topics have; every second one is of the same topic."""
    rng = np.random.default_rng(seed)
    words = [topic.split() for topic in TOPICS[language].values()]
    texts = [[*rng.choice(words[i % 2], 6).tolist(), *rng.choice(["city", "today", "new"], 2)] for i in range(n)]
    vectors = np.full((n, 4), np.nan, np.float32)
    return EncodedDocuments([text[:3] for text in texts], [text[3:] for text in texts], vectors), np.arange(n) % 2


def space(language: str) -> WordVectors:
    words = [word for topic in TOPICS[language].values() for word in topic.split()]
    rng = np.random.default_rng(0)
    return WordVectors(words, np.full(len(words), 5), rng.normal(size=(len(words), 4)).astype(np.float32))


def fitted(name: str, language: str = "en", seed: int = 1, n: int = 48) -> Classifier:
    documents, truth = toy(language, n, 0)
    return FITS[name](documents, truth, list(TOPICS[language]), space(language), QUICK, seed)


@pytest.fixture(scope="module")
def models() -> dict[str, Classifier]:
    """Every classifier, trained once on English."""
    return {name: fitted(name) for name in MODELS}


def test_every_classifier_can_be_chosen() -> None:
    assert set(MODELS) <= set(FITS)
    assert set(FITS) <= set(LOADS)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("language", list(TOPICS))
def test_a_classifier_learns_the_topics(models: dict[str, Classifier], name: str, language: str) -> None:
    documents, truth = toy(language, 40, 9)
    made = models[name] if language == "en" else fitted(name, language)
    found = made.scores(documents).argmax(axis=1)
    assert np.mean(found == truth) >= 0.95


@pytest.mark.parametrize("name", MODELS)
def test_scores_are_nan_without_ground_and_finite_with_a_few_known_words(
    models: dict[str, Classifier], name: str
) -> None:
    nothing = np.full((4, 4), np.nan, np.float32)
    documents = EncodedDocuments(
        [[], ["zzz", "\ud800"], ["goal", "coach"], [" "]], [[], [], ["zzz", "keeper"], [""]], nothing
    )
    scores = models[name].scores(documents)
    assert np.isnan(scores).all(axis=1).tolist() == [True, True, False, True]
    assert scores[2].argmax() == 0
    assert models[name].scores(EncodedDocuments([], [], nothing[:0])).shape == (0, 2)


@pytest.mark.parametrize("name", MODELS)
def test_a_classifier_survives_the_disk(models: dict[str, Classifier], name: str, tmp_path: Path) -> None:
    documents, _ = toy("en", 12, 3)
    models[name].save(tmp_path)
    loaded = LOADS[name](tmp_path)
    assert loaded.labels == ["football", "markets"]
    assert np.array_equal(loaded.scores(documents), models[name].scores(documents))
    assert {file.suffix for file in tmp_path.iterdir()} <= {".safetensors", ".json", ".npy", ".parquet"}


WITHOUT_TORCH = """
import sys
from pathlib import Path
import numpy as np
sys.modules["torch"] = None
from recsys.classifiers import EncodedDocuments
from recsys.classifiers.calibrated import LOADS
from recsys.workspace import read_json
titles, bodies = read_json(Path("documents.json"))
documents = EncodedDocuments(titles, bodies, np.full((len(titles), 4), np.nan, np.float32))
for folder in sorted(file for file in Path().iterdir() if file.is_dir()):
    np.save(f"{folder.name}.npy", LOADS[folder.name](folder).scores(documents))
"""


def test_linear_classifiers_score_the_same_where_there_is_no_torch(
    models: dict[str, Classifier], tmp_path: Path
) -> None:
    documents, _ = toy("en", 12, 3)
    members = [models[name] for name in ("nearest-mean", "linear", "bag")]
    pooled = Ensemble(["nearest-mean", "linear", "bag"], members, [1.0, 2.0, 0.5], [0.5, 0.3, 0.4])
    linear = dict(zip(pooled.names, members, strict=True)) | {"ensemble": pooled}
    write_json(tmp_path / "documents.json", [documents.titles, documents.bodies])
    for name, model in linear.items():
        (tmp_path / name).mkdir()
        model.save(tmp_path / name)
    subprocess.run([sys.executable, "-c", WITHOUT_TORCH], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, check=True)
    for name, model in linear.items():
        np.testing.assert_array_equal(np.load(tmp_path / f"{name}.npy"), model.scores(documents))


@pytest.mark.parametrize("name", MODELS)
def test_a_document_alone_scores_as_in_company(models: dict[str, Classifier], name: str) -> None:
    documents, _ = toy("en", 30, 4)
    longer = EncodedDocuments(
        [*documents.titles, ["goal"] * 50], [*documents.bodies, []], np.full((31, 4), np.nan, "f4")
    )
    together = models[name].scores(longer)
    alone = np.concatenate([models[name].scores(longer.where(np.array([row]))) for row in range(31)])
    np.testing.assert_allclose(alone, together, atol=1e-4)


@pytest.mark.parametrize("name", MODELS)
def test_the_same_seed_gives_the_same_scores(models: dict[str, Classifier], name: str) -> None:
    documents, _ = toy("en", 12, 5)
    assert np.array_equal(fitted(name).scores(documents), models[name].scores(documents))


@pytest.mark.parametrize("name", MODELS)
def test_articles_without_any_word_teach_nothing_and_break_nothing(name: str) -> None:
    empty = EncodedDocuments([[]] * 6, [[]] * 6, np.zeros((6, 4), np.float32))
    made = FITS[name](empty, np.arange(6) % 2, ["a", "b"], space("en"), QUICK, 1)
    some, _ = toy("en", 3, 0)
    assert made.scores(some).shape == (3, 2)


def test_the_linear_solution_is_the_one_of_a_coordinate_descent_machine() -> None:
    """Hinge losses and weights as liblinear finds them; scikit-learn is the oracle."""
    svm = pytest.importorskip("sklearn.svm")
    documents, truth = toy("en", 60, 7)
    truth = np.where(np.random.default_rng(0).random(60) < 0.15, 1 - truth, truth)  # some labels are wrong
    made = FITS["linear"](documents, truth, ["a", "b"], space("en"), QUICK, 1)
    texts = [title + body for title, body in zip(documents.titles, documents.bodies, strict=True)]
    block = block_of(texts, NgramSpec(words=1, characters=0, tfidf=True), 1, 1000)
    rows, values = block.features(texts)
    dense = np.zeros((60, len(block.vocabulary)))
    dense[np.repeat(np.arange(60), np.diff(rows.starts)), rows.values] = values
    theirs = svm.LinearSVC(tol=1e-6, max_iter=10_000).fit(dense, truth).decision_function(dense)
    np.testing.assert_allclose(made.scores(documents)[:, 1], theirs, atol=0.02)


def test_a_text_cnn_does_not_see_the_padding() -> None:
    torch.manual_seed(0)
    network = TextCnn(torch.randn(9, 4), 3, 0.0).eval()
    one, other = [1, 2], [3, 4, 5, 6, 7, 8]
    both = RaggedBatch(torch.tensor(one + other), torch.tensor([0, 2, 8]))
    alone = network(RaggedBatch(torch.tensor(one), torch.tensor([0, 2])))
    torch.testing.assert_close(network(both)[:1], alone)


def test_adagrad_moves_only_the_rows_of_the_batch_and_less_each_time() -> None:
    bag = torch.nn.EmbeddingBag(4, 2, mode="sum", sparse=True)
    with torch.no_grad():
        bag.weight.fill_(1.0)
    moves = []
    rows = RowAdaGrad(bag.weight)
    for _ in range(2):
        before = bag.weight.detach().clone()
        torch.autograd.backward(bag(torch.tensor([[1, 3]])).sum())
        rows.step(0.1, 0.0)
        moves.append((before - bag.weight.detach()).round(decimals=4).tolist())
    assert moves[0] == [[0, 0], [pytest.approx(0.1)] * 2, [0, 0], [pytest.approx(0.1)] * 2]
    assert moves[1][1][0] == pytest.approx(0.1 / 2**0.5, abs=1e-3)


def test_a_learning_rate_that_explodes_is_refused() -> None:
    truth = np.arange(8) % 2
    bags = Bags(np.zeros(8, np.int64), np.arange(9))
    config = CategoriesConfig(learning_rate=0.9, epochs=2)

    def broken() -> TextCnn:
        return TextCnn(torch.full((1, 4), torch.inf), 2, 0.0)

    with pytest.raises(DegenerateInput, match=r"categories\.learning_rate"):
        train(broken, bags, truth, config, 1)


def grams_by_hand(text: list[str], longest: int) -> Counter[str]:
    parts: Iterator[str] = (
        " ".join(text[place : place + n]) for n in range(1, longest + 1) for place in range(len(text) - n + 1)
    )
    return Counter(parts)


def test_n_grams_are_those_that_one_counts_by_hand_and_never_cross_a_border() -> None:
    texts = [["a", "b", "a", "b"], [], ["b"], ["a", "b", "c"]]
    bags = word_bags(texts, 3)
    seen: dict[int, Counter[int]] = {
        i: Counter(bags.values[bags.starts[i] : bags.starts[i + 1]].tolist()) for i in range(4)
    }
    for i, text in enumerate(texts):
        assert sorted(seen[i].values()) == sorted(grams_by_hand(text, 3).values())
    assert seen[0] & seen[3] == Counter(dict.fromkeys(seen[0] & seen[3], 1))
    assert len(seen[0] & seen[3]) == 3  # a, b, "a b"


def test_a_hash_knows_a_word_from_its_letters_turned_round_and_a_character_from_a_word() -> None:
    first, second, third = hashes_of(["ab", "ba", "ab"]).tolist()
    assert first == third
    assert first != second
    assert first == 12_885_499_194_988_194_903  # the same on every machine: saved models hold hashes
    assert set(word_bags([["人"]], 1).values) & set(character_bags([["人"]], 1).values) == set()


def test_joined_bags_keep_each_document_together() -> None:
    one, other = Bags(np.array([1, 2, 3]), np.array([0, 1, 3])), Bags(np.array([7, 8]), np.array([0, 2, 2]))
    both = joined([one, other])
    assert both.values.tolist() == [1, 7, 8, 2, 3]
    assert both.starts.tolist() == [0, 3, 5]


def test_a_vocabulary_keeps_the_most_frequent_and_finds_only_what_it_has() -> None:
    bags = Bags(np.array([5, 9, 9, 5, 7], np.uint64), np.array([0, 3, 5]))
    known, idf = NgramVocabulary.of([bags], 2, 1, 2)
    assert known.hashes.tolist() == [5, 7]  # 5 stands in both documents; of 7 and 9, alike, the first
    assert idf.tolist() == pytest.approx([1.0, np.log(3 / 2) + 1])
    found = known.known(bags)
    assert found.values.tolist() == [0, 0, 1]
    assert found.starts.tolist() == [0, 1, 3]


@pytest.mark.parametrize(("text", "spaceless"), [(["苹果", "发布"], True), (["apple", "苹果"], False), ([], False)])
def test_a_script_without_spaces_is_told_by_its_characters(text: list[str], spaceless: bool) -> None:
    assert is_spaceless([text]) is spaceless


SHARES = np.array([[0.9, 0.1, 0.0], [0.6, 0.4, 0.0], [0.3, 0.36, 0.34], [0.05, 0.95, 0.0]], np.float32)
TRUTH = np.array([0, 1, 1, 0])


def test_figures_are_those_that_one_counts_by_hand() -> None:
    """Two of four right; F1 of the first category 2·1/(2+2), of the second 2·1/(2+2); the third never came."""
    assert confusion(SHARES, TRUTH).tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 0]]
    bins = reliability(SHARES, TRUTH)
    assert [(row["low"], row["articles"], row["accuracy"]) for row in bins] == [
        (0.3, 1, 1.0),
        (0.6, 1, 0.0),
        (0.9, 2, 0.5),
    ]
    error = (abs(0.36 - 1) + abs(0.6 - 0) + 2 * abs(0.925 - 0.5)) / 4
    expected = {"accuracy": 0.5, "macro_f1": 0.5, "uncertain": 0.25, "calibration_error": round(error, 4)}
    assert figures(SHARES, TRUTH, 0.4) == pytest.approx(expected, abs=1e-4)


def test_a_confidence_of_one_falls_into_the_last_bin() -> None:
    (row,) = reliability(np.array([[1.0, 0.0]], np.float32), np.array([0]))
    assert (row["low"], row["high"], row["confidence"]) == (0.9, 1.0, 1.0)


def fitted_english(n: int = 40) -> FittedClassifier:
    """Every article is found in its topic, but the fourth and the eighth, the eighth more surely."""
    documents, truth = toy("en", n, 0)
    scores = np.where(np.arange(2) == truth[:, None], 2.0, 0.0).astype(np.float32)
    scores[3], scores[7] = [1.0, 0.0], [5.0, 0.0]
    training_set = LabelledDocuments(documents, truth, list(TOPICS["en"]), np.arange(n) + 100)
    return FittedClassifier(training_set, fitted("linear"), 1.0, HeldOutScores(np.arange(n), scores))


def test_the_surest_mistake_comes_first_with_its_text(tmp_path: Path) -> None:
    judged = evaluate({"en": fitted_english()}, space("en"), CategoriesConfig(compare=()), 1)
    rows = [{"id": f"a{i}", "title": f"title {i}", "body": None if i == 103 else "x" * 999} for i in range(140)]
    write_table(tmp_path / "articles.parquet", pa.Table.from_pylist(rows))
    add_texts(judged, tmp_path / "articles.parquet")
    first, second = judged["languages"]["en"]["mistakes"]
    assert (first["id"], first["title"], len(first["text"])) == ("a107", "title 107", 300)
    assert (first["truth"], first["found"], first["confidence"]) == ("markets", "football", 0.9933)
    assert (second["id"], second["text"]) == ("a103", "")


def test_models_are_compared_and_the_best_is_named() -> None:
    english = evaluate({"en": fitted_english()}, space("en"), CategoriesConfig(), 1)["languages"]["en"]
    assert english["models"]["nearest-mean"]["accuracy"] == 0.95
    assert english["models"]["linear"]["accuracy"] == 1.0
    assert english["best"] == "linear"
    assert english["mistakes"] == []
    alone = evaluate({"en": fitted_english()}, space("en"), CategoriesConfig(compare=()), 1)["languages"]["en"]
    assert set(alone) == {"articles", "folds", "best", "models", "confusion", "reliability", "mistakes"}


def test_few_or_no_articles_are_said_to_be_few() -> None:
    config = CategoriesConfig(compare=())
    assert "nothing to judge" in evaluate({}, space("en"), config, 1)["note"]
    assert "mere anecdotes" in evaluate({"en": fitted_english(10)}, space("en"), config, 1)["note"]
    assert "anecdotes" not in evaluate({"en": fitted_english(40)}, space("en"), config, 1)["note"]


def test_the_whitened_means_are_those_of_the_inverse_covariance() -> None:
    """The oracle: half the squared Mahalanobis distance in float64, with the covariance and its inverse written out."""
    rng = np.random.default_rng(0)
    label = np.arange(60) % 3
    x = rng.normal(size=(60, 8)).astype(np.float32) + np.eye(8, dtype=np.float32)[label] * 2
    x[rng.random(x.shape) < 0.5] = 0
    rows, turned = sparse(x[:, :5]), sparse(x[:, :5].T)
    weights, constant = whitened_means(rows, turned, x[:, 5:], label, 3, ridge=2.0)
    means = np.array([x[label == row].mean(axis=0) for row in range(3)], dtype=np.float64)
    inside = x - means[label]
    P = np.linalg.inv(inside.T @ inside / 60 + 2 / 60 * np.eye(8))
    distance = np.array([[(one - mean) @ P @ (one - mean) for mean in means] for one in x.astype(np.float64)])
    found = x @ weights + constant
    assert found - found[:, :1] == pytest.approx(-(distance - distance[:, :1]) / 2, abs=0.02)


def sparse(matrix: Matrix) -> SparseMatrix:
    columns = [np.flatnonzero(row) for row in matrix]
    values = [row[row != 0] for row in matrix]
    starts = np.concatenate([[0], np.cumsum([len(one) for one in columns])])
    return SparseMatrix(*(torch.from_numpy(one) for one in (np.concatenate(columns), starts, np.concatenate(values))))


@pytest.mark.parametrize(("scale", "ridge"), [(10, 0.01), (1000, 10.0)])
def test_means_stay_finite_where_rounding_hides_the_curvature(scale: float, ridge: float) -> None:
    """The first three columns tell the categories and do not vary inside them: all that is left of them is the ridge,
    too small beside their squares for float32."""
    rng, label = np.random.default_rng(0), np.arange(300) % 3
    x = rng.normal(size=(300, 8)).astype(np.float32)
    x[:, :3] = scale * np.eye(3, dtype=np.float32)[label]
    weights, constant = whitened_means(sparse(x[:, :4]), sparse(x[:, :4].T), x[:, 4:], label, 3, ridge)
    assert np.isfinite(weights).all()
    assert ((x @ weights + constant).argmax(axis=1) == label).all()


def test_a_category_without_articles_is_nobodys_nearest() -> None:
    label, x = np.array([0, 0, 2, 2]), np.eye(4, dtype=np.float32)
    weights, constant = whitened_means(sparse(x), sparse(x.T), x[:, :0], label, 3, ridge=1.0)
    assert (x @ weights + constant).argmax(axis=1).tolist() == [0, 0, 2, 2]


def test_folds_are_spread_and_an_article_alone_in_its_category_always_teaches() -> None:
    label_rows = np.array([0] * 50 + [1] * 10 + [2])
    fold = stratified_folds(label_rows, np.random.default_rng(0))
    assert np.bincount(fold[:50]).tolist() == [10] * 5
    assert np.bincount(fold[50:60]).tolist() == [2] * 5
    assert fold[60] == -1


def drawn(scores: Matrix, rng: np.random.Generator) -> LabelRows:
    """A category for each row, drawn by its softmax."""
    cumulative = np.cumsum(probabilities(scores, 1.0), axis=1)
    rows: LabelRows = (rng.random((len(scores), 1)) > cumulative[:, :-1]).sum(axis=1)
    return rows


def test_the_temperature_of_scores_three_times_too_sure_is_three() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(scale=2, size=(4000, 4)).astype(np.float32)
    label_rows = drawn(scores, rng)
    assert best_temperature(3 * scores, label_rows) == pytest.approx(3, rel=0.12)
    assert best_temperature(scores[:5], label_rows[:5]) == 1  # too few to judge by


def test_a_member_that_knows_nothing_is_not_listened_to() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(scale=2, size=(2000, 3)).astype(np.float32)
    label_rows = drawn(scores, rng)
    noise = rng.normal(scale=2, size=scores.shape).astype(np.float32)
    powers = best_powers([log_probabilities(scores, 1.0), log_probabilities(noise, 1.0)], label_rows)
    assert powers == pytest.approx([1, 0], abs=0.1)


def test_the_ensemble_is_of_three_unless_told_otherwise(tmp_path: Path) -> None:
    words = {"sport": "goal match team coach league", "money": "bank profit market shares economy"}
    rng, truth = np.random.default_rng(0), ["sport", "money"] * 30
    texts = [rng.choice(words[name].split(), 6).tolist() for name in truth]
    documents = EncodedDocuments(
        [text[:2] for text in texts], [text[2:] for text in texts], np.full((60, 4), np.nan, "f4")
    )
    training_set = LabelledDocuments(documents, np.arange(60) % 2, ["sport", "money"], np.arange(60))
    config = CategoriesConfig(model="ensemble", epochs=6)
    classifier = fit_classifier(config.model, training_set, space("en"), config, 1).classifier
    assert isinstance(classifier, Ensemble)
    assert classifier.names == ["nearest-mean", "linear", "bag"]
    assert (classifier.scores(documents).argmax(axis=1) == training_set.label_rows).all()
    classifier.save(tmp_path)
    assert np.array_equal(LOADS["ensemble"](tmp_path).scores(documents), classifier.scores(documents))

"""Classifiers, ours and the baselines: held-out articles -> the category that each is given."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow.parquet as pq
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union
from sklearn.svm import LinearSVC

from benchmarks.categories.data import Corpus, Encoded, Folds
from recsys.articles.vectors import keyword_means
from recsys.categories.config import CategoriesConfig
from recsys.categories.documents import ArticleCorpus, read_documents
from recsys.categories.training import training_set_of
from recsys.classifiers import Flags
from recsys.classifiers.calibration import probabilities
from recsys.classifiers.config import ENSEMBLE
from recsys.classifiers.fitting import FittedClassifier, fit_classifier, fit_ensemble
from recsys.keywords import Keywords
from recsys.words import Matrix, unit_rows
from recsys.workspace import load_npy

TOP_KEYWORDS = (3, 10, 20)  # of the seed method: the mean of so many keywords' vectors, nearest mean of a category

Names = list[str | None]


class Answers(NamedTuple):
    """Answers of one model about held-out articles.

    Attributes:
        categories: of each, None without ground.
        confidences: of each, NaN where the model has none.
        seconds: of scoring, 0 where it was not measured.
    """

    categories: Names
    confidences: list[float]
    seconds: float


def ours(
    corpus: Corpus, encoded: Encoded, fold: int, models: Sequence[str], config: CategoriesConfig, seed: int
) -> Iterator[tuple[str, Answers]]:
    """Our models, each calibrated; the ensemble is made of ``ENSEMBLE`` without training them twice."""
    held: Flags = np.equal(corpus.folds, fold)
    given = [None if out else label for out, label in zip(held, corpus.labels, strict=True)]
    vectors = load_npy(encoded.folder / "articles" / "vectors.npy")
    tokens, keywords = (encoded.folder / f"{name}.parquet" for name in ("articles", "keywords"))
    articles = ArticleCorpus(tokens, keywords, vectors, [corpus.language] * len(given), given)
    training_set = training_set_of(articles, corpus.language, config, seed, Counter())
    if training_set is None:
        return
    documents = read_documents(articles, held)
    fitted: dict[str, FittedClassifier] = {}
    for name in dict.fromkeys((*models, *(ENSEMBLE if "ensemble" in models else ()))):
        if name != "ensemble":
            fitted[name] = fit_classifier(name, training_set, encoded.words, config, seed)
    if "ensemble" in models:
        fitted["ensemble"] = fit_ensemble(ENSEMBLE, [fitted[name] for name in ENSEMBLE])
    for name in models:
        began = time.process_time()
        shares = probabilities(fitted[name].classifier.scores(documents), fitted[name].temperature)
        yield name.replace("-", "_"), _answers(shares, training_set.labels, time.process_time() - began)


def _answers(shares: Matrix, labels: list[str], seconds: float) -> Answers:
    best = np.where(np.isnan(shares).any(axis=1), -1, np.argmax(np.nan_to_num(shares), axis=1))
    categories = [labels[place] if place >= 0 else None for place in best.tolist()]
    return Answers(categories, np.nan_to_num(shares).max(axis=1).tolist(), seconds)


def baselines(corpus: Corpus, encoded: Encoded, fold: int) -> Iterator[tuple[str, Answers]]:
    """The commonest category; means of vectors; what scikit-learn's users do."""
    training, held = np.flatnonzero(corpus.folds != fold), np.flatnonzero(corpus.folds == fold)
    labels = [corpus.labels[row] for row in training]
    common, count = Counter(labels).most_common(1)[0]
    yield "majority", Answers([common] * len(held), [count / len(labels)] * len(held), 0)
    for name, vectors in _mean_vectors(encoded).items():
        yield name, Answers(plain_means(vectors, labels, training, held), [float("nan")] * len(held), 0)
    for name, classifier in {"tfidf_lr": LogisticRegression(C=10, max_iter=1000), "tfidf_svm": LinearSVC()}.items():
        texts = [f"{title}\n{body}" for title, body in zip(corpus.titles, corpus.bodies, strict=True)]
        words = _words(encoded) if corpus.language == "zh" else [""] * len(texts)
        pairs = list(zip(words, texts, strict=True))
        pipeline = make_pipeline(_features(corpus.language), classifier)
        pipeline.fit([pairs[row] for row in training], labels)
        found = pipeline.predict([pairs[row] for row in held]).tolist()
        yield name, Answers(found, [float("nan")] * len(held), 0)


def _features(language: str) -> object:
    """English: words and pairs of words; Chinese: words, and characters 1 to 3 at a time."""
    if language != "zh":
        return TfidfVectorizer(preprocessor=_text, ngram_range=(1, 2), sublinear_tf=True)
    words = TfidfVectorizer(preprocessor=_cut, token_pattern=r"\S+", sublinear_tf=True)
    return make_union(
        words, TfidfVectorizer(preprocessor=_text, analyzer="char", ngram_range=(1, 3), sublinear_tf=True)
    )


def _cut(pair: tuple[str, str]) -> str:
    return pair[0]


def _text(pair: tuple[str, str]) -> str:
    return pair[1].lower()


def _words(encoded: Encoded) -> list[str]:
    table = pq.read_table(encoded.folder / "articles.parquet", columns=["title", "body"])
    columns = table["title"].to_pylist(), table["body"].to_pylist()
    return [" ".join(title + body) for title, body in zip(*columns, strict=True)]


def _mean_vectors(encoded: Encoded) -> dict[str, Matrix]:
    """Article vectors as they are, and the means of a few keywords' vectors."""
    table = pq.read_table(encoded.folder / "keywords.parquet", columns=["keywords", "weights", "parts"])
    rows = [Keywords(row["keywords"], np.array(row["weights"], np.float32), row["parts"]) for row in table.to_pylist()]
    found = {f"keyword_mean_{top}": keyword_means(rows, encoded.words, top) for top in TOP_KEYWORDS}
    return {"plain_mean": load_npy(encoded.folder / "articles" / "vectors.npy"), **found}


def plain_means(vectors: Matrix, labels: Sequence[str], training: Folds, held: Folds) -> Names:
    """The category whose mean is nearest by cosine, without whitening."""
    names, known, of = sorted(set(labels)), np.nan_to_num(vectors), np.array(labels)
    means = unit_rows(np.array([known[training][of == name].mean(axis=0) for name in names]))
    return [names[place] for place in (known[held] @ means.T).argmax(axis=1)]


def figures(truth: Sequence[str], answers: Answers) -> dict[str, float]:
    """Accuracy, macro-F1 over the true categories, mean confidence, documents/s; no category counts as wrong."""
    right, said, true = Counter[str](), Counter(answers.categories), Counter(truth)
    right.update(name for name, answer in zip(truth, answers.categories, strict=True) if name == answer)
    f1 = [2 * right[name] / (said[name] + true[name]) for name in true]
    values = {"accuracy": right.total() / len(truth), "macro_f1": float(np.mean(f1))}
    if np.isfinite(answers.confidences).any():
        values["confidence"] = float(np.nanmean(answers.confidences))
    if answers.seconds:
        values["documents_per_second"] = len(truth) / answers.seconds
    return values


Measure = Callable[[int], Iterator[tuple[str, Answers]]]


def over_folds(measure: Measure, corpus: Corpus) -> dict[str, dict[str, float]]:
    """Hold out each fold's labels once; figures over all held-out articles, by model."""
    truth: dict[str, list[str]] = {}
    answers: dict[str, Answers] = {}
    for fold in range(int(corpus.folds.max()) + 1):
        held = [label for label, part in zip(corpus.labels, corpus.folds, strict=True) if part == fold]
        for name, one in measure(fold) if held else ():
            old = answers.get(name, Answers([], [], 0))
            whole = old.categories + one.categories, old.confidences + one.confidences, old.seconds + one.seconds
            answers[name] = Answers(*whole)
            truth.setdefault(name, []).extend(held)
    return {name: figures(truth[name], one) for name, one in answers.items()}

"""How often the nearest category mean is right about articles whose category it was not told.

Runs the jobs' own code from text to category in a temporary folder: tokens, words, keywords, articles, categories. Held
out are the labels, not the texts: word vectors and frequencies are learned from all texts, since a site has the text of
an article before anyone has said what it is about. Texts that repeat stay in one fold.

    python -m benchmarks.categories --data ../shared/data/bbc/articles.jsonl.gz --folds 5
    python -m benchmarks.categories --train FILE --test FILE

Prints a table, and one JSON object on the last line (docs/design.md).
"""

import argparse
import gzip
import json
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.articles.batch import write_articles
from recsys.articles.vectors import text_vectors
from recsys.categories.documents import Catalogue
from recsys.categories.learning import fit_all
from recsys.categories.sorting import assign_all
from recsys.keywords import Ranker
from recsys.keywords.batch import BATCH_ROWS, count_articles, write_keywords
from recsys.settings import Settings, load_settings
from recsys.tokens import write_tokens
from recsys.words import Matrix, WordVectors, load_words, save_words, unit_rows
from recsys.words.training import train
from recsys.workspace import load_npy, read_table

Folds = npt.NDArray[np.int64]


class Corpus(NamedTuple):
    """A labelled data set.

    Attributes:
        texts: string columns id, title, body, language.
        labels: each article's true category.
        folds: int64 (A,), the fold in which the label is held out; -1 is never held out.
    """

    texts: pa.Table
    labels: list[str]
    folds: Folds


def read_articles(file: Path) -> list[dict[str, Any]]:
    """Rows of a JSON-lines file, compressed or not."""
    data = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    return [json.loads(line) for line in data.splitlines() if line.strip()]


def as_corpus(rows: Sequence[dict[str, Any]], folds: Folds) -> Corpus:
    """Rows with title, body and category as a corpus; ids are made up."""
    columns: dict[str, list[str | None]] = {
        "id": [f"{place:09}" for place in range(len(rows))],
        "title": [row.get("title", "") for row in rows],
        "body": [row.get("body", "") for row in rows],
        "language": [row.get("language") for row in rows],
    }
    schema = pa.schema([(name, pa.string()) for name in columns])
    return Corpus(pa.table(columns, schema=schema), [row["category"] for row in rows], folds)


def cross_validation(rows: Sequence[dict[str, Any]], folds: int, rng: np.random.Generator) -> Folds:
    """Draw a fold for each article; equal texts get the same one."""
    fold_of: dict[str, int] = {}
    for row in rows:
        fold_of.setdefault(_text(row), int(rng.integers(folds)))
    return np.array([fold_of[_text(row)] for row in rows], dtype=np.int64)


def _text(row: dict[str, Any]) -> str:
    """What makes two texts the same: the body, or the title of an article that has none."""
    return " ".join(str(row.get("body") or row["title"]).lower().split())


def encode(corpus: Corpus, folder: Path, settings: Settings, seed: int) -> tuple[Matrix, list[str], dict[str, float]]:
    """Text to article vectors through the jobs' code.

    Returns:
        float32 (A, D); each article's language; seconds by stage.
    """
    began = [time.perf_counter()]
    write_tokens(corpus.texts.to_batches(BATCH_ROWS), folder, settings.tokens)
    began.append(time.perf_counter())
    words = train(folder / "corpus.txt", settings.words, seed, settings.jobs.workers).words
    save_words(words, folder)
    began.append(time.perf_counter())
    source = pq.ParquetFile(folder / "articles.parquet")
    ranker = Ranker(words, count_articles(source.iter_batches(BATCH_ROWS), words), settings.keywords)
    write_keywords(source.iter_batches(BATCH_ROWS), ranker, folder)
    began.append(time.perf_counter())
    (folder / "articles").mkdir()
    made = text_vectors(folder, folder, settings.articles)
    write_articles(folder / "articles.parquet", folder / "keywords.parquet", made, folder / "articles")
    began.append(time.perf_counter())
    seconds = dict(zip(("tokens", "words", "keywords", "articles"), np.diff(began).tolist(), strict=True))
    vectors, ids = load_npy(folder / "articles" / "vectors.npy"), read_table(folder / "articles" / "ids.parquet")
    return vectors, ids["language"].to_pylist(), seconds


def predictions(
    corpus: Corpus, tokens: Path, words: WordVectors, vectors: Matrix, languages: list[str], settings: Settings
) -> Iterator[tuple[str, int, str | None, float]]:
    """Hold out each fold's labels once.

    Yields:
        Model name, the held-out article's row, the category it was given, the confidence.
    """
    for fold in range(int(corpus.folds.max()) + 1):
        held_out = np.flatnonzero(corpus.folds == fold)
        given: list[str | None] = list(corpus.labels)
        for row in held_out.tolist():
            given[row] = None
        taught = [row for row, label in enumerate(given) if label]
        catalogue = Catalogue(tokens, tokens, vectors, languages, given)
        assigned = assign_all(fit_all(catalogue, words, settings.categories, seed=1)[0], catalogue)
        majority = Counter(corpus.labels[row] for row in taught).most_common(1)[0]
        plain = plain_means(vectors, corpus.labels, taught, held_out)
        for row, nearest in zip(held_out.tolist(), plain, strict=True):
            yield "nearest_mean", row, assigned[row].category, assigned[row].confidence
            yield "majority", row, majority[0], majority[1] / len(taught)
            yield "plain_mean", row, nearest, float("nan")


def plain_means(vectors: Matrix, labels: Sequence[str], taught: list[int], held_out: Folds) -> list[str]:
    """The baseline: cosine to each category's mean, without whitening."""
    names = sorted({labels[row] for row in taught})
    known = np.nan_to_num(vectors)
    label = np.array([labels[row] for row in taught])
    means = unit_rows(np.array([known[taught][label == name].mean(axis=0) for name in names]))
    return [names[place] for place in (known[held_out] @ means.T).argmax(axis=1)]


def figures(truth: Sequence[str], found: Sequence[str | None], confidence: Sequence[float]) -> dict[str, float]:
    """Accuracy, macro-F1 over the true categories, and the mean confidence; no category counts as wrong."""
    right, said, true = Counter[str](), Counter(found), Counter(truth)
    right.update(name for name, answer in zip(truth, found, strict=True) if name == answer)
    f1 = [2 * right[name] / (said[name] + true[name]) for name in true]
    values = {"accuracy": right.total() / len(truth), "macro_f1": float(np.mean(f1))}
    if np.isfinite(confidence).any():
        values["confidence"] = float(np.nanmean(confidence))
    return {name: round(value, 4) for name, value in values.items()}


def measure(corpus: Corpus, settings: Settings, seed: int) -> dict[str, Any]:
    """Run everything; returns the JSON object of docs/design.md."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        vectors, languages, seconds = encode(corpus, Path(folder), settings, seed)
        answers: dict[str, list[tuple[str, str | None, float]]] = {}
        words, tokens = load_words(Path(folder)), Path(folder) / "articles.parquet"
        for model, row, category, confidence in predictions(corpus, tokens, words, vectors, languages, settings):
            answers.setdefault(model, []).append((corpus.labels[row], category, confidence))
    table = {model: figures(*zip(*rows, strict=True)) for model, rows in answers.items()}
    ours = table.pop("nearest_mean")
    reading = sum(value for stage, value in seconds.items() if stage != "words")
    ours["documents_per_second"] = round(len(corpus.labels) / reading)  # from text to vector, word training not counted
    return {
        "ours": {"nearest_mean": ours},
        "baselines": table,
        "best": ours,
        "seconds": round(time.perf_counter() - began, 1),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "seed": seed,
    }


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.categories", description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, help="JSON lines with title, body, category; labels held out by folds")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--train", type=Path, help="JSON lines that keep their labels")
    parser.add_argument("--test", type=Path, help="JSON lines whose labels are held out")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.data:
        rows = read_articles(options.data)
        folds = cross_validation(rows, options.folds, np.random.default_rng(options.seed))
    elif options.train and options.test:
        parts = read_articles(options.train), read_articles(options.test)
        rows = [*parts[0], *parts[1]]
        folds = np.repeat([-1, 0], [len(part) for part in parts])
    else:
        parser.error("give --data, or --train and --test")
    result = measure(as_corpus(rows, folds), load_settings(), options.seed)
    for name, values in (result["ours"] | result["baselines"]).items():
        print(f"{name:14}" + "".join(f"  {figure} {value}" for figure, value in values.items()))
    print(json.dumps(result))


if __name__ == "__main__":
    main()

"""Speed, memory and human agreement of word vectors learned from raw text.

Ours is the jobs' own code: texts cut in several processes → corpus file → counts → gensim on the file; tags and word
classes, which the tokens job learns as well, are the keywords' and not made here. The baseline is gensim as it is used
without a file: all texts in memory as lists of words, cut by its ``simple_preprocess`` (Chinese by rjieba, as ours),
given to the same model with the same dimensions, window, epochs and threads. Every run is a process of its own, so that
its peak memory is its own; the time to import is not counted. Words per second: the corpus's tokens times the epochs,
by the whole time from the first line of raw text.

    python -m benchmarks.words
    python -m benchmarks.words --corpus ../shared/data/bbc/articles.jsonl.gz
    python -m benchmarks.words --corpus FILE --similarity ../shared/data/zh/wordsim240.txt --models skip-gram glove

Prints a table, and one JSON object on the last line (docs/design.md). Without a corpus: the 300 texts inside gensim.
"""

import argparse
import gzip
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import rjieba
import torch
from gensim.models.word2vec import Word2Vec
from gensim.test.utils import datapath
from gensim.utils import simple_preprocess
from threadpoolctl import threadpool_limits

from recsys.languages import detect
from recsys.parallel import in_processes
from recsys.settings import load_settings
from recsys.tokens import BATCH_ARTICLES, LINE_TOKENS
from recsys.tokens.batches import bounded_batches, segmenting
from recsys.tokens.config import TokensConfig
from recsys.words import WordVectors, glove
from recsys.words.config import WordsConfig
from recsys.words.cooccurrence import count_pairs
from recsys.words.corpus import MAX_VOCABULARY, NOISE_WORDS, choose_vocabulary, count_words
from recsys.words.evaluation import word_similarity
from recsys.words.training import train

MODELS: dict[str, dict[str, Any]] = {
    "skip-gram": {"model": "skip-gram"},
    "skip-gram-hs": {"model": "skip-gram", "output": "hierarchical-softmax"},
    "cbow": {"model": "cbow"},
    "cbow-hs": {"model": "cbow", "output": "hierarchical-softmax"},
    "pv-dm": {"model": "pv-dm"},
    "pv-dbow": {"model": "pv-dbow"},
    "glove": {"model": "glove"},
}
RACED = ("skip-gram", "cbow")  # against gensim's path in memory
LARGER = 4  # times the corpus, for the growth of memory
TEXT_FIELDS = ("title", "body", "text")

Figures = dict[str, float | None]


def read_texts(file: Path, times: int) -> Iterator[str]:
    """The texts of a corpus, ``times`` over: raw lines, or title, body and text of JSON lines; compressed or not."""
    for _ in range(times):
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as lines:
            for line in lines:
                if ".json" not in file.name:
                    yield line.decode("utf-8", "replace")
                elif line.strip():
                    row = json.loads(line)
                    yield "\n".join(str(row[name]) for name in TEXT_FIELDS if row.get(name))


def batches(texts: Iterator[str]) -> Iterator[pa.RecordBatch]:
    """Texts as the tokens room takes them."""
    while rows := list(islice(texts, BATCH_ARTICLES)):
        nothing = pa.nulls(len(rows), pa.string())
        columns = [pa.array(["text"] * len(rows)), nothing, pa.array(rows), nothing]
        yield pa.record_batch(columns, names=["id", "title", "body", "language"])


def run_ours(options: argparse.Namespace, config: WordsConfig) -> tuple[Figures, WordVectors]:
    """Raw text to vectors through the jobs' code."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        began = time.perf_counter()
        tokens = write_corpus(options, folder / "corpus.txt")
        trained = train(folder / "corpus.txt", config, options.seed, options.workers)
        seconds = time.perf_counter() - began
    return {"words_per_second": round(tokens * len(trained.losses) / seconds), "tokens": tokens}, trained.words


def write_corpus(options: argparse.Namespace, file: Path) -> int:
    """Raw text to a corpus file, as the tokens job cuts it; returns the number of its tokens."""
    tokens = 0
    with file.open("w", encoding="utf-8") as corpus:
        texts = batches(read_texts(options.corpus, options.times))
        for batch in in_processes(segmenting(TokensConfig()), bounded_batches(texts), options.workers):
            words = batch.column("words")
            lists = pa.ListArray.from_arrays(words.offsets, words.values.dictionary_decode())
            for line in pc.binary_join(lists, " ").to_pylist():
                parts = line.split()
                tokens += len(parts)
                for start in range(0, len(parts), LINE_TOKENS):
                    corpus.write(" ".join(parts[start : start + LINE_TOKENS]) + "\n")
    return tokens


def run_gensim(options: argparse.Namespace, config: WordsConfig) -> tuple[Figures, WordVectors]:
    """Raw text to vectors with lists in memory."""
    began = time.perf_counter()
    texts = [cut(text) for text in read_texts(options.corpus, options.times)]
    model = Word2Vec(
        texts,
        vector_size=config.embedding_dim,
        window=config.window,
        min_count=config.min_count,
        sg=int(config.model == "skip-gram"),
        negative=NOISE_WORDS,
        alpha=config.learning_rate,
        sample=config.subsample,
        epochs=config.epochs,
        seed=options.seed,
        workers=options.workers,
    )
    seconds = time.perf_counter() - began
    counts = np.array([model.wv.get_vecattr(word, "count") for word in model.wv.index_to_key], dtype=np.int64)
    rate = model.corpus_total_words * config.epochs / seconds
    figures: Figures = {"words_per_second": round(rate), "tokens": model.corpus_total_words}
    return figures, WordVectors(list(model.wv.index_to_key), counts, model.wv.vectors)


def cut(text: str) -> list[str]:
    """Words as a user of gensim cuts them."""
    if detect(text) == "zh":
        return [word for word in rjieba.cut(text) if word.strip()]
    words: list[str] = simple_preprocess(text, min_len=1, max_len=40)
    return words


def run_updates(options: argparse.Namespace, config: WordsConfig) -> tuple[Figures, WordVectors | None]:
    """Co-occurrence updates per second of GloVe's training alone."""
    with tempfile.TemporaryDirectory() as name:
        corpus = Path(name) / "corpus.txt"
        write_corpus(options, corpus)
        counts, lines = count_words(corpus)
        vocabulary = choose_vocabulary(counts, lines, config.min_count, MAX_VOCABULARY, {})
        rng = np.random.default_rng(options.seed)
        cells = count_pairs(corpus, vocabulary.row_of, config.window)
    parts = glove.make_batches(cells, glove.X_MAX, glove.CELLS_PER_STEP, rng)
    state = glove.initial_state(len(vocabulary.words), config.embedding_dim, None, rng)
    updates, began = 0, time.perf_counter()
    for part in parts * config.epochs:
        glove.step(state, part, config.learning_rate)
        updates += len(part.logs)
    return {"updates_per_second": round(updates / (time.perf_counter() - began)), "updates": updates}, None


PATHS = {"ours": run_ours, "gensim": run_gensim, "updates": run_updates}


def run_one(options: argparse.Namespace) -> Figures:
    """One measurement, in this process."""
    config = load_settings().words.model_copy(update={**MODELS[options.model], "epochs": options.epochs})
    torch.set_num_threads(options.workers)
    with threadpool_limits(options.workers):
        figures, words = PATHS[options.path](options, config)
    figures["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    if words is not None:
        agreements = word_similarity(words, options.similarity)
        figures |= {row["name"].lower(): row["spearman"] for row in agreements}
        figures |= {f"{row['name'].lower()}_covered": row["covered"] for row in agreements}
    return figures


def measured(options: argparse.Namespace, path: str, model: str, times: int = 1, epochs: int | None = None) -> Figures:
    """One measurement, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.words", "--path", path, "--model", model, "--times", str(times)]
    command += ["--corpus", str(options.corpus), "--epochs", str(epochs or options.epochs)]
    command += ["--workers", str(options.workers), "--seed", str(options.seed)]
    command += ["--similarity", *map(str, options.similarity)] if options.similarity else []
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    print(f"{path:8} {model:19} ×{times}" + "".join(f"  {name} {value}" for name, value in figures.items()), flush=True)
    return figures


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Run everything; returns the JSON object of docs/design.md."""
    began = time.perf_counter()
    ours = {model: measured(options, "ours", model) for model in options.models}
    baselines = {f"gensim_{model}": measured(options, "gensim", model) for model in RACED if model in ours}
    for model in (name for name in RACED if name in ours):
        fast, slow = ours[model]["words_per_second"], baselines[f"gensim_{model}"]["words_per_second"]
        ours[model]["speed_ratio"] = round((fast or 0) / (slow or 1), 3)
    if "glove" in ours:
        ours["glove"] |= measured(options, "updates", "glove") | {"peak_mib": ours["glove"]["peak_mib"]}
    for path, table, name in (("ours", ours, "skip-gram"), ("gensim", baselines, "gensim_skip-gram")):
        small, large = (measured(options, path, "skip-gram", times, 1)["peak_mib"] for times in (1, LARGER))
        table.setdefault(name, {}).update(peak_mib_1x=small, peak_mib_4x=large)
    figures = sorted({name for row in ours.values() for name in row if not name.endswith(("tokens", "covered"))})
    return {
        "ours": ours,
        "baselines": baselines,
        "best": {name: best(name, ours) for name in figures},
        "seconds": round(time.perf_counter() - began, 1),
        "peak_mib": max(row.get("peak_mib") or 0 for row in ours.values()),
        "seed": options.seed,
    }


def best(name: str, ours: dict[str, Figures]) -> float | None:
    """The best of our models in one figure: memory as little as possible, all else as much."""
    values = [value for row in ours.values() if (value := row.get(name)) is not None]
    return (min if "peak" in name else max)(values, default=None)


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.words", description=__doc__.split("\n")[0])
    parser.add_argument("--corpus", type=Path, default=Path(datapath("lee_background.cor")), help="lines or JSON lines")
    parser.add_argument("--similarity", type=Path, nargs="*", default=[], help="files of word pairs with scores")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--path", choices=PATHS, help="one measurement in this process: what the others are made of")
    parser.add_argument("--model", choices=MODELS, default="skip-gram", help="of that measurement")
    parser.add_argument("--times", type=int, default=1, help="of that measurement: the corpus so many times over")
    options = parser.parse_args()
    print(json.dumps(run_one(options) if options.path else measure(options)))


if __name__ == "__main__":
    main()

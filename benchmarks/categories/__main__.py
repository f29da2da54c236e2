"""Benchmark of the classifiers: accuracy on articles whose category is held out, beside baselines.

Ours runs through the jobs' own code from text to category: tokens, words, keywords, articles, categories. Held out are
the labels, not the texts: word vectors and frequencies are learned from all texts, since a site has the text of an
article before anyone has said what it is about. Texts that repeat stay in one fold.

    python -m benchmarks.categories --data ../shared/data/bbc/articles.jsonl.gz --folds 5
    python -m benchmarks.categories --train FILE --test FILE --seeds 1,2,3
    python -m benchmarks.categories --data FILE --models nearest-mean,linear,bag,ensemble --encoders

Rows hold title, body or text, and category or label. Prints a table, and one JSON object on the last line
(docs/design.md). Seconds per document are of the CPU.
"""

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.categories.data import Corpus, as_corpus, cross_validation, encode, read_articles
from benchmarks.categories.encoders import compare
from benchmarks.categories.models import baselines, ours, over_folds
from recsys.settings import Settings, load_settings

MODELS = ("nearest-mean", "linear", "ensemble")

Table = dict[str, dict[str, float]]


def measure(corpus: Corpus, settings: Settings, models: Sequence[str], seed: int) -> tuple[Table, Table]:
    """One run of everything.

    Returns:
        The figures of our models, and of the baselines.
    """
    with tempfile.TemporaryDirectory() as folder:
        encoded = encode(corpus, Path(folder), settings, seed)
        sorting = partial(ours, corpus, encoded, models=models, config=settings.categories, seed=seed)
        table = over_folds(sorting, corpus), over_folds(partial(baselines, corpus, encoded), corpus)
    seconds = sum(value for stage, value in encoded.seconds.items() if stage != "words")
    for values in table[0].values():  # from text to vector, word training not counted, and then to a category
        values["documents_per_second"] = 1 / (seconds / len(corpus.labels) + 1 / values["documents_per_second"])
    return table


def averaged(tables: Sequence[Table]) -> Table:
    """The mean of each figure over the seeds; of accuracy also the spread, largest minus smallest."""
    found: Table = {}
    for model in tables[0]:
        rows = [table[model] for table in tables]
        found[model] = {name: round(float(np.mean([row[name] for row in rows])), 4) for name in rows[0]}
        accuracies = [row["accuracy"] for row in rows]
        if len(rows) > 1:
            found[model]["accuracy_spread"] = round(max(accuracies) - min(accuracies), 4)
    return found


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.categories", description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, help="JSON lines; labels held out by folds")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--train", type=Path, help="JSON lines that keep their labels")
    parser.add_argument("--test", type=Path, help="JSON lines whose labels are held out")
    parser.add_argument("--models", default=",".join(MODELS), help="of categories.model in config.yaml, with commas")
    parser.add_argument("--encoders", action="store_true", help="compare article vectors as well")
    parser.add_argument("--seeds", default="1", help="with commas: everything once for each, means and spread reported")
    options = parser.parse_args()
    if not options.data and not (options.train and options.test):
        parser.error("give --data, or --train and --test")
    began, settings, seeds = time.perf_counter(), load_settings(), [int(seed) for seed in options.seeds.split(",")]
    runs = [measure(corpus_of(options, seed), settings, options.models.split(","), seed) for seed in seeds]
    table, beside = averaged([run[0] for run in runs]), averaged([run[1] for run in runs])
    result: dict[str, Any] = {"ours": table, "baselines": beside}
    if options.encoders:
        rows = compare(corpus_of(options, seeds[0]), settings, seeds[0])
        result["encoders"] = {name: {key: round(value, 4) for key, value in one.items()} for name, one in rows}
    result |= {
        "best": max(table.values(), key=lambda row: row["accuracy"]),
        "seconds": round(time.perf_counter() - began, 1),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "seed": seeds[0],
    }
    for name, values in (table | beside | result.get("encoders", {})).items():
        print(f"{name:16}" + "".join(f"  {figure} {value}" for figure, value in values.items()))
    print(json.dumps(result))


def corpus_of(options: argparse.Namespace, seed: int) -> Corpus:
    """The rows that the command line names, with the folds of a seed."""
    if options.data:
        rows = read_articles(options.data)
        return as_corpus(rows, cross_validation(rows, options.folds, np.random.default_rng(seed)))
    parts = read_articles(options.train), read_articles(options.test)
    return as_corpus([*parts[0], *parts[1]], np.repeat([-1, 0], [len(part) for part in parts]))


if __name__ == "__main__":
    main()

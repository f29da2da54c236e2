"""Stories against the events that people grouped, beside what others do, and pairs of texts of one topic or two.

    python -m benchmarks.stories --stream ../shared/data/stories/en_stream.jsonl.gz
    python -m benchmarks.stories --pairs ../shared/data/stories/zh_pairs.jsonl.gz

Ours takes one article after the other in the order of the file and is judged by the story that each was given when it
came: nothing later is used. ``after_the_night`` is what the night's look at the graph leaves of it, once all is there.
``b3_f1`` and ``pair_f1`` of ours are those of the threshold that is shipped; of a baseline those of its best threshold
on this very file. Seconds are of the CPU.

Prints a table, and one JSON object on the last line.
"""

import argparse
import json
import resource
import time
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.stories import baselines
from benchmarks.stories.data import LabelledArticle, read_pairs, read_stream
from benchmarks.stories.judging import PRECISE, b_cubed, pairwise
from benchmarks.stories.pairs import BASELINES, pair_figures
from benchmarks.stories.pairs import ours as ours_of_pairs
from recsys.stories.night import StoryArticle, stories_in_order
from recsys.stories.story_index import DEFAULT_THRESHOLD, StoryIndex

THRESHOLDS = (0.002, 0.005, 0.01, 0.02, 0.035, 0.06, 0.1, 0.2, 0.4, 0.8)

Clusters = Sequence[Hashable]
Method = Callable[[float], Clusters]
Figures = dict[str, float]


def ours(articles: Sequence[LabelledArticle], threshold: float) -> list[str]:
    """Story of each article when it came."""
    index = StoryIndex(threshold)
    return [index.place(article.id, article.title, article.body, article.time).story for article in articles]


def after_the_night(articles: Sequence[LabelledArticle], threshold: float) -> list[str]:
    """The same after the night's look at each story as a graph, which has seen all articles."""
    rows = [StoryArticle(article.id, article.title, article.body, article.time, None) for article in articles]
    story_of = stories_in_order(rows, StoryIndex(threshold)).story_of
    return [story_of[article.id] for article in articles]


def figures(articles: Sequence[LabelledArticle], method: Method, thresholds: Sequence[float], own: float) -> Figures:
    """Figures of one method over its thresholds; ``own`` is the shipped one, NaN for the best."""
    stories = [article.story for article in articles]
    swept, seconds = {}, {}
    for threshold in thresholds:
        began = time.process_time()
        clusters = method(threshold)
        seconds[threshold] = time.process_time() - began
        swept[threshold] = b_cubed(stories, clusters), pairwise(stories, clusters), len(set(clusters))
    best = max(swept, key=lambda threshold: swept[threshold][0].f1)
    chosen = own if own in swept else best
    b3, pairs, number = swept[chosen]
    precise = [row.recall for row, _, _ in swept.values() if row.precision >= PRECISE]
    return {
        "b3_f1": round(b3.f1, 4),
        "b3_precision": round(b3.precision, 4),
        "b3_recall": round(b3.recall, 4),
        "b3_f1_best_threshold": round(swept[best][0].f1, 4),
        "pair_f1": round(pairs.f1, 4),
        "recall_at_b3_95": round(max(precise, default=0.0), 4),
        "threshold": chosen,
        "clusters": number,
        "articles_per_second": round(len(articles) / max(seconds[chosen], 1e-9)),
    }


def measure_stream(articles: Sequence[LabelledArticle], seed: int) -> tuple[dict[str, Figures], dict[str, Figures]]:
    """Ours and the baselines on one stream."""
    best = float("nan")
    methods: dict[str, tuple[Method, Sequence[float]]] = {
        "single_pass_tf_idf": (partial(baselines.single_pass_tf_idf, articles), baselines.SINGLE_PASS_THRESHOLDS),
        "louvain_20_neighbours": (lambda value: baselines.louvain(articles, value, seed), baselines.RESOLUTIONS),
        "min_hash": (lambda _: baselines.min_hash(articles), (0.0,)),
    }
    rules: dict[str, Method] = {
        "single_pass": partial(ours, articles),
        "after_the_night": partial(after_the_night, articles),
    }
    mine = {name: figures(articles, rule, THRESHOLDS, DEFAULT_THRESHOLD) for name, rule in rules.items()}
    others = {name: figures(articles, method, values, best) for name, (method, values) in methods.items()}
    return mine, others


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Run what was asked for; returns the JSON object."""
    began = time.perf_counter()
    mine: dict[str, Figures] = {}
    others: dict[str, Figures] = {}
    sizes: dict[str, int] = {}
    if options.stream:
        articles = read_stream(options.stream)
        mine, others = measure_stream(articles, options.seed)
        sizes |= {"articles": len(articles), "stories": len({article.story for article in articles})}
    if options.pairs:
        pairs = read_pairs(options.pairs)
        mine["similarity"] = pair_figures(pairs, ours_of_pairs)
        others |= {f"pairs_{name}": pair_figures(pairs, scorer) for name, scorer in BASELINES.items()}
        sizes["pairs"] = len(pairs)
    return {
        "ours": mine,
        "baselines": others,
        "best": mine.get("single_pass", {}) | mine.get("similarity", {}),
        **sizes,
        "seconds": round(time.perf_counter() - began, 1),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "seed": options.seed,
    }


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stories", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--stream", type=Path, help="JSON lines: title, story; id, time (ms), body where known")
    parser.add_argument("--pairs", type=Path, help="JSON lines: one, other, same_topic (0 or 1)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if not (options.stream or options.pairs):
        parser.error("give --stream FILE, --pairs FILE, or both")
    result = measure(options)
    for name, row in (result["ours"] | result["baselines"]).items():
        print(f"{name:24}" + "".join(f"  {figure} {value}" for figure, value in row.items()))
    print(json.dumps(result))


if __name__ == "__main__":
    main()

"""Keywords against the keys that people gave, beside what others do, with paired bootstrap intervals.

Ours runs through the jobs' own code. Word vectors and frequencies are learned from the texts of the data set itself
(never its keys), of every --corpus file, and, for English, of the 300 news texts that come inside gensim.

    python -m benchmarks.keywords --data ../shared/data/keyphrases/duc2001.jsonl.gz --ablation
    python -m benchmarks.keywords --data ../shared/data/zh/tnews.jsonl.gz --corpus ../shared/data/zh/nlpcc2017.jsonl.gz
    python -m benchmarks.keywords --data FILE --style words

Prints tables, and one JSON object on the last line (docs/design.md). Seconds are of the CPU.
"""

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from gensim.test.utils import datapath
from matplotlib.figure import Figure

from benchmarks.bootstrap import Interval, Vector, paired_interval
from benchmarks.keywords.data import Document, read_documents, read_texts
from benchmarks.keywords.judging import Judged, judge
from benchmarks.keywords.packages import baselines_of
from benchmarks.keywords.pipeline import LEVERS, Prepared, prepare, random_vectors, ranked, without
from benchmarks.keywords.texts import as_texts
from recsys.languages import detect
from recsys.settings import Settings, load_settings

OURS, NO_GRAPH, RANDOM = "ours", "ours_without_graph", "ours_random_vectors"
LEE = "lee_background.cor"  # inside the gensim package
LANGUAGE_SAMPLE = 200  # documents by which the language of the set is detected before any is tokenised
MAIN_FIGURE = "f1@10"
OURS_COLOUR, OTHERS_COLOUR = "#b3261e", "#9aa0a6"

Judgements = dict[str, Judged]
Seconds = dict[str, float]
Figures = dict[str, dict[str, float]]


def corpus_of(documents: Sequence[Document], files: Sequence[Path]) -> Iterator[tuple[str, str]]:
    """The texts that words are learned from beside the data set's own."""
    languages = [detect(f"{document.title} {document.body[:500]}") for document in documents[:LANGUAGE_SAMPLE]]
    if languages.count("en") * 2 > len(languages):
        yield from read_texts(Path(datapath(LEE)))
    for file in files:
        yield from read_texts(file)


def judge_ours(
    prepared: Prepared, documents: Sequence[Document], settings: Settings, seed: int
) -> tuple[Judgements, Seconds]:
    """Ours, the same without a graph, and the same with random vectors."""
    plain, random = settings.keywords, random_vectors(prepared.words, np.random.default_rng(seed))
    rows = {
        OURS: ranked(prepared, plain),
        NO_GRAPH: ranked(prepared, *without(plain, "graph")),
        RANDOM: ranked(prepared, plain, words=random),
    }
    judged = {name: judge(keys, documents, prepared.language) for name, (keys, _) in rows.items()}
    return judged, {name: seconds for name, (_, seconds) in rows.items()}


def judge_baselines(prepared: Prepared, documents: Sequence[Document], style: str) -> tuple[Judgements, Seconds]:
    """Baselines on the same documents."""
    texts = as_texts(prepared.documents, [f"{document.title}\n{document.body}".strip() for document in documents])
    judged: Judgements = {}
    seconds: Seconds = {}
    for name, method in baselines_of(prepared.language, style).items():
        method(texts[:1])  # dictionaries load at the first call
        began = time.process_time()
        keys = method(texts)
        seconds[name] = time.process_time() - began
        judged[name] = judge(keys, documents, prepared.language)
    return judged, seconds


def judge_levers(prepared: Prepared, documents: Sequence[Document], settings: Settings) -> Judgements:
    """Ours with one lever switched off at a time."""
    return {
        lever: judge(ranked(prepared, *without(settings.keywords, lever))[0], documents, prepared.language)
        for lever in LEVERS
    }


def differences(ours: Judged, others: Mapping[str, Judged], seed: int) -> dict[str, dict[str, Interval]]:
    """Ours minus each other row, by figure, with paired bootstrap intervals over documents."""
    return {
        name: {
            figure: paired_interval(values, other.values[figure], np.random.default_rng(seed))
            for figure, values in ours.values.items()
            if np.isfinite(values).any()
        }
        for name, other in others.items()
    }


def figures(judged: Judgements, seconds: Seconds) -> Figures:
    """Every row's figures: F1 in per cent, and documents per CPU second; a figure that no document has is left out."""
    return {
        name: {figure: round(100 * mean, 2) for figure, mean in rows.means().items() if np.isfinite(mean)}
        | {"documents_per_second": round(len(rows.values[MAIN_FIGURE]) / max(seconds[name], 1e-9), 1)}
        for name, rows in judged.items()
    }


def measure(options: argparse.Namespace, settings: Settings) -> tuple[dict[str, Any], Judgements]:
    """Run everything; returns the JSON object of docs/design.md, and every row's judgement."""
    began = time.perf_counter()
    documents, skipped = read_documents(options.data, options.limit)
    with tempfile.TemporaryDirectory() as folder:
        corpus = corpus_of(documents, options.corpus)
        prepared = prepare(documents, corpus, Path(folder), settings, options.seed)
        ours, ours_seconds = judge_ours(prepared, documents, settings, options.seed)
        levers = judge_levers(prepared, documents, settings) if options.ablation else {}
    others, others_seconds = judge_baselines(prepared, documents, settings.keywords.style)
    rest = {name: rows for name, rows in (ours | others).items() if name != OURS}
    summary = {
        "differences": as_percent(differences(ours[OURS], rest, options.seed)),
        "ablation": as_percent(differences(ours[OURS], levers, options.seed)),
        "documents": len(documents),
        "skipped": skipped,
        "language": prepared.language,
        "style": settings.keywords.style,
        "unit": "per cent",
        "stage_seconds": {stage: round(value, 2) for stage, value in prepared.seconds.items()},
        "seconds": round(time.perf_counter() - began, 1),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "seed": options.seed,
    }
    return models(figures(ours, ours_seconds), figures(others, others_seconds)) | summary, ours | others


def models(ours: Figures, others: Figures) -> dict[str, Any]:
    """The rows as the JSON object has them; in Chinese ours also says how many times as fast as jieba's it is."""
    if jieba := others.get("jieba_textrank"):
        times = ours[OURS]["documents_per_second"] / jieba["documents_per_second"]
        ours[OURS]["times_jieba_textrank"] = round(times, 1)
    return {"ours": ours, "baselines": others, "best": ours[OURS]}


def as_percent(table: dict[str, dict[str, Interval]]) -> dict[str, dict[str, dict[str, float]]]:
    """Intervals in points of F1."""
    return {
        name: {
            figure: {part: round(100 * value, 2) for part, value in interval._asdict().items()}
            for figure, interval in row.items()
        }
        for name, row in table.items()
    }


def show(result: dict[str, Any]) -> None:
    """Print the tables."""
    print("  ".join(f"{name}: {result[name]}" for name in ("documents", "skipped", "language", "style")))
    for name, row in (result["ours"] | result["baselines"]).items():
        print(f"{name:24}" + "".join(f"  {figure} {value:.1f}" for figure, value in row.items()))
    for title, table in (("ours minus", result["differences"]), ("worth of", result["ablation"])):
        for name, row in table.items():
            shown = (
                f"  {figure} {cell['difference']:+.2f} [{cell['low']:+.2f}, {cell['high']:+.2f}]"
                for figure, cell in row.items()
            )
            print(f"{title} {name:24}" + "".join(shown))


def draw(values: Mapping[str, Vector], file: Path, seed: int) -> None:
    """Draw one bar per method with the 95 % bootstrap interval of its mean.

    Args:
        values: method -> float64 (N,), F1@10 of each document.
        file: .svg or .png; equal input gives equal bytes.
        seed: of the resamples.
    """
    means = [paired_interval(row, np.zeros_like(row), np.random.default_rng(seed)) for row in values.values()]
    centre = np.array([mean.difference for mean in means]) * 100
    reach = np.array([[mean.difference - mean.low, mean.high - mean.difference] for mean in means]).T * 100  # (2, rows)
    names = [name.replace("_", " ") for name in values]
    colours = [OURS_COLOUR if name.startswith("ours") else OTHERS_COLOUR for name in values]
    with mpl.rc_context({"svg.hashsalt": "keywords", "font.size": 11}):
        figure = Figure(figsize=(8, 0.45 * len(names) + 1), layout="constrained")
        axes = figure.subplots()
        axes.barh(names, centre, xerr=reach, color=colours, ecolor="#3c4043", capsize=3)
        axes.invert_yaxis()
        axes.set_xlabel("F1@10, per cent, with 95 % intervals over documents")
        axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(file, metadata={"Date": None} if file.suffix == ".svg" else None)


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.keywords", description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="JSON lines with text (or title, body) and keyphrases")
    parser.add_argument("--corpus", type=Path, nargs="*", default=[], help="further texts to learn words from")
    parser.add_argument("--style", choices=("phrases", "words"), help="default: keywords.style")
    parser.add_argument("--ablation", action="store_true", help="switch each lever off in turn")
    parser.add_argument("--limit", type=int, help="rows read at most")
    parser.add_argument("--plot", type=Path, help="draw the rows with their intervals (.svg or .png)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    settings = load_settings()
    if options.style:
        keywords = settings.keywords.model_copy(update={"style": options.style})
        settings = settings.model_copy(update={"keywords": keywords})
    result, judged = measure(options, settings)
    show(result)
    if options.plot:
        draw({name: rows.values[MAIN_FIGURE] for name, rows in judged.items()}, options.plot, options.seed)
    print(json.dumps(result))


if __name__ == "__main__":
    main()

"""Measurement of taggers: train, tag, judge, with CPU seconds."""

import resource
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import rjieba

from benchmarks.entities import baselines
from benchmarks.entities.judging import Figures, Labels, accuracy, span_figures
from recsys.entities import EntityFinder, LabelledSentences, Span, train
from recsys.entities.characters import bounds_of
from recsys.entities.labels import encoded
from recsys.entities.training import style_of

Method = Callable[[LabelledSentences, Sequence[Sequence[str]]], Labels]
CRFSUITE_STEPS = 300_000_000  # tokens × tags²: with more, its 60 rounds take a quarter of an hour, and it is left out
WARM_SENTENCES = 50  # tagged once before the clock starts: machine code and dictionaries load at the first call


def ours(learned: LabelledSentences, tested: LabelledSentences, *, spans: bool, seed: int) -> tuple[Labels, Figures]:
    """Labels of the test file by our tagger, and its seconds of training and speed of tagging."""
    began = time.process_time()
    tagger = train(learned.tokens, learned.labels, chinese=rjieba, spans=spans, seed=seed)
    trained = time.process_time() - began
    tagger.tag(tested.tokens[:WARM_SENTENCES])
    began = time.process_time()
    found = tagger.tag(tested.tokens)
    seconds = max(time.process_time() - began, 1e-9)
    tokens = sum(map(len, tested.tokens))
    megabytes = sum(len(token.encode("utf-8", "replace")) for sentence in tested.tokens for token in sentence) / 1e6
    return found, {
        "tokens_per_second": round(tokens / seconds),
        "megabytes_per_second": round(megabytes / seconds, 2),
        "training_seconds": round(trained, 1),
        "features": len(tagger.weights),
    }


def without_labels(learned: LabelledSentences, sentences: Sequence[Sequence[str]]) -> Labels:
    """The rules that need no label file; only the bounds are to be compared, since a label file has its own types."""
    characters = style_of(learned.tokens) == "characters"
    finder, language, gap = EntityFinder(rjieba), "zh" if characters else "en", "" if characters else " "
    found = []
    for tokens in sentences:
        bounds = bounds_of([token + gap for token in tokens])
        places = finder.places_of(gap.join(tokens), language)
        first = np.searchsorted(bounds, [begin for begin, _, _ in places], side="right") - 1
        behind = np.searchsorted(bounds, [end for _, end, _ in places])
        spans = (Span(begin, end, "name") for begin, end in zip(first.tolist(), behind.tolist(), strict=True))
        found.append(encoded(list(spans), len(tokens)))
    return found


def of_method(method: Method, learned: LabelledSentences, tested: LabelledSentences) -> tuple[Labels, Figures]:
    """Labels of the test file by a baseline, and the seconds of training and tagging together."""
    began = time.process_time()
    found = method(learned, tested.tokens)
    return found, {"seconds": round(time.process_time() - began, 1)}


def measure_spans(learned: LabelledSentences, tested: LabelledSentences, seed: int) -> dict[str, Any]:
    """Exact spans of ours, the dictionary and python-crfsuite."""
    rows = {"crf": ours(learned, tested, spans=True, seed=seed)}
    rows["without_labels"] = of_method(without_labels, learned, tested)
    others = {"dictionary": baselines.dictionary, "crfsuite": baselines.crfsuite}
    rows |= {name: of_method(method, learned, tested) for name, method in others.items()}
    judged: dict[str, Any] = {}
    for name, (found, figures) in rows.items():
        whole, by_type = span_figures(tested.labels, found)
        judged[name] = whole | figures | {"by_type": by_type}
    unknown = {mark[2:] for row in tested.labels for mark in row if mark != "O"}
    unknown -= {mark[2:] for row in learned.labels for mark in row if mark != "O"}
    return result(judged, ("crf", "without_labels"), learned, tested, seed) | {"types_never_learned": sorted(unknown)}


def measure_tags(learned: LabelledSentences, tested: LabelledSentences, seed: int) -> dict[str, Any]:
    """Accuracy of ours, the commonest tag of each word and python-crfsuite."""
    rows = {"crf": ours(learned, tested, spans=False, seed=seed)}
    others: dict[str, Method] = {"commonest_tag": baselines.commonest_label}
    if sum(map(len, learned.tokens)) * len({tag for row in learned.labels for tag in row}) ** 2 < CRFSUITE_STEPS:
        others["crfsuite"] = baselines.crfsuite
    rows |= {name: of_method(method, learned, tested) for name, method in others.items()}
    known = {token for row in learned.tokens for token in row}
    places = [[token not in known for token in row] for row in tested.tokens]
    judged = {
        name: {
            "accuracy": accuracy(tested.labels, found),
            "accuracy_unknown_words": accuracy(*(_chosen(labels, places) for labels in (tested.labels, found))),
            **figures,
        }
        for name, (found, figures) in rows.items()
    }
    return result(judged, ("crf",), learned, tested, seed)


def _chosen(labels: Labels, places: Sequence[Sequence[bool]]) -> Labels:
    return [
        [label for label, chosen in zip(row, chosen_of, strict=True) if chosen]
        for row, chosen_of in zip(labels, places, strict=True)
    ]


def result(
    judged: dict[str, Any], mine: Sequence[str], learned: LabelledSentences, tested: LabelledSentences, seed: int
) -> dict[str, Any]:
    """The JSON object of docs/design.md."""
    return {
        "ours": {name: judged[name] for name in mine},
        "baselines": {name: row for name, row in judged.items() if name not in mine},
        "best": {figure: value for figure, value in judged[mine[0]].items() if figure != "by_type"},
        "sentences": {"train": len(learned.tokens), "test": len(tested.tokens)},
        "odd": {"train": learned.odd, "test": tested.odd},
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "seed": seed,
    }

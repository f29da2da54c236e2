"""Annotations: what one release's models say of each article, loaded for serving.

Reads the release's categories, keywords, languages and tasks; produces ``ArticleAnnotations`` by article.
"""

import sys
from typing import Any

import pyarrow as pa

from recsys.catalogue.articles import ArticleAnnotations, Guesses, Labels, guesses
from recsys.releases import Release
from recsys.tags import STEM
from recsys.workspace import read_json, read_table


def load_annotations(release: Release) -> dict[str, ArticleAnnotations]:
    """The annotations of each article; one that a table lacks has none of that kind."""
    spoken = read_table(release.path("articles") / "ids.parquet", ["id", "language"])
    keywords, categories, labels = _keywords(release), _categories(release), _labels(release)
    annotations = {}
    for article, language in zip(*_lists(spoken), strict=True):
        words, weights, parts = keywords.get(article, ((), (), ()))
        category, bar, topic = categories.get(article, (None, (), False))
        annotations[article] = ArticleAnnotations(
            language, words, weights, parts, category, bar, topic, labels.get(article, ())
        )
    return annotations


def task_names(release: Release) -> list[str]:
    """The tasks that were learned beside the categories."""
    return [task["task"] for task in read_json(release.path("tasks") / "tasks.json")["tasks"]]


def _keywords(release: Release) -> dict[str, tuple[tuple[str, ...], tuple[float, ...], tuple[str, ...]]]:
    ranked = read_table(release.path("keywords") / "keywords.parquet", ["id", "keywords", "weights", "parts"])
    keywords = {}
    for article, words, weights, parts in zip(*_lists(ranked), strict=True):
        shown, tokens = (tuple(map(sys.intern, names[:STEM])) for names in (words, parts))  # mostly the same strings
        keywords[article] = (shown, tuple(weights[:STEM]), tokens)
    return keywords


def _categories(release: Release) -> dict[str, tuple[str | None, Guesses, bool]]:
    table = read_table(release.path("categories") / "articles.parquet", ["id", "category", "bar", "topic"])
    shared: dict[Guesses, Guesses] = {}  # rounded as they are, few bars differ
    categories = {}
    for article, name, bar, topic in zip(*_lists(table), strict=True):
        rounded = guesses((guess["category"], guess["confidence"]) for guess in bar)
        categories[article] = (name, shared.setdefault(rounded, rounded), topic)
    return categories


def _labels(release: Release) -> dict[str, Labels]:
    labels: dict[str, Labels] = {}
    for task in task_names(release):
        table = read_table(release.path("tasks") / task / "articles.parquet", ["id", "label", "confidence"])
        for article, label, confidence in zip(*_lists(table), strict=True):
            if label is not None:
                labels[article] = (*labels.get(article, ()), (task, label, round(confidence, 2)))
    return labels


def _lists(table: pa.Table) -> list[list[Any]]:
    return [column.to_pylist() for column in table.columns]

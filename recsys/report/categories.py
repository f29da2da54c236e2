"""The page of categories: how often each model is right, how sure it is, what it confuses, where it is most wrong."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from recsys.report.charts import TRUE, bars, reliability
from recsys.report.page import Block, Example, Examples, HeatMap, Page, Part, Picture, Table
from recsys.workspace import read_json, read_table

CLASSIFIER_FIGURES = {"accuracy": "accuracy", "macro_f1": "macro-F1"}
DOUBTS = {"uncertain": "uncertain", "calibration_error": "calibration error"}

RELIABILITY = (TRUE, "confidence", "accuracy")  # texts of its picture

TEXT_ENDS = (".", "!", "?", "。", "！", "？", "”", '"')  # of a text that was not cut

Judged = Mapping[str, Any]


def categories_page(folder: Path, tasks: Path) -> Page:
    """The page of categories, and of the other label sets.

    Args:
        folder: the stage's folder.
        tasks: that of the other label sets.
    """
    parts = _judged(read_json(folder / "evaluation.json"), "How they were judged", "")
    parts += _topics(folder)
    for task in read_json(tasks / "tasks.json")["tasks"]:
        name = task["task"]
        parts += _judged(read_json(tasks / name / "evaluation.json"), f"Task: {name}", f"{name}, ")
    return Page("categories", "Categories", "How well articles are sorted, and where the machine is wrong.", parts)


def _judged(judged: Judged, heading: str, task: str) -> list[Part]:
    parts = [Part(heading, judged["note"])]
    for language, results in judged["languages"].items():
        parts += _language(f"{task}{language}", language, results)
    return parts


def _language(about: str, language: str, judged: Judged) -> list[Part]:
    models, best = judged["models"], judged["best"]
    note = f"{judged['articles']:,} texts whose label is known, in {judged['folds']} parts; the best is {best}."
    confusion = judged["confusion"]
    caption = f"True category down, found by {best} across."
    return [
        Part(f"Models ({about})", note, _figures(models, best)),
        Part(f"Confusions ({about})", blocks=[HeatMap(confusion["labels"], confusion["counts"], caption)]),
        _reliability(about, judged["reliability"], best),
        _mistakes(about, language, judged["mistakes"]),
    ]


def _figures(models: Mapping[str, Judged], best: str) -> list[Block]:
    named = CLASSIFIER_FIGURES | DOUBTS
    figures = pd.DataFrame.from_dict(dict(models), orient="index").rename(columns=named)[list(named.values())]
    shown = list(CLASSIFIER_FIGURES.values())
    drawn = {model: {name: values[key] for key, name in CLASSIFIER_FIGURES.items()} for model, values in models.items()}
    picture = Picture("Accuracy and macro-F1 by model", bars(drawn, shown, best), True, shown)
    return [Table.of(figures.rename_axis("model"), shown), picture]


def _reliability(about: str, curves: Mapping[str, Sequence[Judged]], best: str) -> Part:
    heading = f"Reliability ({about})"
    lines = {
        model: [(row["confidence"], row["accuracy"]) for row in rows if row["articles"]]
        for model, rows in curves.items()
    }
    if not any(lines.values()):
        return Part(heading, "No model gave a confidence.")
    note = "Of the articles with a given confidence, the share that was right: on the diagonal it means what it says."
    return Part(heading, note, [Picture("Accuracy by confidence", reliability(lines, best), labels=RELIABILITY)])


def _mistakes(about: str, language: str, rows: Sequence[Judged]) -> Part:
    heading = f"Worst mistakes ({about})"
    if not rows:
        return Part(heading, "The best model made no mistake.")
    shown = [
        Example(
            row["title"] or row["id"],
            f"{row['truth']} → {row['found']}, {row['confidence']:.0%} sure",
            row["text"] if row["text"].endswith(TEXT_ENDS) else f"{row['text']} …",
            language=language,
            said=True,
        )
        for row in rows
    ]
    return Part(heading, "Where the best model was surest and wrong.", [Examples(shown)])


def _topics(folder: Path) -> list[Part]:
    """Topics of the languages that came without categories, with their sizes; nothing where there are none."""
    articles = read_table(folder / "articles.parquet", ["category", "topic"]).to_pandas()
    sizes = articles[articles["topic"].astype(bool)]["category"].value_counts()
    if sizes.empty:
        return [
            Part("Topics", "Every language with enough articles came with categories, so no topics were looked for.")
        ]
    table = Table.of(sizes.rename_axis("topic").rename("articles").to_frame())
    note = "Articles of a language that came without any category are clustered, and each cluster is named by keywords."
    return [Part("Topics", note, [table])]

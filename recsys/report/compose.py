"""The stages' files -> everything that the page shows: counts, pictures, keyword examples."""

from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from recsys.evaluate import FIGURES
from recsys.report import ReportConfig
from recsys.report.page import KeywordExample, Picture, ReportPage
from recsys.report.plots import bars, curves, vector_map
from recsys.tokens import LANGUAGES
from recsys.workspace import load_npy, read_json, read_table

MEASURED = ("seconds", "_second", "peak_mib", "new")  # other on every run; the page is the same for the same seed
KEYWORDS_SHOWN = 8
LEAST_POINTS = 3  # of a map: two points say nothing about a third

Folders = Mapping[str, Path]
Figures = Mapping[str, Mapping[str, float]]


def compose(
    title: str,
    folders: Folders,
    facts: Mapping[str, Mapping[str, Any]],
    figures: Figures,
    note: str,
    config: ReportConfig,
    seed: int,
) -> ReportPage:
    """Gather what the page shows.

    Args:
        title: the page's.
        folders: stage -> its folder; events, tokens, words, keywords, articles, categories, ctr.
        facts: stage -> what it counted and measured; what is measured is left out.
        figures: model -> figure -> value, empty when nothing could be judged.
        note: how they were judged, or why they could not be.
        config: how much is shown.
        seed: decides which articles stand on the map.
    """
    counts = {
        stage: {name: value for name, value in values.items() if not name.endswith(MEASURED)}
        for stage, values in facts.items()
    }
    ranked = {model: {name: values[name] for name in FIGURES} for model, values in figures.items()}
    pictures = [*_model_pictures(ranked), *_loss_pictures(folders), *_maps(folders, config.map_articles, seed)]
    return ReportPage(title, counts, ranked, note, pictures, keyword_examples(folders, config.examples))


def _model_pictures(figures: Figures) -> list[Picture]:
    if not figures:
        return []
    return [Picture("Ranking quality by model, impressions held out", bars(figures, FIGURES, "ctr"), True)]


def _loss_pictures(folders: Folders) -> list[Picture]:
    pictures: list[Picture] = []
    words = read_json(folders["words"] / "training.json")
    if words["loss"]:
        loss = curves({"fit": words["loss"]}, "epoch", "loss per word")
        pictures.append(Picture("Word vectors: training loss by epoch", loss))
    ctr = read_json(folders["ctr"] / "training.json")
    if ctr["fit"]:
        lines = {"fit": ctr["fit"], "validation (later in time)": ctr["validation"]}
        pictures.append(Picture("Click model: loss by epoch", curves(lines, "epoch", "log loss", ctr["best_epoch"])))
    return pictures


def _maps(folders: Folders, most: int, seed: int) -> list[Picture]:
    """A map per language: words of two languages have no common frame, and one map would only show that."""
    vectors = load_npy(folders["articles"] / "vectors.npy")
    languages = read_table(folders["articles"] / "ids.parquet", ["language"])["language"].to_pylist()
    labels = read_table(folders["categories"] / "articles.parquet", ["category"])["category"].to_pylist()
    finite, rng = np.isfinite(vectors).all(axis=1), np.random.default_rng(seed)
    pictures: list[Picture] = []
    for language in LANGUAGES:
        known = np.flatnonzero(finite & np.array([name == language for name in languages], dtype=bool))
        if len(known) >= LEAST_POINTS:
            chosen = np.sort(rng.permutation(known)[:most])
            drawn = vector_map(vectors[chosen], [labels[row] or "" for row in chosen])
            pictures.append(Picture(f"Article vectors on their two main axes, by category ({language})", drawn))
    return pictures


def keyword_examples(folders: Folders, most: int) -> list[KeywordExample]:
    """A few articles of every language, evenly spread, with their keywords.

    Args:
        folders: see ``compose``.
        most: how many articles.
    """
    titles = _column(folders["events"], "title")
    languages = _column(folders["tokens"], "language")
    categories = _column(folders["categories"], "category")
    table = read_table(folders["keywords"] / "keywords.parquet", ["id", "keywords", "weights"]).to_pylist()
    by_language = {
        name: [row for row in table if row["keywords"] and languages[row["id"]] == name] for name in LANGUAGES
    }
    share = -(-most // max(1, sum(bool(rows) for rows in by_language.values())))
    chosen = [row for rows in by_language.values() for row in rows[:: max(1, len(rows) // share)][:share]]
    return [
        KeywordExample(
            titles[row["id"]] or row["id"],
            languages[row["id"]],
            categories[row["id"]],
            list(islice(zip(row["keywords"], row["weights"], strict=True), KEYWORDS_SHOWN)),
        )
        for row in chosen[:most]
    ]


def _column(folder: Path, name: str) -> dict[str, str]:
    table = read_table(folder / "articles.parquet", ["id", name])
    return dict(zip(table["id"].to_pylist(), table[name].to_pylist(), strict=True))

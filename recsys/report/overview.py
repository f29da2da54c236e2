"""The first page: what each stage counted, odd texts, how well the models rank, maps of the articles."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from recsys.evaluate.held_out import RANKING_FIGURES
from recsys.report.lacks import LACKS
from recsys.report.page import Block, Cell, Counts, Page, Part, Picture, Table
from recsys.report.plots import bars, vector_map
from recsys.workspace import load_npy, read_json, read_table

MEASURED = ("seconds", "_second", "peak_mib", "new")  # other on every run; the page is the same for the same seed
ODD = "odd_"  # how the counts of odd texts begin
LEAST_POINTS = 3  # of a map: two points say nothing about a third

Folders = Mapping[str, Path]
Facts = Mapping[str, Mapping[str, Any]]
Figures = Mapping[str, Mapping[str, float]]


def overview(
    folders: Folders, facts: Facts, figures: Figures, note: str, missing: Sequence[str], most: int, seed: int
) -> Page:
    """Gather the first page.

    Args:
        folders: stage -> its folder; tokens, articles, categories.
        facts: stage -> what it counted and measured; what is measured is left out.
        figures: model -> figure -> value, empty when nothing could be judged.
        note: how they were judged, or why they could not be.
        missing: what the release lacks, see ``recsys.report.lacks``.
        most: articles on a map, at most.
        seed: decides which articles stand on it.
    """
    counts = {
        stage: {
            name: value for name, value in values.items() if not name.endswith(MEASURED) and not name.startswith(ODD)
        }
        for stage, values in facts.items()
    }
    parts = [
        *([_lacks(missing)] if missing else []),
        Part("What was read and made", blocks=[Counts(counts)]),
        _odd(folders["tokens"]),
        Part("Ranking the impressions held out", note, _ranking(figures)),
        _maps(folders, most, seed),
    ]
    return Page("index", "Overview", "What this release was trained on, and how well it ranks.", parts)


def _lacks(missing: Sequence[str]) -> Part:
    note = "The site did not give all that a release can be made from."
    return Part("What this release lacks", note, [Table(["lacks", "so"], [[name, LACKS[name]] for name in missing])])


def _odd(tokens: Path) -> Part:
    counts = read_json(tokens / "tokens.json")
    odd = {name.removeprefix(ODD): count for name, count in counts.items() if name.startswith(ODD)}
    note = "Texts that were met with a rule of their own, by kind." if any(odd.values()) else "No text was odd."
    return Part("Odd input", note, [Counts({"texts": odd})])


def _ranking(figures: Figures) -> list[Block]:
    if not figures:
        return []
    rows: list[list[Cell]] = [[model, *(values[name] for name in RANKING_FIGURES)] for model, values in figures.items()]
    picture = Picture("Ranking quality by model, impressions held out", bars(figures, RANKING_FIGURES, "ctr"), True)
    return [Table(["model", *RANKING_FIGURES], rows, RANKING_FIGURES), picture]


def _maps(folders: Folders, most: int, seed: int) -> Part:
    """A map per language: words of two languages have no common frame, and one map would only show that."""
    vectors = load_npy(folders["articles"] / "vectors.npy")
    languages = read_table(folders["articles"] / "ids.parquet", ["language"])["language"].to_pylist()
    labels = read_table(folders["categories"] / "articles.parquet", ["category"])["category"].to_pylist()
    finite, rng = np.isfinite(vectors).all(axis=1), np.random.default_rng(seed)
    pictures: list[Block] = []
    for language in sorted(set(languages)):
        known = np.flatnonzero(finite & np.array([name == language for name in languages], dtype=bool))
        if len(known) >= LEAST_POINTS:
            chosen = np.sort(rng.permutation(known)[:most])
            drawn = vector_map(vectors[chosen], [labels[row] or "" for row in chosen])
            pictures.append(Picture(f"Article vectors on their two main axes, by category ({language})", drawn))
    return Part("Maps of the articles", "" if pictures else "Too few articles have a vector.", pictures)

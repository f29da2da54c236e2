"""All pages of the report, and the first of them: counts, gaps, odd texts, ranking, maps of the articles."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from recsys.evaluate.held_out import COLUMN_MODELS
from recsys.quality.profile import DataProfile
from recsys.report.categories import categories_page
from recsys.report.charts import UNNAMED, vector_map
from recsys.report.click_model import Previous, click_model_page
from recsys.report.data import data_page
from recsys.report.next_click import next_click_page, ranking_blocks
from recsys.report.page import Block, Counts, Page, Part, Picture, Table
from recsys.report.text import keywords_page, words_page
from recsys.store import Kind
from recsys.workspace import load_npy, read_json, read_table

MEASURED = ("seconds", "_second", "peak_mib", "new")  # other on every run; the page is the same for the same seed
ODD_PREFIX = "odd_"  # how the counts of odd texts begin
_MAP_ARTICLES = 1_500  # points of the vector map; more make the page heavy and the picture no clearer
_MAP_WORDS = 300  # words on a map of the words; of more the names would hide each other
_EXAMPLES = 12  # articles with their keywords on the page, shared out between the languages
_NEW_WORDS = 40  # new words and collocations shown per language, the most frequent
LEAST_POINTS = 3  # of a map: two points say nothing about a third

GAPS = {
    "articles": "Nothing can be shown. Import articles.",
    "shown-articles": "Every article is hidden or has expired: nothing can be shown. Show some, or import new ones.",
    "bodies": "Articles are known by their titles alone; keywords, categories and copies are told less surely.",
    "publication-times": "No article says when it was published: nothing counts as fresh.",
    "word-vectors": "Too few texts: articles have neither keywords nor vectors, and are not compared by what they say.",
    "categories": "No two categories came with enough articles: nothing is sorted, lists are varied by nothing.",
    "events": "Nobody has read anything yet: lists hold the newest articles. Import clicks, or wait for some.",
    "clicks": "There are events, and none of them is a click: nothing is popular and no reader is known.",
    "known-clicks": "No click is on an article of the catalogue. Import the articles, or look at their ids.",
    "impressions": "Nobody says what was shown and not clicked: scores order, and are no probabilities of a click.",
    "times": "No event says when it was: popularity does not fade, and visits are not told apart.",
    "item-vectors-from-clicks": "No two articles were read in one visit: articles are alike by what they say only.",
    "click-model": "There was nothing to learn clicks from: lists are ordered by likeness and popularity.",
    "judgement": "No list could be held out: nobody knows how well this release ranks.",
}

Folders = Mapping[str, Path]
Facts = Mapping[str, Mapping[str, Any]]
Figures = Mapping[str, Mapping[str, float]]


def report_pages(
    folders: Folders,
    facts: Facts,
    figures: Figures,
    note: str,
    seed: int,
    data: DataProfile,
    gaps: Sequence[str],
    previous: Previous | None = None,
) -> list[Page]:
    """All pages of the report.

    Args:
        folders: stage -> its folder; events, tokens, words, keywords, articles, categories, tasks, baselines, ctr.
        facts: stage -> what it counted and measured.
        figures: model -> figure -> value, empty when nothing could be judged.
        note: how they were judged, or why they could not be.
        seed: decides which articles stand on a map.
        data: figures of what the site gave.
        gaps: see ``release_gaps``.
        previous: the release before this one, to stand beside it.
    """
    columns = {model: figures[model] for model in ("random", *COLUMN_MODELS, "ctr") if model in figures}
    return [
        overview_page(folders, facts, columns, note, gaps, _MAP_ARTICLES, seed),
        data_page(data),
        next_click_page(figures, read_json(folders["baselines"] / "chosen.json"), note),
        click_model_page(folders["ctr"], read_json(folders["events"] / "log.json")["simulated"], previous),
        words_page(folders["words"], folders["tokens"], _MAP_WORDS, _NEW_WORDS),
        keywords_page(folders, _EXAMPLES),
        categories_page(folders["categories"], folders["tasks"]),
    ]


def release_gaps(
    data: DataProfile, facts: Mapping[str, Mapping[str, Any]], *, click_model: bool, judged: bool
) -> list[str]:
    """The gaps of a release: what its site did not give.

    Args:
        data: figures of what the site gave.
        facts: stage -> what it counted; words, categories, items.
        click_model: whether there is one.
        judged: whether any model was judged.

    Returns:
        Some keys of ``GAPS``, in their order; what follows from a gap that is named is not named again.
    """
    articles, events, clicks = data.articles, data.events, data.match.clicks
    given, happened = articles.total > 0, events.total > 0
    missing = {
        "articles": not given,
        "shown-articles": given and articles.total in (articles.hidden, articles.expired),
        "bodies": given and articles.missing["body"] == articles.total,
        "publication-times": given and articles.missing["published_at"] == articles.total,
        "word-vectors": given and not facts["words"]["words"],
        "categories": given and not facts["categories"]["categories"],
        "events": not happened,
        "clicks": happened and not clicks,
        "known-clicks": given and clicks > 0 and not data.match.matched,
        "impressions": happened and not events.kinds.get(Kind.IMPRESSION),
        "times": happened and events.first is None,
        "item-vectors-from-clicks": clicks > 0 and not facts["items"]["behaviour"],
        "click-model": happened and not click_model,
        "judgement": happened and not judged,
    }
    return [name for name in GAPS if missing[name]]


def overview_page(
    folders: Folders, facts: Facts, figures: Figures, note: str, gaps: Sequence[str], most: int, seed: int
) -> Page:
    """The first page.

    Args:
        folders: stage -> its folder; tokens, articles, categories.
        facts: stage -> what it counted and measured; what is measured is left out.
        figures: model -> figure -> value, empty when nothing could be judged.
        note: how they were judged, or why they could not be.
        gaps: see ``release_gaps``.
        most: articles on a map, at most.
        seed: decides which articles stand on it.
    """
    counts = {
        stage: {
            name: value
            for name, value in values.items()
            if not name.endswith(MEASURED) and not name.startswith(ODD_PREFIX)
        }
        for stage, values in facts.items()
    }
    parts = [
        *([_gaps(gaps)] if gaps else []),
        Part("What was read and made", blocks=[Counts(counts)]),
        _odd(folders["tokens"]),
        Part("Ranking the impressions held out", note, ranking_blocks(figures)),
        _maps(folders, most, seed),
    ]
    return Page("index", "Overview", "What this release was trained on, and how well it ranks.", parts)


def _gaps(gaps: Sequence[str]) -> Part:
    note = "The site did not give all that a release can be made from."
    rows = [[name, GAPS[name]] for name in gaps]
    return Part("What this release lacks", note, [Table(["lacks", "so"], rows, said=("lacks", "so"))])


def _odd(tokens: Path) -> Part:
    counts = read_json(tokens / "tokens.json")
    odd = {name.removeprefix(ODD_PREFIX): count for name, count in counts.items() if name.startswith(ODD_PREFIX)}
    note = "Texts that were met with a rule of their own, by kind." if any(odd.values()) else "No text was odd."
    return Part("Odd input", note, [Counts({"texts": odd})])


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
            caption = f"Article vectors on their two main axes, by category ({language})"
            pictures.append(Picture(caption, drawn, labels=UNNAMED))
    return Part("Maps of the articles", "" if pictures else "Too few articles have a vector.", pictures)
